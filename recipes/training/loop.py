"""Training loop, budget and callbacks of the recipes."""

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
from recipes.data.windows import Batch

Logs = dict[str, float] | None

# Number of batches in the running mean of the loss.
SHOWN = 50


def versions() -> dict[str, str]:
    """Return the versions of Python and the packages used."""
    return {
        "python": platform.python_version(),
        "keras_gatelstm": keras_gatelstm.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


class Budget(keras.callbacks.Callback):
    """Callback that ends the training after a number of minutes or batches.

    The learning rate decays to zero along half a cosine (Loshchilov and
    Hutter, "SGDR", 2017). A progress bar shows the spent share of the budget,
    and all losses are recorded. A NaN or infinite loss ends the training.

    Compilation time is not counted: the clock starts after the first batch,
    and leaves out the first batch of the first validation.

    Args:
        learning_rate: Initial learning rate.
        minutes: Minutes of training, or `None`.
        batches: Number of batches, if `minutes` is `None`.

    Attributes:
        losses: Loss of each batch.
        validation: Pairs of a number of batches and a validation loss.
        seconds: Duration of the training so far, without compilation.
        stopped: Set to true to end the training after the current batch.
    """

    def __init__(
        self, learning_rate: float, minutes: float | None, batches: int | None
    ) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.minutes = minutes
        self.batches = batches
        self.losses: list[float] = []
        self.validation: list[tuple[int, float]] = []
        self.seconds = 0.0
        self.stopped = False
        # Start of the clock, as if the training had never been interrupted.
        self._start: float | None = None
        self._validating_since = 0.0
        self._validated = False

    def spent(self) -> float:
        """Return the spent share of the budget, from 0 to 1."""
        if self.minutes is None:
            part = len(self.losses) / (self.batches or 1)
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
        """Update the progress bar and the losses shown beside it."""
        shown = {name: f"{value:.3f}" for name, value in losses.items()}
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update(100 * self.spent() - self.bar.n)

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


class KeepBest(keras.callbacks.Callback):
    """Callback that keeps the weights of the lowest validation loss.

    Attributes:
        loss: Lowest validation loss.
        weights: Weights at that loss; empty before the first validation.
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
        """Assign the kept weights to a model."""
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
    """Train until a callback stops, optionally from the middle of an epoch.

    `keras.Model.fit` cannot start in the middle of an epoch: it takes the
    length of the first epoch for that of all. A loss that is NaN or infinite
    ends the training without another validation.

    Args:
        model: A compiled model.
        batches: Function of an epoch and a first batch that returns the
            epoch's remaining batches.
        validation: Stacked batches to validate on, inputs and targets.
        callbacks: As in Keras, but the loss in a batch's logs is that batch's
            own, not a running mean.
        epoch: Epoch to start with.
        batch: Batch of that epoch to start with.
    """
    listeners = keras.callbacks.CallbackList(callbacks, model=model)
    held_out = tf.data.Dataset.from_tensor_slices(validation)
    model.stop_training = False
    listeners.on_train_begin()
    while not model.stop_training:
        listeners.on_epoch_begin(epoch)
        losses = []
        for number, given in enumerate(batches(epoch, batch), batch):
            listeners.on_train_batch_begin(number)
            model.reset_metrics()
            logs = model.train_on_batch(*given, return_dict=True)
            losses.append(logs["loss"])
            listeners.on_train_batch_end(number, logs)
            if model.stop_training:
                break
        if not math.isfinite(losses[-1]):
            break
        found = model.evaluate(
            held_out, verbose=0, callbacks=listeners, return_dict=True
        )
        logs = {"loss": float(np.mean(losses)), "val_loss": found["loss"]}
        listeners.on_epoch_end(epoch, logs)
        epoch, batch = epoch + 1, 0
    listeners.on_train_end()


@contextmanager
def raise_memory_error() -> Iterator[None]:
    """Turn TensorFlow's `ResourceExhaustedError` into `MemoryError`.

    Raises:
        MemoryError: if TensorFlow runs out of memory.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error


@contextmanager
def stop_on_signal(budget: Budget) -> Iterator[None]:
    """Stop a training after its current batch on SIGINT or SIGTERM.

    A second signal stops it immediately.
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
    """Return the state variables of stateful layers.

    Keras keeps no list of them.
    """
    return [
        memory
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and layer.stateful
        for memory in keras.tree.flatten(layer.states)
    ]


def empty_memories(model: keras.Model) -> None:
    """Set the states of stateful layers to zero."""
    for memory in memories(model):
        memory.assign(keras.ops.zeros_like(memory))
