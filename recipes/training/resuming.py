"""Training that can be killed at any moment and resumed."""

import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from recipes import checkpoints
from recipes.checkpoints import Arrays, Checkpoint
from recipes.console import UsageError
from recipes.data.windows import Batch
from recipes.options import Settings
from recipes.training import (
    Budget,
    KeepBest,
    Logs,
    empty_memories,
    fit,
    memories,
    stop_on_signal,
)

# Fewer batches do not make a useful model, unless the user asked for so few.
LEAST_BATCHES = 10


class Resumable(keras.callbacks.Callback):
    """Callback that writes checkpoints and restores a training from them.

    A checkpoint holds everything that the next batch's loss depends on:
    weights, optimizer variables, memories of stateful layers, states of random
    generators, and the position in the data. The memories of stateful layers
    are cleared at the start of each epoch.

    Args:
        folder: Folder of the checkpoints.
        settings: Settings to store in the checkpoints.
        budget: The training's budget.
        best: Callback that keeps the best weights.
        batches: Number of batches per epoch.
        every: Seconds between two checkpoints.

    Attributes:
        epoch: Epoch to start with.
        batch: Batch of that epoch to start with.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, Any],
        budget: Budget,
        best: KeepBest,
        batches: int,
        every: float = 60.0,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.settings = settings
        self.budget = budget
        self.best = best
        self.batches = batches
        self.every = every
        self.epoch = 0
        self.batch = 0
        self._written = time.monotonic()
        self._written_at = (0, 0)
        self._carried: Arrays = []

    def restore(self, model: keras.Model, checkpoint: Checkpoint) -> None:
        """Restore a compiled model and the callbacks from a checkpoint."""
        facts = checkpoint.facts
        model.optimizer.build(model.trainable_variables)
        _assign_values(model.variables, checkpoint.arrays["model"])
        # Models without stateful layers store no memories.
        _assign_values(memories(model), checkpoint.arrays.get("memories", []))
        _assign_values(
            model.optimizer.variables, checkpoint.arrays["optimizer"]
        )
        self.best.weights = checkpoint.arrays.get("best", [])
        self.best.loss = facts["best_loss"]
        self.epoch, self.batch = facts["epoch"], facts["batch"]
        self.budget.losses = facts["losses"]
        self.budget.validation = [tuple(pair) for pair in facts["validation"]]
        self.budget.seconds = facts["seconds"]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch
        if self.batch == 0:
            empty_memories(self.model)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.batch += 1
        if not math.isfinite(self.budget.losses[-1]):
            return
        due = time.monotonic() - self._written >= self.every
        if (due or self.budget.stopped) and self.batch < self.batches:
            self._write(self.epoch, self.batch)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._carried = _read_values(memories(self.model))
        empty_memories(self.model)

    def on_test_end(self, logs: Logs = None) -> None:
        _assign_values(memories(self.model), self._carried)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.batch == self.batches:
            self.batch = 0
            self._write(epoch + 1, 0)
        elif not self.budget.stopped or self._written_at != (epoch, self.batch):
            # The minutes are spent, and the user may add more. After a stop,
            # the checkpoint from before this validation is used instead.
            self._write(epoch, self.batch)

    def _write(self, epoch: int, batch: int) -> None:
        optimized = self.model.optimizer.variables
        if not _all_finite(self.model.variables + optimized):
            # The update after a finite loss was too large: the checkpoint
            # before it is the last to go on from.
            return
        arrays: dict[str, Arrays] = {
            "model": _read_values(self.model.variables),
            "memories": _read_values(memories(self.model)),
            "optimizer": _read_values(self.model.optimizer.variables),
            "best": self.best.weights,
        }
        facts = {
            "settings": self.settings,
            "epoch": epoch,
            "batch": batch,
            "losses": self.budget.losses,
            "validation": self.budget.validation,
            "seconds": self.budget.seconds,
            "best_loss": self.best.loss,
        }
        checkpoints.save(self.folder, Checkpoint(arrays, facts))
        self._written = time.monotonic()
        self._written_at = (epoch, batch)


def _read_values(variables: list[Any]) -> Arrays:
    return [variable.numpy() for variable in variables]


def _all_finite(variables: list[Any]) -> bool:
    values = (variable.numpy() for variable in variables)
    return all(
        np.isfinite(value).all()
        for value in values
        if np.issubdtype(value.dtype, np.floating)
    )


def _assign_values(variables: list[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class DivergedError(UsageError):
    """A training whose loss became NaN or infinite.

    Args:
        loss: Which loss it was.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.

    Attributes:
        loss: Which loss it was.
    """

    def __init__(self, loss: str, settings: Settings, folder: Path) -> None:
        self.loss = loss
        rate = f"a smaller --learning-rate than {settings.learning_rate:g}"
        if checkpoints.exist(folder):
            advice = (
                f"{folder} holds the last checkpoint before it: go on from "
                f"there with --resume and {rate}"
            )
        else:
            advice = f"there is no checkpoint before it: start anew with {rate}"
        super().__init__(f"{loss} is not a finite number; {advice}")


class Batches(Protocol):
    """Source of training batches, epoch by epoch."""

    def __len__(self) -> int: ...

    def batches(self, epoch: int, first: int) -> Iterable[Batch]: ...


def train(
    model: keras.Model,
    batches: Batches,
    validation: Batch,
    whole: int | None,
    settings: Settings,
    folder: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Budget:
    """Train until the budget is spent, resuming from a checkpoint if any.

    Afterwards the model has the weights of the best validation loss.

    Args:
        model: A compiled model.
        batches: Training batches.
        validation: Stacked batches to validate on, inputs and targets.
        whole: Total number of batches if `settings.minutes` is `None`.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.
        callbacks: Additional callbacks.

    Raises:
        DivergedError: if the loss becomes NaN or infinite. The last
            checkpoint before it is kept.
        UsageError: if the budget is already spent and the model was never
            validated.
        KeyboardInterrupt: if the training is stopped before its first batch.
    """
    budget = Budget(settings.learning_rate, settings.minutes, whole)
    best = KeepBest()
    resumable = Resumable(
        folder, settings.to_json(), budget, best, len(batches)
    )
    listeners = [budget, best, resumable, *callbacks]
    if model.optimizer.use_ema:
        # Last, so that the others see the mean of the weights in validation.
        listeners.append(keras.callbacks.SwapEMAWeights())
    checkpoint = checkpoints.load(folder)
    if checkpoint is not None:
        resumable.restore(model, checkpoint)
    if budget.spent() < 1:
        with stop_on_signal(budget):
            fit(
                model,
                batches.batches,
                validation,
                listeners,
                resumable.epoch,
                resumable.batch,
            )
    if not budget.losses:
        raise KeyboardInterrupt
    if not math.isfinite(budget.losses[-1]):
        loss = (
            f"the loss of batch {resumable.batch} of epoch "
            f"{resumable.epoch + 1}"
        )
        raise DivergedError(loss, settings, folder)
    if budget.validation and not best.weights:
        where = f"{budget.validation[-1][0]} batches"
        raise DivergedError(
            f"the validation loss after {where}", settings, folder
        )
    if not best.weights:
        raise UsageError(
            f"{len(budget.losses)} batches were trained in {folder}, as long "
            "as asked, and never validated: go on with --resume and a larger "
            "total"
        )
    best.restore(model)
    return budget


def check_enough(budget: Budget, asked: int | None, folder: Path) -> None:
    """Refuse a model with too few batches, unless the user asked for so few.

    Args:
        budget: The budget after training.
        asked: Requested number of batches, if there are no minutes.
        folder: Folder of the checkpoints.

    Raises:
        UsageError: if fewer than `LEAST_BATCHES` were trained.
    """
    trained = len(budget.losses)
    if budget.minutes is None and asked and trained >= asked:
        return
    if trained < LEAST_BATCHES:
        if budget.minutes is None or budget.stopped:
            when, go_on = "before it was stopped", "--resume"
        else:
            when = f"in --minutes {budget.minutes:g}"
            go_on = "--resume and more --minutes"
        raise UsageError(
            f"{trained} batches were trained {when}, too few for a model: "
            f"{LEAST_BATCHES} are needed. Nothing was exported; {folder} "
            f"stays: go on with {go_on}"
        )
