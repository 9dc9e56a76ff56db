"""Synthetic tasks: the copy problem and the adding problem."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers

from recipes.cells import recurrent_layer, start, start_remembering
from recipes.comparing import problems
from recipes.comparing.settings import Settings
from recipes.comparing.task import Run, Task
from recipes.data.windows import Batch

# Batches are generated without end; an epoch is a fixed number of them.
EPOCH = 100
# Seeds of held-out data, out of the range of training seeds.
VALIDATION, TEST = 2**32, 2**32 + 1
HELD_OUT_ROWS = 500


class Endless:
    """Endless source of generated batches.

    Args:
        problem: A function of `recipes.comparing.problems`.
        rows: Rows in a batch.
        length: Steps that the memory must last.
        seed: Random seed.
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
        """Yield an epoch's batches, starting with number `first`."""
        for number in range(first, EPOCH):
            random = np.random.default_rng([self.seed, epoch, number])
            yield self.problem(self.rows, self.length, random)


class SyntheticTask(Task):
    """Task whose answer depends on events `length` steps before."""

    problem: problems.Problem

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.lengths = tuple(settings.lengths)

    def batches(self, run: Run) -> Endless:
        rows = self.settings.batch_size
        return Endless(self.problem, rows, run.length, run.seed)

    def validation(self, run: Run) -> Batch:
        inputs, targets = self.held_out(run.length, VALIDATION)
        return inputs[np.newaxis], targets[np.newaxis]

    def held_out(self, length: int, seed: int) -> problems.Batch:
        """Return held-out rows."""
        random = np.random.default_rng(seed)
        return self.problem(HELD_OUT_ROWS, length, random)

    def recurrent(
        self, run: Run, events: keras.KerasTensor, **options: Any
    ) -> keras.KerasTensor:
        """Apply the run's layer, with the initialization common to all."""
        layer = recurrent_layer(
            run.cell,
            run.units,
            recurrent_initializer=start(self.settings.start, run.units),
            **options,
        )
        output = layer(events)
        start_remembering(layer, run.length)
        return output

    def compiled(
        self, model: keras.Model, loss: keras.losses.Loss
    ) -> keras.Model:
        """Compile a model, and return it."""
        # The global norm, since gated layers have more variables than others.
        model.compile(keras.optimizers.Adam(global_clipnorm=1.0), loss)
        return model


class Copy(SyntheticTask):
    """Copy task: repeat symbols in order."""

    score = "share of symbols said again right"
    chance = ("chance", 1 / problems.KINDS)
    # At this loss, less than one symbol in a hundred is wrong.
    solved = 0.02

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.problem = partial(problems.copy, copied=settings.symbols)

    def model(self, run: Run) -> keras.Model:
        copied = self.settings.symbols
        steps = run.length + 2 * copied
        events = keras.Input((steps, problems.SYMBOLS), name="events")
        memories = self.recurrent(run, events, return_sequences=True)
        logits = layers.Dense(problems.KINDS, name="symbols")(
            memories[:, -copied:]
        )
        return self.compiled(
            keras.Model(events, logits, name="copy"),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def measure(self, model: keras.Model, run: Run) -> float:
        events, symbols = self.held_out(run.length, TEST)
        said = model.predict_on_batch(events).argmax(axis=-1)
        return float(np.mean(said == symbols))


class Adding(SyntheticTask):
    """Adding task: add two marked numbers."""

    problem = staticmethod(problems.adding)
    score = "mean squared error of the sum"
    # The variance of the sum of two uniform numbers: the error of its mean.
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
