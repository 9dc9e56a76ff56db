"""LiteRT files on the interpreter for microcontrollers."""

import numpy as np

from keras_gatelstm.export.litert_file import (
    Arrays,
    LiteRTFile,
    dequantized,
    quantized,
)


class MicroError(RuntimeError):
    """A file that does not run on microcontrollers."""


class MicroFile:
    """A file that LiteRT for Microcontrollers runs.

    Args:
        file: The same on LiteRT's interpreter for larger machines, which
            knows the names of inputs and outputs.

    Raises:
        ImportError: if `tflite-micro` is not installed.
        MicroError: if the file does not run on it.
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
        """The outputs, by name."""
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
        """Empties the memories that are inside."""
        self.interpreter.reset()
