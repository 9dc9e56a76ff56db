"""Errors and interval coverage of forecasts, over all windows."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from tabulate import tabulate

from recipes.data.windows import Windows
from recipes.forecasting.baselines import Forecast
from recipes.forecasting.settings import Settings

# Published MSE and MAE over all columns, by model and horizon.
REPORTED = {
    "ett/h1": {
        "SegRNN, look-back 96": {
            96: (0.368, 0.395),
            192: (0.408, 0.419),
            336: (0.444, 0.440),
            720: (0.446, 0.457),
        },
        "SegRNN, look-back 720": {
            96: (0.351, 0.392),
            192: (0.392, 0.414),
            336: (0.423, 0.433),
            720: (0.466, 0.472),
        },
        "PatchTST, look-back 720": {
            96: (0.375, 0.404),
            192: (0.418, 0.430),
            336: (0.462, 0.460),
            720: (0.495, 0.497),
        },
        "DLinear": {
            96: (0.375, 0.399),
            192: (0.405, 0.416),
            336: (0.439, 0.443),
            720: (0.472, 0.490),
        },
    }
}

Row = dict[str, float]

# Errors that intervals are computed from, at most: of longer or wider series,
# windows are left out, down to so many.
MOST_ERRORS, LEAST_WINDOWS = 2**27, 200
# Columns of a printed table.
TABLED = 30
# Differences below this share are rounding.
ROUNDING = 1e-4


def errors(
    forecasts: Mapping[str, Forecast],
    windows: Windows,
    deviation: np.ndarray,
) -> tuple[dict[str, Row], dict[str, np.ndarray]]:
    """Compute mean squared and absolute errors, in standard and own units.

    Args:
        forecasts: Forecasts in standard units, by name.
        windows: Windows to forecast, in standard units.
        deviation: Standard deviation of each column, in its own units.

    Returns:
        A row of errors for each forecast; and its mean absolute error in own
        units at each step of the horizon, `(horizon, columns)`.
    """
    rows: dict[str, Row] = {}
    by_step: dict[str, np.ndarray] = {}
    for name, forecast in forecasts.items():
        sums: dict[str, Any] = dict.fromkeys(("mse", "mae", "step"), 0)
        own_square = 0.0
        for inputs, targets in windows.batches():
            error = np.asarray(forecast(inputs), np.float64) - targets
            sums["mse"] += np.sum(error**2)
            sums["mae"] += np.sum(np.abs(error))
            own_square += np.sum((error * deviation) ** 2)
            sums["step"] += np.abs(error * deviation).sum(0)
        count = len(windows) * sums["step"].size
        by_step[name] = sums["step"] / len(windows)
        rows[name] = {
            "mse": sums["mse"] / count,
            "mae": sums["mae"] / count,
            "mse_own_units": own_square / count,
            "mae_own_units": by_step[name].mean(),
        }
    return rows, by_step


def half_widths(
    forecast: Forecast, held_out: Windows, coverage: float
) -> np.ndarray:
    """Compute half widths of intervals by split conformal prediction.

    They are quantiles of the absolute errors on held-out windows, for each
    step and column; with too few windows for the quantile, the largest error.

    Args:
        forecast: The forecaster.
        held_out: Windows that it was not trained on.
        coverage: Share of true values to be inside the intervals.

    Returns:
        Half widths, `(horizon, columns)`, in the forecast's units.

    References:
        Lei et al., "Distribution-Free Predictive Inference for Regression",
        2018.
    """
    length = held_out.views.shape[2] - held_out.lookback
    each = length * held_out.views.shape[1]
    most = max(MOST_ERRORS // each, LEAST_WINDOWS)
    every = math.ceil(len(held_out) / most)
    found = [
        np.abs(np.asarray(forecast(inputs)) - targets)
        for inputs, targets in held_out.batches(every)
    ]
    apart = np.sort(np.concatenate(found), axis=0)
    rank = math.ceil((len(apart) + 1) * coverage)
    return apart[min(rank, len(apart)) - 1]


def coverage(forecast: Forecast, windows: Windows, widths: np.ndarray) -> float:
    """Return the share of true values inside the intervals."""
    inside = [
        np.mean(
            np.abs(np.asarray(forecast(inputs)) - targets) <= widths, (1, 2)
        )
        for inputs, targets in windows.batches()
    ]
    return float(np.concatenate(inside).mean())


def better_than(rows: dict[str, Row]) -> dict[str, list[str]]:
    """Return the forecasts that beat the first one, and in which errors."""
    (_, ours), *others = rows.items()
    found = {
        name: [
            error for error in ("mse", "mae") if _is_smaller(row, ours, error)
        ]
        for name, row in others
    }
    return {name: errors for name, errors in found.items() if errors}


def _is_smaller(row: Row, ours: Row, error: str) -> bool:
    """Return whether an error is smaller than ours; NaN counts as largest."""
    return row[error] < ours[error] * (1 - ROUNDING) or (
        math.isnan(ours[error]) and not math.isnan(row[error])
    )


def table(
    errors: dict[str, Row], better: dict[str, list[str]], settings: Settings
) -> str:
    """Tabulate errors beside published ones for the same horizon."""
    rows = [
        [name, *row.values(), ", ".join(better.get(name, [])).upper()]
        for name, row in errors.items()
    ]
    if settings.target is None:
        reported = REPORTED.get(settings.dataset, {})
        for name, found in reported.items():
            if settings.horizon in found:
                mse, mae = found[settings.horizon]
                rows.append([f"{name}, reported", mse, mae])
    heads = ["", "MSE", "MAE", "MSE\nown units", "MAE\nown units"]
    if better:
        heads.append("better than\nthis model in")
    shown = [row[: len(heads)] for row in rows]
    formats = ("", ".3f", ".3f", ".4g", ".4g")
    return tabulate(shown, heads, floatfmt=formats)


def column_table(mae: dict[str, dict[str, float]]) -> str:
    """Tabulate mean absolute errors in own units, by column and forecast.

    Args:
        mae: Errors by column and forecast.
    """
    rows = [[name, *errors.values()] for name, errors in mae.items()]
    heads = ["MAE, own units", *next(iter(mae.values()))]
    left = len(rows) - TABLED
    more = f"\n... and {left} more, in metrics.json" if left > 0 else ""
    return tabulate(rows[:TABLED], heads, floatfmt=".4g") + more
