"""The gates, a Keras layer each: the library's equations, and nothing else.

A gate takes the event and the memories of one step and hands on one thing.
The equations stand here and nowhere else: the cell, the layer, and whatever
looks inside or exports ask these gates. A gate's `activity` gives every
quantity it has to do with by its name; calling the gate, the last of them.

Shapes, everywhere: an event is `(batch, features)`; a memory, and whatever a
gate hands on, is `(batch, units)`.

References:
    Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
"""

from keras_gatelstm.gates.candidate import Candidate
from keras_gatelstm.gates.forget import ForgetGate
from keras_gatelstm.gates.learn import LearnGate
from keras_gatelstm.gates.remember import RememberGate
from keras_gatelstm.gates.reset import ResetGate
from keras_gatelstm.gates.update import UpdateGate
from keras_gatelstm.gates.use import UseGate

__all__ = [
    "Candidate",
    "ForgetGate",
    "LearnGate",
    "RememberGate",
    "ResetGate",
    "UpdateGate",
    "UseGate",
]
