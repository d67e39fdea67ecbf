"""Batches of decoded faces, made ahead of their use by threads.

Threads, not processes: the decoders release the interpreter's lock, and the memory map is shared as it is.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vultus.faces.mixture import Faces


def stream(
    faces: Faces, schedule: Iterable[npt.NDArray[Any]], size: int, threads: int = 2, ahead: int = 4
) -> Iterator[torch.Tensor]:
    """Yield uint8 [B, 3, size, size] for each index array of the schedule, in its order.

    `ahead` batches are decoded or waiting while the consumer works; the schedule may be endless and is read
    no further than that. A picture that cannot be decoded raises ValueError where its batch would come.
    Closing the iterator (or leaving it to be collected) ends the threads.
    """
    if min(size, threads, ahead) < 1:
        raise ValueError(f"size, threads and ahead must be 1 or more, got {size}, {threads}, {ahead}")
    return _stream(faces, schedule, size, threads, ahead)


def _stream(
    faces: Faces, schedule: Iterable[npt.NDArray[Any]], size: int, threads: int, ahead: int
) -> Iterator[torch.Tensor]:
    # each of our threads decodes a batch; OpenCV's own would only contend with them and with training
    pool = ThreadPoolExecutor(threads, "decode", initializer=cv2.setNumThreads, initargs=(1,))
    waiting: deque[Future[npt.NDArray[np.uint8]]] = deque()
    try:
        for indices in schedule:
            waiting.append(pool.submit(faces.images, indices, size))
            if len(waiting) > ahead:
                yield torch.from_numpy(waiting.popleft().result())
        while waiting:
            yield torch.from_numpy(waiting.popleft().result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
