"""An LSTM you can see into: named gates, as Keras layers."""

from keras_gatelstm import convert
from keras_gatelstm.gates import (
    Candidate,
    ForgetGate,
    LearnGate,
    RememberGate,
    ResetGate,
    UpdateGate,
    UseGate,
)
from keras_gatelstm.gru import GateGRU, GateGRUCell
from keras_gatelstm.lstm import GateLSTM, GateLSTMCell
from keras_gatelstm.network import SmallNetwork
from keras_gatelstm.rnn import GateRNN, GateRNNCell
from keras_gatelstm.trace import GateTrace, record_gates
from keras_gatelstm.weights import WeightConfig

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "ForgetGate",
    "GateGRU",
    "GateGRUCell",
    "GateLSTM",
    "GateLSTMCell",
    "GateRNN",
    "GateRNNCell",
    "GateTrace",
    "LearnGate",
    "RememberGate",
    "ResetGate",
    "SmallNetwork",
    "UpdateGate",
    "UseGate",
    "WeightConfig",
    "convert",
    "record_gates",
]
