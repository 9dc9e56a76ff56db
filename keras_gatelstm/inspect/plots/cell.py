"""The lesson's diagram of a cell, with the numbers of one step."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from keras_gatelstm.core.anatomy import by_name, from_names
from keras_gatelstm.core.options import check_choice
from keras_gatelstm.inspect.notable import (
    describe_units,
    notable_units,
    title_of,
)
from keras_gatelstm.inspect.plots import diagram, style
from keras_gatelstm.inspect.plots.panels import Place, panels_of
from keras_gatelstm.inspect.plots.wiring import Numbers, draw
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer
from keras_gatelstm.lstm.cell import GateLSTMCell, LSTMStep
from keras_gatelstm.lstm.gates import VARIANTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase

NAMES = GateLSTMCell.anatomy.names
# Tolerances of the two sides of an equation; bfloat16 has few digits.
EXACT, ROUNDED = 1e-3, 1e-2


def plot_cell(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    row: int = 0,
    step: int = -1,
    unit: int | Literal["mean"] | None = None,
    variant: str | None = None,
    *,
    ax: Place = None,
) -> "Figure":
    """Plot the lesson's diagram of an LSTM, with the numbers of one step.

    Memories and the event come in at the left, go through the learn, forget,
    remember and use gate, and memories go out at the right. The wider and
    stronger a line, the larger its value: blue above 0, orange below. The bar
    in a gate is full when it is wide open. The title says what was found of
    the unit: the property of the text that its memory goes with and Pearson's
    correlation, or its variance.

    The incoming memories are those of the step before; at the first step of
    the trace they were not recorded, and have no number.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The path of an LSTM in the trace. Default: the only layer.
        row: The number of the row. Default 0.
        step: The number of the step, -1 for the last (default). At a masked
            step, the last unmasked one before it.
        unit: The number of the unit; or `"mean"` for the means of all units,
            of each factor and of the absolute values of the other quantities.
            Default: the first that `notable_units` finds.
        variant: `"lesson"`, where the use gate reads the kept memory, or
            `"standard"`, where it reads the new long-term memory. Default:
            `"standard"` if the useful memory is the tanh of the long-term
            memory in this row, as it is with Keras's own activations.
        ax: Where to draw: an `Axes`, a `Figure` or a `SubFigure`. Default: a
            new figure.

    Returns:
        The figure.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row, step or unit.
        KeyError: if there is no such layer.
        ValueError: if the layer is not an LSTM, `variant` is unknown, or all
            steps up to this one are masked; if `layer` is `None` and there
            are several, `unit` is another word than `"mean"`, or `ax` is
            several axes.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_cell
    >>> lstm = GateLSTM(4, name="lstm")
    >>> trace = record_gates(lstm, np.ones((1, 5, 3)), tokens="event")
    >>> figure = plot_cell(trace, step=2, unit=0)
    >>> figure.axes[0].texts[0].get_text().partition(":")[0]
    'lstm, step 2, unit 0'
    """
    traced = as_layer(trace, layer)
    _check_lstm(traced)
    if variant is not None:
        check_choice("variant", variant, VARIANTS)
    batch, steps, units = traced.shape
    row = style.place("row", row, batch)
    step = style.place("step", step, steps)
    if unit is None:
        [unit] = notable_units(trace, layer, row, count=1)
    of_one = _unit_number(unit, units)
    values = from_names(
        LSTMStep, {name: style.numbers(traced[name][row]) for name in NAMES}
    )
    read = np.arange(steps)
    if traced.mask is not None:
        read = np.flatnonzero(traced.mask[row])
    shown = _find_read_step(values, read, step)
    tolerance = EXACT if traced[NAMES[0]].dtype.itemsize >= 4 else ROUNDED
    if variant is None:
        variant = _infer_variant(values, read, tolerance)
    before = _find_step_before(values, read, shown, tolerance)
    tokens = style.tokens_of(trace, traced, row)

    size = diagram.WIDTH / 10, diagram.HEIGHT / 10
    panels = panels_of(ax, ["the cell"], size, _fill)
    if ax is None:
        panels.figure.set_layout_engine("none")
    drawing = diagram.Diagram(panels.axes[0])
    of_row = f", row {row}" if batch > 1 else ""
    title = f"{style.plain(traced.path)}{of_row}, step {step:,}"
    if shown != step:
        title += f" (masked: as at step {shown})"
    if of_one is None:
        title += f", mean of {units} units"
    else:
        found = describe_units(trace, layer, row)[of_one]
        title += f", {title_of(of_one, found)}"
    explained = _explain(of_one)
    if before is None:
        explained += " The memories that came in were not recorded."
    drawing.heading(title, explained)
    token = "" if tokens is None else tokens[shown]
    draw(
        drawing, _select_numbers(values, shown, before, of_one), variant, token
    )
    return panels.figure


def _fill(figure: "FigureBase") -> "list[Axes]":
    return [figure.add_axes((0, 0, 1, 1))]


def _unit_number(unit: int | str, units: int) -> int | None:
    """Return the number of a unit, or `None` for the mean of all."""
    if unit == "mean":
        return None
    if isinstance(unit, str):
        raise ValueError(
            f'unit must be a number or "mean". Received: unit={unit!r}'
        )
    return style.place("unit", unit, units)


def _check_lstm(layer: LayerTrace) -> None:
    missing = [name for name in NAMES if name not in layer]
    if missing:
        raise ValueError(
            "plot_cell draws an LSTM, which has the quantities "
            f"{', '.join(NAMES)}. {layer.path} has {', '.join(layer)}, and no "
            f"{', '.join(missing)}"
        )


def _explain(unit: int | None) -> str:
    """Say how to read the diagram."""
    bars = "Bars: how open the gate is, from 0 to 1."
    if unit is not None:
        return f"Lines: wide where large; blue above 0, orange below. {bars}"
    return (
        "Means of the factors i, f, V, and of the absolute values of the "
        f"rest. Lines: wide where large. {bars}"
    )


def _find_read_step(values: LSTMStep, read: np.ndarray, step: int) -> int:
    """Return the step itself, or for a masked step, the one it repeats."""
    # A layer that reads backwards repeats a later one.
    for near in (*read[read <= step][-1:], *read[read >= step][:1]):
        if all(
            np.array_equal(it[near], it[step], equal_nan=True)
            for it in by_name(values).values()
        ):
            return int(near)
    raise ValueError(
        f"step {step} is masked, and nothing was read up to it. "
        f"{_describe_extent(read)}"
    )


def _describe_extent(read: np.ndarray) -> str:
    if not read.size:
        return "No step of the row was read."
    return f"Steps of the row were read from {read[0]} to {read[-1]}."


def _find_step_before(
    values: LSTMStep,
    read: np.ndarray,
    step: int,
    tolerance: float,
) -> int | None:
    """Return the step that the memories came from, or `None` if not recorded.

    The forget gate read the long-term memory of that step. In a layer that
    reads backwards it is the next step; if steps were left out of the trace,
    it may be missing.
    """
    memory = values.remember_gate.long_term_memory
    forget = values.forget_gate
    near = [*read[read < step][-1:], *read[read > step][:1]]
    misses = {
        int(it): np.abs(
            forget.forget_factor[step] * memory[it] - forget.kept[step]
        ).max()
        / max(1.0, np.abs(memory[it]).max())
        for it in near
    }
    best = min(misses, key=lambda it: misses[it], default=None)
    return best if best is not None and misses[best] < tolerance else None


def _infer_variant(values: LSTMStep, read: np.ndarray, tolerance: float) -> str:
    """Return the variant, judged by the use gate's useful memory."""
    memory = np.tanh(values.remember_gate.long_term_memory[read])
    useful = values.use_gate.useful_memory[read]
    close = np.allclose(useful, memory, rtol=0, atol=tolerance)
    return "standard" if close else "lesson"


def _select_numbers(
    values: LSTMStep, step: int, before: int | None, unit: int | None
) -> Numbers:
    """Return the numbers of one unit, or the means of all."""

    def number(name: str, units: np.ndarray) -> float:
        if unit is not None:
            return float(units[unit])
        is_factor = name in GateLSTMCell.anatomy.factors
        return float((units if is_factor else np.abs(units)).mean())

    def at(place: int) -> LSTMStep:
        named = by_name(values).items()
        numbers = {name: number(name, it[place]) for name, it in named}
        return from_names(LSTMStep, numbers)

    return Numbers(at(step), None if before is None else at(before))
