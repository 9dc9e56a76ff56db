"""Keras model -> versioned SavedModel, for TensorFlow Serving."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.files import stage_in


def export_saved_model(
    model: keras.Model, base_path: str | Path, version: int | None = None
) -> Path:
    """Writes `<base_path>/<version>/`, whole or not at all.

    A server polls `base_path` and loads any version it finds there, so the
    files are written beside it and then renamed. A version that exists is
    never overwritten. The SavedModel has a signature `serving_default`, whose
    inputs and outputs are named as the model's and keep its free sizes, and
    loads without Keras and without `keras_gatelstm`.

    Args:
        model: A built Sequential or functional model, not stateful.
        base_path: The folder of all versions, made if it is not there.
        version: Positive integer. Default: the highest one there, plus one.

    Returns:
        The folder of the new version.

    Raises:
        ValueError: if `version` is not a positive integer or is there
            already, or if the model is stateful or not built.

    Example:

    >>> model = keras.Sequential([keras.Input((None, 3)), GateLSTM(2)])
    >>> folder = export_saved_model(model, getfixture("tmp_path"))
    >>> folder.name
    '1'
    """
    _check(model)
    base = Path(base_path)
    target = base / str(_version(base, version))
    with stage_in(base) as stage:
        _write(model, stage / target.name)
        (stage / target.name).rename(target)
    return target


def next_version(base_path: str | Path) -> int:
    """The number above all versions in a folder; 1 where there are none."""
    return max(_versions(Path(base_path)), default=0) + 1


def _input_signature(model: keras.Model) -> list[tf.TensorSpec]:
    """The model's inputs, as TensorFlow names and shapes them."""
    return [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    ]


def _write(model: keras.Model, folder: Path) -> None:
    def serve(*inputs: Any) -> dict[str, Any]:
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        outputs = keras.tree.flatten(model(given, training=False))
        return dict(zip(_output_names(model), outputs, strict=True))

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", serve, _input_signature(model))
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:  # A full disk, in TensorFlow's words.
        raise OSError(f"{folder} could not be written: {error}") from error


def _output_names(model: keras.Model) -> list[str]:
    """The names of what makes each output, told apart by number."""
    if isinstance(model, keras.Sequential):
        count = len(keras.tree.flatten(model.outputs))
        names = [model.layers[-1].name] * count
    else:
        names = model.output_names
    numbers = [names[:place].count(name) for place, name in enumerate(names)]
    return [
        f"{name}_{number}" if number else name
        for name, number in zip(names, numbers, strict=True)
    ]


def _check(model: keras.Model) -> None:
    if not model.built:
        raise ValueError(
            f"model must be built before it is exported. Received: {model}, "
            "which has no weights yet: give it an Input, or call it once"
        )
    stateful = [layer.name for layer in _stateful_layers(model)]
    if stateful:
        raise ValueError(
            "model must not be stateful: a server keeps no memories between "
            "requests. Make it with stateful=False and give it the weights. "
            f"Received: stateful layers {', '.join(stateful)}"
        )


def _stateful_layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            yield layer
        elif hasattr(layer, "layers"):
            yield from _stateful_layers(layer)


def _versions(base: Path) -> list[int]:
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    return [int(name) for name in names if name.isdecimal()]


def _version(base: Path, version: int | None) -> int:
    if version is None:
        return next_version(base)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(
            f"version must be a positive integer. Received: {version!r}"
        )
    if version in _versions(base):
        raise ValueError(
            f"version {version} is already in {base}: versions are never "
            "overwritten; take another number, or None for the next"
        )
    return version
