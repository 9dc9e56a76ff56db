"""Compare an exported LiteRT file with Keras, and time it."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import fill
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export.inputs import call, outputs_in_time
from keras_gatelstm.export.litert.file import (
    Arrays,
    LiteRTFile,
    MicroFile,
    operators,
)
from keras_gatelstm.export.litert.forms import Form
from keras_gatelstm.export.litert.gate_cases import (
    held_values,
    outputs_with_gates,
)
from keras_gatelstm.export.litert.gates import nothing_held
from keras_gatelstm.export.litert.samples import Batch, steps_of

# The largest error allowed, as a fraction of the range of Keras's outputs.
TOLERANCES = {None: 1e-5, "float16": 0.01, "dynamic": 0.1, "int8": 0.15}
# The smallest range assumed, as a fraction of the largest output.
LEAST_RANGE = 0.05

SECONDS_TO_MEASURE = 0.2


@dataclass(frozen=True)
class Report:
    """Properties, accuracy and speed of an exported LiteRT file."""

    path: Path
    form: str
    why: str
    quantize: str | None
    operators: dict[str, int]
    bytes: int
    microseconds: float  # Median of a call on one thread.
    largest_error: float
    error_in_range: float  # As a fraction of the range of Keras's outputs.
    tolerance: float
    inputs: dict[str, tuple[int, ...]]
    outputs: list[str]
    micro: bool
    carries: bool  # Whether memories inside stay from call to call.

    def at(self, path: Path) -> "Report":
        """Return this report with the path of the moved file."""
        return replace(self, path=path)

    def __str__(self) -> str:
        from tabulate import tabulate

        counts = [f"{n} {name}" for name, n in self.operators.items()]
        rows = [
            ["form", f"{self.form} ({self.why})"],
            ["quantized", self.quantize or "no"],
            ["operators", ", ".join(counts)],
            ["bytes", f"{self.bytes:,}"],
            ["µs per call", f"{self.microseconds:.0f}"],
            [
                "largest error",
                f"{self.largest_error:.1e} ({self.error_in_range:.1e} of the "
                f"outputs' range, {self.tolerance:g} allowed)",
            ],
            ["inputs", ", ".join(f"{n} {s}" for n, s in self.inputs.items())],
            ["outputs", ", ".join(self.outputs)],
            ["memories", self._memories()],
        ]
        if self.micro:
            rows.append(["microcontrollers", "the same on their interpreter"])
        # Not wrapped, so that the path can be copied.
        wrapped = [["file", str(self.path)]]
        wrapped += [[name, fill(value, 60)] for name, value in rows]
        return tabulate(wrapped, tablefmt="plain", disable_numparse=True)

    def _memories(self) -> str:
        names = [name for name in self.inputs if name in self.outputs]
        if names:
            return "given and returned; zeros to start with"
        if self.carries:
            return "inside, from call to call, until all variables are reset"
        return "empty at the start of each call"


class Runner(Protocol):
    """A file on one of LiteRT's interpreters."""

    def __call__(self, **inputs: np.ndarray) -> Arrays:
        """Run the file and return its outputs, by name."""

    def reset(self) -> None:
        """Empty the memories inside the file."""


class CheckError(RuntimeError):
    """A file whose operators or outputs are not as expected."""


@dataclass(frozen=True)
class Case:
    """A batch to run a file on.

    Args:
        inputs: The batch.
        expected: Keras's outputs for it.
        held: Values of the inputs that hold quantities, `(units,)`.
    """

    inputs: Batch
    expected: Arrays
    held: Arrays = field(default_factory=dict)


def check(
    path: Path,
    form: Form,
    model: keras.Model,
    quantize: str | None,
    tried: Sequence[Batch],
    tolerance: float | None,
    micro: bool,
) -> Report:
    """Compare a file's outputs with Keras's, and time it.

    Args:
        path: The file.
        form: The form that was converted to the file.
        model: The model that the form was made from.
        quantize: As in `export_litert`.
        tried: Batches of inputs to compare on.
        tolerance: The largest error allowed; `None` for that of `TOLERANCES`.
        micro: Whether to compare on LiteRT for Microcontrollers, too.

    Raises:
        CheckError: if some operators are not built in, or outputs are not
            finite or differ from Keras's.
    """
    allowed = TOLERANCES[quantize] if tolerance is None else tolerance
    used = operators(path)
    _check_operators(used, form)
    file = LiteRTFile(path)
    runners: list[Runner] = [file]
    if micro:
        runners.append(MicroFile(file))
    cases = _cases(form, model, tried)
    expected = [case.expected for case in cases]
    ranges = _ranges(expected, least=0.0 if quantize else 1.0)
    largest = in_range = 0.0
    # Run all twice without a reset: a call must not depend on the last one.
    rounds = 1 if form.carries or form.memories else 2
    for runner in runners:
        for case in cases * rounds:
            for name, error in _errors(runner, form, model, case).items():
                largest = max(largest, error)
                in_range = max(in_range, error / ranges[name])
    if not in_range <= allowed:
        raise CheckError(
            f"the file's outputs differ from Keras's by {in_range:.1e} of "
            f"their range, more than {allowed:g}"
        )
    return Report(
        path=path,
        form=form.name,
        why=form.why,
        quantize=quantize,
        operators=dict(used.most_common()),
        bytes=path.stat().st_size,
        microseconds=_microseconds(file, form, tried[0]),
        largest_error=largest,
        error_in_range=in_range,
        tolerance=allowed,
        inputs={
            name: tuple(int(size) for size in detail["shape_signature"])
            for name, detail in file.inputs.items()
        },
        outputs=list(file.outputs),
        micro=micro,
        carries=form.carries,
    )


