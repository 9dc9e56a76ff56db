"""What the recipes' trainings share."""

import math
import platform
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from tqdm.auto import tqdm

import keras_gatelstm

Logs = dict[str, float] | None


def versions() -> dict[str, str]:
    """What the numbers of a training were made with."""
    return {
        "python": platform.python_version(),
        "keras_gatelstm": keras_gatelstm.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


class Budget(keras.callbacks.Callback):
    """Spends so many minutes, or so many batches, and ends the training.

    On the way the learning rate falls from its first value to zero along
    half a cosine (Loshchilov and Hutter, "SGDR", 2017), a bar shows how much
    is spent, and the losses are kept.

    Args:
        learning_rate: The learning rate to start from.
        minutes: Minutes of training, or `None`.
        batches: Batches to train on, where there are no minutes.

    Attributes:
        losses: The loss of each batch.
        validation: Pairs of batches seen and validation loss.
        seconds: How long the training took.
    """

    def __init__(
        self, learning_rate: float, minutes: float | None, batches: int
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.minutes = minutes
        self.batches = batches
        self.losses: list[float] = []
        self.validation: list[tuple[int, float]] = []
        self.seconds = 0.0
        self._total = 0.0

    def spent(self) -> float:
        """The part of the budget that is spent, from 0 to 1."""
        if self.minutes is None:
            part = len(self.losses) / self.batches
        else:
            part = (time.monotonic() - self.start) / (60 * self.minutes)
        return min(1.0, part)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.start = time.monotonic()
        self.bar = tqdm(
            total=100,
            desc="training",
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        fall = (1 + math.cos(math.pi * self.spent())) / 2
        self.model.optimizer.learning_rate = self.learning_rate * fall

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        # Keras reports the mean of the epoch so far; this batch's share:
        total = (logs or {})["loss"] * (batch + 1)
        self.losses.append(total - (self._total if batch else 0.0))
        self._total = total
        if self.spent() == 1:
            self.model.stop_training = True
        self.show(logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.validation.append((len(self.losses), (logs or {})["val_loss"]))
        self.show(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self.seconds = time.monotonic() - self.start
        self.bar.close()

    def show(self, logs: Logs) -> None:
        """Moves the bar on, and writes the losses behind it."""
        losses = {name: f"{value:.3f}" for name, value in (logs or {}).items()}
        self.bar.set_postfix(losses, refresh=False)
        self.bar.update(100 * self.spent() - self.bar.n)

    def plot(self, path: Path, loss: str) -> None:
        """Draws the losses, and writes the picture to `path`."""
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


class CarryMemories(keras.callbacks.Callback):
    """Empties stateful layers' memories where a text starts over."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        empty_memories(self.model)

    def on_test_begin(self, logs: Logs = None) -> None:
        empty_memories(self.model)


def empty_memories(model: keras.Model) -> None:
    """Empties the memories of every recurrent layer."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN):
            layer.reset_state()
