"""Models to export, with random weights, and what holds them to Keras."""

import keras
import numpy as np
from keras import layers

from keras_gatelstm.export import LiteRTFile
from tests.families import FEATURES, randomize, some_events

SYMBOLS = 7

__all__ = [
    "array",
    "assert_like_keras",
    "examples",
    "of_symbols",
    "random_weights",
    "sequential",
    "some_events",
    "some_symbols",
]


def sequential(*parts, shape=(None, FEATURES), batch_size=None):
    given = keras.Input(shape, batch_size, name="events")
    return random_weights(keras.Sequential([given, *parts]))


def of_symbols(*parts):
    """A model of numbers of symbols, 0 to 6, where 0 is masked."""
    given = keras.Input((None,), dtype="int32", name="symbols")
    embedding = layers.Embedding(SYMBOLS, FEATURES, mask_zero=True)
    return random_weights(keras.Sequential([given, embedding, *parts]))


def random_weights(model):
    randomize(model)
    return model


def some_symbols(batch, time):
    """Masked at the start, in the middle and at the end."""
    symbols = np.random.default_rng(5).integers(1, SYMBOLS, (batch, time))
    symbols[:, [0, time // 2, time - 1]] = 0
    return symbols.astype("int32")


def examples(time=6):
    """What int8 is given to take the ranges of numbers from."""
    return some_events(40, time)


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def assert_like_keras(model, path, *inputs, atol=1e-5):
    """The one output of a model is what its file gives, loaded afresh."""
    names = [tensor.name for tensor in model.inputs]
    outputs = LiteRTFile(path)(**dict(zip(names, inputs, strict=True)))
    [found] = outputs.values()
    expected = model(inputs[0] if len(inputs) == 1 else list(inputs))
    np.testing.assert_allclose(found, array(expected), atol=atol)
