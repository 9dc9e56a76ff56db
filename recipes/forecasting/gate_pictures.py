"""Plots of gates and memories while a model reads a series."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from keras_gatelstm import record_gates
from keras_gatelstm.inspect import LayerTrace
from keras_gatelstm.inspect.plots import style
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
) -> Figure:
    """Plot heat maps of a layer's last row below the series that it reads.

    Args:
        layer: The trace of the layer.
        seen: The series, in its own units.
        size: Rows of the series that a step reads.
        quantities: Names of the quantities to draw, a panel for each.

    Returns:
        The figure: its first axes are the panels, from above, the others the
        colour bars.
    """
    _, steps, units = layer.shape
    height = min(max(0.03 * units, 0.8), 1.5)
    heights = [1.8, *[height] * len(quantities)]
    figure = Figure(
        figsize=(10, sum(heights) + 0.3 * len(heights) + 0.7),
        layout="constrained",
    )
    grid = figure.add_gridspec(
        len(heights), 2, height_ratios=heights, width_ratios=[10, 0.12]
    )
    top, *panels = [
        figure.add_subplot(grid[place, 0]) for place in range(len(heights))
    ]
    edges = _edges(seen.index)[borders_of(steps, len(seen), size)]
    top.plot(as_numbers(seen.index), seen, color=SERIES, lw=1)
    label_values(top, str(seen.name))
    for place, (name, axes) in enumerate(zip(quantities, panels, strict=True)):
        axes.sharex(top)
        image = _draw_map(axes, layer, name, edges)
        bar = figure.colorbar(image, cax=figure.add_subplot(grid[place + 1, 1]))
        bar.ax.tick_params(labelsize=style.LABEL_SIZE)
    for axes in (top, *panels[:-1]):
        axes.tick_params("x", labelbottom=False)
    if size > 1:
        for axes in (top, *panels):
            for edge in edges[1:-1]:
                axes.axvline(edge, color=BORDERS, lw=0.6)
    label_times((panels or [top])[-1], seen.index)
    top.set_xlim(edges[0], edges[-1])
    read = "a row" if size == 1 else f"the {size} rows between two lines"
    figure.suptitle(
        f"{layer.path}: each step reads {read}",
        size="medium",
        parse_math=False,
    )
    return figure


def _edges(times: pd.DatetimeIndex) -> np.ndarray:
    """Return the middles between times, and ends, `(times + 1,)`."""
    at = as_numbers(times)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middles = (at[1:] + at[:-1]) / 2
    return np.array(
        [2 * at[0] - middles[0], *middles, 2 * at[-1] - middles[-1]]
    )


def _draw_map(
    axes: Axes, layer: LayerTrace, name: str, edges: np.ndarray
) -> ScalarMappable:
    """Draw the heat map of a quantity, of steps between these edges."""
    values = style.numbers(layer[name][-1])
    low, high, colors = 0.0, 1.0, style.SEQUENTIAL
    if name not in layer.factors:
        finite = np.abs(values[np.isfinite(values)])
        high = float(finite.max(initial=0.0)) or 1.0
        low, colors = -high, style.DIVERGING
    units = values.shape[1]
    image = axes.pcolormesh(
        edges,
        np.arange(units + 1) - 0.5,
        np.ma.masked_invalid(values.T),
        # NaN must not look like 0.
        cmap=colormaps[colors].with_extremes(bad="red"),
        vmin=low,
        vmax=high,
    )
    axes.set_ylim(units - 0.5, -0.5)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.tick_params("y", labelsize=style.LABEL_SIZE)
    axes.set_ylabel("unit", size="small")
    axes.set_title(name, loc="left", size="small")
    return image
