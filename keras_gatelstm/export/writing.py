"""Write SavedModels; name the file in errors of writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Name `target` in errors of the system, such as a full disk.

    Raises:
        OSError: for each of them.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{target} could not be written: {reason}") from error


def write_saved_model(
    module: tf.Module, folder: Path, functions: dict[str, Any]
) -> None:
    """Write a SavedModel.

    Args:
        module: What the functions need: variables, tables.
        folder: Where to.
        functions: By signature.

    Raises:
        OSError: if it cannot be written.
    """
    with errors_of_system():
        tf.saved_model.save(module, str(folder), signatures=functions)


@contextmanager
def errors_of_system() -> Iterator[None]:
    """Turn TensorFlow's errors of writing files into the system's.

    Raises:
        OSError: for each of them.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # It stands between a path that is gone and an operator.
        reason = error.message.rsplit(";", 1)[-1].split("[Op:")[0]
        raise OSError(reason.strip()) from error
