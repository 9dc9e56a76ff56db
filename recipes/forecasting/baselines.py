"""Baseline forecasts to compare a network with."""

from collections.abc import Callable

import numpy as np

from recipes.data.windows import Windows

Forecast = Callable[[np.ndarray], np.ndarray]

# Candidate penalties of the linear model; validation chooses one.
PENALTIES = 10.0 ** np.arange(0, 7)
BATCH = 256


def last_value(horizon: int) -> Forecast:
    """Return a forecast that repeats the last value."""
    return lambda seen: np.repeat(seen[:, -1:], horizon, axis=1)


def seasonal_naive(horizon: int, season: int) -> Forecast:
    """Return a forecast that repeats the last season.

    If the season is longer than the look-back, all of the look-back is
    repeated.
    """

    def forecast(seen: np.ndarray) -> np.ndarray:
        length = min(season, seen.shape[1])
        repeats = -(-horizon // length)
        return np.tile(seen[:, -length:], (1, repeats, 1))[:, :horizon]

    return forecast


class Linear:
    """Linear map from the look-back to the horizon, shared by all columns.

    ```
    ŷ = last + W·(x - last) + b
    ```

    fitted by ridge regression in closed form. DLinear's forecasts have the
    same form, since its decomposition by a moving average is linear too.

    References:
        Zeng et al., "Are Transformers Effective for Time Series
        Forecasting?", 2023.
    """

    def __init__(self, seen: Windows, held_out: Windows) -> None:
        lookback, ahead = seen.lookback, seen.views.shape[2] - seen.lookback
        square = np.zeros((lookback + 1, lookback + 1))
        product = np.zeros((lookback + 1, ahead))
        for inputs, targets in seen.batches(BATCH):
            rows, changes = _regression_rows(inputs, targets)
            square += rows.T @ rows
            product += rows.T @ changes
        penalty = np.eye(lookback + 1)
        penalty[-1, -1] = 0.0
        found = [
            np.linalg.solve(square + it * penalty, product) for it in PENALTIES
        ]
        errors = [self._error(weights, held_out) for weights in found]
        self.weights = found[int(np.argmin(errors))].astype(np.float32)

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        return _apply_linear(self.weights, seen)

    def _error(self, weights: np.ndarray, held_out: Windows) -> float:
        errors = [
            np.sum((_apply_linear(weights, inputs) - targets) ** 2)
            for inputs, targets in held_out.batches(BATCH)
        ]
        return float(np.sum(errors))


def _regression_rows(
    inputs: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    last = inputs[:, -1:]
    rows = _flatten(inputs - last)
    ones = np.ones((len(rows), 1), rows.dtype)
    return np.concatenate([rows, ones], 1), _flatten(targets - last)


def _flatten(values: np.ndarray) -> np.ndarray:
    return values.swapaxes(1, 2).reshape(-1, values.shape[1])


def _apply_linear(weights: np.ndarray, seen: np.ndarray) -> np.ndarray:
    last = seen[:, -1:]
    changes = (seen - last).swapaxes(1, 2) @ weights[:-1] + weights[-1]
    return changes.swapaxes(1, 2) + last
