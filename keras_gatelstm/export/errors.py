"""Errors of exports; errors of writing that name the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf


class FormError(ValueError):
    """A model or layer that cannot be exported in the form asked for."""


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
