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
    """The standard variant, with activations at the places Keras has them."""

    @keras.saving.register_keras_serializable("tests", ours.__name__)
    class Standard(ours):
        def __init__(
            self,
            units,
            activation="tanh",
            recurrent_activation="sigmoid",
            variant="standard",
            **kwargs,
        ):
            squishes = {
                "activation": activation,
                "recurrent_activation": recurrent_activation,
            }
            super().__init__(units, variant, **squishes, **kwargs)

    return Standard


layers.LSTM = standard(GateLSTM)
layers.LSTMCell = standard(GateLSTMCell)
layers.GRU, layers.GRUCell = GateGRU, GateGRUCell
layers.SimpleRNN, layers.SimpleRNNCell = GateRNN, GateRNNCell
