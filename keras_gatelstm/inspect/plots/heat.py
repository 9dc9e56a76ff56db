"""Heat maps: gates and memories of some units over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_gatelstm.inspect.colors import color_of
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

UNIT, LOWEST, HIGHEST = 0.13, 0.8, 3.0
# Room for the labels of units at the left, and the colour bars at the right.
MARGIN, LETTER = 1.6, 0.065
SHOWN = 12


def plot_gates(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    quantities: str | Sequence[str] | None = None,
    row: int = 0,
    units: Chosen = None,
    *,
    steps: Chosen = None,
    ax: Place = None,
) -> "Figure":
    """Plot heat maps of a layer's quantities: steps to the right, units down.

    Blue is an open gate or a value above 0, orange a shut gate or a value below
    0; the strongest colours are those of 0 and 1 for a factor, and for all
    else, of an absolute value that one in a hundred exceeds. Masked steps are
    hatched. Units that go with a property of the text are labelled with it.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The layer's path in the trace. Default: the only layer.
        quantities: The names of the quantities to draw, one panel each, or
            `"all"`. Default: the factors and memories, if the layer has some,
            and otherwise all.
        row: The number of the row. Default 0.
        units: The units to draw: a number, a slice, several numbers, or
            `"all"`. Default: the 12 that `notable_units` finds.
        steps: The steps to draw, likewise. Default: the last 100.
        ax: Where to draw: a `Figure` or `SubFigure`, or an `Axes` for each
            quantity; see `keras_gatelstm.inspect.plots`. Default: a new
            figure.

    Returns:
        The figure: the first axes of a new one are the panels, in the order
        of `quantities`, the others their colour bars.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row, unit or step.
        KeyError: if there is no such layer or quantity.
        ValueError: if `layer` is `None` and there are several, `quantities`,
            `units` or `steps` are empty, or `ax` is not as many axes as there
            are quantities.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_gates
    >>> trace = record_gates(GateLSTM(4), np.ones((1, 5, 3)), tokens="event")
    >>> figure = plot_gates(trace, quantities=["forget_factor", "kept"])
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['forget_factor', 'kept']
    """
    names = _quantities(as_layer(trace, layer), quantities)
    view = view_of(trace, layer, row, units, steps, SHOWN)
    labels = _unit_labels(view)
    width = style.width_of(len(view.steps))
    margin = MARGIN + LETTER * max(map(len, labels))
    height = min(max(UNIT * len(labels), LOWEST), HIGHEST)
    panels = panels_of(
        ax,
        names,
        (width + margin, len(names) * (height + 0.5) + 1.0),
        column(len(names)),
    )
    for name, axes in zip(names, panels.axes, strict=True):
        if ax is not None:
            width = measured_width(axes)
        _draw_panel(axes, view, name)
        style.label_units(axes, labels, height)
        upright = style.label_steps(axes, view, width)
        if panels.owner is not None and axes is not panels.axes[-1]:
            axes.set_xlabel("")
            axes.tick_params(axis="x", labelbottom=upright)
    panels.head(view.heading)
    return panels.figure


def _quantities(
    layer: LayerTrace, wanted: str | Sequence[str] | None
) -> list[str]:
    if wanted == "all":
        return list(layer)
    if wanted is None:
        kinds = {name: layer.anatomy[name].kind for name in layer}
        shown = [name for name, kind in kinds.items() if kind != "value"]
        return shown or list(layer)
    return style.names_of(layer, wanted)


def _unit_labels(view: View) -> list[str]:
    """Return the units' numbers, and what they go with in the text."""
    if not view.letters:
        return [str(unit) for unit in view.units]
    return [
        f"{found}   {unit}"
        for unit, found in zip(view.units, view.found, strict=True)
    ]


def _draw_panel(axes: "Axes", view: View, name: str) -> None:
    values = view.values(name)
    is_factor = name in view.layer.factors
    low, high = style.limits(values, is_factor)
    image = axes.imshow(
        values.T,
        cmap=style.color_map(),
        vmin=low,
        vmax=high,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_title(
        name,
        loc="left",
        fontsize=9,
        color=color_of(view.layer.anatomy, name).line,
    )
    style.mark_masked(axes, view.mask)
    style.add_color_bar(image, axes, values, is_factor)
