"""Plots of forecasts and their errors."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Length of the known series in a plot, in horizons.
SEEN = 2
# Columns in a picture; others are left out.
COLUMNS = 3
COLUMNS_OF_ERRORS = 6
COLUMNS_AHEAD = 20
# Up to so many steps, each is marked on a line.
MARKED_STEPS = 12
# Letters in a line of a y axis's label.
LABEL = 24
SERIES, FORECAST = "#555555", "#1f6fb4"
DPI = 130


def draw_windows(
    truth: pd.DataFrame,
    forecasts: dict[int, np.ndarray],
    widths: np.ndarray,
    coverage: float,
    path: Path,
) -> None:
    """Plot forecasts beside the true values.

    Args:
        truth: The series, in its own units.
        forecasts: Forecasts by their first row, `(horizon, columns)`.
        widths: Half widths of the intervals, `(horizon, columns)`.
        coverage: Share of true values that the intervals are to cover.
        path: File of the picture.
    """
    names = list(truth.columns)[-COLUMNS:]
    figure = Figure(
        figsize=(4.5 * len(forecasts), 2.4 * len(names)), layout="constrained"
    )
    grid = figure.subplots(len(names), len(forecasts), squeeze=False)
    for axes_of_window, (start, forecast) in zip(
        grid.T, forecasts.items(), strict=True
    ):
        for axes, name in zip(axes_of_window, names, strict=True):
            column = truth.columns.get_loc(name)
            stop = start + len(forecast)
            draw_forecast(
                axes,
                truth[name].iloc[max(0, start - SEEN * len(forecast)) : stop],
                truth.index[start:stop],
                forecast[:, column],
                widths[:, column],
                coverage,
            )
        axes_of_window[0].set_title(
            f"from {_when(truth.index[start])}", size="medium"
        )
    _add_legend(figure, grid[0, 0])
    figure.savefig(path, dpi=DPI)


def draw_continuation(
    known: pd.DataFrame,
    times: pd.DatetimeIndex,
    forecast: np.ndarray,
    widths: np.ndarray,
    coverage: float,
    path: Path,
) -> None:
    """Plot the forecast after the last known values, a panel for each column.

    Args:
        known: The known series, in its own units, of which the first columns
            are drawn.
        times: Times of the forecast, `(horizon,)`.
        forecast: The forecast, `(horizon, columns)`.
        widths: Half widths of the intervals, `(horizon, columns)`.
        coverage: Share of true values that the intervals are to cover.
        path: File of the picture.
    """
    names = list(known.columns)[:COLUMNS_AHEAD]
    figure = Figure(figsize=(8, 0.4 + 2.2 * len(names)), layout="constrained")
    grid = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    for number, (axes, name) in enumerate(zip(grid, names, strict=True)):
        draw_forecast(
            axes,
            known[name].iloc[-SEEN * len(forecast) :],
            times,
            forecast[:, number],
            widths[:, number],
            coverage,
        )
    _add_legend(figure, grid[0])
    if len(names) < len(known.columns):
        title = _left_out(names, known.columns)
        figure.suptitle(title, x=0.99, ha="right", size="small")
    figure.savefig(path, dpi=DPI)


def draw_forecast(
    axes: Axes,
    series: pd.Series,
    times: pd.DatetimeIndex,
    forecast: np.ndarray,
    widths: np.ndarray,
    coverage: float,
) -> None:
    """Plot one forecast with its interval, beside the series.

    Args:
        axes: Where to plot.
        series: The series up to now, or with what came after.
        times: Times of the forecast, `(horizon,)`.
        forecast: The forecast, `(horizon,)`.
        widths: Half widths of the intervals, `(horizon,)`.
        coverage: Share of true values that the intervals are to cover.
    """
    axes.plot(
        as_numbers(series.index),
        series,
        color=SERIES,
        lw=1,
        label="series",
    )
    ahead = as_numbers(times)
    interval: dict[str, Any] = {
        "color": FORECAST,
        "alpha": 0.2,
        "label": f"{100 * coverage:g} % interval",
    }
    lower, upper = forecast - widths, forecast + widths
    line = axes.plot(ahead, forecast, color=FORECAST, lw=1.5, label="forecast")
    if len(times) == 1:
        # A single step has no line and no area.
        line[0].set_marker("o")
        axes.vlines(ahead, lower, upper, lw=8, **interval)
    else:
        axes.fill_between(ahead, lower, upper, lw=0, **interval)
    known = series.index[series.index < times[0]]
    _mark_now(axes, as_numbers(known[-1:])[0])
    label_times(axes, times)
    label_values(axes, str(series.name))


def as_numbers(times: pd.DatetimeIndex) -> np.ndarray:
    """Return times as matplotlib's numbers, days since 1970."""
    return np.asarray(dates.date2num(times))  # type: ignore[no-untyped-call]


