"""Naive forecasts to compare a network with."""

from collections.abc import Callable

import numpy as np

from recipes.data.windows import Inputs, series_of

Forecast = Callable[[Inputs], np.ndarray]


def last_value(horizon: int) -> Forecast:
    """Return a forecast that repeats the last value."""
    return lambda inputs: np.repeat(series_of(inputs)[:, -1:], horizon, axis=1)


def seasonal_naive(horizon: int, season: int) -> Forecast:
    """Return a forecast that repeats the last season.

    If the season is longer than the look-back, all of the look-back is
    repeated.
    """

    def forecast(inputs: Inputs) -> np.ndarray:
        seen = series_of(inputs)
        length = min(season, seen.shape[1])
        repeats = -(-horizon // length)
        return np.tile(seen[:, -length:], (1, repeats, 1))[:, :horizon]

    return forecast
