"""Random people: the shape of a head, its colours and its hair, each a function of (seed, number) alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vultus.faces.synthetic.head_shape import sample_shape

Colour = tuple[float, float, float]  # linear red, green, blue, 0 to 1
HAIR_STYLES = ("bald", "short", "full", "afro", "long")
_PEOPLE, _SPLITS = 1, 2  # streams of random numbers
_SPLIT_OF_TWENTY = ("train",) * 14 + ("validation",) * 3 + ("test",) * 3
_SKIN = {  # lightest and darkest tone met
    "african": ((0.46, 0.26, 0.16), (0.11, 0.05, 0.03)),
    "asian": ((0.76, 0.50, 0.34), (0.38, 0.21, 0.12)),
    "caucasian": ((0.84, 0.55, 0.43), (0.50, 0.28, 0.18)),
}
_IRISES = {
    "brown": (0.09, 0.035, 0.015), "dark": (0.03, 0.014, 0.008), "blue": (0.12, 0.25, 0.42),
    "green": (0.12, 0.20, 0.09), "grey": (0.22, 0.26, 0.29),
}  # fmt: skip
_HAIRS = {
    "black": (0.012, 0.011, 0.011), "brown": (0.07, 0.035, 0.018), "blond": (0.45, 0.30, 0.13),
    "red": (0.28, 0.08, 0.03), "grey": (0.35, 0.34, 0.33),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What stays the same in every picture of one person."""

    number: int
    gender: str  # female or male
    age: float  # years, 20 to 80
    african: float  # shares of the mixture; the three sum to 1
    asian: float
    caucasian: float
    shape: tuple[float, ...]  # weights of the basis's shape targets
    skin: Colour
    lips: Colour
    brows: Colour
    iris: Colour
    hair: Colour
    hair_style: str
    hair_volume: float  # decimetres the hair stands off the scalp
    hairline: float  # decimetres it lies above (positive) or below the usual
    brow_thickness: float  # decimetres
    brow_density: float  # 0 to 1
    beard: float  # 0 shaven to 1 full
    blush: float  # reddening of cheeks and nose, 0 to 1
    complexion: int  # seed of the skin's blotches
    wears_glasses: bool


def split_of(seed: int, number: int) -> str:
    """train, validation or test: of every twenty people in a row, 14, 3 and 3 drawn at random."""
    block, place = divmod(number, 20)
    return _SPLIT_OF_TWENTY[np.random.default_rng([seed, _SPLITS, block]).permutation(20)[place]]


def sample_person(seed: int, number: int) -> Person:
    """Person `number` of the world `seed`."""
    rng = np.random.default_rng([seed, _PEOPLE, number])
    gender = "female" if rng.random() < 0.5 else "male"
    age = float(20 + 60 * rng.beta(1.2, 2.0))
    african, asian, caucasian = (float(v) for v in rng.dirichlet((0.45, 0.45, 0.45)))
    mixture = {"african": african, "asian": asian, "caucasian": caucasian}
    tone = rng.uniform(0, 1)
    skin = sum((share * _between(*_SKIN[race], tone) for race, share in mixture.items()), np.zeros(3))
    skin *= rng.uniform(0.96, 1.04, 3)
    hair = _hair_colour(mixture, age, rng)
    light_eyed = rng.random() < 0.6 * caucasian
    iris = _IRISES[str(rng.choice(("blue", "green", "grey") if light_eyed else ("brown", "dark")))]
    style = str(rng.choice(HAIR_STYLES, p=_style_odds(gender, african)))
    bearded = gender == "male" and rng.random() < 0.45
    made_up = gender == "female" and rng.random() < 0.45
    lip_tint = np.array((1.02, 0.42, 0.45) if made_up else (0.98, 0.62, 0.62)) * rng.uniform(0.85, 1.05)
    full = {"bald": 0.0, "short": 0.06, "full": 0.2, "afro": 0.4, "long": 0.14}[style]
    receding = 0.15 * (age - 20) / 60 if gender == "male" else 0.0
    return Person(
        number=number, gender=gender, age=age, african=african, asian=asian, caucasian=caucasian,
        shape=sample_shape(gender, age, mixture, rng), skin=_colour(skin), lips=_colour(skin * lip_tint),
        brows=_colour(hair * rng.uniform(0.5, 0.9) + 0.06 * skin), iris=_colour(np.array(iris) * rng.uniform(0.7, 1.3)),
        hair=_colour(hair), hair_style=style, hair_volume=float(full * rng.uniform(0.7, 1.3)),
        hairline=float(np.clip(rng.normal(0, 0.07), -0.12, 0.2) + receding),
        brow_thickness=float(rng.uniform(0.028, 0.048) * (1.2 if gender == "male" else 0.9)),
        brow_density=float(rng.uniform(0.55, 0.95)), beard=float(rng.uniform(0.25, 1) if bearded else 0.0),
        blush=float(rng.uniform(0, 0.8)), complexion=int(rng.integers(2**31)), wears_glasses=bool(rng.random() < 0.25),
    )  # fmt: skip


def _between(light: Colour, dark: Colour, tone: float) -> npt.NDArray[np.float64]:
    """The colour `tone` of the way from light to dark, in equal steps of brightness."""
    return np.asarray(np.exp((1 - tone) * np.log(light) + tone * np.log(dark)))


def _hair_colour(mixture: dict[str, float], age: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    fair = mixture["caucasian"]
    odds = np.array([1.2 - fair, 0.9, 0.7 * fair**2, 0.25 * fair**2, 0.02 + 1.5 * max(age - 45, 0) / 35])
    name = str(rng.choice(list(_HAIRS), p=odds / odds.sum()))
    return np.array(_HAIRS[name]) * float(rng.uniform(0.7, 1.3))


def _style_odds(gender: str, african: float) -> npt.NDArray[np.float64]:
    female = gender == "female"
    odds = np.array([0.02, 0.15, 0.3, 0.5 * african, 0.6] if female else [0.15, 0.5, 0.3, 0.4 * african, 0.06])
    return np.asarray(odds / odds.sum())


def _colour(values: npt.NDArray[np.float64]) -> Colour:
    red, green, blue = (round(float(v), 4) for v in np.clip(values, 0.0, 1.0))
    return red, green, blue
