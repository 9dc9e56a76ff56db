"""Names and shapes of a model's inputs and outputs, and random inputs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.keras_internals import layers_inside
from keras_gatelstm.core.types import Tensor

TRIED_STEPS = (6, 24, 96, 384)


def input_specs(
    model: keras.Model, batch_size: int | None, time_steps: int | None
) -> list[tf.TensorSpec]:
    """Return the model's inputs, with these sizes for its free axes."""
    specs = []
    for tensor in model.inputs:
        shape = list(tensor.shape)
        shape[0] = batch_size
        if _has_free_time(tensor):
            shape[1] = time_steps
        specs.append(tf.TensorSpec(shape, tensor.dtype, name=tensor.name))
    return specs


def sequences_of(model: keras.Model) -> dict[str, bool]:
    """Return, for each input by name, whether it has a free time axis."""
    return {tensor.name: _has_free_time(tensor) for tensor in model.inputs}


def outputs_in_time(model: keras.Model) -> dict[str, bool]:
    """Return, for each output by name, whether it has a free time axis."""
    outputs = keras.tree.flatten(model.outputs)
    names = output_names(model)
    return dict(zip(names, map(_has_free_time, outputs), strict=True))


def _has_free_time(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) > 1 and tensor.shape[1] is None


def output_names(model: keras.Model) -> list[str]:
    """Return the name of each output's layer, numbered to be unique."""
    if isinstance(model, keras.Sequential):
        count = len(keras.tree.flatten(model.outputs))
        names = [model.layers[-1].name] * count
    else:
        names = model.output_names
    found: list[str] = []
    for name in names:
        unique, number = name, 0
        while unique in found or (number and unique in names):
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def call(model: keras.Model, inputs: list[Tensor]) -> dict[str, Tensor]:
    """Call the model for inference; return its outputs by name."""
    structure = model.input if not isinstance(model, keras.Sequential) else 0
    given = keras.tree.pack_sequence_as(structure, inputs)
    with _without_traceback_filtering():
        outputs = keras.tree.flatten(model(given, training=False))
    return dict(zip(output_names(model), outputs, strict=True))


@contextmanager
def _without_traceback_filtering() -> Iterator[None]:
    """Keep errors as layers raise them: Keras adds pages of arguments."""
    filtered = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()
    try:
        yield
    finally:
        if filtered:
            keras.config.enable_traceback_filtering()


def working_steps(model: keras.Model) -> int:
    """Return a length of sequences on which the model runs.

    Raises:
        ValueError: if the model fails on all lengths of `TRIED_STEPS`.
    """
    random = np.random.default_rng(0)
    for time_steps in TRIED_STEPS:
        try:
            call(model, random_inputs(model, 1, time_steps, random))
        except Exception as error:  # Layers raise errors of any type.
            reason = error
        else:
            return time_steps
    raise ValueError(
        f"{model.name} takes no sequences of up to {TRIED_STEPS[-1]} steps. "
        f"It says: {first_line(reason)}"
    )


def first_line(error: Exception) -> str:
    """Return the first line of an error's message that says something.

    Errors of a graph begin with headings: "Graph execution error:", "Detected
    at node ... (most recent call last):", and the lines of a stack.
    """
    # Without names of a graph's nodes, and what is only about them.
    text = re.sub(r" for '\{\{.*|\{\{.*?\}\}\s*", "", str(error).strip())
    lines = [line.strip() for line in text.splitlines()]
    said = [
        line
        for line in lines
        if line
        and not line.endswith(":")
        and not line.startswith(("<", "File "))
    ]
    return (said or lines or [repr(error)])[0]


def takes_any_steps(model: keras.Model) -> bool:
    """Return whether the model runs on sequences of several lengths."""
    try:
        time_steps = working_steps(model) + 1
        call(
            model, random_inputs(model, 1, time_steps, np.random.default_rng())
        )
    except Exception:  # Layers raise errors of any type.
        return False
    return True


def random_inputs(
    model: keras.Model,
    batch_size: int,
    time_steps: int,
    random: np.random.Generator,
) -> list[np.ndarray]:
    """Return random inputs: normally distributed, or symbols if integer."""
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
