"""Cases to check the gates of a streaming file on."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.export.inputs import call
from keras_gatelstm.export.litert.file import Arrays
from keras_gatelstm.export.litert.forms import Form
from keras_gatelstm.export.litert.gates import HOLD, gate_cells
from keras_gatelstm.export.litert.samples import Batch
from keras_gatelstm.inspect.interventions import cells_by_path, clamp_gates
from keras_gatelstm.inspect.record import record_gates


def held_values(form: Form) -> Arrays:
    """Return random values for a third of the units of each quantity.

    The other units are left alone: NaN.
    """
    random = np.random.default_rng(0)
    return {
        name: np.where(
            random.random(size) < 1 / 3, random.random(size), np.nan
        ).astype("float32")
        for name, size in form.holds.items()
    }


def outputs_with_gates(
    model: keras.Model, inputs: Batch, held: Arrays
) -> Arrays:
    """Return a model's outputs, and its quantities while gates are held.

    The quantities are recorded by `record_gates`, and held by `clamp_gates`.

    Args:
        model: A model that `prepare` returned.
        inputs: A batch.
        held: Values by the name of the input that holds them, `(units,)`.

    Returns:
        The outputs by name, and `(batch, time, units)` for each quantity by
        `<layer>_<quantity>`; NaN at masked steps.
    """
    places = dict(_places(model))
    clamps = {
        f"{path}/{quantity}": held[f"{HOLD}{name}_{quantity}"]
        for path, name in places.items()
        for quantity in gate_cells(model)[name].anatomy.names
        if f"{HOLD}{name}_{quantity}" in held
    }
    with clamp_gates(model, clamps):
        outputs = call(model, [tf.convert_to_tensor(it) for it in inputs])
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        trace = record_gates(model, given)
    found = {name: it.numpy() for name, it in outputs.items()}
    for path, layer in trace.items():
        for quantity, values in layer.items():
            if layer.mask is not None:
                values = np.where(layer.mask[..., np.newaxis], values, np.nan)
            found[f"{places[path]}_{quantity}"] = values
    return found


def _places(model: keras.Model) -> Iterator[tuple[str, str]]:
    """Yield each cell's path in a trace, and its name in a file."""
    names = {id(cell): name for name, cell in gate_cells(model).items()}
    for path, cell in cells_by_path(model).items():
        yield path, names[id(cell)]
