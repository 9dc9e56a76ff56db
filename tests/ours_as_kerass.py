"""Puts our layers in the place of Keras's own, for Keras's own tests.

pytest -p tests.ours_as_kerass --pyargs keras.src.layers.rnn.lstm_test
"""

import keras
from keras.src import layers

from keras_gatelstm import (
    GateGRU,
    GateGRUCell,
    GateLSTM,
    GateLSTMCell,
    GateRNN,
    GateRNNCell,
)


def standard(ours):
    """The standard variant, untold."""

    @keras.saving.register_keras_serializable("tests", ours.__name__)
    class Standard(ours):
        def __init__(self, *arguments, variant="standard", **kwargs):
            super().__init__(*arguments, variant=variant, **kwargs)

    return Standard


layers.LSTM = standard(GateLSTM)
layers.LSTMCell = standard(GateLSTMCell)
layers.GRU, layers.GRUCell = GateGRU, GateGRUCell
layers.SimpleRNN, layers.SimpleRNNCell = GateRNN, GateRNNCell
