"""SavedModels, loaded for what their signatures compute."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from recipes.console import UsageError, first_line
from recipes.memory import raise_memory_error

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf


# The signature from a model's inputs to its outputs.
DEFAULT = "serving_default"


class Signature(Protocol):
    """Function of a SavedModel, from named inputs to named outputs.

    Attributes:
        structured_input_signature: No positional inputs, and the type and the
            shape of each input by name.
        structured_outputs: The same of the outputs.
    """

    structured_input_signature: "tuple[tuple[()], dict[str, tf.TensorSpec]]"
    structured_outputs: "dict[str, tf.TensorSpec]"

    def __call__(self, **inputs: Any) -> "dict[str, tf.Tensor]":
        """Return the outputs, by name."""


class SavedModel(Protocol):
    """SavedModel that was loaded.

    Attributes:
        signatures: Its signatures, by name.
    """

    signatures: Mapping[str, Signature]


def newest_in(path: Path) -> Path:
    """Return the folder of a SavedModel.

    Args:
        path: The folder; or one of its versions, of which the last is taken.
    """
    found = path.glob("*/saved_model.pb")
    versions = [it.parent for it in found if it.parent.name.isdecimal()]
    if (path / "saved_model.pb").is_file() or not versions:
        return path
    return max(versions, key=lambda it: int(it.name))


def load(path: Path) -> SavedModel:
    """Load a SavedModel, which can run code.

    Raises:
        UsageError: if it cannot be loaded.
        MemoryError: if it does not fit into memory.
    """
    import tensorflow as tf

    try:
        with raise_memory_error():
            loaded: SavedModel = tf.saved_model.load(path)
    except MemoryError:
        raise
    # TensorFlow's errors have no common class.
    except Exception as error:
        raise UsageError(
            f"{path} cannot be loaded: {first_line(error)}"
        ) from error
    return loaded


def signature_of(loaded: SavedModel, name: str, path: Path) -> Signature:
    """Return a signature, which is valid as long as the model is kept.

    Raises:
        UsageError: if the model has none of that name.
    """
    if name not in loaded.signatures:
        raise UsageError(
            f"{path} has no signature called {name}: export it with "
            "keras_gatelstm.export"
        )
    return loaded.signatures[name]


def call(
    signature: Signature, inputs: "Mapping[str, np.ndarray]"
) -> "dict[str, tf.Tensor]":
    """Return the outputs of a signature, whose types the inputs are cast to."""
    import tensorflow as tf

    _, specs = signature.structured_input_signature
    given = {
        name: tf.cast(it, specs[name].dtype) for name, it in inputs.items()
    }
    return signature(**given)
