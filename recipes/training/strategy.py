"""Strategies of training: in one process, or shared by several."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

import keras
import numpy as np

from recipes.console import stop_on_signal
from recipes.data.windows import Batch
from recipes.training.budget import Budget, Clock
from recipes.training.progress import Bar, ShowProgress


class StepResult(NamedTuple):
    """Result of a batch, on which all processes agree.

    Args:
        loss: Mean loss of the batch.
        clock: Mean of the processes' clocks.
    """

    loss: float
    clock: Clock


class Strategy(Protocol):
    """Way to compute the steps of a training.

    All processes run the same loop, each on its own rows of every batch, and
    have the same weights after each batch.

    Attributes:
        rank: Number of this process, from 0.
        processes: Number of processes.
    """

    rank: int
    processes: int

    def train_on_batch(
        self, model: keras.Model, batch: Batch, clock: Callable[[], Clock]
    ) -> StepResult:
        """Train a compiled model on this process's rows of a batch.

        Args:
            model: The model, always the same.
            batch: Inputs and targets.
            clock: Function that returns the time of this process. One process
                reads it after the step; several read it before, so that the
                step itself takes the mean.
        """

    def test_on_batch(self, model: keras.Model, batch: Batch) -> float:
        """Return the mean loss of all rows of a batch."""

    def gather(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        """Return the rows of all processes, given those of this one."""

    def watch(
        self, budget: Budget
    ) -> AbstractContextManager[list[keras.callbacks.Callback]]:
        """Return callbacks that show the progress, and stop when asked to."""


class SingleProcess:
    """Training in this process, by Keras.

    Attributes:
        rank: 0.
        processes: 1.
    """

    rank = 0
    processes = 1

    def train_on_batch(
        self, model: keras.Model, batch: Batch, clock: Callable[[], Clock]
    ) -> StepResult:
        model.reset_metrics()
        logs = model.train_on_batch(*batch, return_dict=True)
        return StepResult(float(logs["loss"]), clock())

    def test_on_batch(self, model: keras.Model, batch: Batch) -> float:
        model.reset_metrics()
        return float(model.test_on_batch(*batch, return_dict=True)["loss"])

    def gather(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        return rows

    @contextmanager
    def watch(self, budget: Budget) -> Iterator[list[keras.callbacks.Callback]]:
        bar = Bar()
        try:
            with stop_on_signal(budget.stop):
                yield [ShowProgress(budget, bar.show)]
        finally:
            bar.close()


SINGLE_PROCESS = SingleProcess()


def own_rows(strategy: Strategy, rows: int) -> slice:
    """Return this process's rows of a batch.

    Args:
        strategy: The strategy.
        rows: Rows of a batch, a multiple of the number of processes.
    """
    size = rows // strategy.processes
    return slice(strategy.rank * size, (strategy.rank + 1) * size)
