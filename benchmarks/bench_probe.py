"""The logistic probe at FER2013's size: 28,709 faces × 2,304 values, 7 classes, C chosen on a validation split."""

import time

import numpy as np
from sklearn.linear_model import LogisticRegression

from vultus.evaluation.logistic import Design, solve
from vultus.evaluation.probe import Probe, accuracy
from vultus.evaluation.splits import Splits

TRAIN, HELD, WIDTH, CLASSES = 28_709, 3_589, 2_304, 7
COMPARED_AT = 0.0035  # C of the comparison, where real features of this size are read best


def correlated(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features with a power-law spectrum, as networks have, and labels that depend on all of it."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((rows, WIDTH), dtype=np.float32)
    mixing = rng.standard_normal((WIDTH, WIDTH), dtype=np.float32) / WIDTH**0.5
    spectrum = np.arange(1, WIDTH + 1, dtype=np.float32) ** -0.7
    meaning = rng.standard_normal((WIDTH, CLASSES), dtype=np.float32) * 4 / WIDTH**0.5
    labels = (latent @ meaning + rng.gumbel(size=(rows, CLASSES))).argmax(1)
    return (latent * spectrum) @ mixing, labels


def measure() -> dict[str, float]:
    """Seconds for the whole choice of C, and, interleaved at the same C, for one fit of ours and of scikit-learn."""
    rows = np.arange(TRAIN + 2 * HELD)
    features, labels = correlated(len(rows))
    train, validation, test = np.split(rows, [TRAIN, TRAIN + HELD])
    began = time.perf_counter()
    probe = Probe(features, Splits(train, validation, test, False, "benchmark", 0))
    reading = probe.classify(labels, CLASSES, accuracy)
    figures = {"whole choice of C, s": time.perf_counter() - began, "chosen C": reading.choice["C"]}
    figures["test accuracy"] = accuracy(labels[test], reading.answers)
    ready = probe.first.train
    ours, theirs = [], []
    for _ in range(2):
        began = time.perf_counter()
        found = solve(Design(ready), labels[train], CLASSES, COMPARED_AT)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        sklearn = LogisticRegression(C=COMPARED_AT, max_iter=2000).fit(ready, labels[train])
        theirs.append(time.perf_counter() - began)
    figures |= {"one fit, s": min(ours), "scikit-learn's fit, s": min(theirs)}
    figures |= {"passes": float(found.passes), "scikit-learn's passes": float(sklearn.n_iter_.max())}
    apart = np.abs(found.probabilities(ready[:2000]) - sklearn.predict_proba(ready[:2000])).max()
    return figures | {"largest difference of a probability": float(apart)}


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:24} {value:.4g}")
