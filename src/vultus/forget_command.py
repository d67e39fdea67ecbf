"""`vultus forget`: faces taken out of a face set for good."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.text import Text
from tyro.conf import Positional

from vultus.screen import screen

if TYPE_CHECKING:
    from vultus.faces.forget import Forgetting

SHOWN = 10  # names


def forget(
    set_: Annotated[Positional[Path], tyro.conf.arg(metavar="SET")],
    name: tuple[str, ...] = (),
    hash_: Annotated[tuple[str, ...], tyro.conf.arg(name="hash")] = (),
    identity: tuple[str, ...] = (),
    note: str = "",
    runs: Path | None = None,
    dry_run: bool = False,
) -> None:
    """Take faces out of a face set for good, and note it in the card.

    Args:
        set_: The face set.
        name: Patterns of names, such as 'flickr/*'; names are paths below the root of the set's source.
        hash_: SHA-256 of pictures, or the pictures' files.
        identity: People, as the label identity calls them.
        note: Words kept in the card as they are; names and people are kept as salted hashes alone.
        runs: List what below this folder was made from the set as it was: runs, features, indexes, copies.
        dry_run: Say what would go, and change nothing.
    """
    from vultus.curate.forgetting import forget as run
    from vultus.faces.atomic import sha256_of
    from vultus.faces.forget import Request

    hashes = tuple(sha256_of(Path(one).read_bytes()) if Path(one).is_file() else one for one in hash_)
    result = run(set_, Request(name, hashes, identity), note=note, dry_run=dry_run)
    _tell(result, set_, dry_run)
    made = made_from(result.before, runs, set_) if runs else []
    screen.print("Models, cached features and indexes made from the set as it was still hold what they took from it.")
    for line in made:
        screen.print(f"  {line}")
    if runs is None or not made:
        searched = f"none lies below {runs}; " if runs else ""
        screen.print(f"  {searched}they name one of these hashes: {', '.join(one[:16] for one in result.before)}")


def _tell(result: "Forgetting", set_: Path, dry_run: bool) -> None:
    would = "would be forgotten" if dry_run else "forgotten"
    copies = f", {result.copies:,} of them as equal pictures under other names" if result.copies else ""
    told = f" face{'s' * (result.faces != 1)} {would}{copies}; {result.left:,} left in {set_}"
    screen.print(Text.assemble((f"{result.faces:,}", "bold"), told))
    for face in result.names[:SHOWN] if dry_run else ():
        screen.print(f"  {face}")
    if dry_run and len(result.names) > SHOWN:
        screen.print(f"  … and {len(result.names) - SHOWN:,} more")
    for asked in result.unmatched:
        screen.print(f"  nothing matches {asked!r}")


def made_from(hashes: Sequence[str], folder: Path, but: Path) -> list[str]:
    """What below a folder was made from faces of these content hashes: runs, features, indexes, copies of the set.

    but: the set itself.
    """
    found = []
    for plan in sorted(folder.rglob("run.json")):
        told = _content(plan)
        learned = {told.get("faces"), *(part["faces"] for part in told.get("parts", {}).values())}
        if learned & set(hashes):
            found.append(f"{plan.parent}: learned from it; train it again")
    for card in sorted(folder.rglob("card.json")):
        told = _content(card)
        if told.get("content_hash") in hashes and card.parent.resolve() != but.resolve():
            index = "run_sha256" in told
            found.append(f"{card.parent}: {'an index of it; make it again' if index else 'a copy of it'}")
    for digest in hashes:
        found += [
            f"{kept}: features of it; remove them" for kept in sorted(folder.rglob(f"features/*-{digest[:16]}-*"))
        ]
    return found


def _content(file: Path) -> dict[str, Any]:
    """Of a JSON file; nothing of one that is damaged or something else."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
