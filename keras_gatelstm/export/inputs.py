"""What a model takes and gives: names, shapes, and numbers to try it with."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.keras_internals import layers_inside

TRIED_STEPS = (6, 24, 96, 384)


def input_specs(
    model: keras.Model, batch_size: int | None, time_steps: int | None
) -> list[tf.TensorSpec]:
    """The model's inputs, with these sizes where it leaves its own free."""
    specs = []
    for tensor in model.inputs:
        shape = list(tensor.shape)
        shape[0] = batch_size
        if len(shape) > 1 and shape[1] is None:
            shape[1] = time_steps
        specs.append(tf.TensorSpec(shape, tensor.dtype, name=tensor.name))
    return specs


def output_names(model: keras.Model) -> list[str]:
    """The names of what makes each output, told apart by number."""
    if isinstance(model, keras.Sequential):
        count = len(keras.tree.flatten(model.outputs))
        names = [model.layers[-1].name] * count
    else:
        names = model.output_names
    numbers = [names[:place].count(name) for place, name in enumerate(names)]
    return [
        f"{name}_{number}" if number else name
        for name, number in zip(names, numbers, strict=True)
    ]


def call(model: keras.Model, inputs: list[Any]) -> dict[str, Any]:
    """The model's outputs, by name."""
    structure = model.input if not isinstance(model, keras.Sequential) else 0
    given = keras.tree.pack_sequence_as(structure, inputs)
    outputs = keras.tree.flatten(model(given, training=False))
    return dict(zip(output_names(model), outputs, strict=True))


def working_steps(model: keras.Model) -> int:
    """A length of sequences that the model takes.

    Raises:
        ValueError: if none was found.
    """
    random = np.random.default_rng(0)
    for time_steps in TRIED_STEPS:
        try:
            call(model, random_inputs(model, 1, time_steps, random))
        except Exception as error:  # Whatever layers say to what is too short.
            reason = error
        else:
            return time_steps
    raise ValueError(
        f"{model.name} takes no sequences of up to {TRIED_STEPS[-1]} steps. "
        f"It says: {reason}"
    )


def random_inputs(
    model: keras.Model,
    batch_size: int,
    time_steps: int,
    random: np.random.Generator,
) -> list[np.ndarray]:
    """Numbers that the model takes: of a normal distribution, or symbols."""
    symbols = min(
        (
            layer.input_dim
            for layer in layers_inside(model, recursive=True)
            if isinstance(layer, keras.layers.Embedding)
        ),
        default=2,
    )
    inputs = []
    for spec in input_specs(model, batch_size, time_steps):
        kind = np.dtype(spec.dtype.as_numpy_dtype).kind
        if kind not in "fiu":
            raise ValueError(
                "inputs must be numbers. "
                f"Received: {spec.name} of type {spec.dtype.name}"
            )
        numbers = random.normal(size=spec.shape)
        if kind in "iu":
            numbers = random.integers(0, symbols, spec.shape)
        inputs.append(numbers.astype(spec.dtype.as_numpy_dtype))
    return inputs
