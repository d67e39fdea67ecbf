"""Keep glibc from returning big blocks to the kernel.

By default every tensor of more than 32 MB is mapped and unmapped, and each training step pays the page
faults again: on a CPU a step costs up to several times its arithmetic. Linux with glibc only; elsewhere nothing
is done.
"""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # from malloc.h


def tune_allocator() -> bool:
    """Serve all blocks from the heap and never trim it; True where the allocator took both settings.

    The heap then holds the run's peak until the process ends.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
