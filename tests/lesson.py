"""The lesson's equations in NumPy, float64, written without the library.

Each follows `[STM, E]·W + b` to the letter: the vectors are joined, and
multiplied by one matrix.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights_by_name(layer):
    """A layer's weights as float64: "learn_gate/ignore_factor/kernel" -> W."""
    return {
        "/".join(weight.path.split("/")[-3:]): np.float64(
            weight.numpy() if hasattr(weight, "numpy") else weight
        )
        for weight in layer.weights
    }


def network(weights, name, short_term_memory, event, squish):
    matrix = np.concatenate(
        [weights[f"{name}/recurrent_kernel"], weights[f"{name}/kernel"]]
    )
    joined = np.concatenate([short_term_memory, event], axis=-1)
    return squish(joined @ matrix + weights.get(f"{name}/bias", 0))


def step(weights, event, short_term_memory, long_term_memory, variant):
    """Gives every quantity of one step by its name in the lesson."""

    def ask(name, squish):
        return network(weights, name, short_term_memory, event, squish)

    n = ask("learn_gate/new_information", np.tanh)
    i = ask("learn_gate/ignore_factor", sigmoid)
    f = ask("forget_gate/forget_factor", sigmoid)
    v = ask("use_gate/use_factor", sigmoid)
    kept = long_term_memory * f
    ltm = kept + n * i
    if variant == "lesson":
        w = weights["use_gate/useful_memory/kernel"]
        b = weights.get("use_gate/useful_memory/bias", 0)
        u = np.tanh(kept @ w + b)
    else:
        u = np.tanh(ltm)
    return {
        "new_information": n,
        "ignore_factor": i,
        "learned": n * i,
        "forget_factor": f,
        "kept": kept,
        "long_term_memory": ltm,
        "useful_memory": u,
        "use_factor": v,
        "short_term_memory": u * v,
    }


def sequence(weights, events, variant, memories=None, mask=None):
    """Runs steps over `(batch, time, features)`.

    Where the mask is false, memories stay and the last output is repeated
    (zeros, before there is one).

    Returns:
        outputs `(batch, time, units)`, short-term, long-term memory.
    """
    units = weights["forget_gate/forget_factor/recurrent_kernel"].shape[0]
    empty = np.zeros((len(events), units))
    short, long = memories or (empty, empty)
    output, outputs = empty, []
    for t in range(events.shape[1]):
        after = step(weights, events[:, t], short, long, variant)
        now = (
            np.ones((len(events), 1), bool)
            if mask is None
            else mask[:, t, None]
        )
        short = np.where(now, after["short_term_memory"], short)
        long = np.where(now, after["long_term_memory"], long)
        output = np.where(now, after["short_term_memory"], output)
        outputs.append(output)
    return np.stack(outputs, axis=1), short, long


def numeric_gradients(loss, weights, width=1e-6):
    """dLoss/dWeight by central differences, for every number of every weight.

    Args:
        loss: A function of a dict of weights.
        weights: That dict.
    """
    gradients = {}
    for name, weight in weights.items():
        gradient = np.zeros_like(weight)
        for place in np.ndindex(weight.shape):
            moved = []
            for sign in (1, -1):
                changed = weight.copy()
                changed[place] += sign * width
                moved.append(loss({**weights, name: changed}))
            gradient[place] = (moved[0] - moved[1]) / (2 * width)
        gradients[name] = gradient
    return gradients
