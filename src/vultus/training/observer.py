"""What a run writes of itself while it learns: losses, readings of watched faces, and signs of collapse in words."""

from collections.abc import Callable, Mapping
from pathlib import Path

from vultus.methods.model import save_model
from vultus.training.journal import Journal
from vultus.training.loop import Learner
from vultus.training.signs import Sign, in_features, in_losses
from vultus.training.watch import Watch, watch_now


class Observer:
    """Looks at a learner after its steps; of several processes only the first has one.

    Losses are logged every `log_every` steps, the watch is read every `probe_every` epochs and at the end. A collapse
    need not wait for that: a few faces are glanced at after a tenth and a half of the run, and from a tenth on every
    logged loss is searched for signs. `tell` hears of each kind when it is first seen, and at every reading again.
    """

    def __init__(
        self, learner: Learner, watch: Watch, journal: Journal, folder: Path, tell: Callable[[str], None]
    ) -> None:
        self.learner, self.watch, self.journal, self.folder, self.tell = learner, watch, journal, folder, tell
        self.every = max(round(learner.config.probe_every * learner.per_epoch), 1)
        self.early = max(learner.steps // 10, 1)
        self.recent: dict[str, float] = {}
        self.told: set[str] = set()

    def after(self, losses: Mapping[str, float]) -> None:
        """A step has been taken, with these losses."""
        learner, step = self.learner, self.learner.progress.step
        self.recent.update(losses)
        logged = step % learner.config.log_every == 0 or step in (1, learner.steps)
        if logged:
            weights = {f"weight_{k}": v for k, v in learner.average.weights().items()}
            self.journal.write("train", step, lr=learner.optimiser.param_groups[0]["lr"], **losses, **weights)
        if step % self.every == 0 or step == learner.steps:
            self._read()
        elif step in (self.early, learner.steps // 2):
            self._warn(in_features(self._seen(self.watch.glance)) + self._signs(), again=False)
        elif logged and step >= self.early:
            self._warn(self._signs(), again=False)

    def _read(self) -> None:
        learner, step = self.learner, self.learner.progress.step
        figures = self._seen(self.watch)
        self.journal.write("probe", step, seconds=round(learner.progress.seconds, 2), **figures)
        self._warn(in_features(figures) + self._signs(), again=True)
        if figures.get("knn", float("-inf")) > learner.progress.best:
            learner.progress.best = figures["knn"]
            config = learner.config
            save_model(learner.method, config.method, config.size, self.folder / "best", step=step, **figures)

    def _seen(self, watch: Watch) -> dict[str, float]:
        return watch_now(self.learner.method, watch, self.learner.device, self.learner.config.precision)

    def _signs(self) -> list[Sign]:
        return in_losses(self.recent, self.learner.config.method)

    def _warn(self, signs: list[Sign], *, again: bool) -> None:
        step = self.learner.progress.step
        for sign in signs:
            if again or sign.kind not in self.told:
                self.told.add(sign.kind)
                self.journal.warn(step, sign.text)
                self.tell(f"step {step}: {sign.text}")
