"""Runs a model with its gates told, compiled as Keras compiles a model."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_gatelstm.gates.gate import Activity
from keras_gatelstm.loops import Loop, layers_by_path, looping
from keras_gatelstm.recording import cells_of, recording
from keras_gatelstm.types import Tensor

_KEPT = "_keras_gatelstm_recorder"


class Told(NamedTuple):
    """What a layer told of some rows."""

    quantities: dict[str, np.ndarray]
    mask: np.ndarray | None


def run(
    model: keras.layers.Layer, given: dict[str, Any], training: bool
) -> Iterator[tuple[str, Told]]:
    """Gives each layer's path and what it told, in the order they ran.

    Args:
        model: A model or layer.
        given: Its `inputs`; its `mask`, if any; and `memories`, lists of
            memories to start with by the layer's path.
        training: Whether to drop anything.
    """
    if not _is_built(model):
        call(model, given, training=False)
    recorder = _recorder_of(model)
    try:
        if training:
            told = recorder(given, training=True)
        else:
            told = recorder.predict_on_batch(given)
        numbers = keras.tree.map_structure(_numbers, told)
    except Exception as error:
        if not _is_out_of_reach(error):
            raise
        raise ValueError(
            f"{', '.join(recorder.paths.values())} cannot be recorded: it "
            "runs inside another layer's loop or compiled function. Record "
            "that layer by itself, on what it is given there."
        ) from error
    for path, names in recorder.told.items():
        # In the order they were told: JAX gives a dictionary back sorted.
        quantities = {name: numbers[path][name] for name in names}
        yield path, Told(quantities, numbers.get(f"{path}/mask"))


def forget_compiled(model: keras.layers.Layer) -> None:
    """Has a model compiled anew when it is next recorded."""
    vars(model).pop(_KEPT, None)


def call(
    model: keras.layers.Layer, given: dict[str, Any], training: bool
) -> None:
    """Calls the model with what it is given."""
    options = {"mask": given["mask"]} if "mask" in given else {}
    if model._call_has_training_arg:
        options["training"] = training
    model(given["inputs"], **options)


def _is_built(model: keras.layers.Layer) -> bool:
    layers = layers_by_path(model).values()
    return model.built and all(layer.built for layer in layers)


def _recorder_of(model: keras.layers.Layer) -> "_Recorder":
    """The model's recorder: the one that it had, if it is still the same."""
    # Not as an attribute that Keras would take for a part of the model.
    kept: _Recorder | None = vars(model).get(_KEPT)
    layers = [id(layer) for layer in layers_by_path(model).values()]
    if kept is None or list(kept.paths) != layers:
        kept = vars(model)[_KEPT] = _Recorder(model)
    return kept


class _Recorder(keras.Model):
    """From what a model is given to what its layers tell, by their path."""

    def __init__(self, model: keras.layers.Layer) -> None:
        # The model casts its inputs itself, to what it takes.
        super().__init__(name="recorder", autocast=False)
        self.model = model
        self.built = True
        self.paths = {
            id(layer): path for path, layer in layers_by_path(model).items()
        }
        self.told: dict[str, list[str]] = {}

    def call(
        self, given: dict[str, Any], training: bool = False
    ) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        uses: dict[int, int] = {}
        told: dict[str, list[str]] = {}

        def note(
            layer: keras.layers.RNN,
            activities: dict[str, Activity],
            mask: Tensor | None,
        ) -> None:
            use = uses[id(layer)] = uses.get(id(layer), 0) + 1
            stacked = len(cells_of(layer)) > 1
            for cell, activity in activities.items():
                path = self.paths[id(layer)]
                path += f"/{cell}" if stacked else ""
                path += f":{use}" if use > 1 else ""
                told[path] = list(activity)
                outputs[path] = activity
                if mask is not None:
                    outputs[f"{path}/mask"] = mask

        loop = self._starting(given.get("memories", {}), recording(note))
        with looping(self.model, loop):
            call(self.model, given, training)
        # At the end: a call that fails leaves what is compiled as it was.
        self.told = told
        return outputs

    def _starting(self, memories: dict[str, list[Any]], loop: Loop) -> Loop:
        """The loop, started with the memories that are given for a layer."""

        def started(
            layer: keras.layers.RNN,
            sequences: Tensor,
            initial_state: Any,
            mask: Tensor | None,
            training: bool = False,
        ) -> tuple[Tensor, Tensor, Any]:
            path = self.paths[id(layer)]
            if path in memories:
                initial_state = _checked(memories[path], initial_state, path)
            return loop(layer, sequences, initial_state, mask, training)

        return started


def _checked(given: list[Any], own: Any, path: str) -> Any:
    """Memories to start with, in the place of a layer's own."""
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


def _numbers(tensor: Any) -> np.ndarray:
    if isinstance(tensor, np.ndarray):
        return tensor
    return np.asarray(ops.convert_to_numpy(tensor))


def _is_out_of_reach(error: Exception) -> bool:
    """Whether a backend says that a tensor is of another function."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & {"InaccessibleTensorError", "UnexpectedTracerError"}
    ) or "out of scope" in str(error)
