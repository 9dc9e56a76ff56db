"""Traces made by hand, for pages."""

import numpy as np

from keras_gatelstm import GateLSTMCell, GateTrace
from keras_gatelstm.inspect import LayerTrace

FACTORS = ("ignore_factor", "forget_factor", "use_factor")
OTHERS = (
    "new_information",
    "learned",
    "kept",
    "long_term_memory",
    "useful_memory",
    "short_term_memory",
)


def some_trace(text, units=6, layers=("first", "second"), mask=None):
    """Memories wander; factors are of a wandering too."""
    random = np.random.default_rng(5)

    def layer(path):
        shape = (2, len(text), units)
        walk = random.normal(size=shape).cumsum(axis=1)
        values = {name: np.tanh(walk * random.normal()) for name in OTHERS}
        for name in FACTORS:
            values[name] = 1 / (1 + np.exp(random.normal(size=shape) - walk))
        values = {name: it.astype("float32") for name, it in values.items()}
        return LayerTrace(path, values, mask, GateLSTMCell.anatomy)

    tokens = np.array([list(text)] * 2)
    return GateTrace({path: layer(path) for path in layers}, tokens)
