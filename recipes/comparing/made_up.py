"""The copy and the adding problem, as tasks."""

import argparse
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers

from recipes.cells import recurrent_layer, start, start_remembering
from recipes.comparing import problems
from recipes.comparing.task import Run, Task
from recipes.training import Batch

# Batches in what is called an epoch: there is no end of them.
EPOCH = 100
# Seeds of what is held out: no training has such a one.
VALIDATION, TEST = 2**32, 2**32 + 1
HELD_OUT_ROWS = 500


class Endless:
    """New batches of a problem each time.

    Args:
        problem: Of `recipes.comparing.problems`.
        rows: Rows in a batch.
        length: How long the memory must be.
        seed: Decides what is drawn.
    """

    def __init__(
        self, problem: problems.Problem, rows: int, length: int, seed: int
    ) -> None:
        self.problem = problem
        self.rows = rows
        self.length = length
        self.seed = seed

    def __len__(self) -> int:
        return EPOCH

    def batches(self, epoch: int = 0, first: int = 0) -> Iterator[Batch]:
        """An epoch's batches, from one on."""
        for number in range(first, EPOCH):
            random = np.random.default_rng([self.seed, epoch, number])
            yield self.problem(self.rows, self.length, random)


class MadeUp(Task):
    """A problem whose answer needs what came `length` steps before."""

    problem: problems.Problem

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self.lengths = tuple(args.lengths)

    def batches(self, run: Run) -> Endless:
        rows = self.args.batch_size
        return Endless(self.problem, rows, run.length, run.seed)

    def validation(self, run: Run) -> Batch:
        inputs, targets = self.held_out(run.length, VALIDATION)
        return inputs[np.newaxis], targets[np.newaxis]

    def held_out(self, length: int, seed: int) -> Batch:
        """Rows that no training sees."""
        random = np.random.default_rng(seed)
        return self.problem(HELD_OUT_ROWS, length, random)

    def recurrent(
        self, run: Run, events: keras.KerasTensor, **options: Any
    ) -> keras.KerasTensor:
        """The output of the run's layer, which starts as the others do."""
        layer = recurrent_layer(
            run.cell,
            run.units,
            recurrent_initializer=start(self.args.start, run.units),
            **options,
        )
        output = layer(events)
        start_remembering(layer, run.length)
        return output

    def compiled(
        self, model: keras.Model, loss: keras.losses.Loss
    ) -> keras.Model:
        """The model, ready to train."""
        # Of all variables together: layers with gates have more of them.
        model.compile(keras.optimizers.Adam(global_clipnorm=1.0), loss)
        return model


class Copy(MadeUp):
    """Symbols are to be said again, in order."""

    problem = staticmethod(problems.copy)
    score = "share of symbols said again right"
    chance = ("chance", 1 / problems.KINDS)
    # Fewer than one symbol of a hundred is wrong.
    solved = 0.02

    def model(self, run: Run) -> keras.Model:
        steps = run.length + 2 * problems.COPIED
        events = keras.Input((steps, problems.SYMBOLS), name="events")
        memories = self.recurrent(run, events, return_sequences=True)
        logits = layers.Dense(problems.KINDS, name="symbols")(
            memories[:, -problems.COPIED :]
        )
        return self.compiled(
            keras.Model(events, logits, name="copy"),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def measure(self, model: keras.Model, run: Run) -> float:
        events, symbols = self.held_out(run.length, TEST)
        said = model.predict_on_batch(events).argmax(axis=-1)
        return float(np.mean(said == symbols))


class Adding(MadeUp):
    """Two marked numbers are to be added."""

    problem = staticmethod(problems.adding)
    score = "mean squared error of the sum"
    # The variance of the sum of two numbers from 0 to 1: that of its mean.
    chance = ("always 1, their mean", 1 / 6)
    solved = 0.001

    def model(self, run: Run) -> keras.Model:
        events = keras.Input((run.length, 2), name="events")
        memory = self.recurrent(run, events)
        total = layers.Dense(1, name="sum")(memory)
        return self.compiled(
            keras.Model(events, total, name="adding"),
            keras.losses.MeanSquaredError(),
        )

    def measure(self, model: keras.Model, run: Run) -> float:
        events, sums = self.held_out(run.length, TEST)
        found = model.predict_on_batch(events)
        return float(np.mean((found - sums) ** 2))
