"""What the tests of a trace hold it to."""

import keras
import numpy as np

from tests.families import TIME, randomize

# On TensorFlow a layer that is recorded does what it does anyway, operator by
# operator; JAX fuses them in another way, and PyTorch has whole layers as one.
EXACT = 0 if keras.backend.backend() == "tensorflow" else 1e-6


def predicted(layer, events):
    """What a model of the layer predicts."""
    model = keras.Sequential([keras.Input(events.shape[1:]), layer])
    return model.predict_on_batch(events)


def memory_of(trace, path=None):
    layer = trace.layer(path)
    return layer["short_term_memory" if len(layer) > 4 else "memory"]


def assert_recombines(layer):
    """The quantities of a layer's trace keep the lesson's equations."""

    def equal(one, other):
        np.testing.assert_allclose(one, other, atol=2e-6)

    if "memory" in layer:
        return
    equal(layer["learned"], layer["new_information"] * layer["ignore_factor"])
    equal(layer["long_term_memory"], layer["kept"] + layer["learned"])
    equal(
        layer["short_term_memory"],
        layer["useful_memory"] * layer["use_factor"],
    )
    before = layer["long_term_memory"][:, :-1]
    equal(layer["kept"][:, 1:], before * layer["forget_factor"][:, 1:])


def sequence(*parts, shape=(TIME, 3)):
    model = keras.Sequential([keras.Input(shape), *parts])
    randomize(model)
    return model
