"""The labelled sets that are read: one alone, or one to learn the read-out on and another to test it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vultus.evaluation.joined import Joined
from vultus.evaluation.tasks import TASKS, hindrance, possible_tasks, task_for
from vultus.faces.faceset import FaceSet
from vultus.meant import meant


@dataclass(frozen=True)
class Source:
    """`name`, `content`: of the card or of both; `faces`: in all; `remarks`: on splits that one of two sets lacks."""

    learn: Path
    test: Path | None
    name: str
    content: str
    faces: int
    remarks: tuple[str, ...] = ()

    def opened(self) -> tuple[FaceSet, FaceSet | None]:
        """The set to learn on, and the one to be tested on if it is another."""
        return FaceSet.open(self.learn), FaceSet.open(self.test) if self.test else None


def source(text: str | Path) -> Source:
    """`SET`, or `LEARN:TEST`. Raises FileNotFoundError where no face set lies."""
    first, _, second = str(text).partition(":")
    learn, test = Path(first), Path(second) if second else None
    seen = as_one(*_opened(learn, test))
    return Source(learn, test, seen.card.name, seen.content_hash, len(seen), seen.remarks if test else ())


def _opened(learn: Path, test: Path | None) -> tuple[FaceSet, FaceSet | None]:
    return FaceSet.open(learn), FaceSet.open(test) if test else None


def as_one(learn: FaceSet, test: FaceSet | None) -> Any:
    """What the tasks see: the set, or both joined."""
    return learn if test is None else Joined(learn, test)


def served(one: Source, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tasks that the set can serve, and for every other one why not. asked: names of tasks, or "all".

    Raises ValueError for a task that does not exist.
    """
    faces = as_one(*one.opened())
    everything = list(asked) == ["all"]
    possible, left_out = [], []
    have = possible_tasks(faces)
    for name in TASKS if everything else asked:
        if name not in TASKS:
            raise ValueError(f"no task {name!r}; there are {', '.join(TASKS)}, or all{meant(name, TASKS)}")
        if name in have:
            reason = hindrance(name, faces)
            left_out += [f"{name} on {one.name}: {reason}"] if reason else []
            possible += [] if reason else [name]
        elif not everything:
            left_out.append(_missing(name, faces))
    if everything and (others := [name for name in TASKS if name not in have]):
        left_out.append(f"{', '.join(others)} on {one.name}: it has no such labels")
    return possible, left_out


def _missing(name: str, faces: Any) -> str:
    try:
        task_for(name, faces)
    except ValueError as reason:
        return str(reason)
    return f"{name} cannot be read on {faces.card.name}"
