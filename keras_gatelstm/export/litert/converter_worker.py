"""LiteRT's converter, run as a program of its own: it can take it down.

It reads requests from its standard input and answers each on its standard
output, a line of JSON each: `error`, what went wrong or null, and `of_system`,
whether it was no fault of the model's, but a full disk or the like. A request
has `saved_model`, a folder with the signature `serving_default`; `target`,
the file to write; `quantize`, as in `export_litert`; and `samples`, an `.npz`
file of arrays `<number>/<input>`, for int8. It imports TensorFlow and nothing
of `keras_gatelstm`.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


def main() -> None:
    """Answers requests until there are no more."""
    # The converter prints: answers take another way than it does.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        told: dict[str, Any] = {"error": None, "of_system": False}
        try:
            convert(**json.loads(line))
        except Exception as problem:
            told["error"] = f"{type(problem).__name__}: {problem}"
            if isinstance(problem, OSError):
                told = {
                    "error": problem.strerror or str(problem),
                    "of_system": True,
                }
        print(json.dumps(told), file=answers)


def convert(
    saved_model: str, target: str, quantize: str | None, samples: str
) -> None:
    """Writes a `.tflite` file."""
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    if quantize:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if quantize == "int8":
        builtin_int8 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
        converter.target_spec.supported_ops = [builtin_int8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        converter.representative_dataset = lambda: read(samples)
    Path(target).write_bytes(converter.convert())


def read(samples: str) -> Iterator[dict[str, Any]]:
    """One sample after the other, by the names of the inputs."""
    with np.load(samples) as arrays:
        numbers = sorted({int(name.split("/")[0]) for name in arrays})
        for number in numbers:
            prefix = f"{number}/"
            yield {
                name.removeprefix(prefix): arrays[name]
                for name in arrays
                if name.startswith(prefix)
            }


if __name__ == "__main__":
    main()
