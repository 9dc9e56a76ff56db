"""Forecasts to stand beside a network's."""

from collections.abc import Callable

import numpy as np

from recipes.data.windows import Windows

Forecast = Callable[[np.ndarray], np.ndarray]

# Strengths of the linear model's penalty, of which validation chooses one.
PENALTIES = 10.0 ** np.arange(0, 7)
BATCH = 256


def last_value(horizon: int) -> Forecast:
    """All to come is as the last value seen."""
    return lambda seen: np.repeat(seen[:, -1:], horizon, axis=1)


def seasonal_naive(horizon: int, season: int) -> Forecast:
    """All to come is as one season before; or two, if that is not seen."""

    def forecast(seen: np.ndarray) -> np.ndarray:
        length = min(season, seen.shape[1])
        repeats = -(-horizon // length)
        return np.tile(seen[:, -length:], (1, repeats, 1))[:, :horizon]

    return forecast


class Linear:
    """One linear map from what was seen to what comes, for all columns.

    ```
    ŷ = last + W·(x - last) + b
    ```

    by least squares with a penalty on `W`, in closed form. What DLinear
    adds, a moving average taken apart, is linear too: its forecasts are of
    the same form.

    References:
        Zeng et al., "Are Transformers Effective for Time Series
        Forecasting?", 2023.
    """

    def __init__(self, seen: Windows, held_out: Windows) -> None:
        lookback, ahead = seen.lookback, seen.views.shape[2] - seen.lookback
        square = np.zeros((lookback + 1, lookback + 1))
        product = np.zeros((lookback + 1, ahead))
        for inputs, targets in seen.batches(BATCH):
            rows, changes = _rows(inputs, targets)
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
        return _linear(self.weights, seen)

    def _error(self, weights: np.ndarray, held_out: Windows) -> float:
        errors = [
            np.sum((_linear(weights, inputs) - targets) ** 2)
            for inputs, targets in held_out.batches(BATCH)
        ]
        return float(np.sum(errors))


def _rows(
    inputs: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    last = inputs[:, -1:]
    rows = _flat(inputs - last)
    ones = np.ones((len(rows), 1), rows.dtype)
    return np.concatenate([rows, ones], 1), _flat(targets - last)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.swapaxes(1, 2).reshape(-1, values.shape[1])


def _linear(weights: np.ndarray, seen: np.ndarray) -> np.ndarray:
    last = seen[:, -1:]
    changes = (seen - last).swapaxes(1, 2) @ weights[:-1] + weights[-1]
    return changes.swapaxes(1, 2) + last
