"""Every quantity of every step, told by the gates while a model runs."""

from dataclasses import dataclass
from typing import Any, Protocol

import keras
from keras import ops

from keras_gatelstm.gates.gate import Activity
from keras_gatelstm.gates_of import gates_of, has_gates
from keras_gatelstm.loops import Loop, run_by_keras
from keras_gatelstm.types import Tensor


class Note(Protocol):
    """What is told of a layer, each time the model uses it."""

    def __call__(
        self,
        layer: keras.layers.RNN,
        activities: dict[str, Activity],
        mask: Tensor | None,
    ) -> None:
        """Takes note.

        Args:
            layer: The layer.
            activities: By the name of the cell, all its quantities by name,
                `(batch, time, units)`, in the order of the input's time. At
                a masked step, a quantity is what it was at the step before.
            mask: `None`, or booleans `(batch, time)`, `False` where masked.
        """


def cells_of(layer: keras.layers.RNN) -> list[Any]:
    """The cells that a layer runs, one on the other."""
    if isinstance(layer.cell, keras.layers.StackedRNNCells):
        return list(layer.cell.cells)
    return [layer.cell]


def recording(note: Note) -> Loop:
    """A loop that has it noted what goes on, and gives what a layer gives.

    Layers without gates run as they would.
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
        teller = _Teller(layer, initial_state)
        flat = keras.tree.flatten(initial_state)
        nothing_told = teller.nothing_told(sequences[:, 0], flat, training)
        run = keras.layers.RNN(
            teller,
            return_sequences=True,
            return_state=True,
            go_backwards=layer.go_backwards,
            unroll=layer.unroll,
            dtype=layer.dtype_policy,
        )
        told, _, *memories = run(
            sequences, [nothing_told, *flat], mask=mask, training=training
        )
        memories = keras.tree.pack_sequence_as(initial_state, memories)
        outputs, activities = teller.taken_apart(told)
        last = outputs[:, -1]
        if mask is not None and layer.zero_output_for_mask:
            # Gates and memories have no such zeros, and where Keras puts
            # those of the outputs depends on the backend.
            last, outputs, memories = run_by_keras(
                layer, sequences, initial_state, mask, training
            )
        if layer.go_backwards:
            activities = keras.tree.map_structure(
                lambda value: ops.flip(value, axis=1), activities
            )
        note(layer, activities, mask)
        return last, outputs, memories

    return recorded_loop


@dataclass(frozen=True)
class _Quantity:
    cell: str
    name: str
    size: int


class _Teller(keras.layers.Layer):
    """A cell that does what a layer's does, and puts out all that goes on.

    Its output is the other's, with all quantities beside it; and the first of
    its memories is that too, since on JAX Keras repeats the first memory at
    a masked step and not the output.
    """

    def __init__(self, layer: keras.layers.RNN, states: Any) -> None:
        super().__init__(dtype=layer.cell.dtype_policy)
        self.cells = cells_of(layer)
        self.stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
        self.states = keras.tree.map_structure(lambda _: 0, states)
        self.told: tuple[_Quantity, ...] = ()
        self.state_size: list[int] = []

    def build(self, *_: Any) -> None:
        """Has nothing to make: the cells are built."""

    def nothing_told(
        self, event: Tensor, memories: list[Tensor], training: bool
    ) -> Tensor:
        """What is there before the first step: zeros."""
        told, _ = self._step(event, memories, training)
        self.state_size = [it.shape[-1] for it in [told, *memories]]
        return ops.zeros_like(told)

    def call(
        self, inputs: Tensor, states: list[Tensor], training: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        told, memories = self._step(inputs, states[1:], training)
        return told, [told, *memories]

    def _step(
        self, event: Tensor, memories: list[Tensor], training: bool
    ) -> tuple[Tensor, list[Tensor]]:
        states = keras.tree.pack_sequence_as(self.states, memories)
        of_cells = states if self.stacked else [states]
        output, after, told, values = event, [], [], []
        for cell, before in zip(self.cells, of_cells, strict=True):
            output, new, activity = _step(cell, output, before, training)
            after += keras.tree.flatten(new)
            for name, value in activity.items():
                told.append(_Quantity(cell.name, name, value.shape[-1]))
                values.append(value)
        self.told = tuple(told)
        return ops.concatenate([*values, output], axis=-1), after

    def taken_apart(self, told: Tensor) -> tuple[Tensor, dict[str, Activity]]:
        """What the cell itself would have put out, and the quantities."""
        activities: dict[str, Activity] = {}
        start = 0
        for quantity in self.told:
            end = start + quantity.size
            activity = activities.setdefault(quantity.cell, {})
            activity[quantity.name] = told[..., start:end]
            start = end
        return told[..., start:], activities


def _step(
    cell: Any, event: Tensor, states: Any, training: bool
) -> tuple[Tensor, Any, Activity]:
    """The output, the next memories, and all that goes on."""
    memories = keras.tree.flatten(states)
    if not has_gates(cell):
        output, after = cell(event, states, training=training)
        return output, after, {}
    gates = gates_of(cell)
    masks = gates.dropout_masks(event, memories[0]) if training else None
    activity = gates.activity(event, *memories, dropout_masks=masks)
    if gates is not cell:
        # Keras's cell multiplies in another order: its own, to the last bit.
        _, after = cell(event, memories, training=training)
        new = zip(gates.memories, keras.tree.flatten(after), strict=True)
        activity = {**activity, **dict(new)}
    after = [activity[name] for name in gates.memories]
    return after[0], keras.tree.pack_sequence_as(states, after), activity
