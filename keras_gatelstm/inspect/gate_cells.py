"""Gates of any cell: its own, or gates that share a Keras cell's weights.

Keras keeps the weights of a cell's gates side by side in one matrix. A cell of
this package uses slices of that matrix, without copies, and so computes the
same as Keras's cell.
"""

import keras

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fused import lend_fused_weights
from keras_gatelstm.core.types import Config
from keras_gatelstm.gru import GateGRUCell
from keras_gatelstm.lstm import GateLSTMCell
from keras_gatelstm.rnn import GateRNNCell

_KEPT = "_keras_gatelstm_gates"


def as_gate_cell(cell: keras.layers.Layer) -> GateCell:
    """Return the cell itself if it has gates, else an equal one with gates.

    Args:
        cell: A built cell. For one of Keras's, the result is the same object
            each time, with the current weights.

    Returns:
        A cell whose `activity` returns every quantity.

    Raises:
        TypeError: if `has_gates(cell)` is false.
    """
    if isinstance(cell, GateCell):
        return cell
    if type(cell) not in _BUILDERS:
        raise TypeError(f"{type(cell).__name__} has no gates: {cell!r}")
    # In vars: Keras would track an attribute as a layer of the cell.
    gates: GateCell = vars(cell).get(_KEPT) or _BUILDERS[type(cell)](cell)
    vars(cell)[_KEPT] = gates
    _lend_weights(cell, gates)
    return gates


def has_gates(cell: object) -> bool:
    """Return whether `as_gate_cell` supports a cell."""
    return isinstance(cell, GateCell) or type(cell) in _BUILDERS


def _common_options(cell: keras.layers.Layer) -> Config:
    return {
        "activation": cell.activation,
        "use_bias": cell.use_bias,
        "dropout": cell.dropout,
        "recurrent_dropout": cell.recurrent_dropout,
        "dtype": cell.dtype_policy,
        "name": cell.name,
    }


def _make_lstm(cell: keras.layers.LSTMCell) -> GateCell:
    return GateLSTMCell(
        cell.units,
        variant="standard",
        recurrent_activation=cell.recurrent_activation,
        **_common_options(cell),
    )


def _make_gru(cell: keras.layers.GRUCell) -> GateCell:
    return GateGRUCell(
        cell.units,
        recurrent_activation=cell.recurrent_activation,
        reset_after=cell.reset_after,
        **_common_options(cell),
    )


def _make_rnn(cell: keras.layers.SimpleRNNCell) -> GateCell:
    return GateRNNCell(cell.units, **_common_options(cell))


_BUILDERS = {
    keras.layers.LSTMCell: _make_lstm,
    keras.layers.GRUCell: _make_gru,
    keras.layers.SimpleRNNCell: _make_rnn,
}


def _lend_weights(cell: keras.layers.Layer, gates: GateCell) -> None:
    lend_fused_weights(cell, gates)
    gates.get_dropout_mask = cell.get_dropout_mask
    gates.get_recurrent_dropout_mask = cell.get_recurrent_dropout_mask
