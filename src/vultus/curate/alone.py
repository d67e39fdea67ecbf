"""Photographs in a process of their own, which may die: the way of a piece that killed its worker."""

from collections.abc import Sequence

from vultus.curate.candidate import CRASHED, Candidate, Rejected
from vultus.curate.config import CurateConfig
from vultus.curate.examine import Examiner
from vultus.curate.reference import Reference
from vultus.curate.workers import BrokenProcessPool, pool_of

Results = list[Candidate | Rejected]


def examine_alone(references: Sequence[Reference], settings: CurateConfig) -> Results:
    """As Examiner does, one after the other.

    A photograph whose process dies is tried once more, in a new process that does nothing else before; dies that too,
    it is rejected as crashed.
    """
    results: Results = []
    left = list(references)
    tried = False  # whether the first that is left killed a process
    while left:
        with pool_of(1) as pool:
            try:
                while left:
                    results += pool.submit(_examined, left[0], settings).result()
                    left, tried = left[1:], False
            except BrokenProcessPool:
                if tried:
                    results.append(Rejected(left[0].name, "read", CRASHED, "its process died, twice"))
                    left = left[1:]
                tried = not tried
    return results


_examiners: dict[CurateConfig, Examiner] = {}


def _examined(reference: Reference, settings: CurateConfig) -> Results:
    """In the process that may die; what detects is kept from one photograph to the next."""
    if settings not in _examiners:
        _examiners[settings] = Examiner(settings)
    return _examiners[settings](reference)
