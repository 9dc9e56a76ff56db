"""Budget of a training: its length, its learning rate, its losses."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

Logs = dict[str, float] | None


@dataclass
class History:
    """Losses of a training.

    Args:
        losses: Loss of each batch.
        validation: Pairs of a number of batches and a validation loss.
        seconds: Duration of the training so far, without compilation.
        stopped: Whether the training was stopped by the user.
    """

    losses: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    def plot(self, path: Path, loss: str) -> None:
        """Plot the losses, and save the picture to `path`."""
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        batches = np.arange(1, len(self.losses) + 1)
        smooth = max(1, len(self.losses) // 100)
        means = np.convolve(self.losses, np.ones(smooth) / smooth, "valid")
        axes.plot(batches[smooth - 1 :], means, label="training")
        axes.plot(*zip(*self.validation, strict=True), "o-", label="validation")
        axes.set(xlabel="batches", ylabel=loss)
        axes.legend()
        figure.savefig(path, dpi=150)


class Clock(NamedTuple):
    """Time of a training, on which its processes agree after each batch.

    Args:
        seconds: Duration of the training so far.
        stopped: Share of the processes that were asked to stop.
    """

    seconds: float
    stopped: float


class Budget(keras.callbacks.Callback):
    """Callback that ends the training after a number of minutes or batches.

    The learning rate decays to zero along half a cosine (Loshchilov and
    Hutter, "SGDR", 2017). All losses are recorded. A NaN or infinite loss ends
    the training.

    Compilation time is not counted: the clock starts after the first batch,
    and leaves out the first batch of the first validation.

    Args:
        learning_rate: Initial learning rate.
        minutes: Minutes of training, or `None`.
        batches: Number of batches, if `minutes` is `None`.

    Attributes:
        history: Losses and duration so far.
    """

    def __init__(
        self, learning_rate: float, minutes: float | None, batches: int | None
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.minutes = minutes
        self.batches = batches
        self.history = History()
        self._stopping = False
        # Start of the clock, as if the training had never been interrupted.
        self._start: float | None = None
        self._validating_since = 0.0
        self._validated = False

    def spent(self) -> float:
        """Return the spent share of the budget, from 0 to 1."""
        if self.minutes is None:
            part = len(self.history.losses) / (self.batches or 1)
        else:
            part = self.history.seconds / (60 * self.minutes)
        return min(1.0, part)

    def stop(self) -> None:
        """End the training after the current batch."""
        self._stopping = True

    def clock(self) -> Clock:
        """Return the time of this process alone."""
        return Clock(self._elapsed(), float(self._stopping))

    def set_clock(self, clock: Clock) -> None:
        """Set the time on which all processes agree."""
        self.history.seconds = clock.seconds
        self.history.stopped = clock.stopped > 0

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        fall = (1 + math.cos(math.pi * self.spent())) / 2
        self.model.optimizer.learning_rate = self.learning_rate * fall

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        history = self.history
        history.losses.append((logs or {})["loss"])
        if self._start is None:
            self._start = time.monotonic() - history.seconds
        finite = math.isfinite(history.losses[-1])
        if self.spent() == 1 or history.stopped or not finite:
            self.model.stop_training = True

    def on_test_begin(self, logs: Logs = None) -> None:
        self._validating_since = time.monotonic()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._start is not None and not self._validated:
            self._validated = True
            self._start += time.monotonic() - self._validating_since

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        history = self.history
        history.validation.append(
            (len(history.losses), (logs or {})["val_loss"])
        )

    def on_train_end(self, logs: Logs = None) -> None:
        self.history.seconds = self._elapsed()
        self.history.stopped |= self._stopping

    def _elapsed(self) -> float:
        if self._start is None:
            return self.history.seconds
        return time.monotonic() - self._start
