"""Readers of sources, one a layout; `detect` finds the one that fits."""

from pathlib import Path

from vultus.faces.readers import (
    affectnet,
    aflw,
    biwi,
    bp4d,
    bu3dfe,
    celeba,
    ckplus,
    cross_lfw,
    disfa,
    fec,
    fer2013,
    folder,
    lfw,
    lfwa,
    list,
    mtfl,
    pairs_file,
    pointing04,
    points68,
    raf_db,
    utkface,
    w300,
    w300lp,
    wflw,
)
from vultus.faces.readers.reading import LayoutError, Reader, Reading

__all__ = ["READERS", "LayoutError", "Reader", "Reading", "detect"]

# in the order of detection: what is particular first, any folder of pictures last
READERS: dict[str, Reader] = {
    "fer2013": fer2013.READER,
    "raf_db": raf_db.READER,
    "affectnet": affectnet.READER,
    "ckplus": ckplus.READER,
    "disfa": disfa.READER,
    "bp4d": bp4d.READER,
    "cplfw": cross_lfw.CPLFW,
    "calfw": cross_lfw.CALFW,
    "mtfl": mtfl.READER,
    "celeba": celeba.READER,
    "lfwa": lfwa.READER,
    "wflw": wflw.READER,
    "w300": w300.READER,
    "w300lp": w300lp.READER,
    "aflw2000": w300lp.AFLW2000,
    "aflw": aflw.READER,
    "biwi": biwi.READER,
    "pointing04": pointing04.READER,
    "bu3dfe": bu3dfe.READER,
    "points68": points68.READER,
    "fec": fec.READER,
    "lfw": lfw.READER,
    "utkface": utkface.READER,
    "pairs": pairs_file.READER,
    "list": list.READER,
    "folder": folder.READER,
}


def detect(src: Path) -> str:
    """The name of the reader whose layout a source has. Raises LayoutError that shows them all."""
    for name, reader in READERS.items():
        try:
            if reader.recognises(src):
                return name
        except PermissionError:  # parts that may not be read make no layout; any folder's reader tells of them
            continue
    layouts = "\n".join(f"  {name}:\n{reader.layout}" for name, reader in READERS.items())
    raise LayoutError(src, layouts, "no reader knows this layout")
