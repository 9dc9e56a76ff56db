"""Line plot of what a unit keeps, learns and remembers, step by step."""

from itertools import cycle
from typing import TYPE_CHECKING

from keras_gatelstm.inspect.colors import color_of
from keras_gatelstm.inspect.notable import title_of
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.panels import (
    Place,
    column,
    measured_width,
    panels_of,
)
from keras_gatelstm.inspect.plots.view import Chosen, View, view_of
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Dashes and width of the memory, and of each quantity it is made of.
MEMORY = ("solid", 1.8)
PARTS = (("dashed", 1.4), ("dotted", 1.6), ("dashdot", 1.4))
SHOWN = 3
# Inches for a title and a legend beside each other.
ROOM = 7.0


def plot_memory(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    units: Chosen = None,
    row: int = 0,
    *,
    steps: Chosen = None,
    ax: Place = None,
) -> "Figure":
    """Plot the memory of some units over time, and what it is made of.

    For an LSTM: kept, learned, and their sum, the long-term memory; for a
    GRU: the candidate, the update factor that weights it, and the memory; for
    an RNN: the memory. Masked steps are hatched. Each title says what was
    found of the unit: the property of the text that its memory goes with and
    Pearson's correlation, or its variance.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The layer's path in the trace. Default: the only layer.
        units: The units to draw, one panel each: a number, a slice, several
            numbers, or `"all"`. Default: the three that `notable_units` finds.
        row: The number of the row. Default 0.
        steps: The steps to draw, likewise. Default: the last 100.
        ax: Where to draw: a `Figure` or `SubFigure`, or an `Axes` for each
            unit; see `keras_gatelstm.inspect.plots`. Default: a new figure.

    Returns:
        The figure, with a panel for each unit.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row, unit or step.
        KeyError: if there is no such layer.
        ValueError: if `units` or `steps` are empty, the layer has no memory,
            `layer` is `None` and there are several, or `ax` is not as many
            axes as there are units.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_memory
    >>> trace = record_gates(GateLSTM(4), np.ones((1, 5, 3)), tokens="to be")
    >>> figure = plot_memory(trace, units=[1, 3])
    >>> [axes.get_title(loc="left")[:6] for axes in figure.axes]
    ['unit 1', 'unit 3']
    """
    lines = _line_styles(as_layer(trace, layer))
    view = view_of(trace, layer, row, units, steps, SHOWN)
    width = style.width_of(len(view.steps))
    names = [f"unit {unit}" for unit in view.units]
    panels = panels_of(
        ax,
        names,
        (width + 0.9, 1.6 * len(names) + 0.9),
        column(len(names)),
    )
    for place, axes in enumerate(panels.axes):
        _draw_panel(axes, view, place, lines)
        if panels.owner is None or axes is panels.axes[-1]:
            if ax is not None:
                width = measured_width(axes)
            style.label_steps(axes, view, width)
    _add_legend(panels.axes[0], width)
    panels.head(view.heading)
    return panels.figure


def _add_legend(axes: "Axes", width: float) -> None:
    """Explain the lines, beside the title if there is room."""
    if width < ROOM:
        axes.legend(fontsize=7, framealpha=0.8)
        return
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0.1,
        ncols=len(axes.get_legend_handles_labels()[0]),
        frameon=False,
        fontsize=8,
    )


def _line_styles(layer: LayerTrace) -> dict[str, tuple[str, float]]:
    """Return the line styles of the memory and of its parts, by name."""
    memory = layer.anatomy.main_memory
    if memory is None or memory.name not in layer:
        raise ValueError(
            f"{layer.path} has no memory to draw. It has {', '.join(layer)}"
        )
    parts = [name for name in memory.made_of if name in layer]
    styles = dict(zip(parts, cycle(PARTS), strict=False))
    return {**styles, memory.name: MEMORY}


def _draw_panel(
    axes: "Axes",
    view: View,
    place: int,
    lines: dict[str, tuple[str, float]],
) -> None:
    steps = len(view.steps)
    for name, (dashes, width) in lines.items():
        axes.plot(
            view.values(name)[:, place],
            color=color_of(view.layer.anatomy, name).line,
            linestyle=dashes,
            linewidth=width,
            marker="." if steps == 1 else None,
            label=name,
        )
    axes.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    title = title_of(view.units[place], view.found[place])
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlim(-0.5, steps - 0.5)
    axes.set_ylabel("value", fontsize=8)
    axes.tick_params(axis="y", labelsize=style.LABEL_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
    style.mark_masked(axes, view.mask)
