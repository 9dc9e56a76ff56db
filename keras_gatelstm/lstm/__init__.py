"""The lesson's LSTM: gates, one step (the cell), a sequence (the layer)."""

from keras_gatelstm.lstm.cell import GateLSTMCell, LSTMStep
from keras_gatelstm.lstm.gates import (
    ForgetGate,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.lstm.layer import GateLSTM

__all__ = [
    "ForgetGate",
    "GateLSTM",
    "GateLSTMCell",
    "LSTMStep",
    "LearnGate",
    "RememberGate",
    "UseGate",
]
