"""Keras model -> LiteRT (.tflite) file."""

import os
from pathlib import Path

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gatelstm.core.files import stage_in
from keras_gatelstm.core.loops import recurrent_layers
from keras_gatelstm.core.options import check_choice
from keras_gatelstm.export.errors import name_file_in_errors
from keras_gatelstm.export.litert.check import CheckError, Report, check
from keras_gatelstm.export.litert.converter import ConversionError, convert
from keras_gatelstm.export.litert.file import MicroError
from keras_gatelstm.export.litert.forms import (
    FORMS,
    Form,
    FormSettings,
    form_of,
)
from keras_gatelstm.export.litert.samples import (
    batches_of,
    check_arrays,
    random_batches,
    samples_of,
)
from keras_gatelstm.export.prepare import prepare

QUANTIZATIONS = (None, "dynamic", "float16", "int8")


class ExportError(RuntimeError):
    """A failed conversion, or a converted file that failed its check."""


def export_litert(
    model: keras.Model,
    path: str | Path,
    form: str = "auto",
    quantize: str | None = None,
    *,
    time_steps: int | None = None,
    batch_size: int | None = 1,
    representative_data: ArrayLike | None = None,
    check_inputs: ArrayLike | None = None,
    tolerance: float | None = None,
    target: str | None = None,
    carry_state: bool = False,
    gates: bool = False,
) -> Report:
    """Write a `.tflite` file of built-in operators, and check it.

    `keras.layers.LSTM`, `GRU` and `SimpleRNN` are converted by
    `convert.from_keras` first. Stateful layers start with empty memories,
    dropout is left out, mixed precision and float64 become float32. The
    forms:

    - `"fused"`: every LSTM is LiteRT's own operator, small and fast. Needs
      `variant="standard"` or `keras.layers.LSTM`, a fixed batch size and no
      masks. Every call starts with empty memories: an extra first event shuts
      all gates. This does not work in int8, which needs `carry_state=True`.
      After an input that is not finite, reset all variables.
    - `"unrolled"`: every step is written out. Needs a fixed number of steps.
    - `"looped"`: a loop over any number of steps, each at the same cost.
      Batch and time are free: `time_steps` and `batch_size` are ignored. Not
      in int8.
    - `"streaming"`: one step per call. If every layer can be fused, the
      memories stay inside the file until all variables are reset. Otherwise
      they are inputs and outputs named `<layer>_<memory>`; start with zeros.
    - `"auto"`: fused, unrolled or looped, the first that the model and
      `time_steps` allow. In int8 unrolled comes first: the fused operator has
      no fast int8 code for CPUs.

    Inputs and outputs of the signature `serving_default` have the names that
    they have in the model. The file is checked before it is moved to `path`:
    its outputs are compared with Keras's, on random inputs (in int8, on
    `representative_data`) and on `check_inputs`.

    Args:
        model: A built Sequential or functional model.
        path: Where to write; missing folders are made.
        form: `"auto"` (default) or one of the forms above.
        quantize: `None` (default), `"dynamic"` (weights of 8 bits),
            `"float16"` (weights of 16 bits) or `"int8"` (weights, memories,
            inputs and outputs of 8 bits, integer arithmetic only).
        time_steps: The length of the sequences, or `None` (default) for any;
            required by `"unrolled"`.
        batch_size: The number of sequences per call, or `None` for any.
            Default 1.
        representative_data: For `"int8"`: typical inputs, an array
            `(examples, time, ...)`, or a list of one for each of the model's
            inputs. A hundred examples are enough.
        check_inputs: More inputs to check the file on: one batch, in the
            format of `representative_data`.
        tolerance: The largest error allowed, as a fraction of the range of
            Keras's outputs (if not quantised, of at least 1). Default
            `None`: 1e-5, and 0.01 in float16, 0.1 in dynamic, 0.15 in int8.
        target: `"micro"` to check on LiteRT for Microcontrollers, too;
            requires `time_steps` or the form `"streaming"`.
        carry_state: Boolean, whether the memories of a fused file stay from
            call to call, so that a sequence can be fed in parts, until all
            variables are reset (`interpreter.reset_all_variables()`). The
            form must be `"fused"` or `"streaming"`. Default `False`.
        gates: Boolean, whether a streaming file also gives every quantity of
            every gate, as outputs named `<layer>_<quantity>`, and can hold
            quantities, by inputs `hold_<layer>_<quantity>`, `(batch, units)`:
            a value for each unit, or NaN to leave it alone. The form must be
            `"streaming"`; memories are then inputs and outputs. The file is
            also checked against `record_gates` and `clamp_gates`. Not in
            int8. Default `False`.

    Returns:
        The report of the check; printed, it is a table.

    Raises:
        TypeError: if `model` is not a Sequential or functional model.
        ValueError: if the model is not built or cannot be in that form, or
            an argument is missing or invalid.
        ExportError: if the conversion or the check fails. No file is left.
        OSError: if the file cannot be written.

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
    if gates and target == "micro":
        raise ValueError(
            "LiteRT for Microcontrollers has no operator that holds a gate. "
            'Received: gates=True with target="micro"'
        )
    path = _check_path(Path(path))
    micro = target == "micro"
    ready = prepare(model, mixed_precision=False)
    settings = FormSettings(
        batch_size, time_steps, quantize, micro, carry_state, gates
    )
    chosen = form_of(ready, form, settings)
    samples = None
    tried = random_batches(chosen, ready)
    if quantize == "int8":
        examples = _as_arrays(representative_data)
        check_arrays("representative_data", chosen, examples)
        samples = samples_of(chosen, examples)
        tried = batches_of(chosen, examples)
    if check_inputs is not None:
        given = _as_arrays(check_inputs)
        check_arrays("check_inputs", chosen, given)
        tried.append(given)
    with stage_in(path.parent) as stage, name_file_in_errors(path):
        whole = stage / "model.tflite"
        try:
            convert(chosen.function, whole, quantize, samples, stage)
            report = check(
                whole, chosen, ready, quantize, tried, tolerance, micro
            )
        except (ConversionError, CheckError, MicroError) as error:
            raise ExportError(
                _failure_message(error, chosen, ready, quantize)
            ) from error
        os.replace(whole, path)
    return report.at(path)


def _check_path(path: Path) -> Path:
    another = path.exists() and not path.is_file()  # A folder or a device.
    if path.suffix not in ("", ".tflite") or another:
        raise ValueError(
            f"path must be a file that ends in .tflite. Received: {path}"
        )
    return path


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


def _as_arrays(inputs: ArrayLike | None) -> list[np.ndarray]:
    """Return an array for each of the model's inputs."""
    if inputs is None:
        raise ValueError(
            'quantize="int8" needs representative_data: inputs such as the '
            "model will get, (examples, time, ...). Received: None"
        )
    if isinstance(inputs, list | tuple):
        return [np.asarray(array) for array in inputs]
    return [np.asarray(inputs)]


def _failure_message(
    error: Exception, form: Form, model: keras.Model, quantize: str | None
) -> str:
    """Return what failed, on which layers, and what to try instead."""
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
