"""Classes and functions that people write are carried as they are."""

import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import keras_gatelstm
from keras_gatelstm.convert import from_keras, to_keras
from tests.backends import array
from tests.convert.models import layers, sequential
from tests.families import assert_alike


def times(factor):
    def scale(x):
        return factor * x

    return scale


def layer_that_multiplies_by(factor):
    class Scale(layers.Layer):
        def call(self, x):
            return factor * x

    return Scale()


def tanh(x):
    return keras.ops.tanh(x) / 2


class Squares(keras.regularizers.Regularizer):
    def __call__(self, x):
        return keras.ops.sum(x * x)

    def get_config(self):
        return {}


def halves(shape, dtype=None):
    return keras.ops.full(shape, 0.5, dtype=dtype)


@pytest.mark.parametrize(
    "make",
    [
        lambda: (layers.LSTM(4, activation=times(2)),),
        lambda: (layers.LSTM(4, activation=tanh, recurrent_activation="tanh"),),
        lambda: (layers.GRU(4, activation=lambda x: keras.ops.tanh(x) / 2),),
        lambda: (
            layers.Lambda(times(2)),
            layers.SimpleRNN(4),
            layers.Lambda(times(3)),
        ),
        lambda: (
            layers.LSTM(4, return_sequences=True),
            layers.Lambda(lambda x: keras.ops.mean(x, axis=1)),
        ),
        lambda: (
            layer_that_multiplies_by(2),
            layers.LSTM(4),
            layer_that_multiplies_by(3),
        ),
        lambda: (
            layers.LSTM(
                4, kernel_regularizer=Squares(), recurrent_initializer=halves
            ),
        ),
    ],
    ids=[
        "function",
        "function called tanh",
        "lambda",
        "two functions of one name",
        "lambda layer",
        "two classes of one name",
        "regularizer and initializer",
    ],
)
def test_there_and_back_outputs_are_the_same(make, events):
    theirs = sequential(*make())
    ours = from_keras(theirs)
    assert_alike(ours, theirs, events, atol=1e-6)
    assert_alike(to_keras(ours), theirs, events, atol=0)
    losses = [sum(map(array, it.losses)) for it in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_their_names_are_as_they_were():
    scale = times(2)
    from_keras(sequential(layers.LSTM(4, activation=scale)))
    assert scale.__name__ == "scale"


def off_by(targets, outputs):
    return keras.ops.mean((targets - outputs) ** 2, axis=-1)


class Slower(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.25 / (1 + keras.ops.cast(step, "float32"))

    def get_config(self):
        return {}


def test_a_compiled_model_trains_on(events):
    theirs = sequential(layers.LSTM(4), layers.Dense(1, name="out"))
    theirs.compile(
        keras.optimizers.SGD(Slower()),
        [off_by],
        metrics=["mae", off_by],
    )
    ours = from_keras(theirs)
    targets = events.sum(axis=(1, 2))[:, None]
    losses = [
        model.fit(events, targets, epochs=3, shuffle=False, verbose=0)
        for model in (ours, theirs)
    ]
    assert losses[0].history.keys() == losses[1].history.keys()
    for name in losses[0].history:
        np.testing.assert_allclose(
            losses[0].history[name], losses[1].history[name], rtol=1e-4
        )


def test_threads_do_not_see_each_others_names(events):
    """Each converts its own model of a class that Keras does not know."""
    scale = layer_that_multiplies_by(2.0)
    model = sequential(layers.LSTM(4), scale)
    name = type(scale).__name__
    expected = array(model(events))
    start = threading.Barrier(4)

    def convert(_):
        start.wait()
        return [from_keras(model) for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        found = [it for many in pool.map(convert, range(4)) for it in many]
    assert type(scale).__name__ == name
    for converted in found:
        np.testing.assert_allclose(
            array(converted(events)), expected, atol=1e-5
        )


@keras.saving.register_keras_serializable("tests")
class WritesKeras(layers.Layer):
    """Converts what is in it while it writes its own config."""

    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def build(self, shape):
        self.inner.build(shape)

    def call(self, events):
        return self.inner(events)

    def get_config(self):
        kept = to_keras(self.inner)
        inner = keras.saving.serialize_keras_object(kept)
        return {**super().get_config(), "inner": inner}

    @classmethod
    def from_config(cls, config):
        inner = keras.saving.deserialize_keras_object(config.pop("inner"))
        return cls(inner, **config)


def test_a_layer_may_convert_another_while_it_is_converted(events):
    inner = keras_gatelstm.GateLSTM(4, variant="standard", name="inner")
    model = sequential(WritesKeras(inner))
    converted = to_keras(model)
    np.testing.assert_allclose(
        array(converted(events)), array(model(events)), atol=1e-6
    )
