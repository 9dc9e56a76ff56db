"""A training that can be killed at any moment, and gone on with."""

import time
from pathlib import Path
from typing import Any

import keras

from recipes.checkpoints import Arrays, Checkpoint, save
from recipes.training import (
    Budget,
    KeepBest,
    Logs,
    empty_memories,
    memories,
)


class Resumable(keras.callbacks.Callback):
    """Writes checkpoints while a model trains, and goes on from them.

    Empties the memories of stateful layers where the text starts over, and
    brings back everything that the next batch's loss depends on: weights,
    the optimizer's variables, memories carried along, the states of random
    streams, and the place in the text.

    Args:
        folder: Where checkpoints are kept.
        settings: What the training was told, kept with them.
        budget: The training's budget.
        best: Its best weights.
        batches: How many batches an epoch has.
        every: Seconds between two checkpoints.

    Attributes:
        epoch: The epoch to start with.
        batch: The batch in it to start with.
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

    def restore(self, model: keras.Model, checkpoint: Checkpoint) -> None:
        """Puts a compiled model, and what goes with it, back in place."""
        facts = checkpoint.facts
        model.optimizer.build(model.trainable_variables)
        _assign(model.variables, checkpoint.arrays["model"])
        _assign(memories(model), checkpoint.arrays["memories"])
        _assign(model.optimizer.variables, checkpoint.arrays["optimizer"])
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
        due = time.monotonic() - self._written >= self.every
        if (due or self.budget.stopped) and self.batch < self.batches:
            self._write(self.epoch, self.batch)

    def on_test_begin(self, logs: Logs = None) -> None:
        empty_memories(self.model)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        # A training that was stopped goes on within the epoch.
        if self.batch == self.batches or not self.budget.stopped:
            self.batch = 0
            self._write(epoch + 1, 0)

    def _write(self, epoch: int, batch: int) -> None:
        arrays: dict[str, Arrays] = {
            "model": _values(self.model.variables),
            "memories": _values(memories(self.model)),
            "optimizer": _values(self.model.optimizer.variables),
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
        save(self.folder, Checkpoint(arrays, facts))
        self._written = time.monotonic()


def _values(variables: list[Any]) -> Arrays:
    return [variable.numpy() for variable in variables]


def _assign(variables: list[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
