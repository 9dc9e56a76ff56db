"""Tools to record, draw and measure the activity of gates."""

from keras_gatelstm.inspect.record import record_gates
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace

__all__ = ["GateTrace", "LayerTrace", "record_gates"]
