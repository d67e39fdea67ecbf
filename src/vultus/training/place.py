"""Which folder may take a run or a fine-tuning: a new or empty one, or its own, to go on."""

from pathlib import Path

PLAN = "run.json"  # of a run
TUNING = "finetune.json"  # of a fine-tuning
ASKED = "asked.json"  # in a run's folder: the settings a benchmark asked for, noted before the run begins


def require_place(folder: Path, *own: str) -> None:
    """Raise FileExistsError unless `folder` is missing, empty, or holds one of the files `own`, and no face set.

    What is written into a face set goes with the old folder when faces of it are forgotten.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: --out takes a folder")
    held = {path.name for path in folder.iterdir()}
    if "card.json" in held:
        raise FileExistsError(f"{folder} is a face set, or an index of one: choose a new or empty folder by --out")
    torn = {name for name in held if name.startswith(tuple(f".{one}." for one in own))}  # of a writer that was killed
    if held - torn and held.isdisjoint(own):
        what = "a run" if PLAN in held else "a fine-tuning" if TUNING in held else "files of something else"
        raise FileExistsError(f"{folder} holds {what}: choose a new or empty folder by --out")
