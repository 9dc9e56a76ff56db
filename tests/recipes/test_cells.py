"""The recipes' recurrent layers, and memories that last."""

import numpy as np
import pytest

from keras_gatelstm import record_gates
from recipes.cells import CELLS, recurrent_layer, start_remembering

STEPS = 50
events = np.zeros((1, STEPS, 3), "float32")


@pytest.mark.parametrize("cell", CELLS)
def test_memories_last_about_as_long_as_asked(cell):
    layer = recurrent_layer(cell, 4, return_sequences=True)
    layer(events)
    before = [weight.numpy().copy() for weight in layer.weights]
    start_remembering(layer, STEPS)
    changed = sum(
        not np.array_equal(weight.numpy(), old)
        for weight, old in zip(layer.weights, before, strict=True)
    )
    assert changed == (cell != "rnn")
    trace = record_gates(layer, events).only_layer()
    for keeping in {"forget_factor", "update_factor"} & set(trace):
        # Nothing is read or remembered: there are the biases alone.
        np.testing.assert_allclose(trace[keeping], STEPS / (STEPS + 1))
