"""Compiled runs of a model that record its gates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypedDict

import keras
import numpy as np
from keras import ops

from keras_gatelstm.core.anatomy import Anatomy, by_name
from keras_gatelstm.core.keras_internals import takes_training
from keras_gatelstm.core.loops import (
    Loop,
    layers_by_path,
    override_time_loop,
    run_by_keras,
)
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell, has_gates

_KEPT = "_keras_gatelstm_recorder"


class CellRecord(NamedTuple):
    """Quantities of a cell, recorded while its layer ran.

    Args:
        cell: The cell's name.
        anatomy: The description of its quantities.
        quantities: Their values by name, `(batch, time, units)`, in the order
            of the input's time. A masked step repeats the step before.
    """

    cell: str
    anatomy: Anatomy
    quantities: dict[str, Tensor]


class RecordCallback(Protocol):
    """Function that receives a layer's record, each time the layer is used."""

    def __call__(
        self,
        layer: keras.layers.RNN,
        records: list[CellRecord],
        mask: Tensor | None,
    ) -> None:
        """Receive a record.

        Args:
            layer: The layer.
            records: The record of each of its cells with gates.
            mask: `None`, or booleans `(batch, time)`, `False` where masked.
        """


def cells_of(layer: keras.layers.RNN) -> list[keras.layers.Layer]:
    """Return the cells of a layer, from the first to the last stacked."""
    if isinstance(layer.cell, keras.layers.StackedRNNCells):
        return list(layer.cell.cells)
    return [layer.cell]


def recording(callback: RecordCallback) -> Loop:
    """Return a loop that records every quantity, with unchanged outputs.

    Layers without gates run their own loop.
    """

    def recorded_loop(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        if not any(has_gates(cell) for cell in cells_of(layer)):
            return run_by_keras(layer, sequences, initial_state, mask, training)
        cell = _RecordingCell(layer, initial_state)
        flat = keras.tree.flatten(initial_state)
        empty = cell.empty_record(sequences[:, 0], flat, training)
        run = keras.layers.RNN(
            cell,
            return_sequences=True,
            return_state=True,
            go_backwards=layer.go_backwards,
            unroll=layer.unroll,
            dtype=layer.dtype_policy,
        )
        record, _, *memories = run(
            sequences, [empty, *flat], mask=mask, training=training
        )
        memories = keras.tree.pack_sequence_as(initial_state, memories)
        outputs, records = cell.split_record(record)
        last = outputs[:, -1]
        if mask is not None and layer.zero_output_for_mask:
            # Records have no zeros at masked steps, and which outputs Keras
            # sets to zeros depends on the backend.
            last, outputs, memories = run_by_keras(
                layer, sequences, initial_state, mask, training
            )
        if layer.go_backwards:
            records = [_flip_time(record) for record in records]
        callback(layer, records, mask)
        return last, outputs, memories

    return recorded_loop


def _flip_time(record: CellRecord) -> CellRecord:
    flipped = {
        name: ops.flip(value, axis=1)
        for name, value in record.quantities.items()
    }
    return record._replace(quantities=flipped)


@dataclass(frozen=True)
class _Part:
    """Position of one quantity in a record."""

    cell: int
    name: str
    size: int


class _RecordingCell(keras.layers.Layer):
    """Cell whose output is a record of every intermediate quantity.

    The record, all quantities and the layer's output side by side, is also
    the first of the states: at a masked step, Keras on JAX repeats the first
    state instead of the output.
    """

    def __init__(self, layer: keras.layers.RNN, states: Any) -> None:
        super().__init__(dtype=layer.cell.dtype_policy)
        self.cells = cells_of(layer)
        self.stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
        self.states = keras.tree.map_structure(lambda _: 0, states)
        self.parts: tuple[_Part, ...] = ()
        self.state_size: list[int] = []

    def build(self, *_: object) -> None:
        """Do nothing: the cells are built."""

    def empty_record(
        self, event: Tensor, memories: list[Tensor], training: bool
    ) -> Tensor:
        """Return the record before the first step: zeros."""
        record, _ = self._run_step(event, memories, training)
        self.state_size = [it.shape[-1] for it in [record, *memories]]
        return ops.zeros_like(record)

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        record, memories = self._run_step(inputs, states[1:], training)
        return record, [record, *memories]

    def _run_step(
        self, event: Tensor, memories: list[Tensor], training: bool
    ) -> tuple[Tensor, list[Tensor]]:
        states = keras.tree.pack_sequence_as(self.states, memories)
        of_cells = states if self.stacked else [states]
        output, after, parts, values = event, [], [], []
        pairs = zip(self.cells, of_cells, strict=True)
        for number, (cell, before) in enumerate(pairs):
            output, new, quantities = _run_cell(cell, output, before, training)
            after += keras.tree.flatten(new)
            for name, value in quantities.items():
                parts.append(_Part(number, name, value.shape[-1]))
                values.append(value)
        self.parts = tuple(parts)
        return ops.concatenate([*values, output], axis=-1), after

    def split_record(self, record: Tensor) -> tuple[Tensor, list[CellRecord]]:
        """Split records into the layer's outputs and each cell's quantities."""
        quantities: dict[int, dict[str, Tensor]] = {}
        start = 0
        for part in self.parts:
            end = start + part.size
            of_cell = quantities.setdefault(part.cell, {})
            of_cell[part.name] = record[..., start:end]
            start = end
        records = [
            CellRecord(
                self.cells[number].name,
                as_gate_cell(self.cells[number]).anatomy,
                of_cell,
            )
            for number, of_cell in quantities.items()
        ]
        return record[..., start:], records


def _run_cell(
    cell: keras.layers.Layer, event: Tensor, states: Any, training: bool
) -> tuple[Tensor, Any, dict[str, Tensor]]:
    """Run one step; return the output, the states and all quantities."""
    memories = keras.tree.flatten(states)
    if not has_gates(cell):
        output, after = cell(event, states, training=training)
        return output, after, {}
    gates = as_gate_cell(cell)
    masks = gates.dropout_masks(event, memories[0]) if training else None
    step = gates.activity(event, *memories, dropout_masks=masks)
    quantities = by_name(step)
    names = gates.anatomy.memories
    if gates is not cell:
        # Keras's cell multiplies in another order; its memories match
        # `predict` to the last bit.
        _, after = cell(event, memories, training=training)
        quantities |= zip(names, keras.tree.flatten(after), strict=True)
    after = [quantities[name] for name in names]
    return after[0], keras.tree.pack_sequence_as(states, after), quantities


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
