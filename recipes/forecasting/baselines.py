"""Naive forecasts to compare a network with."""

from collections.abc import Callable

import numpy as np

Forecast = Callable[[np.ndarray], np.ndarray]


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
