"""Time loop that records every quantity of a layer's cells."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import keras
from keras import ops

from keras_gatelstm.core.anatomy import Anatomy, by_name
from keras_gatelstm.core.loops import Loop, run_by_keras
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.inspect.gate_cells import as_gate_cell, has_gates


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
