"""RAF-DB, basic part (Li et al., 2017): 15,339 aligned faces of 100 pixels, seven expressions by forty annotators.

The manual annotation beside it adds gender, ethnicity and a band of age. Its landmarks belong to the original
photographs, not to the aligned faces, and are not read.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from vultus.faces.card import Skipped
from vultus.faces.readers.reading import LayoutError, Reader, Reading, differences, name_of, pictures, record
from vultus.faces.record import Label, Record

EXPRESSIONS = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")  # numbered from 1
_NUMBERS = tuple("1234567")
GENDERS = ("male", "female", "")  # the third: unsure
ETHNICITIES = ("white", "black", "asian")  # Caucasian, African-American, Asian
AGE_BANDS = ("0-3", "4-19", "20-39", "40-69", "70+")
PUBLISHED = {"train": 12_271, "test": 3_068}
LIST = "list_patition_label.txt"  # spelt so in the data set
_PLACES = (  # of the list, the pictures and the attributes, as published and as commonly copied
    ("EmoLabel", "Image/aligned", "Annotation/manual"),
    ("", "aligned", "manual"),
    ("", "Image/aligned", "Annotation/manual"),
)
LAYOUT = """    SOURCE/basic/EmoLabel/list_patition_label.txt       train_00001.jpg 5, a line
    SOURCE/basic/Image/aligned/train_00001_aligned.jpg       (SOURCE may also be basic itself)
    SOURCE/basic/Annotation/manual/train_00001_manu_attri.txt    optional
  or flat:
    SOURCE/list_patition_label.txt
    SOURCE/aligned/train_00001_aligned.jpg"""


def read(src: Path) -> Reading:
    """Read RAF-DB's basic part, train and test by the pictures' names."""
    place = _place(src)
    if place is None:
        raise LayoutError(src, LAYOUT, f"no {LIST} with a folder aligned")
    listed, aligned, attributes = place
    expressions, faulty = _expressions(listed)
    found = list(pictures(aligned))
    counts = Counter(_split(one.name) for one in found if isinstance(one, Path))
    notes = list(differences(counts, PUBLISHED))
    known = {path.name for path in attributes.iterdir()} if attributes.is_dir() else set()
    without = sum(_attributes_of(name) not in known for name in expressions)
    if known and without:
        notes.append(f"{without:,} of {len(expressions):,} faces have no file of attributes")
    return Reading(
        records=_records(src, found, expressions, faulty, attributes),
        source="RAF-DB (Li et al., Reliable Crowdsourcing and Deep Locality-Preserving Learning, 2017)",
        licence="research only, non-commercial: the terms of RAF-DB",
        count=len(found),
        notes=tuple(notes),
    )


def recognises(src: Path) -> bool:
    """The list of labels with its odd name, and the aligned pictures."""
    return src.is_dir() and _place(src) is not None


def _place(src: Path) -> tuple[Path, Path, Path] | None:
    for root in (src / "basic", src):
        for listed, aligned, attributes in _PLACES:
            if (root / listed / LIST).is_file() and (root / aligned).is_dir():
                return root / listed / LIST, root / aligned, root / attributes
    return None


def _expressions(path: Path) -> tuple[dict[str, str], list[Skipped]]:
    """Expression by the picture's name without its ending, and the lines that give none."""
    found: dict[str, str] = {}
    faulty = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        name = words[0].rsplit(".", 1)[0]
        if len(words) != 2 or words[1] not in _NUMBERS:
            faulty.append(Skipped(words[0], f"{LIST}, line {number}: name and 1 to 7 expected, got {line.strip()!r}"))
        elif name in found:
            faulty.append(Skipped(words[0], f"{LIST}, line {number}: listed a second time"))
        else:
            found[name] = EXPRESSIONS[int(words[1]) - 1]
    return found, faulty


def _records(
    src: Path, found: list[Path | Skipped], expressions: Mapping[str, str], faulty: list[Skipped], attributes: Path
) -> Iterator[Record | Skipped]:
    yield from faulty
    told = {one.name.rsplit(".", 1)[0] for one in faulty}
    seen = set()
    for one in found:
        if isinstance(one, Skipped):
            yield one
            continue
        name = one.stem.removesuffix("_aligned")
        seen.add(name)
        if name not in expressions or not _split(name):
            if name not in told:
                yield Skipped(name_of(src, one), f"{LIST} has no line for it, or it is not named train_… or test_…")
            continue
        try:
            labels = {"split": _split(name), "expression": expressions[name], **_attributes(attributes, name)}
        except (OSError, ValueError) as error:
            yield Skipped(name_of(src, one), str(error))
            continue
        yield record(src, one, labels=labels)
    for name in expressions:
        if name not in seen:
            yield Skipped(name, f"{LIST} lists it, and there is no aligned picture")


def _split(name: str) -> str:
    return next((split for split in PUBLISHED if name.startswith(f"{split}_")), "")


def _attributes_of(name: str) -> str:
    return f"{name}_manu_attri.txt"


def _attributes(folder: Path, name: str) -> dict[str, Label]:
    """Gender, ethnicity and band of age: the three lines after five landmarks. Raises ValueError."""
    path = folder / _attributes_of(name)
    if not path.is_file():
        return {}
    words = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    values = {"gender": GENDERS, "ethnicity": ETHNICITIES, "age_band": AGE_BANDS}
    if len(words) != 8 or not all(
        word.isdecimal() and int(word) < len(of) for word, of in zip(words[5:], values.values(), strict=True)
    ):
        raise ValueError(
            f"{path.name}: five landmarks, then gender 0 to 2, race 0 to 2 and age 0 to 4 expected, got {words[5:]}"
        )
    return {label: of[int(word)] for word, (label, of) in zip(words[5:], values.items(), strict=True)}


READER = Reader(read, recognises, LAYOUT)
