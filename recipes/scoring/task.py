"""Kinds of scoring: of texts by characters, and of series by forecasts."""

from pathlib import Path
from typing import Any, Protocol

from recipes.console import UsageError
from recipes.memory import raise_memory_error
from recipes.scoring.folder import Folder, Scored
from recipes.scoring.parts import Part

# Entries of the summary, and the text that is printed.
Summary = tuple[dict[str, Any], str]


# The signature of a SavedModel from sequences to predictions.
SIGNATURE = "serving_default"


class Scorer(Protocol):
    """Loaded model that scores parts."""

    def __call__(self, part: Part) -> Scored: ...


class Task(Protocol):
    """Scoring of some data by a model. It is pickled and sent to workers."""

    @property
    def rows(self) -> str:
        """Name of the folder for its rows."""

    def parts(self) -> list[Part]:
        """Find the data, and cut them into parts.

        Raises:
            UsageError: if they are missing or unreadable.
        """

    def scorer(self) -> Scorer:
        """Load the model.

        Raises:
            UsageError: if it does not fit.
        """

    def summarize(self, folder: Folder, parts: int, stage: Path) -> Summary:
        """Write tables of all parts into a folder, and return their summary."""


def find_saved_model(path: Path) -> Path:
    """Return the folder of a SavedModel.

    Args:
        path: The folder; or one of its versions, of which the last is taken.
    """
    versions = [
        it for it in path.glob("*/saved_model.pb") if it.parent.name.isdecimal()
    ]
    if (path / "saved_model.pb").is_file() or not versions:
        return path
    return max(versions, key=lambda it: int(it.parent.name)).parent


def load_saved_model(path: Path) -> Any:
    """Load a SavedModel, which can run code.

    Raises:
        UsageError: if it cannot be loaded, or cannot be called.
    """
    import tensorflow as tf

    try:
        with raise_memory_error():
            loaded = tf.saved_model.load(path)
    except MemoryError:
        raise
    # TensorFlow's errors have no common class.
    except Exception as error:
        first, *_ = str(error).strip().splitlines() or ["unreadable"]
        raise UsageError(f"{path} cannot be loaded: {first}") from error
    if SIGNATURE not in loaded.signatures:
        raise UsageError(
            f"{path} has no signature called {SIGNATURE}: export it with "
            "keras_gatelstm.export"
        )
    return loaded
