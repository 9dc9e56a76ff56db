"""Seasonal linear forecasts, fitted in closed form."""

import itertools
from typing import NamedTuple

import numpy as np

from recipes.data.windows import Inputs, Windows, series_of

# Up to so many columns, each has its own map; more columns share one.
OWN_MAPS = 32
# Candidate penalties, times the number of rows; validation chooses.
SEASONAL_PENALTIES = 10.0 ** np.arange(-3, 3)
PENALTIES = 10.0 ** np.arange(-3, 3.1, 0.5)
# Rows that the maps are fitted on; of longer series, windows are left out.
MOST_ROWS = 2**18


class LinearForecast:
    """Linear map from the look-back to the horizon.

    ```
    ŷ = last + (x - last)·W
    ```

    with a `W` for each column, or one for all. DLinear's forecasts have the
    same form, since its decomposition by a moving average is linear too.

    Args:
        kernel: `W`, `(columns, lookback, horizon)` in float32; with more than
            `OWN_MAPS` columns `(1, lookback, horizon)`.

    References:
        Zeng et al., "Are Transformers Effective for Time Series
        Forecasting?", 2023.
    """

    def __init__(self, kernel: np.ndarray) -> None:
        self.kernel = kernel

    def __call__(self, inputs: Inputs) -> np.ndarray:
        """Forecast from a series, `(batch, lookback, columns)`."""
        seen = series_of(inputs)
        last = seen[:, -1:]
        changes = (seen - last).transpose(2, 0, 1) @ self.kernel
        return changes.transpose(1, 2, 0) + last


def fit(train: Windows, validation: Windows, period: int) -> LinearForecast:
    """Fit a linear map in three steps, each to what the one before left.

    1. A map shared by all phases of the period and all columns. With `u` the
       changes since the last value, by day and phase, the forecast of phase
       `p` of day `d` of the horizon is

       ```
       Σ_k A[k,d]·u[k,p] + Σ_k B[k,d]·mean(u[k]) + Σ_j C[j,d]·u[last day, j]
       ```

       A "day" is one period. This step is left out if the period is 1 or does
       not fit into the look-back.
    2. A dense map, shared by all columns.
    3. A dense map for each column, up to `OWN_MAPS` columns.

    Each is a ridge regression (for step 1 with a penalty for each of A, B and
    C), whose penalty gives the least squared error on validation.

    Args:
        train: Windows to fit, in standard units.
        validation: Windows to choose penalties on.
        period: Steps in a period.
    """
    seen, held_out = _sums(train), _sums(validation)
    all_seen, all_held_out = _total(seen), _total(held_out)
    kernel = np.zeros_like(all_seen.products)
    if 1 < period <= train.lookback:
        kernel = _fit_seasonal(all_seen, all_held_out, period)
    kernel = kernel + _fit_dense(
        all_seen.left_by(kernel), all_held_out.left_by(kernel)
    )
    if len(seen) == 1:
        return LinearForecast(kernel[np.newaxis].astype(np.float32))
    own = [
        kernel + _fit_dense(it.left_by(kernel), held.left_by(kernel))
        for it, held in zip(seen, held_out, strict=True)
    ]
    return LinearForecast(np.stack(own).astype(np.float32))


class _Sums(NamedTuple):
    """Sums over windows: all that a linear regression needs.

    Args:
        squares: `uᵀu`, `(lookback, lookback)`.
        products: `uᵀy`, `(lookback, horizon)`.
        rows: Number of windows.
    """

    squares: np.ndarray
    products: np.ndarray
    rows: int

    def left_by(self, kernel: np.ndarray) -> "_Sums":
        """Return the sums for what a map does not explain."""
        return self._replace(products=self.products - self.squares @ kernel)

    def error(self, kernel: np.ndarray) -> float:
        """Return the squared error of a map, less that of no map."""
        explained = self.squares @ kernel - 2 * self.products
        return float(np.sum(kernel * explained))

    def ridge(self, penalty: np.ndarray) -> np.ndarray:
        """Return the map of the least error plus `rows·Σ penalty·kernel²`."""
        diagonal = np.diag(self.rows * penalty)
        return np.linalg.solve(self.squares + diagonal, self.products)


