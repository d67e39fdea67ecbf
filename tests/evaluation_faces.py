"""Labelled rows without pictures: all that a read-out needs of a face set."""

from types import SimpleNamespace

import numpy as np


class Labelled:
    def __init__(self, pairs=None, triplets=None, pictures=None, **columns):
        """pictures: a word for each row, the same for copies."""
        self._columns = {k: np.asarray(v) for k, v in columns.items()}
        self.columns = tuple(self._columns)
        count = len(next(iter(self._columns.values()))) if columns else 0
        self.names = np.array([f"{i:05d}.jpg" for i in range(count)])
        self.pairs, self.triplets, self._pictures = pairs, triplets, pictures
        self.content_hash = "whole"
        copies = SimpleNamespace(images=count - len(set(pictures or range(count))), dropped=False)
        self.card = SimpleNamespace(name="fake", content_hash="whole", faces=count, duplicates=copies)

    def __len__(self):
        return len(self.names)

    def labels(self, column):
        return self._columns[column]

    @property
    def boxes(self):
        return np.tile(np.array([0, 0, 1, 1], np.float32), (len(self), 1))

    def image_bytes(self, index):
        return self._pictures[index].encode()


def parts(train, validation, test):
    return np.array(["train"] * train + ["validation"] * validation + ["test"] * test)


def classes_in_space(count, classes=3, width=12, spread=1.0, seed=0):
    """Features [N, D] around a centre for each class, and class names."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, width))
    number = rng.integers(classes, size=count)
    features = centres[number] + spread * rng.normal(size=(count, width))
    return features.astype(np.float32), np.array(["angry", "happy", "sad", "fear"])[number]
