"""Keras model -> LiteRT (.tflite) file."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gatelstm.export.saved_model import export_saved_model
from keras_gatelstm.files import stage_in


def export_litert(
    model: keras.Model,
    path: str | Path,
    *,
    time_steps: int,
    batch_size: int | None = 1,
) -> Path:
    """Writes a `.tflite` file of built-in operators only.

    Recurrent layers are unrolled: Keras's own loop over time does not
    convert to built-in operators with a free batch. The file's signature
    `serving_default` names inputs and outputs as the model does.

    Args:
        model: A built Sequential or functional model of one input,
            `(batch, time)` or `(batch, time, features)`, whose recurrent
            layers are its own and not those of a model inside it.
        path: Where to write; the folder is made if it is not there.
        time_steps: The length of the sequences that the file will take.
        batch_size: How many sequences it will take at once, or `None` to
            leave it free. Default 1.

    Returns:
        `path`.

    Raises:
        ValueError: if the model has more than one input.

    Example:

    >>> events = keras.Input((None, 3), name="events")
    >>> model = keras.Sequential([events, GateLSTM(2, name="memory")])
    >>> path = getfixture("tmp_path") / "model.tflite"
    >>> _ = export_litert(model, path, time_steps=4)
    >>> run_litert(path, events=np.ones((1, 4, 3)))["memory"].shape
    (1, 2)
    """
    path = Path(path)
    unrolled = _unroll(model, batch_size, time_steps)
    with stage_in(path.parent) as stage:
        saved_model = export_saved_model(unrolled, stage)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
        whole = stage / path.name
        whole.write_bytes(converter.convert())
        os.replace(whole, path)
    return path


def run_litert(path: str | Path, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Runs a file's signature `serving_default`, on LiteRT's interpreter.

    Args:
        path: A `.tflite` file.
        **inputs: An array for each of its inputs, by name.

    Returns:
        An array for each of its outputs, by name.

    Raises:
        ValueError: if the inputs are not those of the file, in name or shape.
    """
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(str(path)).get_signature_runner("serving_default")
    details = run.get_input_details()
    if set(inputs) != set(details):
        raise ValueError(
            f"{path} takes {', '.join(details)}. "
            f"Received: {', '.join(inputs) or 'nothing'}"
        )
    given = {
        name: value.astype(details[name]["dtype"])
        for name, value in inputs.items()
    }
    outputs: dict[str, np.ndarray] = run(**given)
    return outputs


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

    given = fixed
    if not isinstance(model, keras.Sequential):
        given = keras.tree.map_structure(lambda _: fixed, model.input)
    clone = keras.models.clone_model(
        model,
        input_tensors=given,
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
