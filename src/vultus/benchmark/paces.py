"""Faces a second of every method, timed in turn and kept: by them a budget of minutes becomes a number of faces."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vultus.benchmark.entries import Entry
from vultus.benchmark.plan import Plan
from vultus.faces.atomic import sha256_of, write_atomic
from vultus.faces.faceset import FaceSet
from vultus.training.turns import SECONDS, Tell, epochs_in, faces_a_second

PACES = "paces.json"  # in the benchmark's folder: key → faces a second
ROUNDS = 3  # how often each is timed for a budget


def read_paces(out: Path) -> dict[str, float]:
    """What the folder holds."""
    note = out / PACES
    return json.loads(note.read_text()) if note.exists() else {}


def paced(made: Plan, tell: Tell) -> Plan:
    """The plan with a pace of every entry that is still to learn; they are timed, and kept, where they are missing.

    One whose pace is known is timed with them: later entries are measured by what it takes now against then.
    """
    waiting = {s.entry.label: s.entry for s in made.subjects if s.entry and not s.trained}
    missing = [entry for entry in waiting.values() if _key(made, entry) not in made.paces]
    if not missing:
        return made
    old = [entry for entry in made.entries if _key(made, entry) in made.paces][:1]
    now = timed(made, [*old, *missing], ROUNDS, tell)
    slower = made.paces[_key(made, old[0])] / now[old[0].label] if old and old[0].label in now else 1.0
    found = {_key(made, entry): slower * now[entry.label] for entry in missing if entry.label in now}
    known = read_paces(made.out) | found
    write_atomic(made.out / PACES, json.dumps(known, indent=1).encode())
    return replace(made, paces=known)


def timed(made: Plan, entries: Sequence[Entry], rounds: int, tell: Tell) -> dict[str, float]:
    """Faces a second by label, the median of the rounds; what cannot be timed is told and left out."""
    assert made.unlabelled is not None
    everything = FaceSet.open(made.unlabelled.path)
    faces = everything if made.unlabelled.split == "all" else everything.where(split=made.unlabelled.split)
    configs = {entry.label: replace(entry.config, size=made.config.size) for entry in entries}
    return faces_a_second(configs, faces, rounds, SECONDS, tell)


def epochs(made: Plan, entry: Entry) -> float:
    """What the budget gives an entry: of minutes, as many whole steps as its pace makes; 0 where none is known."""
    assert made.unlabelled is not None
    if not made.budget.minutes:
        return made.budget.epochs
    batch, rate = entry.config.batch, made.paces.get(_key(made, entry))
    if rate is None:
        return 0.0
    return epochs_in(made.budget.minutes, rate, batch, made.unlabelled.count)


def _key(made: Plan, entry: Entry) -> str:
    """Tells settings and faces apart that may differ in pace."""
    assert made.unlabelled is not None
    content = f"{entry.config} {made.unlabelled.content}"
    return f"{entry.slug}-{made.config.size}px-{sha256_of(content.encode())[:8]}"
