"""Examples of inputs, that int8 takes the ranges of numbers from."""

from typing import Any

import numpy as np

from keras_gatelstm.export.forms import Form

MOST_SAMPLES = 200

Sample = dict[str, np.ndarray]


def samples_of(form: Form, arrays: list[np.ndarray]) -> list[Sample]:
    """What the converter is to try a form with.

    Args:
        form: What is to be converted.
        arrays: For each of the model's inputs, `(examples, ...)`.

    Raises:
        ValueError: if they are not of the model's shapes, or too few.
    """
    _check(form, arrays)
    batch_size = form.inputs[0].shape[0] or 1
    samples: list[Sample] = []
    for first in range(0, len(arrays[0]) - batch_size + 1, batch_size):
        rows = [array[first : first + batch_size] for array in arrays]
        if form.name == "streaming":
            samples += _steps(form, rows)
        else:
            samples.append(_named(form, rows))
        if len(samples) >= MOST_SAMPLES:
            break
    return samples


def _named(form: Form, arrays: list[np.ndarray]) -> Sample:
    """One call's inputs, cut to the form's number of steps."""
    named = {}
    for spec, array in zip(form.inputs, arrays, strict=True):
        cut = array[:, : spec.shape[1]] if len(spec.shape) > 1 else array
        named[spec.name] = cut.astype(spec.dtype.as_numpy_dtype)
    return named


def _steps(form: Form, arrays: list[np.ndarray]) -> list[Sample]:
    """A call's inputs for each step, with the memories as they are then."""
    memories: dict[str, Any] = {
        name: np.zeros((len(arrays[0]), size or 1), np.float32)
        for name, (_, size) in form.memories.items()
    }
    samples = []
    for step in range(arrays[0].shape[1]):
        sample = _named(form, [array[:, step : step + 1] for array in arrays])
        sample |= memories
        samples.append(sample)
        if memories:
            outputs = form.function(*sample.values())
            memories = {name: outputs[name].numpy() for name in memories}
    return samples


def _check(form: Form, arrays: list[np.ndarray]) -> None:
    shapes = [tuple(spec.shape) for spec in form.inputs]
    fits = len(arrays) == len(shapes) and all(
        _fits(array.shape, shape, form.name)
        for array, shape in zip(arrays, shapes, strict=True)
    )
    if not fits:
        raise ValueError(
            "representative_data must hold an array for each input, of at "
            f"least a batch of shape {' and '.join(map(str, shapes))}. "
            f"Received: {', '.join(str(array.shape) for array in arrays)}"
        )


def _fits(
    given: tuple[int, ...], shape: tuple[int | None, ...], form: str
) -> bool:
    enough = len(given) == len(shape) and given[0] >= (shape[0] or 1)
    if enough and len(shape) > 1 and shape[1] and form != "streaming":
        enough = given[1] >= shape[1]
    pairs = zip(given[2:], shape[2:], strict=False)
    return enough and all(size in (None, one) for one, size in pairs)
