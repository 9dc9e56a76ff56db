"""The plain RNN: one step (the cell), a sequence (the layer)."""

from keras_gatelstm.rnn.cell import GateRNNCell, RNNStep
from keras_gatelstm.rnn.layer import GateRNN

__all__ = ["GateRNN", "GateRNNCell", "RNNStep"]
