"""What was exported to LiteRT, held against Keras and measured."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import Protocol

import keras
import numpy as np

from keras_gatelstm.export.forms import Form
from keras_gatelstm.export.inputs import call, random_inputs
from keras_gatelstm.export.litert_file import Arrays, LiteRTFile, operators
from keras_gatelstm.export.micro import MicroFile

# The largest error allowed, as a part of the range of Keras's outputs (of 1,
# where that is smaller).
TOLERANCES = {None: 1e-5, "float16": 0.01, "dynamic": 0.1, "int8": 0.15}

# What is tried of sequences and batches of any size.
TRIED_STEPS = 21
TRIED_BATCH = 2
SECONDS_TO_MEASURE = 0.2


class Runner(Protocol):
    """A file on one of LiteRT's interpreters."""

    def __call__(self, **inputs: np.ndarray) -> Arrays:
        """The outputs, by name."""

    def reset(self) -> None:
        """Empties the memories that are inside."""


class CheckError(RuntimeError):
    """What was exported is not what Keras computes."""


@dataclass(frozen=True)
class Report:
    """What a LiteRT file is, and how it does."""

    path: Path
    form: str
    why: str
    quantize: str | None
    operators: dict[str, int]
    bytes: int
    microseconds: float  # Of a call, of one thread; the median.
    largest_error: float
    error_in_range: float  # As a part of the range of Keras's outputs.
    tolerance: float
    inputs: dict[str, tuple[int, ...]]
    outputs: list[str]
    micro: bool

    def at(self, path: Path) -> "Report":
        """The same, of a file that has been moved."""
        return replace(self, path=path)

    def __str__(self) -> str:
        from tabulate import tabulate

        counts = [f"{n} {name}" for name, n in self.operators.items()]
        rows = [
            ["file", str(self.path)],
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
        wrapped = [[name, fill(value, 60)] for name, value in rows]
        return tabulate(wrapped, tablefmt="plain", disable_numparse=True)

    def _memories(self) -> str:
        names = [name for name in self.inputs if name in self.outputs]
        if names:
            return "given and returned; zeros to start with"
        if "UNIDIRECTIONAL_SEQUENCE_LSTM" in self.operators:
            return "inside, from call to call, until all variables are reset"
        return "empty at the start of each call"


def check(
    path: Path,
    form: Form,
    model: keras.Model,
    quantize: str | None,
    given: Sequence[np.ndarray] | None,
    tolerance: float | None,
    micro: bool,
) -> Report:
    """Holds a file against Keras.

    Args:
        path: The file.
        form: What it was made from.
        model: What that was made from.
        quantize: As in `export_litert`.
        given: Inputs to try beside random ones.
        tolerance: The largest error allowed; `None` for that of `TOLERANCES`.
        micro: Whether it is to run on microcontrollers.

    Raises:
        ValueError: if what is given is not what the model takes.
        CheckError: if it has operators that are not built in, or its outputs
            are not finite, or not those of Keras.
    """
    allowed = TOLERANCES[quantize] if tolerance is None else tolerance
    used = operators(path)
    _check_operators(used, form)
    file = LiteRTFile(path)
    tried = [_random(form, model)]
    if given is not None:
        tried.append(list(given))
    runners: list[Runner] = [file]
    if micro:
        runners.append(MicroFile(file))
    errors = [
        _errors(runner, form, model, inputs)
        for runner in runners
        for inputs in tried
    ]
    largest, in_range = (max(kind) for kind in zip(*errors, strict=True))
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


def _random(form: Form, model: keras.Model) -> list[np.ndarray]:
    (batch_size, *rest), *_ = (spec.shape for spec in form.inputs)
    time_steps = rest[0] if rest and form.name != "streaming" else None
    return random_inputs(
        model,
        batch_size or TRIED_BATCH,
        time_steps or TRIED_STEPS,
        np.random.default_rng(0),
    )


def _errors(
    runner: Runner,
    form: Form,
    model: keras.Model,
    inputs: Sequence[np.ndarray],
) -> tuple[float, float]:
    """The largest error, and the largest as a part of an output's range."""
    expected = call(model, list(inputs))
    found = _run(runner, form, inputs)
    errors = []
    for name, tensor in expected.items():
        right = keras.ops.convert_to_numpy(tensor).astype("float64")
        value = _joined(found[name], right.shape)
        if not np.isfinite(value).all():
            raise CheckError(f"{name} has numbers that are not finite")
        error = float(np.abs(value - right).max())
        errors.append((error, error / max(1.0, float(np.ptp(right)))))
    return max(errors)


def _run(
    runner: Runner, form: Form, inputs: Sequence[np.ndarray]
) -> dict[str, list[np.ndarray]]:
    """What the file gives in each of its calls for a sequence."""
    runner.reset()
    names = [spec.name for spec in form.inputs]
    calls = [inputs]
    if form.name == "streaming":
        steps = range(inputs[0].shape[1])
        calls = [[it[:, step : step + 1] for it in inputs] for step in steps]
    rows = len(inputs[0])
    memories = {
        name: np.zeros((rows, size or 1), np.float32)
        for name, (_, size) in form.memories.items()
    }
    found: dict[str, list[np.ndarray]] = {}
    for one in calls:
        outputs = runner(**dict(zip(names, one, strict=True)), **memories)
        memories = {name: outputs[name] for name in memories}
        for name, value in outputs.items():
            found.setdefault(name, []).append(value)
    return found


def _joined(values: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The outputs of all calls, or of the last, as Keras gives them."""
    joined = values[-1]
    if len(values) > 1 and len(shape) > 1 and shape[1] == len(values):
        joined = np.concatenate(values, axis=1)
    if joined.shape != shape:
        raise CheckError(
            f"an output is of shape {joined.shape}, and of {shape} in Keras"
        )
    return joined


def _microseconds(
    file: LiteRTFile, form: Form, inputs: Sequence[np.ndarray]
) -> float:
    """Of a call with one row, where the batch is free: the median."""
    if form.inputs[0].shape[0] is None:
        inputs = [it[:1] for it in inputs]
    _run(file, form, inputs)
    times: list[float] = []
    end = time.perf_counter() + SECONDS_TO_MEASURE
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        file.interpreter.invoke()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6
