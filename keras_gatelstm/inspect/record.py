"""Recording of every gate while a model runs, without changing it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.loops import layers_by_path
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import has_gates
from keras_gatelstm.inspect.recorder import Given, run
from keras_gatelstm.inspect.recording import cells_of
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, unknown
from keras_gatelstm.inspect.trace_store import Store

Memories = Sequence[Tensor] | Mapping[str, Sequence[Tensor]] | None
Tokens = str | Sequence[object] | np.ndarray | None


def record_gates(
    model_or_layer: keras.layers.Layer,
    inputs: object,
    layers: str | Sequence[str] | None = None,
    training: bool = False,
    mask: Tensor | None = None,
    initial_state: Memories = None,
    *,
    tokens: Tokens = None,
    batch_size: int = 32,
    directory: str | Path | None = None,
    memory_limit: int = 2**31,
) -> GateTrace:
    """Record every gate of a model at every step, in one run.

    Works on `GateLSTM`, `GateGRU` and `GateRNN`, and on `keras.layers.LSTM`,
    `GRU` and `SimpleRNN`, alone or anywhere in a model. Recording does not
    change the outputs. The recorded memories equal those of `model.predict`:
    on TensorFlow, in batches of several sequences, to the last bit, elsewhere
    up to rounding, because `predict` adds in another order there. Memories
    of stateful layers, and everything else that a run changes, are restored
    afterwards.

    A layer that reads backwards, alone or in `Bidirectional`, is recorded in
    the order of its input: step `t` is where it read event `t`.

    Args:
        model_or_layer: A Keras model or layer.
        inputs: The model's inputs: an array, or a list or dictionary of
            arrays with the same number of rows.
        layers: The paths of the layers to record, or their names; `None`
            for all (default). The path of a nested layer starts with the
            names of the outer ones: `"bidirectional/forward_lstm"`. Stacked
            cells have their names after the layer's: `"rnn/cell"`. The
            second use of a layer has `:2` after its path.
        training: Boolean, whether to apply dropout. Default `False`.
        mask: `None`, or booleans `(batch, time)`, as in the call of a layer:
            `False` at the steps to skip.
        initial_state: `None`, or the memories to start with, `(batch,
            units)` each: a list of them, or where several layers are
            recorded, a dictionary of lists by the layer's path.
        tokens: `None`, or labels of the steps, for pictures and reports:
            tokens or timestamps, `(time,)` or `(batch, time)`; a string of
            `time` characters; or a list of one such string for each row.
        batch_size: The number of rows to run at a time. Default 32.
        directory: `None`, or a folder to store the quantities in, as
            `.npy` files that the trace reads on demand.
        memory_limit: The size in bytes from which a trace is stored in a
            temporary folder if `directory` is `None`. The folder is deleted
            with the trace. Default 2 GiB.

    Returns:
        The trace: for each layer's path, quantities `(batch, time, units)`
        by their names in the lesson.

    Raises:
        TypeError: if `model_or_layer` is not a Keras layer, or `inputs` a
            dataset.
        ValueError: if the model has no layer with gates, or not the layers
            named; if rows or steps do not match, or `batch_size` is not
            positive; if a layer with gates runs inside another layer's loop,
            where it cannot be recorded.

    Example:

    >>> lstm = keras.layers.LSTM(4, name="lstm")
    >>> model = keras.Sequential([lstm, keras.layers.Dense(1)])
    >>> trace = record_gates(model, np.ones((2, 9, 3)))
    >>> trace["lstm/forget_factor"].shape
    (2, 9, 4)
    """
    model = _check_layer(model_or_layer)
    paths = layers_by_path(model)
    _check_gates(model, paths)
    rows = _row_count(inputs)
    memories = _memories_by_path(initial_state, paths)
    given: Given = {"inputs": inputs, "memories": memories}
    if mask is not None:
        given["mask"] = np.asarray(mask)
    _check_rows(given, rows)
    if any(layer.stateful for layer in paths.values()):
        batch_size = rows
    store = Store(rows, directory, memory_limit)
    names = [layers] if isinstance(layers, str) else layers
    seen: dict[str, None] = {}
    with _restore_variables(model, paths, training):
        for part in _split_rows(rows, batch_size):
            for path, record in run(model, _take_rows(given, part), training):
                seen[path] = None
                if names is None or _is_named(path, names):
                    store.write(path, part, record)
    _check_names(names, seen)
    _check_mask(mask, store)
    traces = store.layers()
    return GateTrace(traces, _prepare_tokens(tokens, traces))


def _check_layer(model: object) -> keras.layers.Layer:
    if not isinstance(model, keras.layers.Layer):
        raise TypeError(
            "model_or_layer must be a Keras model or layer. "
            f"Received: {model!r} (of type {type(model).__name__})"
        )
    return model


def _check_gates(
    model: keras.layers.Layer, paths: dict[str, keras.layers.RNN]
) -> None:
    if any(has_gates(it) for rnn in paths.values() for it in cells_of(rnn)):
        return
    found = [f"{path} ({type(it).__name__})" for path, it in paths.items()]
    raise ValueError(
        f"{model.name} has no gates to record: no GateLSTM, GateGRU, GateRNN, "
        "LSTM, GRU or SimpleRNN. Its recurrent layers: "
        f"{', '.join(found) or 'none'}"
    )


def _row_count(inputs: object) -> int:
    _check_arrays(inputs)
    shapes = [tuple(np.shape(array)) for array in keras.tree.flatten(inputs)]
    counts = {shape[:1] for shape in shapes}
    if len(counts) != 1 or not all(counts) or counts == {(0,)}:
        raise ValueError(
            "inputs must be arrays of as many rows each, and at least one. "
            f"Received: shapes {shapes[:9]}"
        )
    return shapes[0][0]


def _check_arrays(inputs: object) -> None:
    """Raise for a data source, which `fit` takes and recording does not."""
    sources = ("__iter__", "__next__", "__getitem__")
    arrays = (np.ndarray, list, tuple, Mapping, str, bytes)
    is_source = any(hasattr(inputs, it) for it in sources)
    if is_source and not (
        isinstance(inputs, arrays) or hasattr(inputs, "shape")
    ):
        raise TypeError(
            "inputs must be an array, or a list or dictionary of arrays. Of a "
            "dataset, take a batch without its targets: "
            "next(iter(dataset))[0]. "
            f"Received: {type(inputs).__name__}"
        )


def _check_rows(given: Given, rows: int) -> None:
    arguments = {
        "mask": given.get("mask"),
        "initial_state": given["memories"],
    }
    for name, arrays in arguments.items():
        for array in keras.tree.flatten(arrays):
            if array is not None and np.shape(array)[:1] != (rows,):
                raise ValueError(
                    f"{name} must have {rows} rows, as inputs. "
                    f"Received: shape {np.shape(array)}"
                )


def _split_rows(rows: int, batch_size: int) -> Iterator[slice]:
    if batch_size < 1:
        raise ValueError(
            "batch_size must be a positive integer. "
            f"Received: batch_size={batch_size!r}"
        )
    for start in range(0, rows, batch_size):
        yield slice(start, min(start + batch_size, rows))


def _check_mask(mask: Tensor | None, store: Store) -> None:
    if mask is not None and not store.masks:
        raise ValueError(
            "The mask reaches no recurrent layer: a layer before them does "
            "not hand it on. Record the recurrent layer by itself, or use "
            "keras.layers.Masking, or Embedding(mask_zero=True)."
        )


def _take_rows(given: Given, rows: slice) -> Given:
    return keras.tree.map_structure(lambda array: array[rows], given)


def _memories_by_path(
    initial_state: Memories, paths: dict[str, keras.layers.RNN]
) -> dict[str, list[np.ndarray]]:
    """Return the memories to start with, by the layer's path."""
    if initial_state is None:
        return {}
    if not isinstance(initial_state, Mapping):
        if len(paths) > 1:
            raise ValueError(
                "initial_state must be a dictionary of memories by the path "
                "of the layer, as there are several: "
                f"{', '.join(paths)}. Received: {type(initial_state).__name__}"
            )
        initial_state = {next(iter(paths)): initial_state}
    for path in initial_state:
        if path not in paths:
            raise ValueError(unknown("layer", path, paths, "the model"))
    return {
        path: [np.asarray(memory) for memory in keras.tree.flatten(memories)]
        for path, memories in initial_state.items()
    }


