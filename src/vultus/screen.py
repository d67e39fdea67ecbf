"""Where the commands print: text as it is, for names of files may hold what rich takes for markup (`[a]`, `:b:`)."""

from rich.console import Console

screen = Console(highlight=False, markup=False, emoji=False)
