"""The lesson's diagram, with what went through it at a step."""

from typing import TYPE_CHECKING

import numpy as np

from keras_gatelstm import options
from keras_gatelstm.gates.use import VARIANTS
from keras_gatelstm.plots import diagram, style
from keras_gatelstm.plots.step import (
    EXACT,
    LSTM,
    ROUNDED,
    quantities_at,
    read_step,
    step_before,
    variant_of,
)
from keras_gatelstm.plots.wiring import draw
from keras_gatelstm.trace.gate_trace import GateTrace, LayerTrace

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_cell(
    trace: GateTrace,
    layer: str | None = None,
    row: int = 0,
    step: int = -1,
    unit: int | None = None,
    variant: str | None = None,
) -> "Figure":
    """The lesson's diagram of an LSTM, with the numbers of one step in it.

    Memories and the event come in at the left, go through the learn, forget,
    remember and use gate, and memories go out at the right. The wider and
    darker a line, the larger what it carries: purple above 0, orange below.
    The bar in a gate is full when it is wide open.

    The memories that come in are those of the step before; at the first step
    of the trace they were not recorded, and have no number.

    Args:
        trace: What `record_gates` gave.
        layer: The path of an LSTM in the trace; may be left out where there
            is one layer.
        row: The number of the row. Default 0.
        step: The number of the step, -1 for the last (default). At a masked
            step, the last one before it that was read.
        unit: The number of the unit. Default: all of them, the mean of each
            factor, and of the other quantities' absolute values.
        variant: `"lesson"`, where the use gate reads what was kept, or
            `"standard"`, where it reads the new long-term memory. Default:
            `"standard"` if the useful memory is the tanh of the long-term
            memory in this row, as it is with Keras's own activations.

    Returns:
        The figure.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row, step or unit.
        KeyError: if there is no such layer.
        ValueError: if the layer is no LSTM, `variant` neither of the two, or
            nothing was read up to this step; if no layer is named where
            there are several.

    Example:

    >>> from keras_gatelstm.plots import plot_cell
    >>> lstm = GateLSTM(4, name="lstm")
    >>> trace = record_gates(lstm, np.ones((1, 5, 3)), tokens="event")
    >>> figure = plot_cell(trace, step=2, unit=0)
    >>> figure.axes[0].texts[0].get_text()
    'lstm: row 0, step 2, unit 0'
    """
    traced = trace.layer(layer)
    _check_lstm(traced)
    if variant is not None:
        options.check_choice("variant", variant, VARIANTS)
    batch, steps, units = traced.shape
    row = style.place("row", row, batch)
    step = style.place("step", step, steps)
    if unit is not None:
        unit = style.place("unit", unit, units)
    values = {name: style.numbers(traced[name][row]) for name in LSTM}
    read = np.arange(steps)
    if traced.mask is not None:
        read = np.flatnonzero(traced.mask[row])
    shown = read_step(values, read, step)
    tolerance = EXACT if traced["kept"].dtype.itemsize >= 4 else ROUNDED
    if variant is None:
        variant = variant_of(values, read, tolerance)
    before = step_before(values, read, shown, tolerance)
    tokens = style.tokens_of(trace, traced, row)

    figure = style.new_figure(diagram.WIDTH / 10, diagram.HEIGHT / 10)
    figure.set_layout_engine("none")
    drawing = diagram.Diagram(figure.add_axes((0, 0, 1, 1)))
    title = f"{style.plain(traced.path)}: row {row}, step {step}"
    if shown != step:
        title += f" (masked: as at step {shown})"
    title, explained = _heading(title, unit, units)
    if before is None:
        explained += " The memories that came in were not recorded."
    drawing.heading(title, explained)
    token = "" if tokens is None else tokens[shown]
    draw(drawing, quantities_at(values, shown, before, unit), variant, token)
    return figure


def _check_lstm(layer: LayerTrace) -> None:
    missing = [name for name in LSTM if name not in layer]
    if missing:
        raise ValueError(
            "plot_cell draws an LSTM, which has the quantities "
            f"{', '.join(LSTM)}. {layer.path} has {', '.join(layer)}, and no "
            f"{', '.join(missing)}"
        )


def _heading(title: str, unit: int | None, units: int) -> tuple[str, str]:
    bars = "Bars: how open the gate is, from 0 to 1."
    if unit is not None:
        return (
            f"{title}, unit {unit}",
            f"Lines: wide where large; purple above 0, orange below. {bars}",
        )
    return (
        f"{title}, mean of {units} units",
        "Means of the factors i, f, V, and of the absolute values of the "
        f"rest. Lines: wide where large. {bars}",
    )
