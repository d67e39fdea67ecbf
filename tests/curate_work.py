"""Work that fails in known ways, for tests of executors; light, since every worker imports it."""

import os
import signal
from pathlib import Path


def work(folder: Path, piece) -> None:
    """Note how a piece was done. 3 kills its process unless it is done with care, 13 always; 9 is a mistake."""
    if (piece.number == 3 and not piece.careful) or piece.number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if piece.number == 9:
        raise OSError(f"piece {piece.number}: no room left")
    (folder / str(piece.number)).write_text(str(piece.careful))
