"""Keras model -> LiteRT (.tflite) file."""

import os
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.export.saved_model import export_saved_model


def export_litert(
    model: keras.Model,
    path: str | Path,
    *,
    time_steps: int,
    batch_size: int | None = 1,
) -> Path:
    """Writes a `.tflite` file of built-in operators only.

    Recurrent layers are unrolled: LiteRT has no loop over time that runs on
    built-in operators and leaves the batch free. The file's signature
    `serving_default` names inputs and outputs as the model does.

    Args:
        model: A built Sequential or functional model of one input
            `(batch, time)` or `(batch, time, features)`.
        path: Where to write; the folder is made if it is not there.
        time_steps: The length of the sequences that the file will take.
        batch_size: How many sequences it will take at once, or `None` to
            leave it free. Default 1.

    Returns:
        `path`.

    Raises:
        ValueError: if the model has more than one input.
    """
    path = Path(path)
    unrolled = _unroll(model, batch_size, time_steps)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        saved_model = export_saved_model(unrolled, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
        beside = Path(folder) / path.name
        beside.write_bytes(converter.convert())
        os.replace(beside, path)
    return path


def run_litert(path: str | Path, *inputs: np.ndarray) -> list[np.ndarray]:
    """Runs a file once, on LiteRT's own interpreter.

    Args:
        path: A `.tflite` file.
        *inputs: An array for each of its inputs.

    Returns:
        An array for each of its outputs.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    for detail, value in zip(
        interpreter.get_input_details(), inputs, strict=True
    ):
        interpreter.resize_tensor_input(detail["index"], value.shape)
    interpreter.allocate_tensors()
    for detail, value in zip(
        interpreter.get_input_details(), inputs, strict=True
    ):
        interpreter.set_tensor(detail["index"], value.astype(detail["dtype"]))
    interpreter.invoke()
    return [
        interpreter.get_tensor(detail["index"])
        for detail in interpreter.get_output_details()
    ]


def _unroll(
    model: keras.Model, batch_size: int | None, time_steps: int
) -> keras.Model:
    if len(model.inputs) != 1:
        raise ValueError(
            "model must have one input, the sequence. "
            f"Received: inputs {[tensor.name for tensor in model.inputs]}"
        )
    (free,) = model.inputs
    fixed = keras.Input(
        batch_shape=(batch_size, time_steps, *free.shape[2:]),
        dtype=free.dtype,
        name=free.name,
    )

    clone = keras.models.clone_model(
        model,
        input_tensors=fixed,
        clone_function=lambda layer: type(layer).from_config(
            _unrolled_config(layer.get_config())
        ),
    )
    clone.set_weights(model.get_weights())
    return clone


def _unrolled_config(config: Any) -> Any:
    """The config with every recurrent layer in it unrolled, however deep."""
    if isinstance(config, list):
        return [_unrolled_config(item) for item in config]
    if isinstance(config, dict):
        config = {
            name: _unrolled_config(value) for name, value in config.items()
        }
        if "unroll" in config:
            config.update(unroll=True, stateful=False)
    return config
