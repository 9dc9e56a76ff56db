"""Run LiteRT files on LiteRT's own interpreters, and list their operators."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class LiteRTFile:
    """A `.tflite` file as a callable of arrays by name.

    Quantized inputs and outputs are converted from and to floats. Memories
    inside the file stay from call to call, until `reset`.

    Args:
        path: The file.
        threads: The number of threads of the interpreter. Default 1.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.path = path
        self.interpreter = Interpreter(str(path), num_threads=threads)
        signature = self.interpreter.get_signature_runner("serving_default")
        self.inputs: dict[str, Any] = signature.get_input_details()
        self.outputs: dict[str, Any] = signature.get_output_details()
        self.shapes: dict[str, tuple[int, ...]] = {}

    def __call__(self, **inputs: np.ndarray) -> Arrays:
        """Run the file and return its outputs, by name.

        Raises:
            ValueError: if names or shapes of inputs do not fit the file.
        """
        if set(inputs) != set(self.inputs):
            raise ValueError(
                f"{self.path} takes {', '.join(self.inputs)}. "
                f"Received: {', '.join(inputs) or 'nothing'}"
            )
        given = {
            name: quantized(np.asarray(value), self.inputs[name])
            for name, value in inputs.items()
        }
        self._resize({name: value.shape for name, value in given.items()})
        for name, value in given.items():
            self.interpreter.set_tensor(self.inputs[name]["index"], value)
        self.interpreter.invoke()
        return {
            name: dequantized(
                self.interpreter.get_tensor(detail["index"]), detail
            )
            for name, detail in self.outputs.items()
        }

    def _resize(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Allocate tensors for inputs of new shapes, with empty memories."""
        if shapes == self.shapes:
            return
        for name, shape in shapes.items():
            expected = tuple(map(int, self.inputs[name]["shape_signature"]))
            if len(shape) != len(expected) or any(
                size not in (-1, given)
                for size, given in zip(expected, shape, strict=True)
            ):
                raise ValueError(
                    f"{self.path} takes {name} of shape {expected} (-1 is any "
                    f"size). Received: shape {shape}"
                )
        for name, shape in shapes.items():
            self.interpreter.resize_tensor_input(
                self.inputs[name]["index"], shape
            )
        self.interpreter.allocate_tensors()
        self.shapes = shapes

    def reset(self) -> None:
        """Empty the memories inside the file."""
        if self.shapes:
            self.interpreter.reset_all_variables()


def run_litert(path: str | Path, **inputs: np.ndarray) -> Arrays:
    """Run a file once, from empty memories, on LiteRT's interpreter.

    Args:
        path: A `.tflite` file.
        **inputs: An array for each input, by name.

    Returns:
        An array for each output, by name.

    Raises:
        ValueError: if names or shapes of inputs do not fit the file.
    """
    return LiteRTFile(path)(**inputs)


class MicroError(RuntimeError):
    """A file that LiteRT for Microcontrollers cannot load."""


class MicroFile:
    """A file on the interpreter of LiteRT for Microcontrollers.

    Args:
        file: The file on LiteRT's full interpreter, which has the names of
            inputs and outputs.

    Raises:
        ImportError: if `tflite-micro` is not installed.
        MicroError: if the interpreter cannot load the file.
    """

    def __init__(self, file: LiteRTFile) -> None:
        try:
            from tflite_micro import runtime
        except ImportError as error:
            raise ImportError(
                'target="micro" needs LiteRT for Microcontrollers: '
                "pip install tflite-micro pyyaml"
            ) from error
        try:
            self.interpreter = runtime.Interpreter.from_file(str(file.path))
        except RuntimeError as error:
            raise MicroError(
                f"LiteRT for Microcontrollers does not take it: {error}"
            ) from error
        self.file = file
        interpreter = file.interpreter
        self.input_order = [
            detail["index"] for detail in interpreter.get_input_details()
        ]
        self.output_order = [
            detail["index"] for detail in interpreter.get_output_details()
        ]

    def __call__(self, **inputs: np.ndarray) -> Arrays:
        """Run the file and return its outputs, by name."""
        for name, value in inputs.items():
            detail = self.file.inputs[name]
            place = self.input_order.index(detail["index"])
            self.interpreter.set_input(quantized(value, detail), place)
        self.interpreter.invoke()
        return {
            name: dequantized(
                self.interpreter.get_output(
                    self.output_order.index(detail["index"])
                ),
                detail,
            )
            for name, detail in self.file.outputs.items()
        }

    def reset(self) -> None:
        """Empty the memories inside the file."""
        self.interpreter.reset()


def quantized(value: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Convert an array to the dtype, scale and zero point of a tensor."""
    dtype = np.dtype(detail["dtype"])
    scale, zero_point = detail["quantization"]
    if not scale:
        return value.astype(dtype)
    limits = np.iinfo(dtype)
    steps = np.round(value / scale) + zero_point
    return np.clip(steps, limits.min, limits.max).astype(dtype)


def dequantized(value: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Convert a tensor's quantized integers back to floats."""
    scale, zero_point = detail["quantization"]
    if not scale:
        return value
    return (value.astype(np.float32) - zero_point) * np.float32(scale)


def operators(path: str | Path) -> Counter[str]:
    """Count the operators of a file by name, those inside loops included.

    Operators that are not built in are named `CUSTOM <name>`; TensorFlow's
    start with `CUSTOM Flex`.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if isinstance(number, int)
    }
    model = schema.ModelT.InitFromPackedBuf(Path(path).read_bytes(), 0)
    found: Counter[str] = Counter()
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            code = model.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if code.customCode:
                name += f" {code.customCode.decode()}"
            found[name] += 1
    return found
