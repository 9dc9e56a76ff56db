"""Sample inputs of a form: from examples, or random."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.export.inputs import random_inputs
from keras_gatelstm.export.litert.forms import Form

# The most calls that the converter calibrates ranges on.
MOST_SAMPLES = 200
# Rows checked, and the sizes of random inputs where the form's are free.
TRIED_ROWS = 8
TRIED_STEPS = 21
TRIED_BATCH = 2

# An array for each input, in order.
Batch = Sequence[np.ndarray]
# An array for each input, by name.
Sample = dict[str, np.ndarray]


def random_batches(form: Form, model: keras.Model) -> list[Batch]:
    """Return batches of random numbers, in the sizes of a form."""
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
    """Return the first examples as batches, in the sizes of a form."""
    count = min(len(arrays[0]), TRIED_ROWS)
    batch_size = form.inputs[0].shape[0] or count
    return _split(form, arrays, batch_size)[: -(-count // batch_size)]


def samples_of(form: Form, arrays: Batch) -> list[Sample]:
    """Return the calls, out of all examples, that calibrate ranges."""
    batch_size = form.inputs[0].shape[0] or 1
    samples: list[Sample] = []
    for batch in _split(form, arrays, batch_size):
        if form.name == "streaming":
            samples += _streaming_calls(form, batch)
        else:
            samples.append(_by_name(form, batch))
        if len(samples) >= MOST_SAMPLES:
            break
    return samples


def check_arrays(name: str, form: Form, arrays: Batch) -> None:
    """Check that examples fit the inputs of a form.

    Raises:
        ValueError: if shapes do not fit, or examples are too few or not
            finite.
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
    """Split a batch by step; inputs without a time axis are repeated."""
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
    """Split examples into full batches, cut to the form's steps."""

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


def _by_name(form: Form, batch: Batch) -> Sample:
    names = [spec.name for spec in form.inputs]
    return dict(zip(names, batch, strict=True))


def _streaming_calls(form: Form, batch: Batch) -> list[Sample]:
    """Return the inputs of each step's call, memories included."""
    memories: Sample = {
        name: np.zeros((len(batch[0]), size or 1), np.float32)
        for name, (_, size) in form.memories.items()
    }
    samples = []
    for step in steps_of(form, batch):
        sample = _by_name(form, step) | memories
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
