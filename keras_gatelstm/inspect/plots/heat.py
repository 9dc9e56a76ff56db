"""Heat maps: every quantity of every unit over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

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
    from matplotlib.image import AxesImage

UNIT, LOWEST, HIGHEST = 0.11, 0.8, 3.0


def plot_gates(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    quantities: str | Sequence[str] | None = None,
    row: int = 0,
    units: Rows | None = None,
) -> "Figure":
    """Plot heat maps of a layer's quantities: steps to the right, units down.

    The colours of factors are scaled from 0 to 1; those of other quantities
    symmetrically around 0, up to the largest absolute value. Masked steps are
    hatched. The figure is as wide as the steps need, up to 200 of them; with
    more, some tokens are left out: use `trace.select(time=...)` to show a part
    in detail.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The layer's path in the trace. Default: the only layer.
        quantities: The names of the quantities to draw, one panel each.
            Default: all quantities of the layer.
        row: The number of the row. Default 0.
        units: The units to draw: a number, a slice, or several numbers.
            Default: all.

    Returns:
        The figure: its first axes are the panels, in the order of
        `quantities`, the others their colour bars.

    Raises:
        ImportError: if matplotlib is not installed.
        IndexError: if there is no such row or unit.
        KeyError: if there is no such layer or quantity.
        ValueError: if `layer` is `None` and there are several, or
            `quantities` or `units` are empty.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_gates
    >>> trace = record_gates(GateLSTM(4), np.ones((1, 5, 3)), tokens="event")
    >>> figure = plot_gates(trace, quantities=["forget_factor", "kept"])
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['forget_factor', 'kept']
    """
    traced = as_layer(trace, layer)
    names = style.names_of(traced, quantities)
    batch, steps, count = traced.shape
    row = style.place("row", row, batch)
    chosen = style.places("units", units, count)
    width = style.width_of(steps)
    height = min(max(UNIT * len(chosen), LOWEST), HIGHEST)
    figure = style.new_figure(width + 1.3, len(names) * (height + 0.5) + 1.0)
    grid = figure.add_gridspec(len(names), 2, width_ratios=[width, 0.12])
    panels = [figure.add_subplot(grid[place, 0]) for place in range(len(names))]
    mask = None if traced.mask is None else traced.mask[row]
    for place, (name, axes) in enumerate(zip(names, panels, strict=True)):
        values = style.numbers(traced[name][row])[:, chosen]
        image = _draw_panel(axes, name, name in traced.factors, values)
        style.mark_masked(axes, mask)
        _label_units(axes, chosen, height)
        bar = figure.colorbar(image, cax=figure.add_subplot(grid[place, 1]))
        low, high = image.get_clim()
        ticks = [low, (low + high) / 2, high]
        bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
        bar.ax.tick_params(labelsize=style.LABEL_SIZE, length=2)
    tokens = style.tokens_of(trace, traced, row)
    for axes in panels:
        upright = style.label_steps(axes, tokens, mask, steps)
        axes.sharex(panels[0])
        if axes is not panels[-1]:
            axes.set_xlabel("")
            axes.tick_params(axis="x", labelbottom=upright)
    figure.suptitle(f"{style.plain(traced.path)}, row {row}", fontsize=11)
    return figure


def _draw_panel(
    axes: "Axes", name: str, is_factor: bool, values: np.ndarray
) -> "AxesImage":
    from matplotlib import colormaps

    if is_factor:
        low, high, colors = 0.0, 1.0, style.SEQUENTIAL
    else:
        finite = np.abs(values[np.isfinite(values)])
        high = float(finite.max(initial=0.0)) or 1.0
        low, colors = -high, style.DIVERGING
    axes.set_title(name, loc="left", fontsize=9)
    return axes.imshow(
        values.T,
        # NaN must not look like 0.
        cmap=colormaps[colors].with_extremes(bad="red"),
        vmin=low,
        vmax=high,
        aspect="auto",
        interpolation="nearest",
    )


def _label_units(axes: "Axes", chosen: list[int], height: float) -> None:
    step = style.every(len(chosen), height / 0.11)
    shown = range(0, len(chosen), step)
    labels = [str(chosen[place]) for place in shown]
    axes.set_yticks(shown, labels, fontsize=style.LABEL_SIZE)
    axes.tick_params(axis="y", length=2)
    axes.set_ylabel("unit", fontsize=8)
