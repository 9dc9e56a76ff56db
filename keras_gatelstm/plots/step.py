"""What went through an LSTM at a step, found in its trace."""

from dataclasses import dataclass

import numpy as np

from keras_gatelstm.plots import style

LSTM = (
    "new_information",
    "ignore_factor",
    "learned",
    "forget_factor",
    "kept",
    "long_term_memory",
    "useful_memory",
    "use_factor",
    "short_term_memory",
)
# How far two sides of an equation may be apart; bfloat16 has few digits.
EXACT, ROUNDED = 1e-3, 1e-2


@dataclass(frozen=True)
class Step:
    """What the diagram shows: quantities by name, of one unit or of all.

    Args:
        quantities: Those of the step.
        before: The memories from the step before; empty if not recorded.
    """

    quantities: dict[str, float]
    before: dict[str, float]

    def __getitem__(self, name: str) -> float:
        return self.quantities[name]


def read_step(
    values: dict[str, np.ndarray], read: np.ndarray, step: int
) -> int:
    """The step itself, or where it is masked, the one it repeats."""
    # A layer that reads backwards repeats a later one.
    for near in (*read[read <= step][-1:], *read[read >= step][:1]):
        if all(
            np.array_equal(it[near], it[step], equal_nan=True)
            for it in values.values()
        ):
            return int(near)
    raise ValueError(
        f"step {step} is masked, and nothing was read up to it. {_extent(read)}"
    )


def _extent(read: np.ndarray) -> str:
    if not read.size:
        return "No step of the row was read."
    return f"Steps of the row were read from {read[0]} to {read[-1]}."


def step_before(
    values: dict[str, np.ndarray],
    read: np.ndarray,
    step: int,
    tolerance: float,
) -> int | None:
    """Where the step's memories came from, or `None`: it is not in the trace.

    It is the step whose long-term memory the forget gate was given: in a
    layer that reads backwards the next, and where steps were left out of the
    trace, neither.
    """
    memory, factor = values["long_term_memory"], values["forget_factor"][step]
    near = [*read[read < step][-1:], *read[read > step][:1]]
    misses = {
        int(it): np.abs(factor * memory[it] - values["kept"][step]).max()
        / max(1.0, np.abs(memory[it]).max())
        for it in near
    }
    best = min(misses, key=lambda it: misses[it], default=None)
    return best if best is not None and misses[best] < tolerance else None


def variant_of(
    values: dict[str, np.ndarray], read: np.ndarray, tolerance: float
) -> str:
    """Which memory the use gate read, judged by what it made of it."""
    squished = np.tanh(values["long_term_memory"][read])
    useful = values["useful_memory"][read]
    close = np.allclose(useful, squished, rtol=0, atol=tolerance)
    return "standard" if close else "lesson"


def quantities_at(
    values: dict[str, np.ndarray],
    step: int,
    before: int | None,
    unit: int | None,
) -> Step:
    """The numbers of one unit, or the means of all."""

    def number(name: str, at: int) -> float:
        units = values[name][at]
        if unit is not None:
            return float(units[unit])
        return float((units if style.is_factor(name) else np.abs(units)).mean())

    memories = ("long_term_memory", "short_term_memory")
    return Step(
        {name: number(name, step) for name in LSTM},
        {}
        if before is None
        else {name: number(name, before) for name in memories},
    )
