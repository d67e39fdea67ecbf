"""The page of a curation: what came through, what did not and why, with the faces themselves."""

from collections.abc import Mapping

import numpy as np

from vultus.curate import diagrams
from vultus.curate.choose import Chosen
from vultus.curate.funnel import WHAT, Funnel
from vultus.curate.page_rejections import Told, rejections
from vultus.curate.pool import Pool
from vultus.curate.sheets import ACROSS, named_rows
from vultus.curate.state import Asked
from vultus.faces.card import Card
from vultus.methods.settings import settings_of
from vultus.report.markup import Markup, element, join
from vultus.report.section import Section, contents, facts, fold, joined, legend, note
from vultus.report.template import page, today

CLUSTERS = 12  # shown
FOOTER = "One file, nothing fetched; every photograph and face is in curation.parquet, with its judgement."


def curation_page(
    pool: Pool, chosen: Chosen, through: Funnel, asked: Asked, card: Card, versions: Mapping[str, str]
) -> str:
    """One HTML document that needs nothing but itself."""
    told = Told.of(pool, chosen.fates)
    sections = [
        Section("funnel", "From photographs to faces", _funnel(through)),
        Section("kept", "Kept", _kept(told)),
        Section("stopped", "Not kept, and why", rejections(told)),
        *_gallery(told, chosen),
        Section("judgement", "What the faces were judged by", _judgement(told, asked)),
        Section("made", "How it was made", _made(asked, card, versions)),
    ]
    standfirst = (
        f"{card.faces:,} faces out of {through.photographs:,} photographs of {asked.src}. Made on {today()}. "
        "The page holds faces: keep it where the photographs may be kept."
    )
    return page(f"Curation of {card.name}", standfirst, contents(sections), joined(sections), FOOTER)


def _funnel(through: Funnel) -> Markup:
    rows = [
        element(
            "tr",
            element("th", WHAT[step.stage], scope="row"),
            element("td", f"{step.left:,}", class_="num"),
            _why(step.stopped),
        )
        for step in through.steps
    ]
    heads = ("stage", "left", "stopped")
    table = element(
        "table",
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element("tbody", *rows),
        class_="results",
    )
    return join((element("figure", diagrams.funnel_chart(through)), element("div", table, class_="scroll")))


def _why(stopped: Mapping[str, int]) -> Markup:
    return element("td", "; ".join(f"{reason} {count:,}" for reason, count in stopped.items()) or "none")


def _kept(told: Told) -> Markup:
    """By chance, and by quality: best, middle and worst."""
    kept = told.kept
    quality = told.pool.table["judged_quality"].to_numpy()[kept]
    order = kept[np.argsort(-quality, kind="stable")]
    middle = max((len(order) - ACROSS) // 2, 0)
    by_chance = np.sort(np.random.default_rng(0).permutation(len(kept))[: 3 * ACROSS])
    rows = {
        "by chance": kept[by_chance],
        "highest quality": order[:ACROSS],
        "middle": order[middle : middle + ACROSS],
        "lowest quality": order[-ACROSS:][::-1],
    }
    pictures = [(name, [told.pool.image_of_row(int(row)) for row in found]) for name, found in rows.items()]
    return named_rows(pictures, "faces kept")


def _gallery(told: Told, chosen: Chosen) -> list[Section]:
    """Faces of each of the largest clusters, kept ones only; nothing where there are too few faces for any."""
    kept, rows = set(told.kept.tolist()), []
    for group in chosen.clusters[:CLUSTERS]:
        of_group = told.pool.rows[group]
        held = [int(row) for row in of_group if int(row) in kept]
        drawn = np.sort(np.random.default_rng(0).permutation(len(held))[:ACROSS])
        title = f"{len(group):,} faces" if len(held) == len(group) else f"{len(held):,} kept of {len(group):,}"
        rows.append((title, [told.pool.image_of_row(held[place]) for place in drawn]))
    return [Section("clusters", "Faces that are alike", named_rows(rows, "a cluster"))] if rows else []


def _judgement(told: Told, asked: Asked) -> Markup:
    judged = np.flatnonzero(told.pool.table["judged_quality"].is_valid().to_numpy())
    is_kept = np.isin(judged, told.kept)
    charts = []
    for part in diagrams.PARTS:
        values = told.pool.table[f"judged_{part.key}"].to_numpy()[judged]
        charts.append(element("div", diagrams.histogram(part, values[is_kept], values[~is_kept], asked.config)))
    colours = {"kept": diagrams.KEPT, "not kept": diagrams.STOPPED}
    words = (
        "All faces that were aligned, by each part of their judgement; dashed lines are the thresholds in force. Yaw, "
        "pitch and roll are estimated from five points."
    )
    return join((element("p", words), legend(colours), element("div", *charts, class_="charts")))


def _made(asked: Asked, card: Card, versions: Mapping[str, str]) -> Markup:
    told = facts(
        {
            "source": asked.src,
            "licence of the photographs": card.licence or "not given",
            "faces": f"{card.faces:,}",
            "labels": ", ".join(card.columns),
            "SHA-256 of the content": card.content_hash,
            "made with": ", ".join(f"{package} {version}" for package, version in versions.items()),
        }
    )
    rows = [
        element(
            "tr",
            element("th", setting.name.replace("_", "-"), scope="row"),
            element("td", str(getattr(asked.config, setting.name))),
            element("td", setting.comment),
        )
        for setting in settings_of(type(asked.config))
    ]
    table = element("div", element("table", element("tbody", *rows), class_="settings small"), class_="scroll")
    notes = fold("Notes of the card", *(note(line) for line in card.notes))
    return join((told, fold("Every setting", table), notes))
