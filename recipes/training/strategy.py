"""How a batch is trained on: by one process, or by several."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import NamedTuple, Protocol

import keras
import numpy as np
from tqdm.auto import tqdm

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


@contextmanager
def raise_memory_error() -> Iterator[None]:
    """Turn the backend's error for too little memory into `MemoryError`.

    Raises:
        MemoryError: if TensorFlow or JAX runs out of memory.
    """
    try:
        yield
    # They have no common class, and only one of them need be installed.
    except Exception as error:
        name = type(error).__name__
        of_jax = name == "JaxRuntimeError" and "RESOURCE_EXHAUSTED" in str(
            error
        )
        if name == "ResourceExhaustedError" or of_jax:
            raise MemoryError from error
        raise


@contextmanager
def stop_on_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Stop a training after its current batch on SIGINT or SIGTERM.

    A second signal stops it immediately.

    Args:
        stop: Function that asks the training to stop.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        stop()
        tqdm.write("stopping after this batch; once more: at once", sys.stderr)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
