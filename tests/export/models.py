"""Models to export, with random weights, and ways to run their files."""

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from tests.families import FEATURES, randomize

SYMBOLS = 7


def sequential(*recurrent, shape=(None, FEATURES), batch_size=None):
    given = keras.Input(shape, batch_size, name="events")
    return randomized(keras.Sequential([given, *recurrent]))


def of_symbols(*recurrent, mask_zero=False):
    """A model of numbers of symbols, 0 to 6."""
    return randomized(
        keras.Sequential(
            [
                keras.Input((None,), dtype="int32", name="symbols"),
                layers.Embedding(SYMBOLS, FEATURES, mask_zero=mask_zero),
                *recurrent,
            ]
        )
    )


def randomized(model):
    randomize(model)
    return model


def some_symbols(batch, time):
    """With zeros at the start, in the middle and at the end."""
    symbols = np.random.default_rng(5).integers(1, SYMBOLS, (batch, time))
    symbols[:, [0, time // 2, time - 1]] = 0
    return symbols.astype("int32")


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def interpreted(path, *calls):
    """What LiteRT's interpreter gives in calls one after the other.

    The way of a program that knows nothing of `keras_gatelstm`.

    Args:
        path: A file.
        *calls: The inputs of each, by name; those that are not there are
            what the output of their name was in the call before.
    """
    interpreter = Interpreter(str(path))
    signature = interpreter.get_signature_runner("serving_default")
    specs = signature.get_input_details()
    results = signature.get_output_details()
    for name, value in calls[0].items():
        interpreter.resize_tensor_input(specs[name]["index"], value.shape)
    interpreter.allocate_tensors()
    last = {
        name: np.zeros(spec["shape"])
        for name, spec in specs.items()
        if name not in calls[0]
    }
    given = []
    for inputs in calls:
        for name, value in {**last, **inputs}.items():
            interpreter.set_tensor(
                specs[name]["index"], _as_in_file(value, specs[name])
            )
        interpreter.invoke()
        outputs = {
            name: _as_float(interpreter.get_tensor(spec["index"]), spec)
            for name, spec in results.items()
        }
        last = {name: outputs[name] for name in last}
        given.append(
            {name: outputs[name] for name in outputs if name not in last}
        )
    return given


def _as_in_file(value, spec):
    if spec["dtype"] is not np.int8:
        return np.asarray(value, spec["dtype"])
    scale, zero = spec["quantization"]
    return np.clip(np.round(value / scale + zero), -128, 127).astype(np.int8)


def _as_float(value, spec):
    if spec["dtype"] is not np.int8:
        return value
    scale, zero = spec["quantization"]
    return (value.astype("float32") - zero) * scale


def assert_like_keras(model, path, *inputs, atol=1e-5):
    """The one output of a model is what its file gives, loaded afresh."""
    names = [tensor.name for tensor in model.inputs]
    [outputs] = interpreted(path, dict(zip(names, inputs, strict=True)))
    [found] = outputs.values()
    expected = model(inputs[0] if len(inputs) == 1 else list(inputs))
    np.testing.assert_allclose(found, array(expected), atol=atol)
