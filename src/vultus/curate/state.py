"""What a curation was asked for, noted beside its pieces and in its set: the same goes on, another is refused."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vultus.curate import places
from vultus.curate.config import CurateConfig
from vultus.curate.places import Place

FILE = "curation.json"


@dataclass(frozen=True)
class Asked:
    """Source and settings."""

    src: str
    listing: str  # fingerprint
    config: CurateConfig

    def as_json(self) -> dict[str, Any]:
        """As it is read back."""
        found: dict[str, Any] = json.loads(
            json.dumps({"src": self.src, "listing": self.listing, **asdict(self.config)})
        )
        return found


def check(asked: Asked, folder: Place, where: str) -> bool:
    """Whether `folder` was begun with the same; False where nothing was begun.

    Raises ValueError, naming what differs; `where` tells what to remove to begin anew.
    """
    known = read(folder)
    if known is None:
        return False
    before, now = known["asked"], asked.as_json()
    differs = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    if differs:
        told = "; ".join(_told(name, before.get(name), now.get(name)) for name in differs)
        raise ValueError(f"{where} was begun otherwise: {told}. Ask for the same to go on, or remove {where}")
    return True


def begin(asked: Asked, folder: Place) -> None:
    """Note what is asked for."""
    places.write(places.join(folder, FILE), text({"asked": asked.as_json()}))


def read(folder: Place) -> dict[str, Any] | None:
    """What a folder notes; None where there is no note."""
    file = places.join(folder, FILE)
    try:
        with places.open_file(file) as opened:
            found: dict[str, Any] = json.loads(opened.read())
            return found
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise ValueError(f"{file} cannot be read: {error}. Remove {folder} and begin anew") from error


def text(content: Mapping[str, Any]) -> bytes:
    """JSON for a file."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _told(name: str, before: object, now: object) -> str:
    if name == "listing":
        return "the source holds other photographs than then"
    return f"{name.replace('_', '-')} was {before}, now {now}"
