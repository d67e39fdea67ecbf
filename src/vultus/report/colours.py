"""Colours that mean the same on every page, on light ground and on dark."""

from collections.abc import Iterable

from matplotlib.colors import LinearSegmentedColormap

INK, RULE, QUIET = "#1b1a18", "#dcd7cc", "#8d877b"  # of charts; the page puts its own in their place

# seven that stay apart for colour-blind eyes (Okabe and Ito 2008), and two greys of theirs
EXPRESSIONS = {
    "ang": "#d55e00",
    "disg": "#009e73",
    "fear": "#cc79a7",
    "happ": "#e69f00",
    "neutr": "#999999",
    "sad": "#0072b2",
    "surp": "#56b4e9",
    "cont": "#8c6d31",
}
OTHERS = ("#7f6bb3", "#5f8a3a", "#b5485d", "#3f8f95", "#a9762c", "#70757a")
RUNS = ("#3b7dc4", "#d0702a", "#3f9560", "#9d66b5", "#c04a48", "#86852f", "#2f9a9a", "#8f7361")

YAW = LinearSegmentedColormap.from_list("yaw", ["#1f6fb5", "#7fa6c4", "#b3ada2", "#d79a68", "#c4541a"])


def expression_colours(labels: Iterable[str]) -> dict[str, str]:
    """Colour by label: the seven expressions and contempt have one each, in any set and spelling (anger, angry).

    Other labels take further colours in alphabetical order, again and again where there are many.
    """
    found: dict[str, str] = {}
    unknown = 0
    for label in sorted(set(labels) - {""}):
        known = next((c for start, c in EXPRESSIONS.items() if label.lower().startswith(start)), None)
        found[label] = known or OTHERS[unknown % len(OTHERS)]
        unknown += known is None
    return found


def run_colour(place: int) -> str:
    """Of the run that stands at `place` on the page."""
    return RUNS[place % len(RUNS)]
