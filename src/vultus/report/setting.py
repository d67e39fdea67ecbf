"""What was run, and on which faces."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from vultus.faces.card import Card
from vultus.faces.faceset import FaceSet
from vultus.report.collect import Run
from vultus.report.markup import Markup, element, join
from vultus.report.section import Section, facts, fold, note
from vultus.screen import counted
from vultus.training.machine import hardware, versions


def setting(runs: Sequence[Run], faces: FaceSet | None) -> Section:
    """Runs side by side, the face set's card, and the machine."""
    parts = [_runs(runs, faces), fold("All settings", _all_settings(runs)), element("h3", "The faces")]
    if faces is None:
        parts.append(note("No face set was given, so its card and all pictures of faces are left out."))
    else:
        parts += _card(faces.card)
    made = {"Versions": versions(), "Machine": hardware()}
    parts += [element("h3", "This page was made with"), facts(made)]
    return Section("setting", "What was run", join(parts))


def _runs(runs: Sequence[Run], faces: FaceSet | None) -> Markup:
    columns = [_facts_of(run, faces) for run in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    head = element("tr", element("td"), *(element("th", run.label, scope="col") for run in runs))
    body = [
        element("tr", element("th", name, scope="row"), *(element("td", c.get(name, "–")) for c in columns))
        for name in names
    ]
    table = element("table", element("thead", head), element("tbody", *body), class_="settings")
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label="The runs side by side")


def _facts_of(run: Run, faces: FaceSet | None) -> dict[str, str]:
    plan = run.plan
    epochs = f"{plan['epochs']:g} epoch{'s' * (plan['epochs'] != 1)}"
    budget = f"{plan['minutes']:g} minutes" if plan.get("minutes") else epochs
    if run.finished:
        state = "finished"
    else:
        state = "not finished; the best model so far is shown" if run.model else "not finished, no model yet"
    found = {
        "method": run.method,
        "encoder": str(plan["method"].get("encoder", "")),
        "view side": f"{plan['size']} px",
        "learned from": _learned_from(run, faces),
        "budget": budget,
        "steps": f"{run.steps:,} of {plan['steps']:,} × {plan['batch']} faces",
        "faces seen": f"{run.faces_seen:,}",
        "training time": _time(run.seconds),
        "optimiser": f"{plan['optimiser']}, rate {plan['lr']:g}, weight decay {plan['weight_decay']:g}",
        "seed": str(plan["seed"]),
        "made with": plan.get("made_with", ""),
        "machine": plan.get("machine", ""),
        "state": state,
    }
    if run.seconds:
        found["training time"] += f", {run.faces_seen / run.seconds:,.0f} faces a second"
    if run.model is not None:
        count = sum(p.numel() for p in run.model.method.parameters())
        found["weights"] = f"{count / 1e6:.2f} M, SHA-256 {run.model.sha256[:12]}…"
    return found


def _learned_from(run: Run, faces: FaceSet | None) -> str:
    split, given = str(run.plan["split"]), str(run.plan["faces"])
    if mixed := run.plan.get("parts"):
        shares = (f"{100 * part['weight']:.3g} % {part['name']} ({part['count']:,} faces)" for part in mixed.values())
        return f"{' and '.join(shares)}, split {split}"
    for known in (faces, _opened(run)):
        if known is not None:
            chosen = known if split == "all" or "split" not in known.columns else known.where(split=split)
            if chosen.content_hash == given:
                return f"{len(chosen):,} faces of {known.card.name}, split {split}"
    return f"faces {given[:12]}…, split {split}"


def _opened(run: Run) -> FaceSet | None:
    """The set that the run learned from, where it still lies there."""
    place = run.plan.get("faces_path")
    with suppress(OSError, ValueError):
        return FaceSet.open(place) if place else None
    return None


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _all_settings(runs: Sequence[Run]) -> Markup:
    """Every field of run.json, those first in which the runs differ."""
    plans = [_flat(run.plan) for run in runs]
    names = dict.fromkeys(name for plan in plans for name in plan)
    unequal = {name for name in names if len({plan.get(name) for plan in plans}) > 1}
    head = element("tr", element("td"), *(element("th", run.label, scope="col") for run in runs))
    body = []
    for name in sorted(names, key=lambda n: n not in unequal):
        cells = [element("td", plan.get(name, "–")) for plan in plans]
        kind = "differs" if name in unequal else "equal"
        body.append(element("tr", element("th", name, scope="row"), *cells, class_=kind))
    table = element("table", element("thead", head), element("tbody", *body), class_="settings small")
    return element("div", table, class_="scroll", tabindex=0, role="region", aria_label="All settings")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": str(value)}
    return flat


def _card(card: Card) -> list[Markup]:
    labels = [
        name + ("" if column.known == card.faces else f" ({column.known:,} faces)")
        for name, column in card.columns.items()
        if name != "split"
    ]
    repeats = card.duplicates
    told = {
        "Name": card.name,
        "Source": card.source,
        "Licence": card.licence,
        "Faces": f"{card.faces:,}",
        "Splits": ", ".join(f"{name} {count:,}" for name, count in card.splits.items()),
        "Labels": ", ".join(labels) or "none",
        "Equal pictures": _repeats(card) if repeats.images else "none",
        "Left out": f"{counted(card.skipped_count, 'picture')} that could not be read" if card.skipped_count else "",
        "Forgotten": "; ".join(f"{counted(one.faces, 'face')}, {one.when[:10]}" for one in card.forgotten),
        "Made": card.made,
        "Content": f"SHA-256 {card.content_hash}",
    }
    return [facts(told), *(note(text) for text in card.notes)]


def _repeats(card: Card) -> str:
    d = card.duplicates
    parts = [f"{d.images:,} repeat an earlier one" + (" and were dropped" if d.dropped else "")]
    if d.across_splits:
        parts.append(f"{counted(d.across_splits, 'group')} across splits")
    parts += [f"{counted(count, 'group')} with unlike {name}" for name, count in d.conflicting.items()]
    return "; ".join(parts)
