"""The budget of a training: what it spends, when it ends, what it keeps."""

import itertools
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from recipes import training
from recipes.training import Budget, KeepBest, fit


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    return random.normal(size=(40, 5, 3)), random.normal(size=(40, 1))


def train(model, data, *callbacks):
    """Trains in batches of four, ten to an epoch."""
    model.compile("sgd", "mse")
    inputs, targets = (part.reshape(10, 4, *part.shape[1:]) for part in data)

    def batches(epoch, first):
        return zip(inputs[first:], targets[first:], strict=True)

    fit(model, batches, (inputs, targets), list(callbacks))


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
    train(model, data, budget, watch)
    spent = np.arange(40) / 40
    expected = 0.1 * (1 + np.cos(np.pi * spent)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    assert [batches for batches, _ in budget.validation] == [10, 20, 30, 40]


def test_minutes_end_the_training(data, monkeypatch):
    seconds = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(seconds))
    monkeypatch.setattr(training, "time", clock)
    budget = Budget(0.1, minutes=0.25, batches=10**9)
    train(make_model(), data, budget)
    assert len(budget.losses) == 15


def test_the_losses_kept_are_those_of_each_batch(data):
    budget = Budget(0.0, minutes=None, batches=20)
    model = make_model()
    train(model, data, budget)
    inputs, targets = (part.reshape(10, 4, *part.shape[1:]) for part in data)
    expected = [
        float(np.mean((model(x) - y) ** 2))
        for x, y in zip(inputs, targets, strict=True)
    ]
    np.testing.assert_allclose(budget.losses, expected * 2, rtol=1e-5)


def test_a_picture_of_the_losses(data, tmp_path):
    budget = Budget(0.1, minutes=None, batches=20)
    train(make_model(), data, budget)
    budget.plot(tmp_path / "training.png", "loss")
    assert (tmp_path / "training.png").read_bytes()[1:4] == b"PNG"


def test_a_loss_that_is_no_number_ends_the_training(data):
    inputs, targets = data
    budget = Budget(0.1, minutes=None, batches=20)
    train(make_model(), (inputs, targets * np.nan), budget)
    assert len(budget.losses) == 1


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
