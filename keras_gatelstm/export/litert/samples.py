"""Inputs that a form is tried with: given as examples, or random."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.export.inputs import random_inputs
from keras_gatelstm.export.litert.forms import Form

# How many calls the converter takes the ranges of numbers from, at most.
MOST_SAMPLES = 200
# What is tried of examples, and of sequences and batches of any size.
TRIED_ROWS = 8
TRIED_STEPS = 21
TRIED_BATCH = 2

# An array for each input, in order.
Batch = Sequence[np.ndarray]
# The same by name.
Sample = dict[str, np.ndarray]


def random_batches(form: Form, model: keras.Model) -> list[Batch]:
    """Some batches of random numbers, of the sizes that a form takes."""
    batch_size = form.inputs[0].shape[0] or TRIED_BATCH
    time_steps = TRIED_STEPS
    for spec in form.inputs:
        if spec.name in form.sequences and form.name != "streaming":
            time_steps = spec.shape[1] or time_steps
    random = np.random.default_rng(0)
    return [
        random_inputs(model, batch_size, time_steps, random)
        for _ in range(0, TRIED_ROWS, batch_size)
    ]


def batches_of(form: Form, arrays: Batch) -> list[Batch]:
    """The first of the examples, in batches of the sizes that a form takes."""
    count = min(len(arrays[0]), TRIED_ROWS)
    batch_size = form.inputs[0].shape[0] or count
    return _split(form, arrays, batch_size)[: -(-count // batch_size)]


def samples_of(form: Form, arrays: Batch) -> list[Sample]:
    """What the converter is to try a form with, of all the examples."""
    batch_size = form.inputs[0].shape[0] or 1
    samples: list[Sample] = []
    for batch in _split(form, arrays, batch_size):
        if form.name == "streaming":
            samples += _steps(form, batch)
        else:
            samples.append(_named(form, batch))
        if len(samples) >= MOST_SAMPLES:
            break
    return samples


def check_arrays(name: str, form: Form, arrays: Batch) -> None:
    """Checks that examples are of the shapes that a form takes.

    Raises:
        ValueError: if they are not, or too few, or not finite.
    """
    shapes = [tuple(spec.shape) for spec in form.inputs]
    fits = len(arrays) == len(shapes) and all(
        _fits(form, spec, array)
        for spec, array in zip(form.inputs, arrays, strict=True)
    )
    if not fits or len({len(array) for array in arrays}) > 1:
        raise ValueError(
            f"{name} must hold an array for each input, of at least a batch "
            f"of shape {' and '.join(map(str, shapes))}, and as many rows in "
            f"each. Received: {', '.join(str(it.shape) for it in arrays)}"
        )
    for array in arrays:
        wrong = np.count_nonzero(~np.isfinite(array))
        if wrong:
            raise ValueError(
                f"{name} must hold finite numbers. Received: {wrong:,} of "
                f"{array.size:,} that are not"
            )


def steps_of(form: Form, batch: Batch) -> list[Batch]:
    """A batch for each step; inputs that are no sequences are in all."""
    pairs = list(zip(form.inputs, batch, strict=True))
    (time, *_) = (it.shape[1] for spec, it in pairs if _in_time(form, spec))
    return [
        [
            it[:, step : step + 1] if _in_time(form, spec) else it
            for spec, it in pairs
        ]
        for step in range(time)
    ]


def _split(form: Form, arrays: Batch, batch_size: int) -> list[Batch]:
    """Whole batches, cut to the form's number of steps."""

    def cut(spec: tf.TensorSpec, rows: np.ndarray) -> np.ndarray:
        if _in_time(form, spec) and form.name != "streaming":
            rows = rows[:, : spec.shape[1]]
        return rows.astype(spec.dtype.as_numpy_dtype)

    return [
        [
            cut(spec, array[first : first + batch_size])
            for spec, array in zip(form.inputs, arrays, strict=True)
        ]
        for first in range(0, len(arrays[0]) - batch_size + 1, batch_size)
    ]


def _named(form: Form, batch: Batch) -> Sample:
    names = [spec.name for spec in form.inputs]
    return dict(zip(names, batch, strict=True))


def _steps(form: Form, batch: Batch) -> list[Sample]:
    """A call's inputs for each step, with the memories as they are then."""
    memories: dict[str, Any] = {
        name: np.zeros((len(batch[0]), size or 1), np.float32)
        for name, (_, size) in form.memories.items()
    }
    samples = []
    for step in steps_of(form, batch):
        sample = _named(form, step) | memories
        samples.append(sample)
        if memories:
            outputs = form.function(*map(tf.constant, sample.values()))
            memories = {name: outputs[name].numpy() for name in memories}
    return samples


def _fits(form: Form, spec: tf.TensorSpec, array: np.ndarray) -> bool:
    shape = list(spec.shape)
    if array.dtype.kind not in "fiub" or array.ndim != len(shape):
        return False
    if _in_time(form, spec) and array.shape[1] >= (shape[1] or 1):
        shape[1] = None
    enough = len(array) >= (shape[0] or 1)
    pairs = zip(array.shape[1:], shape[1:], strict=True)
    return enough and all(size in (None, given) for given, size in pairs)


def _in_time(form: Form, spec: tf.TensorSpec) -> bool:
    return spec.name in form.sequences
