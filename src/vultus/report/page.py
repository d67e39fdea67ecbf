"""The report: runs, figures and faces on one page that needs nothing but itself."""

from collections.abc import Sequence
from pathlib import Path

from vultus.evaluation.figure import Figure
from vultus.faces.atomic import write_atomic
from vultus.faces.faceset import FaceSet
from vultus.report import gallery
from vultus.report.collect import Run, read_runs
from vultus.report.disentanglement import disentanglement
from vultus.report.evidence import named_figures, results, training
from vultus.report.section import contents, joined
from vultus.report.setting import setting
from vultus.report.slices import slices
from vultus.report.template import FACES, FOOT, page, today


def write_report(
    runs: Sequence[Path],
    out: Path,
    *,
    faces: FaceSet | None = None,
    figures: Sequence[Figure] = (),
    title: str = "Face representations",
) -> Path:
    """Write one HTML file `out` about the runs in these folders; returns its path.

    faces: shown and mapped, of its test split where it has one; None leaves pictures out. figures: for the
    table; none given, those in each run's evaluation.json. What cannot be shown is said in one line.
    Raises ValueError without runs, FileNotFoundError for a folder that holds none.
    """
    if not runs:
        raise ValueError("no run to report: give one folder of `vultus pretrain` or more")
    read = read_runs([Path(folder) for folder in runs])
    sample = gallery.take_sample(read, faces) if faces is not None else None
    kept = (slices(read), disentanglement(read))  # where a run's folder holds them
    sections = [
        results(read, named_figures(read, figures)),
        *(section for section in kept if section is not None),
        setting(read, faces),
        training(read),
        gallery.views(read, sample),
        gallery.reconstructions(read, sample),
        gallery.maps(read, sample),
        gallery.neighbours(read, sample),
    ]
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    foot = FOOT if faces is None else FACES
    write_atomic(out, page(title, _standfirst(read, faces), contents(sections), joined(sections), foot).encode())
    return out


def _standfirst(runs: Sequence[Run], faces: FaceSet | None) -> str:
    seen = sum(run.faces_seen for run in runs)
    names = ", ".join(run.label for run in runs)
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    on = f" The faces shown are of “{faces.card.name}”." if faces is not None else ""
    return f"{count.capitalize()} ({names}), {seen:,} faces seen without a label.{on} Made on {today()}."
