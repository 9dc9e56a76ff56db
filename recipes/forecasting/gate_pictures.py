"""Plots of gates and memories while a model reads a series."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_gatelstm import record_gates
from keras_gatelstm.inspect import LayerTrace
from keras_gatelstm.inspect.colors import color_of
from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.panels import Place, column, panels_of
from keras_gatelstm.inspect.plots.view import Chosen, View, view_of
from recipes.data.windows import Inputs
from recipes.forecasting.pictures import (
    DPI,
    SERIES,
    as_numbers,
    label_times,
    label_values,
)
from recipes.forecasting.reading import borders_of, rows_per_step

BORDERS = "#999999"
# Units in a heat map, unless more are asked for.
SHOWN = 12


def draw_gates(
    model: keras.Model,
    window: Inputs,
    seen: pd.Series,
    horizon: int,
    path: Path,
) -> None:
    """Plot gates and memories while a model reads a series' last column.

    Args:
        model: The forecaster.
        window: Inputs of the model, of one window.
        seen: The last column of that window, in its own units.
        horizon: Steps that the model forecasts.
        path: File of the picture.
    """
    layer = next(iter(record_gates(model, window).values()))
    size = rows_per_step(layer.shape[1], len(seen), horizon)
    if size is None:
        raise ValueError(
            f"{layer.path} takes {layer.shape[1]} steps for {len(seen)} rows, "
            "neither one for each row nor one for each segment"
        )
    drawn = [it for it in layer if layer.anatomy[it].kind != "value"]
    plot_reading(layer, seen, size, drawn).savefig(path, dpi=DPI)


def plot_reading(
    layer: LayerTrace,
    seen: pd.Series,
    size: int,
    quantities: Sequence[str],
    units: Chosen = None,
    *,
    ax: Place = None,
) -> Figure:
    """Plot heat maps of a layer's last row below the series that it reads.

    Colours are those of `plot_gates`.

    Args:
        layer: The trace of the layer.
        seen: The series, in its own units.
        size: Rows of the series that a step reads.
        quantities: Names of the quantities to draw, a panel for each.
        units: The units to draw: a number, a slice, several numbers, or
            `"all"`. Default: the 12 that vary most.
        ax: Where to draw: a `Figure` or `SubFigure`, or an `Axes` for the
            series and one for each quantity. Default: a new figure.

    Returns:
        The figure: the first axes of a new one are the panels, from above, the
        others the colour bars.
    """
    view = view_of(layer, None, -1, units, "all", SHOWN)
    steps = len(view.steps)
    height = min(max(0.13 * len(view.units), 0.8), 1.6)
    heights = [1.8, *[height] * len(quantities)]
    inches = (10, sum(heights) + 0.3 * len(heights) + 0.7)
    names = [str(seen.name), *quantities]
    drawn = panels_of(ax, names, inches, column(len(names), heights))
    top, *panels = drawn.axes
    edges = _edges(seen.index)[borders_of(steps, len(seen), size)]
    top.plot(as_numbers(seen.index), seen, color=SERIES, lw=1)
    label_values(top, str(seen.name))
    for name, axes in zip(quantities, panels, strict=True):
        _draw_map(axes, view, name, edges)
        style.label_units(axes, [str(unit) for unit in view.units], height)
    if size > 1:
        for axes in (top, *panels):
            for edge in edges[1:-1]:
                axes.axvline(edge, color=BORDERS, lw=0.6)
    for axes in drawn.axes if drawn.owner is None else drawn.axes[-1:]:
        label_times(axes, seen.index)
    for axes in drawn.axes:
        axes.set_xlim(edges[0], edges[-1])
    read = "a row" if size == 1 else f"the {size} rows between two lines"
    drawn.head(f"{view.heading}; each reads {read}")
    return drawn.figure


def _edges(times: pd.DatetimeIndex) -> np.ndarray:
    """Return the middles between times, and ends, `(times + 1,)`."""
    at = as_numbers(times)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middles = (at[1:] + at[:-1]) / 2
    return np.array(
        [2 * at[0] - middles[0], *middles, 2 * at[-1] - middles[-1]]
    )


def _draw_map(axes: Axes, view: View, name: str, edges: np.ndarray) -> None:
    """Draw the heat map of a quantity, of steps between these edges."""
    values = view.values(name)
    is_factor = name in view.layer.factors
    low, high = style.limits(values, is_factor)
    units = values.shape[1]
    image = axes.pcolormesh(
        edges,
        np.arange(units + 1) - 0.5,
        np.ma.masked_invalid(values.T),
        cmap=style.color_map(),
        vmin=low,
        vmax=high,
    )
    axes.set_ylim(units - 0.5, -0.5)
    color = color_of(view.layer.anatomy, name).line
    axes.set_title(name, loc="left", size="small", color=color)
    style.add_color_bar(image, axes, values, is_factor)