def _sums(windows: Windows) -> list[_Sums]:
    """Return the sums of each column, or of all with many columns."""
    columns, length = windows.views.shape[1:]
    own = columns <= OWN_MAPS
    maps = columns if own else 1
    lookback = windows.lookback
    squares = np.zeros((maps, lookback, lookback))
    products = np.zeros((maps, lookback, length - lookback))
    rows = 0
    every = -(-len(windows) * columns // MOST_ROWS)
    for inputs, targets in windows.batches(every):
        both = np.concatenate([series_of(inputs), targets], 1, dtype=np.float64)
        both = (both - both[:, lookback - 1, np.newaxis]).transpose(2, 0, 1)
        both = both.reshape(maps, -1, length)
        changes = both[..., :lookback]
        squares += changes.swapaxes(1, 2) @ changes
        products += changes.swapaxes(1, 2) @ both[..., lookback:]
        rows += both.shape[1]
    return [_Sums(*it, rows) for it in zip(squares, products, strict=True)]


def _total(sums: list[_Sums]) -> _Sums:
    squares, products, rows = zip(*sums, strict=True)
    return _Sums(np.sum(squares, 0), np.sum(products, 0), sum(rows))


def _fit_dense(seen: _Sums, held_out: _Sums) -> np.ndarray:
    kernels = (seen.ridge(np.full(len(seen.squares), it)) for it in PENALTIES)
    return min(kernels, key=held_out.error)


def _fit_seasonal(seen: _Sums, held_out: _Sums, period: int) -> np.ndarray:
    """Fit A, B and C, and return their map, `(lookback, horizon)`."""
    lookback, horizon = seen.products.shape
    days = lookback // period
    groups = np.repeat(np.arange(3), [days, days, period])
    seen_days = _by_day(seen, period)
    held_out_days = _by_day(held_out, period)

    def error(maps: list[np.ndarray]) -> float:
        found = zip(held_out_days, maps, strict=True)
        return sum(sums.error(each) for sums, each in found)

    candidates = (
        [sums.ridge(np.asarray(penalties)[groups]) for sums in seen_days]
        for penalties in itertools.product(SEASONAL_PENALTIES, repeat=3)
    )
    maps = np.concatenate(min(candidates, key=error), axis=1)
    same_phase, mean, last_day = np.split(maps, [days, 2 * days])
    kernel = np.einsum("kd,qp->kqdp", same_phase, np.eye(period))
    kernel += mean[:, np.newaxis, :, np.newaxis] / period
    kernel[-1] += last_day[:, :, np.newaxis]
    kernel = kernel.reshape(days * period, -1)[:, :horizon]
    return np.pad(kernel, ((lookback - days * period, 0), (0, 0)))


def _by_day(sums: _Sums, period: int) -> list[_Sums]:
    """Return the sums of the regression of step 1, over all phases.

    The days of the horizon have the same regressors, and are columns of its
    products; a last day with fewer phases has sums of its own.
    """
    horizon = sums.products.shape[1]
    whole = horizon // period * period
    days = [(slice(0, whole), period), (slice(whole, None), horizon - whole)]
    return [
        _over_phases(sums, period, phases, steps)
        for steps, phases in days
        if phases
    ]


def _over_phases(sums: _Sums, period: int, phases: int, steps: slice) -> _Sums:
    lookback = len(sums.squares)
    days = lookback // period
    seen = slice(lookback - days * period, None)
    shape = days, period
    squares = sums.squares[seen, seen].reshape(*shape, *shape)
    products = sums.products[seen, steps].reshape(*shape, -1, phases)
    # Of the values of the forecast phase, of means of days, of the last day.
    same = np.einsum("kplp->kl", squares[:, :phases, :, :phases])
    same_mean = squares[:, :phases].mean(3).sum(1)
    same_last = squares[:, :phases, -1].sum(1)
    mean = squares.mean((1, 3)) * phases
    mean_last = squares[:, :, -1].mean(1) * phases
    last = squares[-1, :, -1] * phases
    return _Sums(
        np.block(
            [
                [same, same_mean, same_last],
                [same_mean.T, mean, mean_last],
                [same_last.T, mean_last.T, last],
            ]
        ),
        np.concatenate(
            [
                np.einsum("kpdp->kd", products[:, :phases]),
                products.mean(1).sum(-1),
                products[-1].sum(-1),
            ]
        ),
        sums.rows * phases,
    )
