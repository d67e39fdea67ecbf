"""`vultus pack`: photographs of faces, in plain folders or a published layout → a face set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.text import Text
from tyro.conf import Positional

from vultus.screen import screen

if TYPE_CHECKING:
    from vultus.faces.pack import PackResult


def _readers(default: str) -> str:
    """The names a source's layout may have, for the help alone: reading them loads the readers."""
    from vultus.faces.readers import READERS

    return f"(default: {default}; {', '.join(READERS)})"


def pack(
    src: Annotated[Positional[Path], tyro.conf.arg(metavar="SRC")],
    out: Annotated[Positional[Path], tyro.conf.arg(metavar="OUT")],
    reader: Annotated[str, tyro.conf.arg(help_behavior_hint=_readers)] = "auto",
    label: str | None = None,
    crop: float | None = None,
    every: int | None = None,
    align: str | None = None,
    size: int | None = None,
    margin: float | None = None,
    published_split: bool = False,
    name: str | None = None,
    licence: str = "",
    drop_duplicates: bool = False,
    overwrite: bool = False,
) -> None:
    """Photographs of faces → a face set.

    Args:
        src: A published set as it unpacks, a folder of pictures, a list file, a csv with pixels, or videos.
        out: The face set's folder.
        reader: The layout of SRC, described in docs/datasets.md; auto looks at it.
        label: For a folder of class folders: the label that their names are, such as expression.
        crop: For lfw and lfwa: the central part of each side that is kept (if not given, 0.5 and 0.7).
        every: For videos and sequences: one frame in so many is kept.
        align: Turn every face upright by its five points, found by YuNet, and cut it to a template: arcface, ffhq or
            loose, from tight on. A picture in which none is found stays as it came.
        size: With align (if not given, 112): side of a crop, pixels.
        margin: With align (if not given, 0): further room on every side, in parts of the template's side; below 0 for
            tighter crops.
        published_split: For points68: keep its folders as train and test, though they show the same people.
        name: Of the set; else SRC's.
        licence: Terms of the pictures, kept in the set's card.
        drop_duplicates: Keep only the first of identical pictures.
        overwrite: Replace a face set at OUT.
    """
    from vultus.faces.pack import pack as run

    change = None
    if align is not None:
        from vultus.curate.aligned import Aligner

        change = Aligner(align, 112 if size is None else size, margin or 0.0)
    elif size is not None or margin is not None:
        raise ValueError("--size and --margin are of crops: give --align arcface, ffhq or loose with them")
    result = run(
        src, out, reader=reader, change=change, label=label, crop=crop, every=every,
        published_split=published_split or None, name=name, licence=licence, drop_duplicates=drop_duplicates,
        overwrite=overwrite,
    )  # fmt: skip
    _tell(result)
    if result.reader == "folder" and label is None:
        _hint(src)


def _hint(src: Path) -> None:
    """What folders named like classes could tell."""
    from vultus.faces.readers.folder import class_folders

    classes = len(class_folders(src))
    if classes > 1:
        screen.print(f"  {classes:,} class folders: add --label expression, or what else they are, to keep them")


def _tell(result: "PackResult") -> None:
    card = result.card
    screen.print(Text.assemble((f"{result.faces:,}", "bold"), f" faces in {result.path}, {result.skipped} skipped"))
    screen.print(f"  read as {result.reader}; labels: {', '.join(card.columns) or 'none'}")
    if card.splits:
        screen.print(f"  {', '.join(f'{name} {count:,}' for name, count in card.splits.items())}")
    for skip in card.skipped[:10]:
        screen.print(f"  skipped {skip.name}: {skip.reason}")
    if result.skipped > 10:
        screen.print(f"  … all of them in {result.path / 'card.json'}")
    for note in card.notes:
        screen.print(f"  {note}")
    copies = card.duplicates
    if copies.images:
        screen.print(
            f"  {copies.images:,} pictures are copies of earlier ones, {copies.across_splits:,} groups lie "
            "across splits; --drop-duplicates keeps the first of each"
        )
