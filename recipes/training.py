"""What the recipes' trainings share."""

import math
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from tqdm.auto import tqdm

import keras_gatelstm

Logs = dict[str, float] | None
Batch = tuple[np.ndarray, np.ndarray]

# The mean of the losses of so many batches is shown.
SHOWN = 50


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

    What a process compiles is not counted: time counts from the end of its
    first batch, and goes on after the first batch of its first validation.

    On the way the learning rate falls from its first value to zero along
    half a cosine (Loshchilov and Hutter, "SGDR", 2017), a bar shows how much
    is spent, and the losses are kept.

    A loss that is no number ends it too.

    Args:
        learning_rate: The learning rate to start from.
        minutes: Minutes of training, or `None`.
        batches: Batches to train on, where there are no minutes.

    Attributes:
        losses: The loss of each batch.
        validation: Pairs of batches seen and validation loss.
        seconds: How long the training took, or has taken so far; without
            compiling.
        stopped: Set it to end the training after the batch.
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
        self.stopped = False
        # When the clock would have started, had it run without a stop.
        self._start: float | None = None
        self._validating_since = 0.0
        self._validated = False

    def spent(self) -> float:
        """The part of the budget that is spent, from 0 to 1."""
        if self.minutes is None:
            part = len(self.losses) / self.batches
        else:
            part = self.seconds / (60 * self.minutes)
        return min(1.0, part)

    def on_train_begin(self, logs: Logs = None) -> None:
        self.bar = tqdm(
            total=100,
            desc="training",
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        fall = (1 + math.cos(math.pi * self.spent())) / 2
        self.model.optimizer.learning_rate = self.learning_rate * fall

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.losses.append((logs or {})["loss"])
        if self._start is None:
            self._start = time.monotonic() - self.seconds
        else:
            self.seconds = time.monotonic() - self._start
        finite = math.isfinite(self.losses[-1])
        if self.spent() == 1 or self.stopped or not finite:
            self.model.stop_training = True
        self.show(loss=float(np.mean(self.losses[-SHOWN:])))

    def on_test_begin(self, logs: Logs = None) -> None:
        self._validating_since = time.monotonic()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._start is not None and not self._validated:
            self._validated = True
            self._start += time.monotonic() - self._validating_since

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.validation.append((len(self.losses), (logs or {})["val_loss"]))
        self.show(**(logs or {}))

    def on_train_end(self, logs: Logs = None) -> None:
        if self._start is not None:
            self.seconds = time.monotonic() - self._start
        self.bar.close()

    def show(self, **losses: float) -> None:
        """Moves the bar on, and writes losses behind it."""
        shown = {name: f"{value:.3f}" for name, value in losses.items()}
        self.bar.set_postfix(shown, refresh=False)
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


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights of the lowest validation loss.

    Attributes:
        loss: That loss.
        weights: Those weights; empty before the first validation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = math.inf
        self.weights: list[np.ndarray] = []

    def on_test_end(self, logs: Logs = None) -> None:
        loss = (logs or {})["loss"]
        if loss < self.loss:
            self.loss = loss
            self.weights = [
                weight.numpy() for weight in self.model.trainable_weights
            ]

    def restore(self, model: keras.Model) -> None:
        """Gives a model those weights."""
        for weight, kept in zip(
            model.trainable_weights, self.weights, strict=True
        ):
            weight.assign(kept)


def fit(
    model: keras.Model,
    batches: Callable[[int, int], Iterable[Batch]],
    validation: Batch,
    callbacks: list[keras.callbacks.Callback],
    epoch: int = 0,
    batch: int = 0,
) -> None:
    """Trains until a callback stops it; from within an epoch, if need be.

    `keras.Model.fit` takes the length of its first epoch for that of all, so
    that it cannot go on from within one.

    Args:
        model: A compiled model.
        batches: Gives an epoch's batches, from a batch on.
        validation: Batches to validate on, inputs and targets, stacked.
        callbacks: As in Keras; a batch's loss is that batch's alone.
        epoch: The epoch to start with.
        batch: The batch in it to start with.
    """
    told = keras.callbacks.CallbackList(callbacks, model=model)
    held_out = tf.data.Dataset.from_tensor_slices(validation)
    model.stop_training = False
    told.on_train_begin()
    while not model.stop_training:
        told.on_epoch_begin(epoch)
        losses = []
        for number, given in enumerate(batches(epoch, batch), batch):
            told.on_train_batch_begin(number)
            model.reset_metrics()
            logs = model.train_on_batch(*given, return_dict=True)
            losses.append(logs["loss"])
            told.on_train_batch_end(number, logs)
            if model.stop_training:
                break
        found = model.evaluate(
            held_out, verbose=0, callbacks=told, return_dict=True
        )
        logs = {"loss": float(np.mean(losses)), "val_loss": found["loss"]}
        told.on_epoch_end(epoch, logs)
        epoch, batch = epoch + 1, 0
    told.on_train_end()


@contextmanager
def enough_memory() -> Iterator[None]:
    """Has TensorFlow's way of saying so say that there is not enough.

    Raises:
        MemoryError: where something does not fit.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error


@contextmanager
def stopping(budget: Budget) -> Iterator[None]:
    """Has Ctrl-C, or a request to terminate, end a training tidily.

    The first ends it after the batch; a second one at once.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        budget.stopped = True
        tqdm.write("stopping after this batch; once more: at once", sys.stderr)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def memories(model: keras.Model) -> list[keras.Variable]:
    """The memories that stateful layers carry: Keras lists them nowhere."""
    return [
        memory
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and layer.stateful
        for memory in keras.tree.flatten(layer.states)
    ]


def empty_memories(model: keras.Model) -> None:
    """Empties the memories that stateful layers carry."""
    for memory in memories(model):
        memory.assign(keras.ops.zeros_like(memory))
