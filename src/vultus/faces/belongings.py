"""What of a folder is a face set's own, and what somebody put beside it."""

from fnmatch import fnmatchcase
from pathlib import Path

from vultus.faces import card, pairs, triplets

# the last: what a curation keeps beside its set
OWN = (card.FILE, pairs.FILE, triplets.FILE, "shard-*.arrow", "curation.*")


def require_own(folder: Path) -> None:
    """Raise FileExistsError for files that are not a set's: they would go with the folder that a new one replaces."""
    names = sorted(one.name for one in folder.iterdir())
    if foreign := [name for name in names if not any(fnmatchcase(name, own) for own in OWN)]:
        raise FileExistsError(
            f"{folder} holds files that are not the set's, and would lose them: {', '.join(foreign[:10])}; "
            "move them elsewhere and repeat; nothing was changed"
        )
