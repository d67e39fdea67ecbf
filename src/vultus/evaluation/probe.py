"""Read-outs of frozen features: each is exact, and what it must choose it chooses on validation faces.

Linear: logistic regression (classes) or ridge (numbers). kNN: votes of the nearest by cosine. Kernel: the linear one on
similarities to training faces (`kernel.py`). All see features standardised, and of these principal components if asked,
whose variances stay, with statistics of the training faces alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.evaluation import ridge
from vultus.evaluation.kernel import COMPONENTS, KernelMap, kernel_map
from vultus.evaluation.logistic import Design, Logistic, solve, solve_each
from vultus.evaluation.neighbours import NEIGHBOURS, votes
from vultus.evaluation.preparation import Floats, Preparation, prepare
from vultus.evaluation.protocol import Protocol, Readout
from vultus.evaluation.splits import Rows, Splits

# over the number of training faces: logistic regression's 1 / C, ridge's alpha; a strong penalty is quick to solve and
# starts the next weaker one
PENALTIES = (100.0, 10.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
DETECTED = PENALTIES[:6]  # for many answers together: the weakest cost ten times the passes and rarely win
# penalties without gain on validation after which no weaker one is tried; a gain in likelihood counts, for where one
# class is common a score may stand still at always saying it while the likelihood grows
PATIENCE = 2
PLAIN = Protocol()

Score = Callable[[NDArray[Any], Floats], float]  # true classes [M], probabilities [M, K] → higher is better


@dataclass(frozen=True)
class Reading:
    """Answers for the test faces: probabilities [M, K] or numbers [M, T], and what was chosen on the way."""

    answers: Floats
    choice: Mapping[str, Any]


class Stage:
    """Features prepared on some training rows; the costly factorisation is made once, when first asked for.

    before: what was done to them already, where these rows are too few to fit it on.
    """

    def __init__(
        self, features: NDArray[np.floating], rows: Rows, protocol: Protocol, before: Preparation | None = None
    ) -> None:
        self.features, self.rows, self.before = features, rows, before
        chosen = self._picked(rows)
        pca, kernel = protocol.pca, protocol.readout == "kernel"
        if kernel:
            pca = min(pca or COMPONENTS, chosen.shape[1], len(chosen) - 1)
        self.preparation = prepare(chosen, pca, standardise=not protocol.reduced, seed=protocol.seed)
        self.train = self.preparation(chosen)
        self.map: KernelMap | None = None
        if kernel:
            self.map, self.train = kernel_map(self.train, protocol.seed)

    @cached_property
    def design(self) -> Design:
        return Design(self.train)

    def read(self, rows: Rows) -> Floats:
        prepared = self.preparation(self._picked(rows))
        return self.map(prepared) if self.map else prepared

    def _picked(self, rows: Rows) -> Floats:
        chosen = np.asarray(self.features[rows], dtype=np.float32)
        return self.before(chosen) if self.before else chosen


class Probe:
    """A feature [N, D] made ready for read-outs on one split; use it for all labels of a task.

    protocol: how it is made ready; with the kernel read-out, similarities to training faces stand for its values.
    Of few labels the principal components are those of the whole training split: they ask for no label.

    Raises ValueError where the features do not match the faces, or are not finite.
    """

    def __init__(self, features: NDArray[np.floating], splits: Splits, protocol: Protocol = PLAIN) -> None:
        self.splits = splits
        before = None
        if protocol.pca and splits.unlabelled is not None:
            whole = np.asarray(features[splits.unlabelled], dtype=np.float32)
            before = prepare(whole, protocol.pca, standardise=not protocol.reduced, seed=protocol.seed)
            protocol = replace(protocol, pca=None, reduced=True)
        self.first = Stage(features, splits.train, protocol, before)
        self._later = (features, splits.final, protocol, before)
        self.dim: int = self.first.train.shape[1]
        self._constant = (before or self.first.preparation).constant

    @cached_property
    def last(self) -> Stage:
        """The stage the measured read-out is fitted on: the whole training split."""
        return Stage(*self._later) if self.splits.refit else self.first

    @cached_property
    def validation(self) -> Floats:
        return self.first.read(self.splits.validation)

    @property
    def notes(self) -> dict[str, Any]:
        """What a figure should tell of the preparation."""
        notes: dict[str, Any] = {
            "split": self.splits.origin,
            "train": len(self.splits.final),
            "left_out": self.splits.left_out,
        }
        if self._constant:
            notes["constant_values"] = self._constant
        return notes

    def classify(self, labels: NDArray[Any], classes: int, score: Score, readout: Readout = "linear") -> Reading:
        """Probabilities [M, K] of the test faces, from class numbers [N] (all rows; only the splits' are read).

        Or from each face's probabilities of the classes [N, K], such as the votes of several annotators.
        """
        if readout == "knn":
            shares = labels if labels.ndim == 2 else np.eye(classes, dtype=np.float32)[labels]
            return self._vote(shares, lambda p: score(self._valid(labels), p))
        best: tuple[float, float, Logistic] | None = None
        tries: dict[str, float] = {}
        model: Logistic | None = None
        behind, likeliest = 0, -np.inf
        for penalty in PENALTIES:
            C = 1 / (penalty * len(self.splits.train))
            model = solve(self.first.design, labels[self.splits.train], classes, C, model)
            given = model.probabilities(self.validation)
            tries[f"{C:g}"] = reached = score(self._valid(labels), given)
            likely = _likelihood(self._valid(labels), given)
            behind = 0 if best is None or reached > best[0] or likely > likeliest else behind + 1
            if best is None or reached > best[0]:
                best = reached, C, model
            likeliest = max(likely, likeliest)
            if behind == PATIENCE:
                break
        assert best is not None  # there are candidates
        _, C, model = best
        choice: dict[str, Any] = {"validation": tries}
        if 1 / (PENALTIES[-1] * len(self.splits.train)) == C:
            choice["edge"] = "the weakest penalty tried was best"
        if self.splits.refit:
            C *= len(self.splits.train) / len(self.splits.final)  # the same penalty
            model = solve(self.last.design, labels[self.splits.final], classes, C, self._start(model))
        answers = model.probabilities(self.last.read(self.splits.test))
        return Reading(answers, choice | {"C": C, "gradient": model.gradient})

    def detect(
        self, present: NDArray[np.bool_], score: Score, readout: Readout = "linear"
    ) -> tuple[Floats, list[dict[str, Any]]]:
        """Probabilities [M, K] of each column of `present` [N, K], and each column's chosen setting.

        A regression of its own for each column, all solved together; each column has the C of its best validation.
        """
        if readout == "knn":
            return self._detect_by_vote(present, score)
        splits, count = self.splits, present.shape[1]
        best, likeliest, chosen = np.full(count, -np.inf), np.full(count, -np.inf), np.empty(count)
        behind = np.zeros(count, int)
        tries: list[dict[str, float]] = [{} for _ in range(count)]
        model: Logistic | None = None
        for penalty in DETECTED:
            C = 1 / (penalty * len(splits.train))
            model = solve_each(self.first.design, present[splits.train], np.full(count, C), model)
            given = model.probabilities(self.validation)
            reached, likely = (_scores(present[splits.validation], given, by) for by in (score, _likelihood))
            better = reached > best
            best, chosen = np.where(better, reached, best), np.where(better, C, chosen)
            behind = np.where(better | (likely > likeliest), 0, behind + 1)
            likeliest = np.maximum(likely, likeliest)
            for k in range(count):
                tries[k][f"{C:g}"] = float(reached[k])
            if (behind >= PATIENCE).all():
                break
        chosen *= len(splits.train) / len(splits.final)  # the same penalty
        model = solve_each(self.last.design, present[splits.final], chosen, self._start(model))
        notes = [{"validation": tries[k], "C": float(chosen[k]), "gradient": model.gradient} for k in range(count)]
        return model.probabilities(self.last.read(splits.test)), notes

    def _detect_by_vote(self, present: NDArray[np.bool_], score: Score) -> tuple[Floats, list[dict[str, Any]]]:
        def mean(answers: Floats) -> float:
            return float(_scores(present[self.splits.validation], answers, score).mean())

        reading = self._vote(present.astype(np.float32), mean)
        return reading.answers, [dict(reading.choice) for _ in range(present.shape[1])]

    def regress(self, targets: NDArray[np.floating], readout: Readout = "linear") -> Reading:
        """Numbers [M, T] of the test faces, from targets [N, T]; every output has the alpha of least validation MAE."""
        truth = targets[self.splits.validation]
        if readout == "knn":
            return self._vote(targets, lambda p: -float(np.abs(p - truth).mean()))
        penalties = np.array(PENALTIES)
        tried = _ridge(self.first, targets, penalties, self.validation)  # [A, M, T]
        chosen = penalties[np.abs(tried - truth).mean(axis=1).argmin(axis=0)]
        read = self.last.read(self.splits.test)
        answers = np.empty((len(self.splits.test), targets.shape[1]), np.float32)
        for penalty in np.unique(chosen):
            mine = chosen == penalty
            answers[:, mine] = _ridge(self.last, targets[:, mine], penalty[None], read)[0]
        return Reading(answers, {"alpha": (chosen * len(self.splits.final)).tolist()})

    def _start(self, model: Logistic | None) -> Logistic | None:
        """Where the last fit may start; more faces may have more components, and then it starts anew."""
        return model if self.last.train.shape[1] == self.dim else None

    def _valid(self, labels: NDArray[Any]) -> NDArray[Any]:
        picked: NDArray[Any] = labels[self.splits.validation]
        return picked

    def _vote(self, targets: NDArray[np.floating], score: Callable[[Floats], float]) -> Reading:
        tried = votes(self.first.train, targets[self.splits.train], self.validation, NEIGHBOURS)
        reached = {k: score(answer) for k, answer in tried.items()}
        k = max(reached, key=lambda k: reached[k])
        last = votes(self.last.train, targets[self.splits.final], self.last.read(self.splits.test), (k,))
        return Reading(last[k], {"k": k, "validation": {str(k): v for k, v in reached.items()}})


def _likelihood(truth: NDArray[Any], probabilities: Floats) -> float:
    """Mean logarithm of the true classes' probabilities; truth: [M] numbers, or [M, K] probabilities."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    return float((logs * truth).sum(axis=1).mean() if truth.ndim == 2 else logs[np.arange(len(truth)), truth].mean())


def _scores(truth: NDArray[np.bool_], answers: Floats, score: Score) -> NDArray[np.float64]:
    """`score` of each column's two-class probabilities."""
    pairs = np.stack([1 - answers, answers], axis=2)
    return np.array([score(truth[:, k].astype(np.int64), pairs[:, k]) for k in range(truth.shape[1])])


def _ridge(stage: Stage, targets: NDArray[np.floating], penalties: NDArray[np.floating], read: Floats) -> Floats:
    """Predictions [A, M, T] for `read` [M, D] at each penalty; training features are centred by their preparation."""
    known = targets[stage.rows].astype(np.float64)
    mean = known.mean(axis=0)
    fits = ridge.path(stage.train, known - mean, [float(p) * len(known) for p in penalties])
    return np.stack([(read @ weights + mean).astype(np.float32) for weights in fits])


def accuracy(truth: NDArray[np.int64], probabilities: Floats) -> float:
    """Share of rows whose most probable class is the true one; ties between settings go to the stronger penalty."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def knn_accuracy(
    train: NDArray[np.floating],
    train_labels: NDArray[Any],
    test: NDArray[np.floating],
    test_labels: NDArray[Any],
    k: int = 20,
) -> float:
    """Accuracy of the cosine kNN vote on standardised features, without any choice: cheap enough for every epoch.

    Features [N, D] and [M, D], labels [N] and [M] of any type. A test class absent from training counts as wrong.
    """
    classes, of_train = np.unique(train_labels, return_inverse=True)
    preparation = prepare(np.asarray(train, dtype=np.float32))
    ready = preparation(np.asarray(test, dtype=np.float32))
    share = votes(preparation(np.asarray(train, dtype=np.float32)), np.eye(len(classes))[of_train], ready, (k,))
    return float((classes[share[k].argmax(axis=1)] == test_labels).mean())
