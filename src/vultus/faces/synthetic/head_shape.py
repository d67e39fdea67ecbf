"""The shape of a random head: MakeHuman's macro mixture and a draw from each pair of opposite local targets."""

import numpy as np

from vultus.faces.synthetic.basis import RACES, load_basis

_OPPOSITES = (
    ("incr", "decr"), ("up", "down"), ("in", "out"), ("forward", "backward"), ("convex", "concave"),
    ("uncompress", "compress"),
)  # fmt: skip
_SIGN = {word: (pair[0], sign) for pair in _OPPOSITES for word, sign in zip(pair, (1, -1), strict=True)}
_HELD = ("head-trans", "ear-trans", "nose-trans-in", "mouth-trans-in")  # would shift what the frame or symmetry holds
_SPREAD = {
    "head": 0.26,
    "ear": 0.3,
    "eye": 0.3,
    "forehead": 0.3,
    "mouth": 0.3,
    "eyebrows": 0.25,
}  # first word of a target → standard deviation
_ASYMMETRY = 0.05  # standard deviation between left and right


def sample_shape(gender: str, age: float, mixture: dict[str, float], rng: np.random.Generator) -> tuple[float, ...]:
    """Weights of the basis's shape targets, in its order. `age` in years; `mixture` race → share, sum 1."""
    weights = _macro(gender, age, mixture, rng)
    common: dict[str, float] = {}
    sided: dict[str, float] = {}
    for name in load_basis().shape_names:
        if name in weights:
            continue
        stem, sign = _split(name)
        shared = stem[2:] if stem[:2] in ("l-", "r-") else stem
        word = shared.split("-")[0]
        if shared not in common:
            common[shared] = rng.normal(0, _SPREAD.get(word, 0.38)) * (not shared.startswith(_HELD))
        if stem not in sided:
            sided[stem] = float(np.clip(common[shared] + (rng.normal(0, _ASYMMETRY) if shared != stem else 0), -1, 1))
        weights[name] = max(sign * sided[stem], 0.0)
    return tuple(round(float(weights[name]), 5) for name in load_basis().shape_names)


def _macro(gender: str, age: float, mixture: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Weights of the targets that make a whole head of some sex, age, race and build."""
    male = rng.uniform(0.6, 1.0) if gender == "male" else rng.uniform(0.0, 0.4)
    old = 0.9 * (age - 20) / 60
    fat = rng.uniform(-0.8, 0.8)
    build = {"min": max(-fat, 0.0), "average": 1 - abs(fat), "max": max(fat, 0.0)}
    weights = {}
    for sex, sex_share in (("male", male), ("female", 1 - male)):
        for time, time_share in (("old", old), ("young", 1 - old)):
            for race in RACES:
                weights[f"{race}-{sex}-{time}"] = mixture[race] * sex_share * time_share
            for size, share in build.items():
                weights[f"universal-{sex}-{time}-averagemuscle-{size}weight"] = share * sex_share * time_share
    return weights


def _split(name: str) -> tuple[str, int]:
    """A target's name with the word for its direction made that of the pair's first, and the sign of its own."""
    stem, _, word = name.rpartition("-")
    if word not in _SIGN:
        return name, 1
    first, sign = _SIGN[word]
    return f"{stem}-{first}", sign
