"""The `vultus` command: each sub-command reads its flags, calls one function and prints what it returned.

Imports of what is heavy stand inside the commands, so that help comes at once.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.text import Text
from tyro.conf import Positional

from vultus.meant import meant
from vultus.screen import screen

Folder = Annotated[Positional[Path], tyro.conf.arg(metavar="RUN")]
COMMANDS = (
    "pack", "curate", "synthesise", "forget", "evaluate", "disentangle", "benchmark", "embed", "report", "demo",
    "pretrain", "finetune", "search",
)  # fmt: skip


def synthesise(
    count: Annotated[Positional[int], tyro.conf.arg(metavar="COUNT")],
    out: Annotated[Positional[Path], tyro.conf.arg(metavar="OUT")],
    size: int = 64,
    identities: int | None = None,
    seed: int = 0,
    name: str = "synthetic",
    overwrite: bool = False,
) -> None:
    """Rendered faces with every label known → a face set.

    Args:
        count: How many faces.
        out: The face set's folder.
        size: Side of a picture, pixels.
        identities: How many people; else one to twelve faces.
        seed: Of everything; the same seed gives the same faces.
        name: Of the set, by which tables know it.
        overwrite: Replace a face set at OUT.
    """
    from vultus.demo import synthetic_set

    made = synthetic_set(count, out, size=size, identities=identities, seed=seed, name=name, overwrite=overwrite)
    screen.print(Text.assemble((f"{len(made):,}", "bold"), f" faces in {out}; labels: {', '.join(made.columns)}"))


def disentangle(
    run: Folder, data: Path | None = None, out: Path | None = None, pca: int | None = None, seed: int = 0
) -> None:
    """How well a model keeps pose, expression and person apart: leakage, swapped poses, invariance.

    Args:
        run: A run's folder.
        data: A face set with expression, identity or head pose; else the one that the run learned from.
        out: Folder for the figures and pictures; else the run's, where `vultus report` finds them.
        pca: Reduce features to at most so many values first, for the read-outs of DATA.
        seed: Of the rendered faces, of validation cuts, made pairs and bootstrap.
    """
    from vultus.evaluation import disentanglement, disentanglement_table
    from vultus.evaluation.protocol import Protocol
    from vultus.methods.model import load
    from vultus.report.disentanglement import write_pictures

    result = disentanglement.disentangle(
        run,
        data or disentanglement.known_set(run),
        protocol=Protocol(pca=pca, seed=seed),
        tell=lambda line: screen.print(line, style="dim"),
    )
    screen.print(disentanglement_table.terminal(result))
    kept = (disentanglement.keep(result, out or run), *write_pictures(result, load(run), out or run))
    screen.print(f"kept in {', '.join(map(str, kept))}", style="dim")


def embed(
    run: Folder,
    src: Annotated[Positional[Path], tyro.conf.arg(metavar="SRC")],
    out: Path,
    feature: str | None = None,
    mirrored: bool = False,
) -> None:
    """Features of faces → a Parquet file: a row a face, a column a feature.

    Args:
        run: A run's folder.
        src: A face set, or a folder of pictures.
        out: The Parquet file.
        feature: Which feature, stages (every map of the encoder patches), or all; else the method's own choice.
        mirrored: Read every face together with its mirror image: the mean of both features.
    """
    from vultus.evaluation.parquet import embed_to_parquet

    result = embed_to_parquet(run, src, out, feature, mirrored)
    told = f" faces × {', '.join(result.features)} in {out}, {result.skipped} skipped"
    screen.print(Text.assemble((f"{result.faces:,}", "bold"), told))


def report(
    runs: tyro.conf.Positional[tuple[Path, ...]], out: Path = Path("report.html"), data: Path | None = None
) -> None:
    """One self-contained HTML page about one or several runs.

    Args:
        runs: Folders of runs, to be compared.
        out: The page.
        data: The face set whose faces are shown; else the one that the first run learned from.
    """
    import json

    from vultus.faces.faceset import FaceSet
    from vultus.report.page import write_report

    if data is None and runs and (runs[0] / "run.json").exists():
        known = Path(json.loads((runs[0] / "run.json").read_text()).get("faces_path", ""))
        data = known if (known / "card.json").exists() else None
    faces = FaceSet.open(data) if data else None
    screen.print(f"the page lies in {write_report(runs, out, faces=faces)}")


def demo(out: Path = Path("demo"), faces: int = 6000, minutes: float = 1.0, seed: int = 0) -> None:
    """The whole way on rendered faces in a few minutes: set, PCL and SimCLR, probes, page.

    Args:
        out: Folder for everything the demo makes.
        faces: How many are rendered, 1680 or more.
        minutes: Training time of each method.
        seed: Of everything.
    """
    from vultus.demo import run_demo

    run_demo(out, faces=faces, minutes=minutes, seed=seed)


def _app() -> Any:
    from vultus import __version__
    from vultus.benchmark.command import benchmark
    from vultus.curate_command import curate
    from vultus.evaluate_command import evaluate
    from vultus.forget_command import forget
    from vultus.pack_command import pack

    app = tyro.extras.SubcommandApp()
    for command in (pack, curate, synthesise, forget, evaluate, disentangle, benchmark, embed, report, demo):
        command.__doc__ = re.sub(r"\n {9,}", " ", command.__doc__ or "")  # tyro keeps the breaks of long descriptions
        app.command(command)

    def pretrain(method: Annotated[Positional[str], tyro.conf.arg(metavar="METHOD")]) -> None:
        """Learn an encoder from a face set; resumable."""

    def finetune(run: Folder) -> None:
        """Teach a run's encoder the labels of a face set, and measure it; resumable."""

    def search() -> None:
        """Index a face set by what a run sees in it, and find the faces most like a picture."""

    app.command(pretrain)
    app.command(finetune)
    app.command(search)
    return app, f"vultus {__version__}: from unlabelled photographs to a measured face representation."


def _run(arguments: list[str]) -> None:
    """Three commands read their flags themselves. Raises ValueError for a command that does not exist."""
    name, rest = (arguments or ["--help"])[0], arguments[1:]
    if name == "--version":
        from vultus import __version__

        screen.print(f"vultus {__version__}")
    elif name == "pretrain":
        from vultus.pretrain_command import pretrain

        pretrain(rest)
    elif name == "finetune":
        from vultus.finetune_command import finetune

        finetune(rest)
    elif name == "search":
        from vultus.search_command import search

        search(rest)
    elif name in COMMANDS or name.startswith("-"):
        app, description = _app()
        app.cli(prog="vultus", description=description, args=arguments or ["--help"])
    else:
        raise ValueError(f"no command {name!r}: there are {', '.join(COMMANDS)}{meant(name, COMMANDS)}")


def main() -> None:
    """Entry point: errors that a user can act on are one line, everything else is a traceback."""
    screen_of_errors = Console(stderr=True, soft_wrap=True)
    try:
        _run(sys.argv[1:])
    except KeyboardInterrupt:
        screen_of_errors.print("interrupted; what is finished of resumable work is kept")
        raise SystemExit(130) from None
    except (ValueError, OSError, KeyError, ArithmeticError, RuntimeError, ImportError) as error:
        if os.environ.get("VULTUS_TRACEBACK"):
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        screen_of_errors.print(Text.assemble(("vultus: error: ", "red"), str(text)))
        raise SystemExit(2) from None
