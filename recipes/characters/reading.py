"""Step-by-step inference with a character model in any exported form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recipes import saved_model
from recipes.console import UsageError, first_line

Arrays = dict[str, Any]


class Reader:
    """Stateful function that reads a character and returns the next's logits.

    The memories are zero at first.

    Args:
        step: Function from named inputs to named outputs: the logits and the
            new memories.
        event: Name and shape of the input for the character.
        memories: Size of each memory, by name.
    """

    def __init__(
        self,
        step: Callable[..., Arrays],
        event: tuple[str, tuple[int, ...]],
        memories: dict[str, int],
    ) -> None:
        self.step = step
        self.event, self.shape = event
        self.memories: Arrays = {
            name: np.zeros((1, size), np.float32)
            for name, size in memories.items()
        }

    def __call__(self, symbol: int) -> np.ndarray:
        """Return the logits of the next character, `(symbols,)`."""
        event = np.full(self.shape, symbol, np.int32)
        outputs = self.step(**{self.event: event}, **self.memories)
        self.memories = {name: outputs[name] for name in self.memories}
        (guess,) = (
            outputs[name] for name in outputs if name not in self.memories
        )
        return np.asarray(guess).reshape(-1)


def reader_of(path: Path, symbols: int) -> Reader:
    """Load a model for reading step by step.

    A SavedModel can run code when it is loaded.

    Args:
        path: A `.keras` file, the folder of a SavedModel, or a streaming
            `.tflite` file.
        symbols: Size of the vocabulary.

    Raises:
        UsageError: if the file is not such a model, or its number of symbols
            differs from the vocabulary's.
    """
    kinds = {".tflite": _load_litert, ".keras": _load_keras}
    make = _load_saved_model if path.is_dir() else kinds.get(path.suffix)
    if make is None:
        raise UsageError(
            "MODEL must be a .keras or .tflite file, or the folder of a "
            f"SavedModel. Received: {path}"
        )
    try:
        known = len(make(path)(0))
        reader = make(path)
    except (UsageError, MemoryError):
        raise
    # Keras, TensorFlow and LiteRT have no common exception class.
    except Exception as error:
        raise UsageError(
            f"{path} cannot be read with step by step: {first_line(error)}"
        ) from error
    if known != symbols:
        raise UsageError(
            f"{path} knows {known} characters, its vocabulary {symbols}: name "
            "the right one with --vocabulary"
        )
    return reader


def _load_keras(path: Path) -> Reader:
    from keras_gatelstm.core.model_file import load_model
    from keras_gatelstm.export.memories import memory_sizes
    from keras_gatelstm.export.prepare import prepare
    from keras_gatelstm.export.serving.scaling import Scaling
    from keras_gatelstm.export.serving.signatures import Served, step

    model = prepare(load_model(path))
    sizes = memory_sizes(model)
    function = step(Served(model, Scaling())).get_concrete_function()
    event = model.inputs[0].name

    def one(**given: Any) -> Arrays:
        return dict(function(*_to_tensors(given, [event, *sizes])))

    return Reader(one, (event, (1,)), sizes)


def _to_tensors(given: Arrays, names: list[str]) -> list[Any]:
    import tensorflow as tf

    return [tf.convert_to_tensor(given[name]) for name in names]


def _load_saved_model(path: Path) -> Reader:
    loaded = saved_model.load(path)
    signature = saved_model.signature_of(loaded, "step", path)
    specs = signature.structured_input_signature[1]
    (event,) = (name for name, it in specs.items() if it.dtype.is_integer)
    sizes = {name: it.shape[1] for name, it in specs.items() if name != event}

    def one(**given: Any) -> Arrays:
        return saved_model.call(signature, given)

    # Keeps the loaded object alive as long as its function.
    one.loaded = loaded  # type: ignore[attr-defined]
    return Reader(one, (event, (1,)), sizes)


def _load_litert(path: Path) -> Reader:
    from keras_gatelstm.export import LiteRTFile

    file = LiteRTFile(path)
    events = set(file.inputs) - set(file.outputs)
    (event,) = events
    if tuple(file.inputs[event]["shape"]) != (1, 1):
        raise UsageError(
            f"{path} takes {tuple(map(int, file.inputs[event]['shape']))} "
            'characters at once: export it with form="streaming", as '
            "recipes.char_text does beside it"
        )
    sizes = {
        name: int(detail["shape"][-1])
        for name, detail in file.inputs.items()
        if name != event
    }
    return Reader(file, (event, (1, 1)), sizes)
