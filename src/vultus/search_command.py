"""`vultus search`: index a face set by what a run sees in it, and find the faces most like a picture."""

from pathlib import Path
from typing import Annotated

import tyro
from rich.text import Text
from tyro.conf import Positional

from vultus.faces.atomic import write_atomic
from vultus.screen import screen
from vultus.search import answers as tables
from vultus.search.directions import Metric
from vultus.search.face_index import Cut, index_faces, open_index, read_pictures
from vultus.search.index import Kind
from vultus.search.sheet import SIDE, write_sheet


def index(
    faces: Annotated[Positional[Path], tyro.conf.arg(metavar="FACES")],
    run: Annotated[Path, tyro.conf.arg(metavar="RUN")],
    out: Annotated[Path, tyro.conf.arg(metavar="INDEX")],
    feature: str | None = None,
    metric: Metric = "whitened",
    mirrored: bool = True,
    kind: Kind | None = None,
    overwrite: bool = False,
) -> None:
    """Index a face set by a run's feature.

    Args:
        faces: The face set.
        run: The run whose model reads the faces.
        out: The index's folder.
        feature: Which feature, or stages: every map of the encoder patches; else the method's own choice.
        metric: Whitened principal components, which tell people apart far better, or the plain feature's cosine.
        mirrored: Read every face together with its mirror image: twice the time, and people told apart better.
        kind: Of the index; else flat (exact) up to 100,000 faces, and ivfpq above.
        overwrite: Replace an index at INDEX.
    """
    made = index_faces(
        faces, run, out, feature=feature, metric=metric, mirrored=mirrored, kind=kind, overwrite=overwrite,
        say=lambda line: screen.print(line, style="dim"),
    )  # fmt: skip
    size = made.card.bytes / 1e6
    told = f" faces, {made.card.width} values each ({made.card.feature}, {metric}), {made.card.kind}, {size:,.1f} MB"
    screen.print(Text.assemble((f"{len(made):,}", "bold"), f"{told}, in {out}"))


def query(
    index: Annotated[Positional[Path], tyro.conf.arg(metavar="INDEX")],
    pictures: Annotated[Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PICTURE")],
    k: int = 10,
    labels: tuple[str, ...] = (),
    table: Path | None = None,
    sheet: Path | None = None,
    align: bool = False,
    run: Path | None = None,
    faces: Path | None = None,
) -> None:
    """Find the faces most like each picture.

    Args:
        index: The index's folder.
        pictures: Pictures of faces, cut as those of the set are.
        k: How many faces are found for each.
        labels: Labels of the faces found, from the set, to be shown too.
        table: Write the table to this csv file.
        sheet: Write a contact sheet to this PNG file.
        align: Find the largest face of each picture first, and cut it as `vultus curate` did for the set.
        run: Where the run lies, if it was moved.
        faces: Where the face set lies, if it was moved.
    """
    opened = open_index(index)
    model = opened.model(run)
    known = opened.faces_at(faces) if faces else None
    if known is None and (labels or sheet or Path(opened.card.faces).exists()):
        known = opened.faces
    if known is None:
        screen.print(f"the face set {opened.card.faces} is gone: whether it had changed is not known", style="dim")
    cut = _aligned(faces or Path(opened.card.faces)) if align else None
    found = opened.query(pictures, k, model=model, labels=labels, faces=known, cut=cut)
    screen.print(tables.terminal(found))
    if table:
        write_atomic(table, tables.to_csv(found).encode())
    if sheet and known is not None:
        write_sheet(found, read_pictures(pictures, SIDE, cut), known, sheet)
        screen.print(f"the contact sheet lies in {sheet}", style="dim")


def _aligned(faces: Path) -> Cut:
    """Photographs cut to their largest face as a curated set was; for other sets as `vultus curate` cuts by default."""
    import cv2
    import numpy as np

    from vultus.curate import align, state
    from vultus.curate.config import CurateConfig
    from vultus.curate.detect import Detector
    from vultus.faces.decode import upright

    note, settings = state.read(faces), CurateConfig()
    if note is None:
        screen.print(f"{faces} was not made by `vultus curate`: faces are cut by its {settings.template} template")
    else:
        known = {name: note["asked"][name] for name in ("template", "size", "margin", "min_score")}
        settings = CurateConfig(**known, scales=tuple(note["asked"]["scales"]))
    detector = Detector(settings.scales, settings.min_score)

    def cut(data: bytes) -> bytes:
        pixels = upright(data)
        space = cv2.COLOR_GRAY2BGR if pixels.ndim == 2 else cv2.COLOR_RGB2BGR
        found = detector(np.asarray(cv2.cvtColor(pixels, space), np.uint8))
        if not found or found[0].score < settings.min_score:
            raise ValueError("no face found in it; without --align the picture is taken whole")
        matrix = align.placed(found[0], align.fit(found[0].points), settings.template, settings.size, settings.margin)
        face = align.crop(pixels, matrix, settings.size)
        blue_first = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2BGR)
        return np.asarray(cv2.imencode(".png", blue_first)[1]).tobytes()

    return cut


def search(arguments: list[str]) -> None:
    """Read the sub-command and its flags."""
    app = tyro.extras.SubcommandApp()
    app.command(index)
    app.command(query)
    app.cli(prog="vultus search", description=str(__doc__), args=arguments or ["--help"])
