"""Errors of exports, and write errors that name the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf


class FormError(ValueError):
    """A model or layer that cannot be exported in the requested form."""


@contextmanager
def name_file_in_errors(target: Path) -> Iterator[None]:
    """Name `target` in system errors, such as a full disk.

    Raises:
        OSError: for every `OSError` inside.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise OSError(f"{target} could not be written: {reason}") from error


@contextmanager
def as_system_errors() -> Iterator[None]:
    """Turn TensorFlow's write errors into `OSError`.

    Raises:
        OSError: for every `tf.errors.OpError` inside.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # TensorFlow puts a temporary path before the reason and an operator
        # after it.
        reason = error.message.rsplit(";", 1)[-1].split("[Op:")[0]
        raise OSError(reason.strip()) from error
