"""Traces to draw, made by hand: no backend has a part in them."""

import numpy as np

from keras_gatelstm import Anatomy, GateGRUCell, GateLSTMCell, GateRNNCell
from keras_gatelstm.inspect import GateTrace, LayerTrace

BATCH, TIME, UNITS = 2, 7, 4
MASK = np.array([[1, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 1, 1]], bool)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_quantities(variant="lesson", mask=None, backwards=False):
    """An LSTM's, with factors from nowhere but the lesson's equations."""
    random = np.random.default_rng(5)
    draws = random.normal(scale=2, size=(5, BATCH, TIME, UNITS))
    new, ignore, forget, use, useful = draws
    found = {
        "new_information": np.tanh(new),
        "ignore_factor": sigmoid(ignore),
        "learned": np.tanh(new) * sigmoid(ignore),
        "forget_factor": sigmoid(forget),
        "kept": np.zeros_like(new),
        "long_term_memory": np.zeros_like(new),
        "useful_memory": np.tanh(useful),
        "use_factor": sigmoid(use),
        "short_term_memory": np.zeros_like(new),
    }
    order = range(TIME)[::-1] if backwards else range(TIME)
    for row in range(BATCH):
        before, last = np.ones(UNITS), None
        for step in order:
            at = (row, step)
            if mask is not None and not mask[at]:
                for it in found.values():
                    it[at] = 0 if last is None else it[row, last]
                continue
            kept = before * found["forget_factor"][at]
            before = kept + found["learned"][at]
            found["kept"][at], found["long_term_memory"][at] = kept, before
            if variant == "standard":
                found["useful_memory"][at] = np.tanh(before)
            found["short_term_memory"][at] = (
                found["useful_memory"][at] * found["use_factor"][at]
            )
            last = step
    return {name: it.astype("float32") for name, it in found.items()}


def lstm_trace(tokens=None, mask=None, dtype="float32", **options):
    quantities = {
        name: it.astype(dtype)
        for name, it in lstm_quantities(mask=mask, **options).items()
    }
    if tokens is not None:
        tokens = np.broadcast_to(np.array(tokens), (BATCH, TIME))
    layer = LayerTrace("lstm", quantities, mask, GateLSTMCell.anatomy)
    return GateTrace({"lstm": layer}, tokens)


def wide_trace():
    """An LSTM of 40 units and 300 steps; unit 7 counts down in each line."""
    lines = "it was a dark night,\nand the rain fell\nin torrents.\n"
    text = (lines * 6)[:300]
    random = np.random.default_rng(7)
    quantities = {
        name: random.uniform(size=(1, 300, 40)).astype("float32")
        for name in GateLSTMCell.anatomy.names
    }
    position, count = np.zeros(300), 0
    for step, letter in enumerate(text):
        count = 0 if letter == "\n" else count + 1
        position[step] = count
    memory = quantities["long_term_memory"]
    memory[0, :, 7] = -position / 100
    memory[0, :, 21] *= 3
    layer = LayerTrace("lstm", quantities, None, GateLSTMCell.anatomy)
    return GateTrace({"lstm": layer}, np.array([list(text)]))


def anatomy_of(names):
    """The description of the cell that has these quantities, if one has."""
    for cell in (GateLSTMCell, GateGRUCell, GateRNNCell):
        if set(names) <= set(cell.anatomy.names):
            return cell.anatomy
    return Anatomy(())


def trace_of(*names, path="gru"):
    values = np.random.default_rng(6).uniform(size=(BATCH, TIME, UNITS))
    quantities = dict.fromkeys(names, values)
    layer = LayerTrace(path, quantities, None, anatomy_of(names))
    return GateTrace({path: layer})


GRU = ("reset_factor", "candidate", "update_factor", "memory")
