"""Keras model -> LiteRT (.tflite) file."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gatelstm.core.files import stage_in
from keras_gatelstm.core.loops import recurrent_layers
from keras_gatelstm.core.options import check_choice
from keras_gatelstm.export.errors import writing
from keras_gatelstm.export.litert.check import CheckError, Report, check
from keras_gatelstm.export.litert.converter import ConversionError, convert
from keras_gatelstm.export.litert.file import MicroError
from keras_gatelstm.export.litert.forms import FORMS, Form, form_of
from keras_gatelstm.export.litert.samples import (
    batches_of,
    check_arrays,
    random_batches,
    samples_of,
)
from keras_gatelstm.export.prepare import prepare

QUANTIZATIONS = (None, "dynamic", "float16", "int8")


class ExportError(RuntimeError):
    """A model that LiteRT's converter, or the check after it, failed on."""


def export_litert(
    model: keras.Model,
    path: str | Path,
    form: str = "auto",
    quantize: str | None = None,
    *,
    time_steps: int | None = None,
    batch_size: int | None = 1,
    representative_data: Any = None,
    check_inputs: Any = None,
    tolerance: float | None = None,
    target: str | None = None,
    carry_state: bool = False,
) -> Report:
    """Writes a `.tflite` file of built-in operators, and checks it.

    `keras.layers.LSTM`, `GRU` and `SimpleRNN` are taken as they are, through
    `convert.from_keras`. Stateful layers start with empty memories, dropout
    is left out, mixed precision and float64 become float32. The forms:

    - `"fused"`: every LSTM as LiteRT's own operator, small and fast; for
      `variant="standard"` and `keras.layers.LSTM`, one batch size, no masks.
      Every call starts with empty memories, by an event before each sequence
      that shuts all gates; in int8, which has none, with `carry_state=True`
      only. After an input that is not finite, reset all variables.
    - `"unrolled"`: every step written out; for one number of steps.
    - `"looped"`: a loop; for any number of steps, each at the same cost, and
      of any batch, whatever `time_steps` and `batch_size` say; not in int8.
    - `"streaming"`: one step a call. Where every layer can be fused, the
      memories stay inside the file until all variables are reset; else they
      are inputs and outputs named `<layer>_<memory>`, zeros to start with.
    - `"auto"`: the first of these three that the model and `time_steps`
      allow; in int8, which the operator has no fast code for on CPUs, the
      second before the first.

    The file's signature `serving_default` names inputs and outputs as the
    model does. It is checked before it gets its name: its outputs against
    Keras's, on random inputs (in int8, on the representative ones) and those
    given.

    Args:
        model: A built Sequential or functional model.
        path: Where to write; the folder is made if it is not there.
        form: `"auto"` (default) or one of the forms above.
        quantize: `None` (default), `"dynamic"` (weights of 8 bits),
            `"float16"` (weights of 16 bits) or `"int8"` (weights, memories,
            inputs and outputs of 8 bits, integer arithmetic only).
        time_steps: The length of the sequences that the file takes, or `None`
            (default) for any; `"unrolled"` needs it.
        batch_size: How many sequences it takes at once, or `None` for any.
            Default 1.
        representative_data: For `"int8"`: inputs such as the model will get,
            an array `(examples, time, ...)`, or a list of one for each of the
            model's inputs. A hundred examples do.
        check_inputs: Inputs to check the file on, too: one batch, as
            `representative_data`.
        tolerance: The largest error allowed, as a part of the range of
            Keras's outputs (not quantised, of 1 where that is smaller).
            Default `None`: 1e-5, and 0.01 in float16, 0.1 in dynamic, 0.15
            in int8.
        target: `"micro"` to check on LiteRT for Microcontrollers, too, which
            needs `time_steps`, or streaming.
        carry_state: Boolean, whether the memories of a fused file stay from
            call to call, so that a sequence can be given in parts, until all
            variables are reset (`interpreter.reset_all_variables()`). The
            form is then `"fused"`, or `"streaming"`. Default `False`.

    Returns:
        What the file is and how it does; printed, it is a table.

    Raises:
        TypeError: if `model` is no Sequential or functional model.
        ValueError: if it is not built, or cannot be in that form, or an
            argument is missing or none of its values.
        ExportError: if the converter fails, or the check. There is no file
            then.
        OSError: if it cannot be written.

    Example:

    >>> events = keras.Input((None, 3), name="events")
    >>> model = keras.Sequential([events, GateLSTM(2, name="memory")])
    >>> path = getfixture("tmp_path") / "model.tflite"
    >>> report = export_litert(model, path, time_steps=4)
    >>> report.form
    'unrolled'
    >>> from keras_gatelstm.export import run_litert
    >>> run_litert(path, events=np.ones((1, 4, 3)))["memory"].shape
    (1, 2)
    """
    _check_options(form, quantize, target, batch_size, time_steps)
    path = Path(path)
    micro = target == "micro"
    ready = prepare(model, mixed_precision=False)
    chosen = form_of(
        ready, form, batch_size, time_steps, quantize, micro, carry_state
    )
    samples = None
    tried = random_batches(chosen, ready)
    if quantize == "int8":
        examples = _listed(representative_data)
        check_arrays("representative_data", chosen, examples)
        samples = samples_of(chosen, examples)
        tried = batches_of(chosen, examples)
    if check_inputs is not None:
        given = _listed(check_inputs)
        check_arrays("check_inputs", chosen, given)
        tried.append(given)
    with stage_in(path.parent) as stage, writing(path):
        whole = stage / "model.tflite"
        try:
            convert(chosen.function, whole, quantize, samples, stage)
            report = check(
                whole, chosen, ready, quantize, tried, tolerance, micro
            )
        except (ConversionError, CheckError, MicroError) as error:
            raise ExportError(
                _explained(error, chosen, ready, quantize)
            ) from error
        os.replace(whole, path)
    return report.at(path)


