"""Every quantity of every step, told by the gates while a model runs."""

from typing import Any

import keras
from keras import ops

from keras_gatelstm.cell import GateCell
from keras_gatelstm.gates.gate import Activity
from keras_gatelstm.loops import Loop
from keras_gatelstm.network import Tensor

Recorded = dict[str, Activity]


def recording(recorded: Recorded) -> Loop:
    """A loop that notes down what goes on, and gives what a layer gives.

    Args:
        recorded: Filled in, by the path of the layer: its quantities by
            name, `(batch, time, units)`, in the order of the input's time.
            At a masked step, a quantity is what it was at the step before.
    """

    def recorded_loop(
        layer: keras.layers.RNN,
        sequences: Tensor,
        initial_state: Any,
        mask: Tensor | None,
        training: bool = False,
    ) -> tuple[Tensor, Tensor, Any]:
        if not isinstance(layer.cell, GateCell):
            return run_by_keras(layer, sequences, initial_state, mask, training)
        teller = _Teller(layer.cell)
        run = keras.layers.RNN(
            teller,
            return_sequences=True,
            return_state=True,
            go_backwards=layer.go_backwards,
            unroll=layer.unroll,
            zero_output_for_mask=layer.zero_output_for_mask,
            dtype=layer.dtype_policy,
        )
        told, *memories = run(
            sequences, initial_state, mask=mask, training=training
        )
        values = ops.unstack(told, len(teller.names), axis=2)
        activity = dict(zip(teller.names, values, strict=True))
        outputs = activity[layer.cell.memories[0]]
        if layer.go_backwards:
            activity = {
                name: ops.flip(value, axis=1)
                for name, value in activity.items()
            }
        recorded[layer.path] = activity
        return outputs[:, -1], outputs, memories

    return recorded_loop


def run_by_keras(
    layer: keras.layers.RNN,
    sequences: Tensor,
    initial_state: Any,
    mask: Tensor | None,
    training: bool = False,
) -> tuple[Tensor, Tensor, Any]:
    """The loop that a layer has anyway."""
    last, outputs, memories = type(layer).inner_loop(
        layer, sequences, initial_state, mask, training
    )
    return last, outputs, memories


class _Teller(keras.layers.Layer):
    """A cell whose output is all that goes on in another, side by side."""

    def __init__(self, cell: GateCell) -> None:
        super().__init__(dtype=cell.dtype_policy)
        self.cell = cell
        self.state_size = cell.state_size
        self.names: list[str] = []

    def build(self, *_: Any) -> None:
        """Has nothing to make: the cell is built."""

    def call(
        self, inputs: Tensor, states: Any, training: bool = False
    ) -> tuple[Tensor, Any]:
        memories = keras.tree.flatten(states)
        masks = (
            self.cell.dropout_masks(inputs, memories[0]) if training else None
        )
        activity = self.cell.activity(inputs, *memories, dropout_masks=masks)
        self.names = list(activity)
        after = [activity[name] for name in self.cell.memories]
        return (
            ops.stack(list(activity.values()), axis=1),
            keras.tree.pack_sequence_as(states, after),
        )
