"""Work cut into chunks that threads do side by side, with results that do not depend on how many threads there are.

Sums that a library splits over threads of its own are rounded differently for each number of them. So every chunk is
done on one thread, and chunks do not change with the number of threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import cv2
import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController, threadpool_limits

Rows = NDArray[np.int64]
T = TypeVar("T")


def on_one_thread() -> AbstractContextManager[Any]:
    """What libraries compute inside, they compute on the calling thread alone."""
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def chunked(work: Callable[[Rows], T], rows: Rows, chunk: int, threads: int = 0) -> Iterator[T]:
    """`work` of each chunk of `rows`, in their order; threads: 0 for one a core."""
    chunks = [rows[at : at + chunk] for at in range(0, len(rows), chunk)]
    libraries, most = ThreadpoolController(), min(threads or cpu_count(), max(len(chunks), 1))
    with (
        libraries.limit(limits=1),  # for BLAS libraries, which have one number for all threads
        ThreadPoolExecutor(most, "chunk", initializer=_alone, initargs=(libraries,)) as pool,
    ):
        yield from pool.map(work, chunks)


def _alone(libraries: ThreadpoolController) -> None:
    libraries.limit(limits=1)  # for OpenMP libraries, which have a number for each thread
    cv2.setNumThreads(1)