def _mark_now(axes: Axes, now: float) -> None:
    axes.axvline(now, color="black", lw=0.8, ls="--", zorder=1)
    axes.margins(x=0.02, y=0.18)
    axes.annotate(
        "now",
        (now, 1),
        (-3, -3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="right",
        va="top",
        size="small",
        bbox={"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0},
    )


def label_times(axes: Axes, times: pd.DatetimeIndex) -> None:
    """Label the x axis with dates, in the times' own zone."""
    # These two have no types.
    make_locator: Any = dates.AutoDateLocator
    make_formatter: Any = dates.ConciseDateFormatter
    locator = make_locator(tz=times.tz, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(make_formatter(locator, tz=times.tz))
    axes.tick_params("x", labelsize="small")
    axes.xaxis.get_offset_text().set_fontsize("small")
    if times.tz is not None:
        axes.set_xlabel(f"time, {times.tz}", size="small")


def label_values(axes: Axes, label: str) -> None:
    """Label the y axis of a column with its name, where its unit may stand."""
    # A name such as "price, $" is no formula.
    axes.set_ylabel(textwrap.fill(label, LABEL), size="small", parse_math=False)
    axes.tick_params("y", labelsize="small")


def _add_legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=3, fontsize="small"
    )


def _left_out(shown: Sequence[str], columns: Sequence[str]) -> str:
    return (
        f"the first {len(shown)} of {len(columns)} columns, "
        f"{len(columns) - len(shown)} are left out"
    )


def _when(time: pd.Timestamp) -> str:
    """Return a date, with the time of day unless it is midnight."""
    if time == time.normalize():
        return f"{time:%Y-%m-%d}"
    return f"{time:%Y-%m-%d %H:%M}"


def draw_errors(
    errors: dict[str, np.ndarray], columns: Sequence[str], path: Path
) -> None:
    """Plot each forecast's error over the horizon, a panel for each column.

    Args:
        errors: Mean absolute errors of each forecast, `(horizon, columns)`, in
            the columns' own units.
        columns: Names of the columns, of which the first are drawn.
        path: File of the picture.
    """
    # Imported late, as Keras comes with it.
    from keras_gatelstm.inspect.plots.style import PALETTE

    shown = list(columns)[:COLUMNS_OF_ERRORS]
    across = 3 if len(shown) > 4 else min(2, len(shown))
    down = math.ceil(len(shown) / across)
    figure = Figure(
        figsize=(max(6.5, 4.2 * across), 2.8 * down + 0.6),
        layout="constrained",
    )
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for unused in panels[len(shown) :]:
        unused.remove()
    for number, (axes, name) in enumerate(zip(panels, shown, strict=False)):
        for place, (forecast, error) in enumerate(errors.items()):
            axes.plot(
                np.arange(1, len(error) + 1),
                error[:, number],
                color=PALETTE[place % len(PALETTE)],
                # The first is the model.
                lw=1.2 if place else 2.4,
                marker="o" if len(error) <= MARKED_STEPS else None,
                ms=3,
                label=forecast,
            )
        axes.set_xlabel("steps ahead", size="small")
        axes.set_xlim(0.5, len(error) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.tick_params("x", labelsize="small")
        axes.set_ylim(bottom=0)
        label_values(axes, f"mean absolute error, {name}")
    _add_legend(figure, panels[0])
    # The legend is at the left.
    title = "Errors on the test part"
    if len(shown) < len(columns):
        title += f": {_left_out(shown, columns)}"
    figure.suptitle(title, x=0.99, ha="right", size="medium")
    figure.savefig(path, dpi=DPI)
