"""The GRU: gates, one step (the cell), a sequence (the layer)."""

from keras_gatelstm.gru.cell import GateGRUCell, GRUStep
from keras_gatelstm.gru.gates import Candidate, ResetGate, UpdateGate
from keras_gatelstm.gru.layer import GateGRU

__all__ = [
    "Candidate",
    "GRUStep",
    "GateGRU",
    "GateGRUCell",
    "ResetGate",
    "UpdateGate",
]
