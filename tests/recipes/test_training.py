"""The budget of a training: what it spends, when it ends, what it keeps."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM
from recipes.training import Budget, CarryMemories


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    return random.normal(size=(40, 5, 3)), random.normal(size=(40, 1))


def fit(model, data, *callbacks, epochs):
    model.compile("sgd", "mse")
    model.fit(
        *data,
        batch_size=4,
        validation_data=data,
        epochs=epochs,
        callbacks=list(callbacks),
        shuffle=False,
        verbose=0,
    )


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
    fit(model, data, budget, watch, epochs=4)
    spent = np.arange(40) / 40
    expected = 0.1 * (1 + np.cos(np.pi * spent)) / 2
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    assert [batches for batches, _ in budget.validation] == [10, 20, 30, 40]


def test_minutes_end_the_training(data):
    budget = Budget(0.1, minutes=1 / 60, batches=10**9)
    fit(make_model(), data, budget, epochs=10**6)
    assert 1 <= budget.seconds < 5


def test_the_losses_kept_are_those_of_each_batch(data):
    budget = Budget(0.0, minutes=None, batches=20)
    model = make_model()
    fit(model, data, budget, epochs=2)
    inputs, targets = (part.reshape(10, 4, *part.shape[1:]) for part in data)
    expected = [
        float(np.mean((model(x) - y) ** 2))
        for x, y in zip(inputs, targets, strict=True)
    ]
    np.testing.assert_allclose(budget.losses, expected * 2, rtol=1e-3)


def test_a_picture_of_the_losses(data, tmp_path):
    budget = Budget(0.1, minutes=None, batches=20)
    fit(make_model(), data, budget, epochs=2)
    budget.plot(tmp_path / "training.png", "loss")
    assert (tmp_path / "training.png").read_bytes()[1:4] == b"PNG"


def test_memories_are_emptied_where_the_data_starts_over(data):
    model = make_model(stateful=True)
    lstm = model.layers[0]
    empty = {"training": [], "validation": []}

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            empty["training"].append(not np.any(lstm.states[0].numpy()))

        def on_test_batch_begin(self, batch, logs=None):
            empty["validation"].append(not np.any(lstm.states[0].numpy()))

    fit(model, data, CarryMemories(), Watch(), epochs=2)
    first_only = ([True] + [False] * 9) * 2
    assert empty == {"training": first_only, "validation": first_only}
