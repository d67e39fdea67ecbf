"""What a query found, as a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Match:
    """A face that was found."""

    row: int  # of the face set
    name: str
    similarity: float  # cosine, −1 to 1
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The faces most similar to a picture, the most similar first."""

    query: str
    matches: tuple[Match, ...]


def to_csv(answers: Sequence[Answer]) -> str:
    """A line a match: query, rank from 1, name, similarity, row, and the labels."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("query", "rank", "name", "similarity", "row", *_labels(answers)))
    for answer in answers:
        for rank, match in enumerate(answer.matches, 1):
            labels = match.labels.values()
            lines.writerow((answer.query, rank, match.name, f"{match.similarity:.4f}", match.row, *labels))
    return out.getvalue()


def terminal(answers: Sequence[Answer]) -> Group:
    """The same for the eye, a table for each picture."""
    return Group(*map(_table, answers))


def _table(answer: Answer) -> Table:
    table = Table(title=Text(answer.query), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("rank", justify="right")
    table.add_column("name", overflow="fold")
    table.add_column("similarity", justify="right")
    for label in _labels([answer]):
        table.add_column(label)
    for rank, match in enumerate(answer.matches, 1):
        cells = (str(rank), match.name, f"{match.similarity:.3f}", *match.labels.values())
        table.add_row(*map(Text, cells))  # as text: names may hold brackets
    return table


def _labels(answers: Sequence[Answer]) -> list[str]:
    return next((list(match.labels) for answer in answers for match in answer.matches), [])
