"""The training loop of the recipes."""

import math
from collections.abc import Callable, Iterable

import keras
import numpy as np

from recipes.data.windows import Batch
from recipes.training.budget import Budget, Logs
from recipes.training.strategy import Strategy
from recipes.training.variables import assign_values, read_values


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
            self.weights = read_values(self.model.trainable_weights)

    def restore(self, model: keras.Model) -> None:
        """Assign the kept weights to a model."""
        assign_values(model.trainable_weights, self.weights)


def fit(
    model: keras.Model,
    batches: Callable[[int, int], Iterable[Batch]],
    validation: Batch,
    budget: Budget,
    callbacks: list[keras.callbacks.Callback],
    strategy: Strategy,
    epoch: int = 0,
    batch: int = 0,
) -> None:
    """Train until a callback stops, optionally from the middle of an epoch.

    `keras.Model.fit` cannot start in the middle of an epoch: it takes the
    length of the first epoch for that of all. A loss that is NaN or infinite
    ends the training without another validation.

    Args:
        model: A compiled model.
        batches: Function of an epoch and a first batch that returns this
            process's rows of the epoch's remaining batches.
        validation: Stacked batches to validate on, inputs and targets.
        budget: The training's budget, the first callback.
        callbacks: Further callbacks, as in Keras, but the loss in a batch's
            logs is that batch's own, not a running mean.
        strategy: Strategy of the training.
        epoch: Epoch to start with.
        batch: Batch of that epoch to start with.
    """
    listeners = keras.callbacks.CallbackList([budget, *callbacks], model=model)
    model.stop_training = False
    listeners.on_train_begin()
    while not model.stop_training:
        listeners.on_epoch_begin(epoch)
        losses = []
        for number, given in enumerate(batches(epoch, batch), batch):
            listeners.on_train_batch_begin(number)
            trained = strategy.train_on_batch(model, given, budget.clock)
            losses.append(trained.loss)
            budget.set_clock(trained.clock)
            listeners.on_train_batch_end(number, {"loss": trained.loss})
            if model.stop_training:
                break
        if not math.isfinite(losses[-1]):
            break
        found = evaluate(model, validation, listeners, strategy)
        logs = {"loss": float(np.mean(losses)), "val_loss": found}
        listeners.on_epoch_end(epoch, logs)
        epoch, batch = epoch + 1, 0
    listeners.on_train_end()


def evaluate(
    model: keras.Model,
    validation: Batch,
    listeners: keras.callbacks.CallbackList,
    strategy: Strategy,
) -> float:
    """Return the mean loss of stacked batches, all of the same size."""
    listeners.on_test_begin()
    losses = []
    for number in range(len(validation[1])):
        listeners.on_test_batch_begin(number)
        batch = _take(validation, number)
        losses.append(strategy.test_on_batch(model, batch))
        listeners.on_test_batch_end(number, {"loss": losses[-1]})
    loss = float(np.mean(losses))
    listeners.on_test_end({"loss": loss})
    return loss


def _take(batches: Batch, number: int) -> Batch:
    """Return one of several stacked batches."""
    batch: Batch = keras.tree.map_structure(lambda it: it[number], batches)
    return batch
