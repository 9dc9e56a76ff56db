"""Line plot of what a unit keeps, learns and remembers, step by step."""

from itertools import cycle
from typing import TYPE_CHECKING

from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.trace import (
    GateTrace,
    LayerTrace,
    Rows,
    as_layer,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colour, dashes and width of the memory, and of each quantity it is made of.
MEMORY = (style.BLACK, "solid", 1.8)
PARTS = (
    (style.BLUE, "dashed", 1.4),
    (style.VERMILLION, "dotted", 1.6),
    (style.GREEN, "dashdot", 1.4),
)
SHOWN = 3


def plot_memory(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    units: Rows | None = None,
    row: int = 0,
) -> "Figure":
    """Plot the memory of some units over time, and what it is made of.

    For an LSTM: kept, learned, and their sum, the long-term memory; for a
    GRU: the candidate, the update factor that weights it, and the memory; for
    an RNN: the memory. Masked steps are hatched.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The layer's path in the trace. Default: the only layer.
        units: The units to draw, one panel each: a number, a slice, or
            several numbers. Default: the first three.
        row: The number of the row. Default 0.

    Returns:
        The figure, with a panel for each unit.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row or unit.
        KeyError: if there is no such layer.
        ValueError: if `units` is empty, the layer has no memory, or `layer`
            is `None` and there are several.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_memory
    >>> trace = record_gates(GateLSTM(4), np.ones((1, 5, 3)), tokens="event")
    >>> figure = plot_memory(trace, units=[1, 3])
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['unit 1', 'unit 3']
    """
    traced = as_layer(trace, layer)
    lines = _line_styles(traced)
    batch, steps, count = traced.shape
    row = style.place("row", row, batch)
    if units is None:
        units = slice(SHOWN)
    chosen = style.places("units", units, count)
    figure = style.new_figure(
        style.width_of(steps) + 0.9, 1.6 * len(chosen) + 1.1
    )
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    mask = None if traced.mask is None else traced.mask[row]
    for unit, axes in zip(chosen, panels, strict=True):
        for name, (color, dashes, width) in lines.items():
            axes.plot(
                style.numbers(traced[name][row, :, unit]),
                color=color,
                linestyle=dashes,
                linewidth=width,
                marker="." if steps == 1 else None,
                label=name,
            )
        _format_axes(axes, unit, steps)
        style.mark_masked(axes, mask)
    style.label_steps(
        panels[-1], style.tokens_of(trace, traced, row), mask, steps
    )
    handles = panels[0].get_legend_handles_labels()
    figure.legend(
        *handles,
        loc="outside lower center",
        ncols=len(lines),
        frameon=False,
        fontsize=9,
    )
    figure.suptitle(f"{style.plain(traced.path)}, row {row}", fontsize=11)
    return figure


def _line_styles(layer: LayerTrace) -> dict[str, tuple[str, str, float]]:
    """Return the line styles of the memory and of its parts, by name."""
    memory = layer.anatomy.main_memory
    if memory is None or memory.name not in layer:
        raise ValueError(
            f"{layer.path} has no memory to draw. It has {', '.join(layer)}"
        )
    parts = [name for name in memory.made_of if name in layer]
    styles = dict(zip(parts, cycle(PARTS), strict=False))
    return {**styles, memory.name: MEMORY}


def _format_axes(axes: "Axes", unit: int, steps: int) -> None:
    axes.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    axes.set_title(f"unit {unit}", loc="left", fontsize=9)
    axes.set_xlim(-0.5, steps - 0.5)
    axes.tick_params(axis="y", labelsize=style.LABEL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
