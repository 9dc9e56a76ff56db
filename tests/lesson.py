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
        weight.path.split("cell/")[-1]: np.float64(
            weight.numpy() if hasattr(weight, "numpy") else weight
        )
        for weight in layer.weights
    }


def network(weights, name, memory, event, squish, peep_at=None):
    matrix = np.concatenate(
        [weights[f"{name}/recurrent_kernel"], weights[f"{name}/kernel"]]
    )
    joined = np.concatenate([memory, event], axis=-1)
    summed = joined @ matrix + biases(weights, name).sum(axis=0)
    if f"{name}/peephole_kernel" in weights:
        summed = summed + peep_at @ np.diag(weights[f"{name}/peephole_kernel"])
    return squish(summed)


def biases(weights, name):
    """The biases of a network, one to a row: there may be two, or none."""
    return np.atleast_2d(weights.get(f"{name}/bias", 0))


def lstm_step(weights, event, memories, variant, coupled=False):
    """Gives every quantity of one step by its name in the lesson."""
    short, long = memories

    def ask(name, squish, peep_at=None):
        return network(weights, name, short, event, squish, peep_at)

    n = ask("learn_gate/new_information", np.tanh)
    f = ask("forget_gate/forget_factor", sigmoid, long)
    i = 1 - f if coupled else ask("learn_gate/ignore_factor", sigmoid, long)
    kept = long * f
    ltm = kept + n * i
    if variant == "lesson":
        w = weights["use_gate/useful_memory/kernel"]
        b = weights.get("use_gate/useful_memory/bias", 0)
        u = np.tanh(kept @ w + b)
    else:
        u = np.tanh(ltm)
    v = ask("use_gate/use_factor", sigmoid, ltm)
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


def gru_step(weights, event, memories, reset_after=True):
    (m,) = memories
    z = network(weights, "update_gate/update_factor", m, event, sigmoid)
    r = network(weights, "reset_gate/reset_factor", m, event, sigmoid)
    if reset_after:
        of_event, of_memory = weights.get("candidate/bias", (0, 0))
        candidate = np.tanh(
            event @ weights["candidate/kernel"]
            + of_event
            + r * (m @ weights["candidate/recurrent_kernel"] + of_memory)
        )
    else:
        candidate = network(weights, "candidate", r * m, event, np.tanh)
    return {
        "update_factor": z,
        "reset_factor": r,
        "candidate": candidate,
        "memory": z * m + (1 - z) * candidate,
    }


def rnn_step(weights, event, memories):
    (m,) = memories
    return {"memory": network(weights, "memory", m, event, np.tanh)}


def sequence(step, weights, events, memories, mask=None):
    """Runs steps over `(batch, time, features)`.

    Where the mask is false, memories stay and the last output is repeated
    (zeros, before there is one).

    Args:
        step: A function of weights, event and memories.
        weights: As `weights_by_name` gives them.
        events: `(batch, time, features)`.
        memories: The memories to start with by their names, the one that is
            the output first.
        mask: `(batch, time)`, or `None`.

    Returns:
        outputs `(batch, time, units)`, and each last memory.
    """
    names = list(memories)
    now = list(memories.values())
    output, outputs = np.zeros_like(now[0]), []
    for t in range(events.shape[1]):
        after = step(weights, events[:, t], now)
        live = np.ones((len(events), 1), bool)
        if mask is not None:
            live = mask[:, t, None]
        now = [
            np.where(live, after[name], before)
            for name, before in zip(names, now, strict=True)
        ]
        output = np.where(live, after[names[0]], output)
        outputs.append(output)
    return np.stack(outputs, axis=1), *now


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
