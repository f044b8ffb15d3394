"""The one trainer: epochs of named losses, validation, early stopping, snapshots, checkpoints, resume."""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.catalog.base import TrainingConfig
from core.errors import DataError, RunError
from core.evaluation.ranking import Split
from core.models.base import Model, Trainable
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.runs.metrics import MetricWriter
from core.training.checkpoint import Progress, load_checkpoint, load_model, save_checkpoint
from core.training.device import memory_in_use
from core.training.snapshots import Snapshots
from core.training.tasks import Task

_SECONDS_BETWEEN_CHECKPOINTS = 2.0
_SECONDS_WORTH_FINISHING = 5.0
log = logging.getLogger("relscope")


class Stopped(Exception):
    """Training was asked to stop; the run can be resumed from its last checkpoint."""


@dataclass(frozen=True)
class Hooks:
    """How the trainer talks to whoever runs it. should_stop is asked after every step, on_epoch told after each epoch."""

    should_stop: Callable[[], bool] = lambda: False
    on_epoch: Callable[[Progress], None] = lambda progress: None


class Trainer:
    """Trains `model` as `recipe` says and leaves the selected parameters in it.

    Every epoch: `begin_epoch`, the model's batches, the sum of its named losses through Adam with a staircase decay.
    Raises RunError if a loss is not finite, DataError if selection needs validation pairs that the data lacks,
    Stopped when asked to stop.
    """

    def __init__(
        self, model: Model, recipe: Recipe, task: Task, run: RunFolder, device: torch.device
    ) -> None:
        config = recipe.system_config()
        if not isinstance(config, TrainingConfig) or not isinstance(model, Trainable):
            raise TypeError(f"{recipe.system} is not trained by gradient")
        if recipe.selection == "valid" and not task.has_valid:
            raise DataError(
                f"{task.name} has no validation pairs to select an epoch on; use --selection last, or import it with "
                "a split rule that holds some out"
            )
        self.model, self.config, self.recipe, self.task, self.run, self.device = (
            model,
            config,
            recipe,
            task,
            run,
            device,
        )
        self.optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
        self.generator = torch.Generator(device).manual_seed(recipe.seed)
        self.progress = Progress()
        self.snapshots = Snapshots(run.findings)
        self._saved_at, self._save_again_after = time.monotonic(), _SECONDS_BETWEEN_CHECKPOINTS
        if run.is_resumable:
            self.progress = load_checkpoint(
                run.checkpoints / "last.pt", model, self.optimizer, self.generator
            )
            log.info("resumed after epoch %d", self.progress.epoch)

    def fit(self, hooks: Hooks) -> int:
        """Train to the end and return the selected epoch, whose parameters the model then holds."""
        metrics = MetricWriter(self.run.metrics)
        try:
            while self.progress.epoch < self.config.epochs and not self._is_exhausted:
                batch = self._train_epoch(metrics, hooks)
                self._look(metrics, batch)
                hooks.on_epoch(self.progress)
                self._keep(hooks)
        finally:
            metrics.close()
        return self._select()

    @property
    def _is_exhausted(self) -> bool:
        return 0 < self.config.patience <= self.progress.validations_without_gain

    @property
    def _judged_on(self) -> Split | None:
        """The split that this run validates on; None if there is nothing to validate on."""
        if self.recipe.selection == "test_as_published":
            return "test"
        return "valid" if self.task.has_valid else None

    def _train_epoch(self, metrics: MetricWriter, hooks: Hooks) -> Any:
        """One pass over the model's batches; returns the last one, on which probes are taken."""
        epoch, started = self.progress.epoch + 1, time.monotonic()
        self.model.train()
        assert isinstance(self.model, Trainable)
        self.model.begin_epoch(epoch, self.config.epochs)
        totals: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self.device))
        steps, batch = 0, None
        for batch in self.model.batches(self.generator):
            for name, value in self._step(self.model.losses(batch)).items():
                totals[name] = totals[name] + value
            steps += 1
            if hooks.should_stop() and time.monotonic() - started > _SECONDS_WORTH_FINISHING:
                raise Stopped(f"stopped in epoch {epoch}; resuming repeats that epoch")
        if steps == 0:
            raise DataError(
                f"{self.task.name} gives no training batch; its target behaviour has no usable pairs"
            )
        self.progress.epoch = epoch
        means = {f"loss/{name}": float(total) / steps for name, total in totals.items()}
        measured = {"loss/total": sum(means.values()), "seconds/epoch": time.monotonic() - started}
        metrics.write(self.progress.step, epoch, means | measured | memory_in_use(self.device))
        broken = [name for name, value in means.items() if not math.isfinite(value)]
        if broken:
            raise RunError(
                f"{broken[0]} is not finite in epoch {epoch}: training diverged; lower learning_rate and train again"
            )
        terms = "  ".join(f"{name.removeprefix('loss/')} {value:.4f}" for name, value in means.items())
        log.info("epoch %d/%d  %s", epoch, self.config.epochs, terms)
        if self.recipe.selection == "loss":
            self._judge(-sum(means.values()))
        return batch

    @property
    def _is_last(self) -> bool:
        return self.progress.epoch == self.config.epochs

    @property
    def _ends(self) -> bool:
        """True after the last epoch: all are done, or validation shows no gain any more."""
        return self._is_last or self._is_exhausted

    def _look(self, metrics: MetricWriter, batch: Any) -> None:
        """Validate and take snapshots where the config asks for it, and after the last epoch."""
        epoch, every = self.progress.epoch, self.config.snapshot_every
        if self._judged_on and (epoch % self.config.validate_every == 0 or self._is_last):
            self._validate(metrics, self._judged_on)
        if every and (epoch % every == 0 or epoch == 1 or self._ends):
            assert isinstance(self.model, Trainable)
            self.snapshots.take(epoch, (*self.model.findings(), *self.model.probes(batch)))

    def _keep(self, hooks: Hooks) -> None:
        """Write the checkpoint to resume from, at most every two seconds and a tenth of the time; stop if asked to."""
        stopping = hooks.should_stop()
        if self._ends or stopping or time.monotonic() - self._saved_at > self._save_again_after:
            self._save("last")
        if stopping and not self._ends:
            raise Stopped(f"stopped after epoch {self.progress.epoch}")

    def _step(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate_at(self.progress.step, self.progress.epoch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer.step()
        self.progress.step += 1
        return {name: value.detach() for name, value in losses.items()}

    def _validate(self, metrics: MetricWriter, split: Split) -> None:
        result = self.task.measure(self.model, self.recipe.protocol, split)
        prefix = "valid" if split == "valid" else "test"
        metrics.write(
            self.progress.step, self.progress.epoch, {f"{prefix}/{k}": v for k, v in result.items()}
        )
        value = result[self.recipe.protocol.main_metric]
        log.info("epoch %d  %s %s %.4f", self.progress.epoch, prefix, self.recipe.protocol.main_metric, value)
        if self.recipe.selection != "loss":
            self._judge(value)

    def _judge(self, value: float) -> None:
        """Keep what is better than all before, by the main metric or the lowest training loss."""
        if value > self.progress.best_value:
            self.progress.best_value, self.progress.best_epoch = value, self.progress.epoch
            self.progress.validations_without_gain = 0
            if self.recipe.selection != "last":
                self._save("best")
        else:
            self.progress.validations_without_gain += 1

    def _save(self, name: str) -> None:
        started = time.monotonic()
        save_checkpoint(
            self.run.checkpoints / f"{name}.pt", self.model, self.optimizer, self.generator, self.progress
        )
        if name == "last":
            self._saved_at = time.monotonic()
            self._save_again_after = max(_SECONDS_BETWEEN_CHECKPOINTS, 10 * (self._saved_at - started))

    def _select(self) -> int:
        if self.recipe.selection == "last":
            return self.progress.epoch
        return load_model(self.run.checkpoints / "best.pt", self.model)
