"""Scatter plot of units: how often gates are nearly shut and open."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_gatelstm.inspect import statistics
from keras_gatelstm.inspect.colors import color_of
from keras_gatelstm.inspect.gate_sums import HIGH, LOW
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.panels import Place, panels_of
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase


def plot_saturation(
    trace: GateTrace | LayerTrace,
    layer: str | None = None,
    quantities: str | Sequence[str] | None = None,
    *,
    ax: Place = None,
) -> "Figure":
    """Plot how often each unit of a gate is open, and how often shut.

    The x axis is the share of steps at which the unit's factor is above 0.9
    (right saturated), the y axis the share at which it is below 0.1 (left
    saturated). Units on the diagonal are always open or shut; units near the
    origin let a part through. All rows count, without masked steps. Each
    title has the means over the units.

    Args:
        trace: The trace, or a layer of it, then without tokens.
        layer: The layer's path in the trace. Default: the only layer.
        quantities: The names of the factors to draw, one panel each.
            Default: all factors of the layer.
        ax: Where to draw: a `Figure` or `SubFigure`, or an `Axes` for each
            factor; see `keras_gatelstm.inspect.plots`. Default: a new figure.

    Returns:
        The figure, with a panel for each factor.

    Raises:
        ImportError: if matplotlib is not installed.
        KeyError: if there is no such layer or quantity.
        ValueError: if a quantity is not a factor, the layer has no factors,
            or all its steps were masked; if `layer` is `None` and there are
            several, or `ax` is not as many axes as there are factors.

    Example:

    >>> from keras_gatelstm.inspect.plots import plot_saturation
    >>> trace = record_gates(GateGRU(4), np.ones((2, 5, 3)))
    >>> figure = plot_saturation(trace)
    >>> [axes.get_title().split()[0] for axes in figure.axes]
    ['reset_factor', 'update_factor']

    References:
        Karpathy, Johnson and Li, "Visualizing and Understanding Recurrent
        Networks", 2015, section 4.2.
    """
    traced = as_layer(trace, layer)
    names = _select_factors(traced, quantities)
    if traced.mask is not None and not traced.mask.any():
        raise ValueError(
            f"{traced.path} has no steps to count: all of them were masked"
        )

    def make(figure: "FigureBase") -> "list[Axes]":
        grid = figure.subplots(
            1, len(names), sharex=True, sharey=True, squeeze=False
        )
        return list(grid[0])

    panels = panels_of(ax, names, (3.3 * len(names) + 0.5, 4.3), make)
    if ax is None:
        # Square panels keep their margins only in this layout.
        panels.figure.set_layout_engine("compressed")
    for name, axes in zip(names, panels.axes, strict=True):
        _draw_panel(axes, traced, name)
    panels.axes[0].set_ylabel(f"share of steps below {LOW}\n(left saturated)")
    path, units = style.plain(traced.path), traced.shape[-1]
    panels.head(f"{path}: a point for each of {units:,} units")
    return panels.figure


def _select_factors(
    layer: LayerTrace, wanted: str | Sequence[str] | None
) -> list[str]:
    available = layer.factors
    if not available:
        raise ValueError(
            f"{layer.path} has no factors from 0 to 1, as gates have. "
            f"It has {', '.join(layer)}"
        )
    names = available if wanted is None else style.names_of(layer, wanted)
    for name in names:
        if name not in available:
            raise ValueError(
                f"quantities must be factors: {', '.join(available)}. "
                f"Received: {name!r}"
            )
    return names


def _draw_panel(axes: "Axes", layer: LayerTrace, name: str) -> None:
    shares = statistics.saturation(layer, name)
    axes.plot([0, 1], [1, 0], color=style.GREY, linewidth=0.8, linestyle="--")
    axes.scatter(
        shares.high,
        shares.low,
        s=28,
        color=color_of(layer.anatomy, name).line,
        edgecolor="white",
        linewidth=0.5,
        alpha=0.6,
        zorder=2,
        # Points on the edges are drawn in full.
        clip_on=False,
    )
    axes.set_title(
        f"{name}\nopen {shares.high.mean():.0%}, shut {shares.low.mean():.0%}",
        fontsize=10,
        color=color_of(layer.anatomy, name).line,
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), box_aspect=1)
    axes.set_xlabel(f"share of steps above {HIGH}\n(right saturated)")
    axes.spines[["top", "right"]].set_visible(False)
