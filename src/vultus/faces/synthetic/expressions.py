"""Action units of the face and the seven basic expressions made of them.

Prototypes follow EMFACS (Friesen & Ekman 1983; Ekman, Friesen & Hager, FACS Investigator's Guide, 2002). Each unit
is drawn by MakeHuman's ARKit-style face units, exaggerated where they are faint at 64 pixels.
"""

from types import MappingProxyType

import numpy as np

_BOTH = ("Left", "Right")


def _pair(name: str, gain: float) -> dict[str, float]:
    return {name + side: gain for side in _BOTH}


# action unit → face unit → displacement at intensity 1, in units of the face unit
ACTION_UNITS = MappingProxyType({
    "au01": {"browInnerUp": 2.8},
    "au02": _pair("browOuterUp", 2.3),
    "au04": _pair("browDown", 2.1),
    "au05": _pair("eyeWide", 1.8),
    "au06": _pair("cheekSquint", 1.2),
    "au07": _pair("eyeSquint", 1.3) | _pair("eyeBlink", 0.12),
    "au09": _pair("noseSneer", 2.3),
    "au10": _pair("mouthUpperUp", 1.8),
    "au12": _pair("mouthSmile", 1.35),
    "au14": _pair("mouthDimple", 1.4),
    "au15": _pair("mouthFrown", 2.1),
    "au17": {"mouthShrugLower": 1.6, "mouthShrugUpper": 0.7},
    "au18": {"mouthPucker": 1.2},
    "au20": _pair("mouthStretch", 2.0),
    "au22": {"mouthFunnel": 1.2},
    "au23": {"mouthRollUpper": 0.6, "mouthRollLower": 0.9},
    "au24": _pair("mouthPress", 1.2),
    "au25": _pair("mouthLowerDown", 1.1) | _pair("mouthUpperUp", 0.5),
    "au26": {"jawOpen": 0.85},
    "au43": _pair("eyeBlink", 1.0),
})  # fmt: skip
AU_NAMES = tuple(ACTION_UNITS)

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# expression → (units always present with their weights, units present half the time)
_PROTOTYPES = {
    "angry": ({"au04": 1.0, "au05": 0.6, "au07": 0.7, "au23": 0.7},
              {"au24": 0.7, "au17": 0.5, "au25": 0.6, "au10": 0.4}),
    "disgust": ({"au09": 1.0, "au10": 0.5}, {"au15": 0.5, "au17": 0.6, "au25": 0.4, "au04": 0.4, "au07": 0.4}),
    "fear": ({"au01": 0.9, "au02": 0.5, "au04": 0.5, "au05": 0.9, "au20": 0.8},
             {"au25": 0.8, "au26": 0.5, "au07": 0.3}),
    "happy": ({"au12": 1.0, "au06": 0.7}, {"au25": 0.9, "au26": 0.3, "au14": 0.3}),
    "neutral": ({}, {}),
    "sad": ({"au01": 0.9, "au15": 0.8, "au04": 0.4}, {"au17": 0.7, "au43": 0.3, "au07": 0.3}),
    "surprise": ({"au01": 0.8, "au02": 1.0, "au05": 0.7, "au26": 0.8}, {"au25": 0.5, "au22": 0.3}),
}  # fmt: skip
_SPEECH = {"au25": 0.5, "au26": 0.35, "au18": 0.4, "au22": 0.4}  # a mouth caught speaking says nothing of the mood


def prototype(expression: str, strength: float = 1.0) -> tuple[float, ...]:
    """Intensities in the order of AU_NAMES of the units that an expression always has, nothing left to chance."""
    always, _ = _PROTOTYPES[expression]
    return tuple(strength * always.get(name, 0.0) for name in AU_NAMES)


def sample_action_units(expression: str, rng: np.random.Generator, strength: float | None = None) -> tuple[float, ...]:
    """Intensities 0 to 1 in the order of AU_NAMES: the prototype at a random strength, jittered, and some noise.

    A `strength` of None is drawn from subtle to full. One face in seven is caught speaking; every face has one or two
    stray units.
    """
    always, sometimes = _PROTOTYPES[expression]
    strength = rng.uniform(0.45, 1.0) if strength is None else strength
    units = dict.fromkeys(AU_NAMES, 0.0)
    for name in rng.choice(AU_NAMES, rng.integers(1, 3), replace=False):
        units[name] = rng.uniform(0.05, 0.15)
    if rng.random() < 0.15:
        for name, weight in _SPEECH.items():
            units[name] = max(units[name], weight * rng.uniform(0, 1) * (rng.random() < 0.6))
    if rng.random() < 0.03:
        units["au43"] = 1.0  # a blink
    for name, weight in always.items():
        units[name] = max(units[name], strength * weight * rng.uniform(0.75, 1.2))
    for name, weight in sometimes.items():
        if rng.random() < 0.5:
            units[name] = max(units[name], strength * weight * rng.uniform(0.5, 1.2))
    if expression in ("surprise", "fear") and units["au43"] == 1.0:
        units["au43"] = 0.0
    return tuple(round(float(min(units[name], 1.0)), 4) for name in AU_NAMES)
