"""What a model takes and gives: names, shapes, and numbers to try it with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.keras_internals import layers_inside

TRIED_STEPS = (6, 24, 96, 384)


def input_specs(
    model: keras.Model, batch_size: int | None, time_steps: int | None
) -> list[tf.TensorSpec]:
    """The model's inputs, with these sizes where it leaves its own free."""
    specs = []
    for tensor in model.inputs:
        shape = list(tensor.shape)
        shape[0] = batch_size
        if _any_length(tensor):
            shape[1] = time_steps
        specs.append(tf.TensorSpec(shape, tensor.dtype, name=tensor.name))
    return specs


def sequences_of(model: keras.Model) -> dict[str, bool]:
    """Whether each input is a sequence, of any length; others are fixed."""
    return {tensor.name: _any_length(tensor) for tensor in model.inputs}


def outputs_in_time(model: keras.Model) -> dict[str, bool]:
    """Whether each output has an axis of time."""
    outputs = keras.tree.flatten(model.outputs)
    names = output_names(model)
    return dict(zip(names, map(_any_length, outputs), strict=True))


def _any_length(tensor: Any) -> bool:
    return len(tensor.shape) > 1 and tensor.shape[1] is None


def output_names(model: keras.Model) -> list[str]:
    """The names of what makes each output, told apart by number."""
    if isinstance(model, keras.Sequential):
        count = len(keras.tree.flatten(model.outputs))
        names = [model.layers[-1].name] * count
    else:
        names = model.output_names
    found: list[str] = []
    for name in names:
        unlike, number = name, 0
        while unlike in found or (number and unlike in names):
            number += 1
            unlike = f"{name}_{number}"
        found.append(unlike)
    return found


def call(model: keras.Model, inputs: list[Any]) -> dict[str, Any]:
    """The model's outputs, by name."""
    structure = model.input if not isinstance(model, keras.Sequential) else 0
    given = keras.tree.pack_sequence_as(structure, inputs)
    with _plain_errors():
        outputs = keras.tree.flatten(model(given, training=False))
    return dict(zip(output_names(model), outputs, strict=True))


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Has errors come as layers raise them: Keras adds pages of arguments."""
    filtered = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        yield
    finally:
        if filtered:
            keras.config.enable_traceback_filtering()


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
        f"It says: {first_line(reason)}"
    )


def first_line(error: Exception) -> str:
    """What an error says, without what comes after it."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else repr(error)


def takes_any_steps(model: keras.Model) -> bool:
    """Whether the model takes sequences of more than one length."""
    try:
        time_steps = working_steps(model) + 1
        call(
            model, random_inputs(model, 1, time_steps, np.random.default_rng())
        )
    except Exception:  # Whatever layers say.
        return False
    return True


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
