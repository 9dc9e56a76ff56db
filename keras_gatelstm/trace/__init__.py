"""Seeing inside: what every gate did at every step, by name."""

from keras_gatelstm.trace.gate_trace import GateTrace, LayerTrace
from keras_gatelstm.trace.record import record_gates

__all__ = ["GateTrace", "LayerTrace", "record_gates"]
