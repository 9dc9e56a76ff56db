"""Training that can be killed at any moment and resumed."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from recipes.console import UsageError
from recipes.data.windows import Batch
from recipes.options import Settings
from recipes.training import checkpoints
from recipes.training.budget import Budget, History, Logs
from recipes.training.checkpoints import Arrays, Checkpoint
from recipes.training.loop import KeepBest, fit
from recipes.training.strategy import Strategy, own_rows
from recipes.training.variables import (
    assign_values,
    empty_memories,
    memories,
    read_values,
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
        strategy: Strategy of the training; only its first process writes.
        every: Seconds of training between two checkpoints.

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
        strategy: Strategy,
        every: float = 60.0,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.settings = settings
        self.budget = budget
        self.best = best
        self.batches = batches
        self.strategy = strategy
        self.every = every
        self.epoch = 0
        self.batch = 0
        self._written = 0.0
        self._written_at = (0, 0)
        self._carried: Arrays = []

    def restore(self, model: keras.Model, checkpoint: Checkpoint) -> None:
        """Restore a compiled model and the callbacks from a checkpoint."""
        facts = checkpoint.facts
        model.optimizer.build(model.trainable_variables)
        assign_values(model.variables, checkpoint.arrays["model"])
        # Models without stateful layers store no memories.
        whole = checkpoint.arrays.get("memories", [])
        own = [it[own_rows(self.strategy, len(it))] for it in whole]
        assign_values(memories(model), own)
        assign_values(model.optimizer.variables, checkpoint.arrays["optimizer"])
        self.best.weights = checkpoint.arrays.get("best", [])
        self.best.loss = facts["best_loss"]
        self.epoch, self.batch = facts["epoch"], facts["batch"]
        if self.batch >= self.batches:
            # Other workers may make fewer batches of a short series.
            self.epoch, self.batch = self.epoch + 1, 0
        self.budget.history = History(
            losses=facts["losses"],
            validation=[tuple(pair) for pair in facts["validation"]],
            seconds=facts["seconds"],
        )
        self._written = facts["seconds"]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.epoch = epoch
        if self.batch == 0:
            empty_memories(self.model)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.batch += 1
        history = self.budget.history
        if not math.isfinite(history.losses[-1]):
            return
        due = history.seconds - self._written >= self.every
        if (due or history.stopped) and self.batch < self.batches:
            self._write(self.epoch, self.batch)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._carried = read_values(memories(self.model))
        empty_memories(self.model)

    def on_test_end(self, logs: Logs = None) -> None:
        assign_values(memories(self.model), self._carried)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.batch == self.batches:
            self.batch = 0
            self._write(epoch + 1, 0)
        elif not self.budget.history.stopped or self._written_at != (
            epoch,
            self.batch,
        ):
            # The minutes are spent, and the user may add more. After a stop,
            # the checkpoint from before this validation is used instead.
            self._write(epoch, self.batch)

    def _write(self, epoch: int, batch: int) -> None:
        optimized = self.model.optimizer.variables
        if not _all_finite(self.model.variables + optimized):
            # The update after a finite loss was too large: the checkpoint
            # before it is the last to go on from.
            return
        history = self.budget.history
        arrays: dict[str, Arrays] = {
            "model": read_values(self.model.variables),
            # All processes take part.
            "memories": self.strategy.gather(read_values(memories(self.model))),
            "optimizer": read_values(self.model.optimizer.variables),
            "best": self.best.weights,
        }
        facts = {
            "settings": self.settings,
            "epoch": epoch,
            "batch": batch,
            "losses": history.losses,
            "validation": history.validation,
            "seconds": history.seconds,
            "best_loss": self.best.loss,
        }
        if self.strategy.rank == 0:
            checkpoints.save(self.folder, Checkpoint(arrays, facts))
        self._written = history.seconds
        self._written_at = (epoch, batch)


def _all_finite(variables: list[Any]) -> bool:
    return all(
        np.isfinite(value).all()
        for value in read_values(variables)
        if np.issubdtype(value.dtype, np.floating)
    )


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
    strategy: Strategy,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> History:
    """Train until the budget is spent, resuming from a checkpoint if any.

    Afterwards the model has the weights of the best validation loss.

    Args:
        model: A compiled model.
        batches: Training batches, this process's rows.
        validation: Stacked batches to validate on, inputs and targets, this
            process's rows.
        whole: Total number of batches if `settings.minutes` is `None`.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.
        strategy: Strategy of the training.
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
        folder, settings.to_json(), budget, best, len(batches), strategy
    )
    listeners = [best, resumable, *callbacks]
    if model.optimizer.use_ema:
        # Last, so that the others see the mean of the weights in validation.
        listeners.append(keras.callbacks.SwapEMAWeights())
    checkpoint = checkpoints.load(folder)
    if checkpoint is not None:
        resumable.restore(model, checkpoint)
    place = np.array([[resumable.epoch, resumable.batch]])
    if not (strategy.gather([place])[0] == place).all():
        raise OSError(
            f"the workers found different checkpoints in {folder}: it must "
            "be one folder for all"
        )
    if budget.spent() < 1:
        with strategy.watch(budget) as watching:
            fit(
                model,
                batches.batches,
                validation,
                budget,
                [*listeners, *watching],
                strategy,
                resumable.epoch,
                resumable.batch,
            )
    history = budget.history
    if not history.losses:
        raise KeyboardInterrupt
    if not math.isfinite(history.losses[-1]):
        loss = (
            f"the loss of batch {resumable.batch} of epoch "
            f"{resumable.epoch + 1}"
        )
        raise DivergedError(loss, settings, folder)
    if history.validation and not best.weights:
        where = f"{history.validation[-1][0]} batches"
        raise DivergedError(
            f"the validation loss after {where}", settings, folder
        )
    if not best.weights:
        raise UsageError(
            f"{len(history.losses)} batches were trained in {folder}, as long "
            "as asked, and never validated: go on with --resume and a larger "
            "total"
        )
    best.restore(model)
    return history


def check_enough(
    history: History, minutes: float | None, asked: int | None, folder: Path
) -> None:
    """Refuse a model with too few batches, unless the user asked for so few.

    Args:
        history: The training's history.
        minutes: Requested minutes, or `None`.
        asked: Requested number of batches, if there are no minutes.
        folder: Folder of the checkpoints.

    Raises:
        UsageError: if fewer than `LEAST_BATCHES` were trained.
    """
    trained = len(history.losses)
    if minutes is None and asked and trained >= asked:
        return
    if trained < LEAST_BATCHES:
        if minutes is None or history.stopped:
            when, go_on = "before it was stopped", "--resume"
        else:
            when = f"in --minutes {minutes:g}"
            go_on = "--resume and more --minutes"
        raise UsageError(
            f"{trained} batches were trained {when}, too few for a model: "
            f"{LEAST_BATCHES} are needed. Nothing was exported; {folder} "
            f"stays: go on with {go_on}"
        )
