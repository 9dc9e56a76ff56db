"""Program that runs LiteRT's converter, which may crash its process.

Requests on standard input and answers on standard output are lines of JSON. A
request has `saved_model`, a folder with the signature `serving_default`;
`target`, the file to write; `quantize`, as in `export_litert`; and `samples`,
an `.npz` file of arrays `<number>/<input>`, for int8. An answer has `error`, a
message or null, and `of_system`, true for system errors such as a full disk.
The program imports TensorFlow, but nothing of `keras_gatelstm`.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf


def main() -> None:
    """Answer requests until standard input ends."""
    # The converter prints to standard output: keep that for answers only.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        answer: dict[str, str | bool | None]
        answer = {"error": None, "of_system": False}
        try:
            convert(**json.loads(line))
        except Exception as problem:
            answer["error"] = f"{type(problem).__name__}: {problem}"
            if isinstance(problem, OSError):
                answer = {
                    "error": problem.strerror or str(problem),
                    "of_system": True,
                }
        print(json.dumps(answer), file=answers)


def convert(
    saved_model: str, target: str, quantize: str | None, samples: str
) -> None:
    """Convert a SavedModel to a `.tflite` file."""
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


def read(samples: str) -> Iterator[dict[str, np.ndarray]]:
    """Yield the samples of a file, each as arrays by input name."""
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
