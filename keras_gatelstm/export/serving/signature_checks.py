"""Signature checks before an export, and warm-up requests."""

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.errors import FormError
from keras_gatelstm.export.inputs import (
    first_line,
    outputs_in_time,
    random_inputs,
    sequences_of,
    working_steps,
)
from keras_gatelstm.export.memories import memory_specs

TOLERANCE = 1e-4

Arrays = dict[str, np.ndarray]


def check_padded(
    model: keras.Model,
    default: tf.types.experimental.PolymorphicFunction,
    padded: tf.types.experimental.PolymorphicFunction,
) -> None:
    """Check that rows of a padded batch have the outputs of the rows alone.

    Raises:
        FormError: if they differ, or the model fails.
    """
    time = working_steps(model)
    inputs = _random(model, 3, time)
    in_sequence = list(sequences_of(model).values())
    of_rows = [time, (time + 1) // 2, 1]
    same = [of_rows] * sum(in_sequence)
    different = [of_rows[it:] + of_rows[:it] for it in range(len(same))]

    def row_alone(row: int, lengths: list[list[int]]) -> dict[str, Tensor]:
        length_of = iter(lengths)
        return default(
            *_tensors(
                [
                    one[row : row + 1, : next(length_of)[row]]
                    if cuts
                    else one[row : row + 1]
                    for one, cuts in zip(inputs, in_sequence, strict=True)
                ]
            )
        )

    try:
        try:
            expected = [row_alone(row, different) for row in range(3)]
            lengths = different
        except (tf.errors.InvalidArgumentError, ValueError):
            # The model needs the same length in all its sequence inputs.
            expected = [row_alone(row, same) for row in range(3)]
            lengths = same
        found = padded(*_tensors(inputs), *map(tf.constant, lengths))
        for row, outputs in enumerate(expected):
            for name, value in outputs.items():
                one = found[name][row : row + 1]
                if value.shape != one.shape:
                    one = one[:, : value.shape[1]]
                if not _all_close(one, value):
                    raise FormError(
                        f"{name} of a padded row is not what the row gives "
                        "alone: a layer in the model looks at the padding"
                    )
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        raise _as_form_error(error) from error


def check_step(
    model: keras.Model,
    default: tf.types.experimental.PolymorphicFunction,
    step: tf.types.experimental.PolymorphicFunction,
) -> None:
    """Check that events one by one have the outputs of their sequence.

    Raises:
        FormError: if they differ, or the model fails.
    """
    time = working_steps(model)
    inputs = _random(model, 2, time)
    in_sequence, in_time = sequences_of(model), outputs_in_time(model)
    try:
        expected = default(*_tensors(inputs))
        memories = [
            tf.zeros((2, spec.size), spec.dtype)
            for spec in memory_specs(model).values()
        ]
        outputs = []
        for place in range(time):
            events = [
                one[:, place] if cuts else one
                for one, cuts in zip(inputs, in_sequence.values(), strict=True)
            ]
            after = step(*_tensors(events), *memories)
            memories = [after[name] for name in memory_specs(model)]
            outputs.append(after)
    except (tf.errors.InvalidArgumentError, IndexError, ValueError) as error:
        raise _as_form_error(error) from error
    for name, value in expected.items():
        found = outputs[-1][name]
        if in_time[name]:
            found = tf.stack([one[name] for one in outputs], axis=1)
        if not _all_close(found, value):
            raise FormError(
                f"{name} is not the same event by event: a layer in the "
                "model looks at several at once"
            )


def sample_requests(
    model: keras.Model,
    functions: dict[str, tf.types.experimental.PolymorphicFunction],
) -> dict[str, Arrays]:
    """Return a request of one row for each signature."""
    requests = {}
    in_sequence = sequences_of(model)
    inputs = _random(model, 1, working_steps(model))
    numbers = dict(zip(in_sequence, inputs, strict=True))
    for name, function in functions.items():
        signature = function.get_concrete_function().structured_input_signature
        specs = [
            spec
            for spec in keras.tree.flatten(signature)
            if isinstance(spec, tf.TensorSpec)
        ]
        # A step takes one event of each sequence.
        given = {
            key: value[:, 0] if name == "step" and in_sequence[key] else value
            for key, value in numbers.items()
        }
        requests[name] = {
            spec.name: _sample_value(spec, given) for spec in specs
        }
    return requests


def _sample_value(spec: tf.TensorSpec, numbers: Arrays) -> np.ndarray:
    """Return a value for one input of a signature."""
    if spec.name in numbers:
        return numbers[spec.name]
    if spec.dtype == tf.string:
        return np.array([b"a text"])
    options = {"length": 8, "temperature": 1.0, "seed": 0}
    dtype = spec.dtype.as_numpy_dtype
    if spec.name.endswith("lengths"):
        return np.ones(1, dtype)
    if spec.name in options:
        return np.array(options[spec.name], dtype)
    return np.zeros([size or 1 for size in spec.shape], dtype)


def _random(model: keras.Model, rows: int, time: int) -> list[np.ndarray]:
    return random_inputs(model, rows, time, np.random.default_rng(0))


def _tensors(arrays: list[np.ndarray]) -> list[Tensor]:
    return [tf.constant(array) for array in arrays]


def _all_close(one: Tensor, other: Tensor) -> bool:
    found, right = (tf.cast(it, tf.float64).numpy() for it in (one, other))
    if found.shape != right.shape:
        return False
    scale = max(1.0, float(np.abs(right).max(initial=0)))
    return np.allclose(found, right, rtol=0, atol=TOLERANCE * scale)


def _as_form_error(error: Exception) -> FormError:
    if isinstance(error, FormError):
        return error
    return FormError(f"the model does not take it: {first_line(error)}")
