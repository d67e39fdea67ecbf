"""Checks of the ranges that the views' settings must keep."""


def probability(owner: object, p: float) -> None:
    """Raise ValueError unless 0 ≤ p ≤ 1."""
    if not 0 <= p <= 1:
        raise ValueError(f"{_name(owner)}: a probability lies in 0…1, got p={p}")


def within(owner: object, name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless low ≤ value ≤ high."""
    if not low <= value <= high:
        raise ValueError(f"{_name(owner)}: {name} lies in {low}…{high}, got {value}")


def ordered(owner: object, name: str, pair: tuple[float, float], low: float, high: float) -> None:
    """Raise ValueError unless low ≤ pair[0] ≤ pair[1] ≤ high."""
    if len(pair) != 2 or not low <= pair[0] <= pair[1] <= high:
        raise ValueError(f"{_name(owner)}: {name} is (from, to) in ascending order within {low}…{high}, got {pair}")


def _name(owner: object) -> str:
    return type(owner).__name__
