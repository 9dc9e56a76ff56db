"""The gates of any cell: its own, or gates of ours with a Keras cell's weights.

Keras keeps the weights of a cell's gates side by side in one matrix. Here a
cell of ours looks at the parts of that matrix, no copies: what it tells is
what Keras's cell does.
"""

from typing import Any

import keras

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fused import lend_fused_weights
from keras_gatelstm.gru import GateGRUCell
from keras_gatelstm.lstm import GateLSTMCell
from keras_gatelstm.rnn import GateRNNCell

_KEPT = "_keras_gatelstm_gates"


def as_gate_cell(cell: Any) -> GateCell:
    """The cell itself, if it has gates; gates that do what a Keras cell does.

    Args:
        cell: A cell, built. Of one of Keras's, the same gates each time, with
            the weights that it has now.

    Returns:
        The cell whose `activity` tells what goes on.

    Raises:
        TypeError: if the cell is neither ours nor one of Keras's three:
            `has_gates` says.
    """
    if isinstance(cell, GateCell):
        return cell
    if type(cell) not in _BUILDERS:
        raise TypeError(f"{type(cell).__name__} has no gates: {cell!r}")
    # Not as an attribute that Keras would take for a layer of the cell.
    gates: GateCell = vars(cell).get(_KEPT) or _BUILDERS[type(cell)](cell)
    vars(cell)[_KEPT] = gates
    _lend_weights(cell, gates)
    return gates


def has_gates(cell: Any) -> bool:
    """Whether `as_gate_cell` has any for it."""
    return isinstance(cell, GateCell) or type(cell) in _BUILDERS


def _common(cell: Any) -> dict[str, Any]:
    return {
        "activation": cell.activation,
        "use_bias": cell.use_bias,
        "dropout": cell.dropout,
        "recurrent_dropout": cell.recurrent_dropout,
        "dtype": cell.dtype_policy,
        "name": cell.name,
    }


def _lstm(cell: keras.layers.LSTMCell) -> GateCell:
    return GateLSTMCell(
        cell.units,
        variant="standard",
        recurrent_activation=cell.recurrent_activation,
        **_common(cell),
    )


def _gru(cell: keras.layers.GRUCell) -> GateCell:
    return GateGRUCell(
        cell.units,
        recurrent_activation=cell.recurrent_activation,
        reset_after=cell.reset_after,
        **_common(cell),
    )


def _rnn(cell: keras.layers.SimpleRNNCell) -> GateCell:
    return GateRNNCell(cell.units, **_common(cell))


_BUILDERS = {
    keras.layers.LSTMCell: _lstm,
    keras.layers.GRUCell: _gru,
    keras.layers.SimpleRNNCell: _rnn,
}


def _lend_weights(cell: Any, gates: GateCell) -> None:
    lend_fused_weights(cell, gates)
    gates.get_dropout_mask = cell.get_dropout_mask
    gates.get_recurrent_dropout_mask = cell.get_recurrent_dropout_mask
