"""Readers of sources, one a layout; `detect` finds the one that fits."""

from pathlib import Path

from vultus.faces.readers import fer2013, folder, lfw, list, mtfl, utkface
from vultus.faces.readers.reading import LayoutError, Reader, Reading

__all__ = ["READERS", "LayoutError", "Reader", "Reading", "detect"]

# in the order of detection: what is particular first, any folder of pictures last
READERS: dict[str, Reader] = {
    "fer2013": fer2013.READER,
    "mtfl": mtfl.READER,
    "lfw": lfw.READER,
    "utkface": utkface.READER,
    "list": list.READER,
    "folder": folder.READER,
}


def detect(src: Path) -> str:
    """The name of the reader whose layout a source has. Raises LayoutError that shows them all."""
    for name, reader in READERS.items():
        if reader.recognises(src):
            return name
    layouts = "\n".join(f"  {name}:\n{reader.layout}" for name, reader in READERS.items())
    raise LayoutError(src, layouts, "no reader knows this layout")
