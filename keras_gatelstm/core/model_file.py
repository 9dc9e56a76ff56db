"""Loading of `.keras` files that may be damaged, or no models at all."""

import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


def load_model(path: str | Path) -> keras.Model:
    """Load a model that `model.save` wrote, without compiling it.

    No code of the file is run, and no more memory is taken than a model with
    weights as many as the file's needs.

    Args:
        path: A `.keras` file.

    Returns:
        The model.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or is no model that Keras loads;
            the message is one line.
        MemoryError: if the model does not fit into memory.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        _check(path)
        return keras.saving.load_model(path, compile=False)
    except MemoryError:
        raise
    # Layers raise errors of any type, and so do the readers of the file.
    except Exception as error:
        if type(error).__name__ == "ResourceExhaustedError":
            raise MemoryError(f"{path} does not fit into memory") from error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"{path} cannot be loaded by Keras: {lines[0]}"
        ) from error


def _check(path: Path) -> None:
    """Raise for what Keras would spend much time or memory on.

    Raises:
        ValueError: if the file is no archive of a model, or names sizes that
            its weights do not have.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(
            "it is no .keras file, or not whole: write it with model.save"
        )
    with zipfile.ZipFile(path) as file:
        for name in (_CONFIG, _WEIGHTS):
            if name not in file.namelist():
                raise ValueError(f"it has no {name}: write it with model.save")
        config = json.loads(file.read(_CONFIG))
        size = file.getinfo(_WEIGHTS).file_size
    for layer, count in _least_weights(config):
        # In four bits, two weights have a byte.
        if count > 2 * size:
            raise ValueError(
                f"its config describes {layer} with {count:,} weights, and all "
                f"weights in the file have {size:,} bytes"
            )


def _least_weights(config: Any) -> Iterator[tuple[str, int]]:
    """Yield the least number of weights of each layer in a config."""
    if isinstance(config, Mapping):
        options = config.get("config")
        if isinstance(options, Mapping) and "class_name" in config:
            built = config.get("build_config")
            name = f"{config['class_name']} {options.get('name')}"
            yield name, _count(options, built)
        for value in config.values():
            yield from _least_weights(value)
    elif isinstance(config, list):
        for value in config:
            yield from _least_weights(value)


def _count(options: Mapping[str, Any], built: Any) -> int:
    units = _whole(options.get("units", options.get("filters", 0)))
    features = 1
    if isinstance(built, Mapping) and isinstance(
        shape := built.get("input_shape"), list
    ):
        features = max(1, _whole(shape[-1] if shape else 1))
    recurrent = units * units if "recurrent_initializer" in options else 0
    embedded = math.prod(
        _whole(options.get(name, 0)) for name in ("input_dim", "output_dim")
    )
    batch_shape = options.get("batch_shape")
    given = batch_shape[-1] if isinstance(batch_shape, list) else 0
    return max(units * features, recurrent, embedded, _whole(given))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
