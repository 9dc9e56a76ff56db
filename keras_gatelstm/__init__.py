"""An LSTM you can see into: four named gates, as Keras layers."""

from keras_gatelstm.gates import (
    ForgetGate,
    LearnGate,
    RememberGate,
    SmallNetwork,
    UseGate,
)
from keras_gatelstm.lstm import GateLSTM, GateLSTMCell

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