def _check_options(
    form: str,
    quantize: str | None,
    target: str | None,
    batch_size: int | None,
    time_steps: int | None,
) -> None:
    check_choice("form", form, ("auto", *FORMS))
    check_choice("quantize", quantize, QUANTIZATIONS)
    check_choice("target", target, (None, "micro"))
    for name, value in (("batch_size", batch_size), ("time_steps", time_steps)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value >= 1):
            raise ValueError(
                f"{name} must be a positive integer, or None for any. "
                f"Received: {name}={value!r}"
            )
    if target == "micro" and time_steps is None and form != "streaming":
        raise ValueError(
            'target="micro" needs time_steps: sequences on microcontrollers '
            'are of one length. Or take form="streaming"'
        )
    if target == "micro" and quantize == "dynamic":
        raise ValueError(
            'quantize="dynamic" is not for microcontrollers: LiteRT there '
            'gives NaN for it. Take "int8", or None'
        )


def _listed(inputs: Any) -> list[np.ndarray]:
    """An array for each of the model's inputs."""
    if inputs is None:
        raise ValueError(
            'quantize="int8" needs representative_data: inputs such as the '
            "model will get, (examples, time, ...). Received: None"
        )
    many = isinstance(inputs, list | tuple)
    return [np.asarray(array) for array in (inputs if many else [inputs])]


def _explained(
    error: Exception, form: Form, model: keras.Model, quantize: str | None
) -> str:
    """What failed, on what, and what to try."""
    layers = ", ".join(
        f"{layer.name} ({type(layer).__name__})"
        for layer in recurrent_layers(model)
    )
    others = [name for name in FORMS if name != form.name]
    if isinstance(error, ConversionError):
        what = "LiteRT's converter failed"
    else:
        what = "the file was refused"
    quantized = f", quantize={quantize!r}" if quantize else ""
    return (
        f"{what} on {layers} with form={form.name!r}{quantized}: {error}. "
        f"Try form={' or '.join(map(repr, others))}"
        + (", or quantize=None." if quantize else ".")
    )
