"""Plots of forecasts, their errors and gates."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    import keras

    from keras_gatelstm import GateTrace

# Length of the known series in a plot, in horizons.
SEEN = 2
COLUMNS = 3


def draw_windows(
    truth: pd.DataFrame,
    forecasts: dict[int, np.ndarray],
    widths: np.ndarray,
    path: Path,
) -> None:
    """Plot forecasts beside the true values.

    Args:
        truth: The series, in its own units.
        forecasts: Forecasts by their first row, `(horizon, columns)`.
        widths: Half widths of the intervals, `(horizon, columns)`.
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
            draw_forecast(
                axes,
                truth[name].iloc[max(0, start - SEEN * len(forecast)) :],
                truth.index[start : start + len(forecast)],
                forecast[:, column],
                widths[:, column],
            )
            axes.set_title(
                f"{name}, from {truth.index[start]:%Y-%m-%d %H:%M}",
                parse_math=False,
            )
    names_of_lines = grid[0, 0].get_legend_handles_labels()
    figure.legend(*names_of_lines, loc="outside upper left", ncols=3)
    figure.savefig(path, dpi=130)


def draw_forecast(
    axes: Axes,
    known: pd.Series,
    times: pd.DatetimeIndex,
    forecast: np.ndarray,
    widths: np.ndarray,
) -> None:
    """Plot one forecast with its interval, and the known values."""
    shown = known[: times[-1]]
    axes.plot(shown.index, shown, color="#555", lw=1, label="truth")
    axes.plot(times, forecast, color="#1f6fb4", lw=1.5, label="forecast")
    axes.fill_between(
        times,
        forecast - widths,
        forecast + widths,
        color="#1f6fb4",
        alpha=0.2,
        lw=0,
        label="interval",
    )
    axes.tick_params("x", rotation=30, labelsize="small")


def draw_errors(errors: dict[str, np.ndarray], path: Path) -> None:
    """Plot each forecast's error over the horizon."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, error in errors.items():
        axes.plot(np.arange(1, len(error) + 1), error, label=name)
    axes.set(xlabel="steps ahead", ylabel="mean absolute error, standard units")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, dpi=130)


def draw_gates(
    model: "keras.Model",
    seen: np.ndarray,
    times: pd.DatetimeIndex,
    path: Path,
) -> None:
    """Plot gates and memories while a model reads a window's last column.

    Args:
        model: The forecaster.
        seen: One window, `(1, lookback, columns)`.
        times: The window's times.
        path: File of the picture.
    """
    from keras_gatelstm import record_gates
    from keras_gatelstm.inspect.plots import plot_gates

    trace = with_times(record_gates(model, seen), times)
    name, layer = next(iter(trace.items()))
    drawn = [it for it in layer if layer.anatomy[it].kind != "value"]
    figure = plot_gates(trace, name, drawn, row=layer.shape[0] - 1)
    figure.savefig(path, dpi=130)


def with_times(trace: "GateTrace", times: pd.DatetimeIndex) -> "GateTrace":
    """Return a trace whose steps are labelled with times.

    A step reads one row of the series or a segment of several, and is labelled
    with the first of its times.
    """
    from keras_gatelstm import GateTrace

    batch, steps, _ = next(iter(trace.values())).shape
    length, rest = divmod(len(times), steps)
    if rest:
        return trace
    begins = np.array(times[::length].astype(str), str)
    return GateTrace(trace.layers, np.broadcast_to(begins, (batch, steps)))
