"""What a misspelt name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, names: Iterable[str]) -> str:
    """`; did you mean simclr?` of the name that is most like one that does not exist; "" where none is."""
    close = get_close_matches(name.lower(), list(names), n=1)
    return f"; did you mean {close[0]}?" if close else ""