@contextmanager
def _restore_variables(
    model: keras.layers.Layer,
    paths: dict[str, keras.layers.RNN],
    training: bool,
) -> Iterator[None]:
    """Restore the variables that a run changes, at the end of the block."""
    variables = [
        memory
        for layer in paths.values()
        for memory in keras.tree.flatten(layer.states or [])
    ]
    # Keras advances the seed even of a dropout that it does not apply.
    weights = {id(weight) for weight in model.weights}
    variables += [
        it
        for it in model.non_trainable_variables
        if training or id(it) not in weights
    ]
    before = [np.array(ops.convert_to_numpy(it)) for it in variables]
    new = [layer for layer in paths.values() if layer.states is None]
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        for layer in new:
            if layer.states is not None:
                layer.reset_state()


def _is_named(path: str, names: Sequence[str]) -> bool:
    return any(f"/{path}".endswith(f"/{name}") for name in names)


def _check_names(
    names: Sequence[str] | None, available: dict[str, None]
) -> None:
    for name in names or ():
        if not any(_is_named(path, [name]) for path in available):
            raise ValueError(unknown("layer", name, available, "the model"))


def _prepare_tokens(
    tokens: Tokens, layers: Mapping[str, LayerTrace]
) -> np.ndarray | None:
    if tokens is None:
        return None
    batch, time, _ = next(iter(layers.values())).shape
    if isinstance(tokens, str):
        tokens = list(tokens)
    elif len(tokens) == batch != time and _are_texts(tokens, time):
        # A text for each row, and not a label for each step.
        tokens = [list(str(text)) for text in tokens]
    array = np.asarray(tokens)
    if array.dtype == object:
        # Files cannot store objects, such as times with a zone.
        array = array.astype(str)
    if array.shape not in ((time,), (batch, time)):
        raise ValueError(
            f"tokens must be one for each of {time} steps, (time,), or for "
            f"each row too, {(batch, time)}. Received: shape {array.shape}"
        )
    return np.broadcast_to(array, (batch, time))


def _are_texts(tokens: Iterable[object], length: int) -> bool:
    return all(isinstance(it, str) and len(it) == length for it in tokens)
