"""Compiled runs of a model that record its gates."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypedDict

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.anatomy import Anatomy
from keras_gatelstm.core.keras_internals import takes_training
from keras_gatelstm.core.loops import Loop, layers_by_path, override_time_loop
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.recording import CellRecord, cells_of, recording

_KEPT = "_keras_gatelstm_recorder"


class BatchRecord(NamedTuple):
    """Record of one layer on a batch of rows."""

    quantities: dict[str, np.ndarray]
    mask: np.ndarray | None
    anatomy: Anatomy


class Given(TypedDict, total=False):
    """A batch to run a model on.

    Args:
        inputs: The model's inputs.
        mask: As in the call of a layer.
        memories: Lists of memories to start with, by the layer's path.
    """

    inputs: object
    mask: np.ndarray
    memories: dict[str, list[np.ndarray]]


def run(
    model: keras.layers.Layer, given: Given, training: bool
) -> Iterator[tuple[str, BatchRecord]]:
    """Yield each layer's path and record, in the order they ran.

    Args:
        model: A model or layer.
        given: The batch.
        training: Whether to apply dropout.
    """
    if not _is_built(model):
        call(model, given, training=False)
    recorder = _get_recorder(model)
    try:
        if training:
            outputs = recorder(given, training=True)
        else:
            outputs = recorder.predict_on_batch(given)
        numbers = keras.tree.map_structure(_to_numpy, outputs)
    except Exception as error:
        if not _is_out_of_reach(error):
            raise
        raise ValueError(
            f"{', '.join(recorder.paths.values())} cannot be recorded: it "
            "runs inside another layer's loop or compiled function. Record "
            "that layer by itself, on what it is given there."
        ) from error
    for path, anatomy in recorder.recorded.items():
        # In the order of computation: JAX sorts the keys of its outputs.
        quantities = {name: numbers[path][name] for name in anatomy.names}
        mask = numbers.get(f"{path}/mask")
        yield path, BatchRecord(quantities, mask, anatomy)


def forget_compiled(model: keras.layers.Layer) -> None:
    """Discard a model's compiled recorder."""
    vars(model).pop(_KEPT, None)


def call(model: keras.layers.Layer, given: Given, training: bool) -> None:
    """Call the model on a batch."""
    options: dict[str, Any] = {}
    if "mask" in given:
        options["mask"] = given["mask"]
    if takes_training(model):
        options["training"] = training
    model(given["inputs"], **options)


def _is_built(model: keras.layers.Layer) -> bool:
    layers = layers_by_path(model).values()
    return model.built and all(layer.built for layer in layers)


def _get_recorder(model: keras.layers.Layer) -> "_Recorder":
    """Return the model's recorder, a new one if its layers have changed."""
    # In vars: Keras would track an attribute as a part of the model.
    kept: _Recorder | None = vars(model).get(_KEPT)
    layers = [id(layer) for layer in layers_by_path(model).values()]
    if kept is None or list(kept.paths) != layers:
        kept = vars(model)[_KEPT] = _Recorder(model)
    return kept


class _Recorder(keras.Model):
    """Model whose outputs are the records of a model's layers, by path."""

    def __init__(self, model: keras.layers.Layer) -> None:
        # The recorded model casts its inputs itself.
        super().__init__(name="recorder", autocast=False)
        self.model = model
        self.built = True
        self.paths = {
            id(layer): path for path, layer in layers_by_path(model).items()
        }
        self.recorded: dict[str, Anatomy] = {}

    def call(self, given: Given, training: bool = False) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        uses: dict[int, int] = {}
        recorded: dict[str, Anatomy] = {}

        def keep(
            layer: keras.layers.RNN,
            records: list[CellRecord],
            mask: Tensor | None,
        ) -> None:
            use = uses[id(layer)] = uses.get(id(layer), 0) + 1
            stacked = len(cells_of(layer)) > 1
            for record in records:
                path = self.paths[id(layer)]
                path += f"/{record.cell}" if stacked else ""
                path += f":{use}" if use > 1 else ""
                recorded[path] = record.anatomy
                outputs[path] = record.quantities
                if mask is not None:
                    outputs[f"{path}/mask"] = mask

        loop = self._override_memories(
            given.get("memories", {}), recording(keep)
        )
        with override_time_loop(self.model, loop):
            call(self.model, given, training)
        # Last, so that a failed call leaves the compiled state valid.
        self.recorded = recorded
        return outputs

    def _override_memories(
        self, memories: dict[str, list[Tensor]], loop: Loop
    ) -> Loop:
        """Return a loop that starts with the memories given for a layer."""

        def started(
            layer: keras.layers.RNN,
            sequences: Tensor,
            initial_state: Any,
            mask: Tensor | None,
            training: bool = False,
        ) -> tuple[Tensor, Tensor, Any]:
            path = self.paths[id(layer)]
            if path in memories:
                initial_state = _check_memories(
                    memories[path], initial_state, path
                )
            return loop(layer, sequences, initial_state, mask, training)

        return started


def _check_memories(given: list[Tensor], own: Any, path: str) -> Any:
    """Return the given memories, in the structure of a layer's own."""
    flat = keras.tree.flatten(own)
    shapes = [tuple(memory.shape) for memory in given]
    expected = [tuple(memory.shape) for memory in flat]
    units = [shape[1:] for shape in expected]
    if [shape[1:] for shape in shapes] != units:
        raise ValueError(
            f"initial_state of {path} must have the shapes {expected}, "
            f"(batch, units) each. Received: {shapes}"
        )
    memories = [
        ops.cast(memory, it.dtype)
        for memory, it in zip(given, flat, strict=True)
    ]
    return keras.tree.pack_sequence_as(own, memories)


def _to_numpy(tensor: Tensor) -> np.ndarray:
    if isinstance(tensor, np.ndarray):
        return tensor
    return np.asarray(ops.convert_to_numpy(tensor))


def _is_out_of_reach(error: Exception) -> bool:
    """Return whether a backend reports a tensor of another function."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & {"InaccessibleTensorError", "UnexpectedTracerError"}
    ) or "out of scope" in str(error)
