"""An LSTM you can see into: four named gates, as Keras layers."""

from keras_gatelstm.gates import (
    ForgetGate,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.lstm import GateLSTM, GateLSTMCell
from keras_gatelstm.network import SmallNetwork

__version__ = "0.1.0"

__all__ = [
    "ForgetGate",
    "GateLSTM",
    "GateLSTMCell",
    "LearnGate",
    "RememberGate",
    "SmallNetwork",
    "UseGate",
]
