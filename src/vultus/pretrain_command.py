"""`vultus pretrain`: the flags are the fields of RunConfig and of the method's Config."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.text import Text
from tyro.conf import AvoidSubcommands, OmitArgPrefixes, Positional

from vultus.meant import meant
from vultus.nets.collective import rank
from vultus.recipes import RECIPES, recipe
from vultus.screen import counted, screen
from vultus.training.config import RunConfig
from vultus.training.distributed import leave
from vultus.training.run import pretrain as run


@dataclass(frozen=True)
class Pretrain:
    """Learn an encoder from a face set; the same command resumes a run that was stopped."""

    faces: Annotated[Positional[str], tyro.conf.arg(metavar="FACES")]  # the face set, or SET:WEIGHT,SET:WEIGHT,…
    out: Path  # the run's folder
    recipe: str  # named settings, which every flag below can change
    run: RunConfig


def pretrain(arguments: list[str]) -> None:
    """Read METHOD and --recipe first: they decide the defaults of all other flags."""
    names = ", ".join(dict.fromkeys(r.partition("-")[0] for r in RECIPES))
    if not arguments or arguments[0].startswith("-"):
        screen.print(f"usage: vultus pretrain METHOD FACES --out RUN [--recipe NAME] [OPTIONS]\n\nmethods: {names}")
        for name, make in RECIPES.items():
            screen.print(f"  --recipe {name:20} {(make.__doc__ or '').splitlines()[0]}")
        screen.print("\n`vultus pretrain METHOD --help` shows every setting.")
        if "--help" in arguments or "-h" in arguments:
            return
        raise ValueError(f"which method? give one of {names}")
    method, rest = arguments[0], arguments[1:]
    chosen = _value_of("--recipe", rest) or f"{method}-cpu"
    if f"{method}-cpu" not in RECIPES:
        raise ValueError(f"no method {method!r}: there are {names}{meant(method, names.split(', '))}")
    own = [name for name in RECIPES if name.partition("-")[0] == method]
    if chosen not in own:
        raise ValueError(f"recipe {chosen!r} is not one of {method}: there are {', '.join(own)}{meant(chosen, own)}")
    kind = Annotated[Pretrain, AvoidSubcommands, OmitArgPrefixes]
    default = Pretrain(tyro.MISSING, tyro.MISSING, chosen, recipe(chosen))
    asked = tyro.cli(kind, default=default, args=rest, prog=f"vultus pretrain {method}")
    result = run(asked.run, asked.faces, asked.out)
    first = rank() == 0
    leave()
    if not first:
        return
    seen = f"{counted(result.steps, 'step')}, {counted(result.faces_seen, 'face')} seen"
    if result.status == "interrupted":
        screen.print(f"interrupted and saved after {seen}; repeat the command to go on")
        raise SystemExit(143)
    if result.pairs:
        screen.print(f"pairs were made of: {result.pairs}")
    if result.warps:
        screen.print(f"local warps stood at: {result.warps}")
    told = f": {seen} in {result.seconds / 60:.1f} min; the model lies in {result.out}"
    screen.print(Text.assemble((result.status, "bold"), told))


def _value_of(flag: str, arguments: list[str]) -> str:
    for i, word in enumerate(arguments):
        if word == flag and i + 1 < len(arguments):
            return arguments[i + 1]
        if word.startswith(flag + "="):
            return word.partition("=")[2]
    return ""
