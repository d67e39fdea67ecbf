"""How many came through each stage, and what stopped the others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vultus.curate.candidate import STAGES, Fate

WHAT = {
    "read": "photographs that could be read",
    "detect": "faces found",
    "judge": "good enough",
    "duplicates": "without copies",
    "exclude": "not in an excluded set",
    "retrieve": "like the examples",
    "balance": "after balancing",
}


@dataclass(frozen=True)
class Step:
    """A stage: what it left, and what it stopped by reason, most frequent first."""

    stage: str
    left: int
    stopped: Mapping[str, int]


@dataclass(frozen=True)
class Funnel:
    """`photographs` were listed; `steps` in the order of the way, only those at work."""

    photographs: int
    steps: tuple[Step, ...]

    @property
    def kept(self) -> int:
        return self.steps[-1].left

    def lines(self) -> list[str]:
        """Plain text, a line a step."""
        rows = [f"{self.photographs:>10,}  photographs"]
        for step in self.steps:
            why = ", ".join(f"{reason} {count:,}" for reason, count in step.stopped.items())
            rows.append(f"{step.left:>10,}  {WHAT[step.stage]}" + (f" (stopped: {why})" if why else ""))
        return rows


def funnel(photographs: int, rejected: Iterable[tuple[str, str]], faces: int, fates: Sequence[Fate]) -> Funnel:
    """rejected: stage and reason of what the pieces stopped; faces: their candidates; fates: what became of these."""
    stopped: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
    for stage, reason in rejected:
        stopped[stage][reason] += 1
    for fate in fates:
        stopped[fate.stage][fate.reason] += 1
    judged = faces + stopped["judge"].total()
    left = {"read": photographs - stopped["read"].total(), "detect": judged, "judge": faces}
    steps = [Step(stage, left[stage], _sorted(stopped[stage])) for stage in ("read", "detect", "judge")]
    for stage in STAGES[3:]:
        if stopped[stage]:
            steps.append(Step(stage, steps[-1].left - stopped[stage].total(), _sorted(stopped[stage])))
    return Funnel(photographs, tuple(steps))


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