def _check_operators(used: Counter[str], form: Form) -> None:
    foreign = [name for name in used if name.startswith("CUSTOM")]
    if foreign:
        raise CheckError(
            "it needs operators that LiteRT does not have built in: "
            + ", ".join(foreign)
        )
    fused = used["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    if fused != form.fused_layers:
        raise CheckError(
            f"of {form.fused_layers} fused layers the converter made {fused}"
        )


def _cases(
    form: Form, model: keras.Model, tried: Sequence[Batch]
) -> list[Case]:
    """Return every batch, and if gates can be held, one with held ones."""
    if form.holds:
        to_hold = [(tried[0], held_values(form)), *((it, {}) for it in tried)]
        return [
            Case(inputs, outputs_with_gates(model, inputs, held), held)
            for inputs, held in to_hold
        ]
    keras_model = tf.function(
        lambda *inputs: call(model, list(inputs)), autograph=False
    )
    return [Case(it, _as_arrays(keras_model(*it))) for it in tried]


def _as_arrays(outputs: dict[str, Tensor]) -> Arrays:
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _ranges(expected: Sequence[Arrays], least: float) -> dict[str, float]:
    """Return the range of the values of each output."""
    ranges = {}
    for name in expected[0]:
        values = np.concatenate([right[name].ravel() for right in expected])
        values = values[~np.isnan(values)].astype("float64")
        largest = float(np.abs(values).max(initial=0))
        spread = float(np.ptp(values)) if values.size else 0.0
        tiny = float(np.finfo(np.float32).tiny)
        ranges[name] = max(spread, LEAST_RANGE * largest, least, tiny)
    return ranges


def _errors(
    runner: Runner, form: Form, model: keras.Model, case: Case
) -> dict[str, float]:
    """Return the largest error of each output."""
    found = _run_calls(runner, form, case)
    in_time = outputs_in_time(model)
    errors = {}
    for name, right in case.expected.items():
        value = found[name][-1]
        if name not in in_time:
            value = np.stack(found[name], axis=1)
        elif form.name == "streaming" and in_time[name]:
            value = np.concatenate(found[name], axis=1)
        if value.shape != right.shape:
            raise CheckError(
                f"{name} is of shape {value.shape}, and of {right.shape} in "
                "Keras"
            )
        if not np.isfinite(value).all():
            raise CheckError(f"{name} has numbers that are not finite")
        known = ~np.isnan(right)
        difference = value[known].astype("float64") - right[known]
        errors[name] = float(np.abs(difference).max(initial=0))
    return errors


def _run_calls(
    runner: Runner, form: Form, case: Case
) -> dict[str, list[np.ndarray]]:
    """Run the file on a batch; return each output of each call.

    With gates, each step starts from the memories that Keras recorded: the
    differences of a step are measured, which would add up over many.
    """
    if form.carries:
        runner.reset()
    inputs = case.inputs
    calls = steps_of(form, inputs) if form.name == "streaming" else [inputs]
    names = [spec.name for spec in form.inputs]
    rows = len(inputs[0])
    memories = {
        name: np.zeros((rows, size or 1), np.float32)
        for name, (_, size) in form.memories.items()
    }
    holds = nothing_held(form.holds, rows)
    for name, values in case.held.items():
        holds[name][:] = values
    found: dict[str, list[np.ndarray]] = {}
    for step, one in enumerate(calls):
        given = dict(zip(names, one, strict=True))
        outputs = runner(**given, **memories, **holds)
        memories = {
            name: _recorded(case.expected, name, step, outputs[name])
            for name in memories
        }
        for name, value in outputs.items():
            found.setdefault(name, []).append(value)
    return found


def _recorded(
    expected: Arrays, name: str, step: int, otherwise: np.ndarray
) -> np.ndarray:
    """Return a memory that was recorded at a step, if it was."""
    if name not in expected:
        return otherwise
    recorded = expected[name][:, step]
    return np.where(np.isnan(recorded), otherwise, recorded)


def _microseconds(file: LiteRTFile, form: Form, inputs: Batch) -> float:
    """Return the median time of a call, with one row if the batch is free."""
    if form.inputs[0].shape[0] is None:
        inputs = [it[:1] for it in inputs]
    _run_calls(file, form, Case(inputs, {}))
    times: list[float] = []
    end = time.perf_counter() + SECONDS_TO_MEASURE
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        file.interpreter.invoke()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6
