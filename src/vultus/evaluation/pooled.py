"""A read-out over one split, or over folds in each of which the others are learned from: every test face once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, runtime_checkable
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation.people import drawn, numbered
from vultus.evaluation.preparation import Floats
from vultus.evaluation.probe import Probe, Reading
from vultus.evaluation.protocol import Protocol
from vultus.evaluation.splits import Rows, Splits


@runtime_checkable
class Tunes(Interface):
    """What may stand for features: it learns from the faces themselves, as a network does that is fine-tuned."""

    def probe(self, part: Splits) -> Any:
        """What answers for one part, with Probe's `dim`, `notes`, `classify` and `regress`.

        And with `detect_known(names, yes [N, K], score)`, NaN for an answer that is not known.
        """


@dataclass(frozen=True)
class Answers:
    """What was said of the test faces: `rows` [M] of the set, `given` [M, K]; and how it came about.

    groups: [M], equal for faces of one person; None where the set names nobody.
    """

    rows: Rows
    given: Floats
    dim: int
    detail: dict[str, Any]
    groups: Rows | None = None


def answer(
    features: NDArray[np.floating] | Tunes, parts: Sequence[Splits], protocol: Protocol, fit: Callable[[Any], Reading]
) -> Answers:
    """Fit a probe on each part and pool what they say. features: [N, D], or what tunes."""
    probes = [
        features.probe(part) if isinstance(features, Tunes) else Probe(features, part, protocol) for part in parts
    ]
    readings = [fit(probe) for probe in probes]
    detail: dict[str, Any] = {"readout": protocol.readout, **probes[0].notes, **readings[0].choice}
    if protocol.shots is not None:
        detail["shots"] = protocol.shots
    if leaked := sum(part.leaked_test_faces for part in parts):
        detail["leaked_test_faces"] = leaked
    if len(parts) > 1:
        detail |= {"train": min(len(part.final) for part in parts), "folds": [dict(r.choice) for r in readings]}
        detail = {key: value for key, value in detail.items() if key not in readings[0].choice}
    rows = np.concatenate([part.test for part in parts])
    groups = numbered(parts[0].people, rows)
    detail |= drawn(groups, len(rows))
    return Answers(rows, np.concatenate([reading.answers for reading in readings]), probes[0].dim, detail, groups)


def learned(parts: Sequence[Splits]) -> Rows:
    """All faces that some fold learns from."""
    return np.unique(np.concatenate([part.final for part in parts]))
