"""The budget of a training: what it spends, when it ends, what it keeps."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from recipes.training import budget as budgets
from recipes.training.budget import Budget
from recipes.training.loop import KeepBest, fit
from recipes.training.strategy import SINGLE_PROCESS


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    return random.normal(size=(40, 5, 3)), random.normal(size=(40, 1))


def train(model, data, budget, *callbacks):
    """Trains in batches of four, ten to an epoch."""
    model.compile("sgd", "mse")
    inputs, targets = (part.reshape(10, 4, *part.shape[1:]) for part in data)

    def batches(epoch, first):
        return zip(inputs[first:], targets[first:], strict=True)

    held_out = (inputs, targets)
    fit(model, batches, held_out, budget, list(callbacks), SINGLE_PROCESS)
    return budget.history


def make_model(stateful=False):
    return keras.Sequential(
        [
            keras.Input((5, 3), 4),
            GateLSTM(4, stateful=stateful),
            keras.layers.Dense(1),
        ]
    )


def test_the_learning_rate_falls_along_half_a_cosine(data):
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda *_, **__: rates.append(
            float(model.optimizer.learning_rate)
        )
    )
    model = make_model()
    budget = Budget(0.1, minutes=None, batches=40)
    history = train(model, data, budget, watch)
    spent = np.arange(40) / 40
    expected = 0.1 * (1 + np.cos(np.pi * spent)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    assert [batches for batches, _ in history.validation] == [10, 20, 30, 40]


class Clock(keras.callbacks.Callback):
    """A clock that goes on by what each batch takes, the first the longest."""

    def __init__(self, first, others):
        super().__init__()
        self.now = 0.0
        self.first = first
        self.others = others
        self.begun = {"train": 0, "test": 0}

    def monotonic(self):
        return self.now

    def batch(self, kind):
        self.now += self.others if self.begun[kind] else self.first
        self.begun[kind] += 1

    def on_train_batch_begin(self, batch, logs=None):
        self.batch("train")

    def on_test_batch_begin(self, batch, logs=None):
        self.batch("test")


@pytest.mark.parametrize(("before", "batches"), [(0, 21), (8, 14), (25, 6)])
def test_minutes_are_counted_without_compiling(
    data, monkeypatch, before, batches
):
    clock = Clock(first=600.0, others=1.0)
    monkeypatch.setattr(budgets, "time", clock)
    budget = Budget(0.1, minutes=0.5, batches=10**9)
    # As those of a training that is gone on with.
    budget.history.seconds = before
    history = train(make_model(), data, budget, clock)
    # Of the first batch, and the first of validation's ten, nothing counts.
    assert len(history.losses) == batches
    validations = len(history.validation)
    counted = before + batches - 1 + 10 * validations - 1
    assert history.seconds == counted


def test_the_losses_kept_are_those_of_each_batch(data):
    budget = Budget(0.0, minutes=None, batches=20)
    model = make_model()
    history = train(model, data, budget)
    inputs, targets = (part.reshape(10, 4, *part.shape[1:]) for part in data)
    expected = [
        float(np.mean((model(x) - y) ** 2))
        for x, y in zip(inputs, targets, strict=True)
    ]
    np.testing.assert_allclose(history.losses, expected * 2, rtol=1e-5)


def test_a_picture_of_the_losses(data, tmp_path):
    budget = Budget(0.1, minutes=None, batches=20)
    train(make_model(), data, budget).plot(tmp_path / "training.png", "loss")
    assert (tmp_path / "training.png").read_bytes()[1:4] == b"PNG"


def test_a_stop_in_the_last_validation_is_heard(data):
    """The program says at its end that it was stopped."""
    budget = Budget(0.1, minutes=None, batches=10)
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: budget.stop())
    history = train(make_model(), data, budget, stop)
    assert len(history.losses) == 10
    assert history.stopped


def test_a_loss_that_is_no_number_ends_the_training(data):
    inputs, targets = data
    budget = Budget(0.1, minutes=None, batches=20)
    history = train(make_model(), (inputs, targets * np.nan), budget)
    assert len(history.losses) == 1


def test_the_best_weights_are_kept(data):
    best = KeepBest()
    losses = []
    weights = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            losses.append(logs["val_loss"])
            weights.append(self.model.get_weights())

    model = make_model()
    # So large a rate that the loss goes up and down.
    train(model, data, Budget(2.0, None, 60), best, Watch())
    least = int(np.argmin(losses))
    assert least != 5
    assert best.loss == pytest.approx(losses[least])
    best.restore(model)
    for found, kept in zip(model.get_weights(), weights[least], strict=True):
        np.testing.assert_array_equal(found, kept)
