"""Where the commands print: text as it is, for names of files may hold what rich takes for markup (`[a]`, `:b:`)."""

from rich.console import Console

screen = Console(highlight=False, markup=False, emoji=False)


def counted(count: int, one: str) -> str:
    """1 face, 2,000 faces: a number and what it counts."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"
