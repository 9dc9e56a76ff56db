"""A training that can be killed at any moment, and gone on with."""

import argparse
import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import keras

from recipes import checkpoints, options
from recipes.checkpoints import Arrays, Checkpoint
from recipes.console import UsageError
from recipes.training import (
    Batch,
    Budget,
    KeepBest,
    Logs,
    empty_memories,
    fit,
    memories,
    stopping,
)

# A model of fewer batches is no model, unless so few were asked for.
LEAST_BATCHES = 10


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
        self._written_at = (0, 0)
        self._carried: Arrays = []

    def restore(self, model: keras.Model, checkpoint: Checkpoint) -> None:
        """Puts a compiled model, and what goes with it, back in place."""
        facts = checkpoint.facts
        model.optimizer.build(model.trainable_variables)
        _assign(model.variables, checkpoint.arrays["model"])
        # A model that carries no memories has none there.
        _assign(memories(model), checkpoint.arrays.get("memories", []))
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
        self._carried = _values(memories(self.model))
        empty_memories(self.model)

    def on_test_end(self, logs: Logs = None) -> None:
        _assign(memories(self.model), self._carried)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.batch == self.batches:
            self.batch = 0
            self._write(epoch + 1, 0)
        elif not self.budget.stopped or self._written_at != (epoch, self.batch):
            # Its minutes are over, and it may be given more. One that was
            # stopped goes on from before this validation.
            self._write(epoch, self.batch)

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
        checkpoints.save(self.folder, Checkpoint(arrays, facts))
        self._written = time.monotonic()
        self._written_at = (epoch, batch)


def _values(variables: list[Any]) -> Arrays:
    return [variable.numpy() for variable in variables]


def _assign(variables: list[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class Batches(Protocol):
    """What a training reads, epoch by epoch."""

    def __len__(self) -> int: ...

    def batches(self, epoch: int, first: int) -> Iterable[Batch]: ...


def train(
    model: keras.Model,
    batches: Batches,
    validation: Batch,
    whole: int,
    args: argparse.Namespace,
    folder: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Budget:
    """Trains for so many batches, or the minutes of `args`, or their rest.

    In the end the model has the weights of the best validation loss.

    Args:
        model: A compiled model.
        batches: What to train on.
        validation: Batches to validate on, inputs and targets, stacked.
        whole: How many batches to train on, where there are no minutes.
        args: The recipe's settings.
        folder: Where checkpoints are kept, and gone on from.
        callbacks: More to be told.

    Raises:
        UsageError: if the loss stops being a number, or nothing is left to
            be trained and nothing was validated.
        KeyboardInterrupt: if it is stopped before there is a batch.
    """
    budget = Budget(args.learning_rate, args.minutes, whole)
    best = KeepBest()
    resumable = Resumable(
        folder, options.kept(args), budget, best, len(batches)
    )
    checkpoint = checkpoints.load(folder)
    if checkpoint is not None:
        resumable.restore(model, checkpoint)
    if budget.spent() < 1:
        with stopping(budget):
            fit(
                model,
                batches.batches,
                validation,
                [budget, best, resumable, *callbacks],
                resumable.epoch,
                resumable.batch,
            )
    if not budget.losses:
        raise KeyboardInterrupt
    if not math.isfinite(budget.losses[-1]) or (
        budget.validation and not best.weights
    ):
        checkpoints.remove(folder)
        raise UsageError(
            "the training diverged, its loss is no number any more: take a "
            f"smaller --learning-rate. Received: {args.learning_rate}"
        )
    if not best.weights:
        raise UsageError(
            f"{len(budget.losses)} batches were trained in {folder}, as long "
            "as asked, and never validated: go on with --resume and a larger "
            "total"
        )
    best.restore(model)
    return budget


def check_enough(budget: Budget, asked: int, folder: Path) -> None:
    """Refuses a model that is hardly trained, unless that was asked for.

    Args:
        budget: What was spent.
        asked: How many batches were asked for, where there are no minutes.
        folder: Where checkpoints are kept.

    Raises:
        UsageError: if fewer than `LEAST_BATCHES` were trained.
    """
    trained = len(budget.losses)
    if budget.minutes is None and trained >= asked:
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
