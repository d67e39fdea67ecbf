"""What is watched while a run learns: a kNN probe on labelled faces, and how varied the features are."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from vultus.evaluation.collapse import collapse
from vultus.evaluation.probe import knn_accuracy
from vultus.faces.faceset import FaceSet
from vultus.nets.precision import autocast

FIT, READ = 4000, 1500  # faces at most: a reading must stay cheap beside an epoch
GLANCE = 256  # faces of a glance, which is to find a collapse early


@dataclass(frozen=True)
class Watch:
    """Fixed faces, read by every probe of a run."""

    images: np.ndarray  # uint8 (N, 3, S, S)
    labels: np.ndarray | None  # (N,); None: collapse indicators only
    fit: int  # the first `fit` faces are the neighbours, the rest is classified

    @property
    def glance(self) -> "Watch":
        """A few of its faces, without their labels."""
        return Watch(self.images[-GLANCE:], None, 0)


def build_watch(faces: FaceSet, probe: FaceSet | None, label: str, size: int) -> Watch:
    """Faces of the probe's train and validation splits, or unlabelled faces of the set itself."""
    rng = np.random.default_rng(0)
    if probe is None:
        rows = np.sort(rng.permutation(len(faces))[:READ])
        return Watch(faces.images(rows, size), None, 0)
    known, split = probe.labels(label) != "", probe.labels("split")
    fit, read = (
        np.sort(rng.permutation(np.flatnonzero(known & (split == name)))[:most])
        for name, most in (("train", FIT), ("validation", READ))
    )
    if not len(fit) or not len(read):
        raise ValueError(
            f"the probe needs faces with {label!r} in the splits train and validation; {probe.path} has "
            f"{len(fit)} and {len(read)}: give another --probe or --probe-label"
        )
    rows = np.concatenate([fit, read])
    return Watch(probe.images(rows, size), probe.labels(label)[rows], len(fit))


def watch_now(method: nn.Module, watch: Watch, device: str, precision: str) -> dict[str, float]:
    """`knn` accuracy (where labels are), `feature_std` and `effective_rank` of the default feature."""
    was_training = method.training
    method.eval()
    parts = []
    with torch.inference_mode(), autocast(device, precision):
        for chunk in np.array_split(watch.images, max(len(watch.images) // 256, 1)):
            batch = torch.from_numpy(chunk).to(device).float() / 255
            features = method.features(batch.contiguous(memory_format=torch.channels_last))  # type: ignore[operator]
            parts.append(features[method.default_feature].float().cpu())
    method.train(was_training)
    values = torch.cat(parts).numpy()
    std, rank = collapse(values[watch.fit :])
    figures = {"feature_std": std, "effective_rank": rank}
    if watch.labels is not None:
        cut = watch.fit
        figures["knn"] = knn_accuracy(values[:cut], watch.labels[:cut], values[cut:], watch.labels[cut:])
    return figures
