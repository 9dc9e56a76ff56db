"""Windows of a series, to train and test forecasts on."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Inputs of a model: one array, or several by name.
Inputs = np.ndarray | dict[str, np.ndarray]
Batch = tuple[Inputs, np.ndarray]

# Windows to evaluate at once, of one column each and of all.
COLUMN_WINDOWS, ALL_COLUMNS = 2048, 256
# Batches of an epoch, at least: short series are read several times.
LEAST_BATCHES = 50


class Features(NamedTuple):
    """Covariates of a series, in standard units.

    Args:
        past: What helps by its past, `(time, all of it)`.
        known: What is known ahead, `(time, all of it)`.
        past_of: Numbers of the columns of `past` that help to forecast each
            column of the series, `(columns, P)`.
        known_of: Likewise of `known`, `(columns, K)`.
    """

    past: np.ndarray
    known: np.ndarray
    past_of: np.ndarray
    known_of: np.ndarray


class Layout(NamedTuple):
    """Numbers of columns, and which help to forecast which.

    Args:
        columns: Number of columns that are forecast.
        past: Number of covariates that help by their past.
        known: Number of covariates that are known ahead.
        past_of: As in `Features`.
        known_of: As in `Features`.
    """

    columns: int
    past: int
    known: int
    past_of: np.ndarray
    known_of: np.ndarray


class Windows:
    """All windows of a part of a series, as inputs and targets.

    Args:
        values: The series, `(time, columns)`.
        start: First row to forecast.
        stop: Row after the last one to forecast.
        lookback: Number of input rows; they may be before `start`.
        horizon: Number of rows to forecast.
        features: Covariates of the same rows; `None` for none.

    Attributes:
        views: Rows to see and to forecast, `(n, columns, lookback + horizon)`.
        past: Covariates of the same rows, `(n, all of it, lookback + horizon)`.
        known: Likewise.
    """

    def __init__(
        self,
        values: np.ndarray,
        start: int,
        stop: int,
        lookback: int,
        horizon: int,
        features: Features | None = None,
    ) -> None:
        self._given = (values, start, stop, lookback, horizon, features)
        self.lookback = lookback
        first = max(0, start - lookback)
        length = lookback + horizon

        def views(rows: np.ndarray) -> np.ndarray:
            if stop - first < length:
                return np.empty((0, rows.shape[1], length), rows.dtype)
            return sliding_window_view(rows[first:stop], length, 0)

        self.views = views(values)
        self.features = features
        if features is not None:
            self.past, self.known = views(features.past), views(features.known)

    def __reduce__(self) -> tuple[type["Windows"], tuple[Any, ...]]:
        """Pickle the series, not all windows of it."""
        return Windows, self._given

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.views)

    @property
    def layout(self) -> Layout:
        """The numbers of columns, and which help to forecast which."""
        columns = self.views.shape[1]
        if self.features is None:
            none = np.empty((columns, 0), int)
            return Layout(columns, 0, 0, none, none)
        past, known, past_of, known_of = self.features
        return Layout(columns, past.shape[1], known.shape[1], past_of, known_of)

    def take(self, places: np.ndarray | slice) -> Batch:
        """Return inputs and targets of windows.

        Returns:
            The series, `(n, lookback, columns)`; with covariates a dictionary
            of `series`, `past`, `(n, lookback, all of it)`, and `known`,
            `(n, lookback + horizon, all of it)`, of which what is empty is
            left out. And targets, `(n, horizon, columns)`.
        """
        taken = self.views[places].swapaxes(1, 2)
        seen, targets = taken[:, : self.lookback], taken[:, self.lookback :]
        if self.features is None:
            return seen, targets
        past = self.past[places].swapaxes(1, 2)[:, : self.lookback]
        known = self.known[places].swapaxes(1, 2)
        return as_inputs(seen, past, known), targets

    def batches(self, every: int = 1) -> Iterator[Batch]:
        """Yield all windows in order, or every so many, in batches."""
        size = max(1, COLUMN_WINDOWS // max(1, self.views.shape[1]))
        stride = min(size, ALL_COLUMNS) * every
        for start in range(0, len(self), stride):
            yield self.take(slice(start, start + stride, every))


class ColumnWindows:
    """All windows of a part of a series, of one column each.

    Args:
        windows: Windows of all columns.
    """

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        self.columns = windows.views.shape[1]

    def __len__(self) -> int:
        """Return the number of windows times that of columns."""
        return len(self.windows) * self.columns

    def take(self, places: np.ndarray) -> Batch:
        """Return inputs and targets of windows.

        Returns:
            `series`, `(n, lookback)`, and `column`, the column's number,
            `(n,)`; with covariates its own of `past`, `(n, lookback, P)`, and
            `known`, `(n, lookback + horizon, K)`. And targets,
            `(n, horizon)`.
        """
        window, column = np.divmod(places, self.columns)
        windows = self.windows
        taken = windows.views[window, column]
        inputs = {
            "series": taken[:, : windows.lookback],
            "column": column.astype(np.int32),
        }
        if windows.features is not None:
            own = windows.features.past_of[column]
            past = windows.past[window[:, np.newaxis], own].swapaxes(1, 2)
            own = windows.features.known_of[column]
            known = windows.known[window[:, np.newaxis], own].swapaxes(1, 2)
            inputs |= {"past": past[:, : windows.lookback], "known": known}
        return drop_empty(inputs), taken[:, windows.lookback :]


def drop_empty(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return inputs without those of no columns."""
    return {name: it for name, it in inputs.items() if 0 not in it.shape[1:]}


def as_inputs(
    series: np.ndarray, past: np.ndarray, known: np.ndarray
) -> Inputs:
    """Return the inputs of a forecaster: the series alone, or a dictionary."""
    inputs = drop_empty({"series": series, "past": past, "known": known})
    return inputs if len(inputs) > 1 else series


def inputs_before(
    rows: Iterable[int],
    values: np.ndarray,
    past: np.ndarray,
    known: np.ndarray,
    lookback: int,
    horizon: int,
) -> Inputs:
    """Return the inputs of windows.

    Args:
        rows: First row to forecast of each window.
        values: What is forecast, `(time, columns)`.
        past: What helps by its past, `(time, P)`.
        known: What is known ahead, `(time, K)`.
        lookback: Number of input rows.
        horizon: Number of rows to forecast.
    """

    def windows(array: np.ndarray, after: int = 0) -> np.ndarray:
        return np.stack([array[it - lookback : it + after] for it in rows])

    return as_inputs(windows(values), windows(past), windows(known, horizon))


def one_window(inputs: Inputs, number: int) -> Inputs:
    """Return the inputs of one window, as a batch; the last one is -1."""
    places = slice(number, number + 1 or None)
    if isinstance(inputs, dict):
        return {name: it[places] for name, it in inputs.items()}
    return inputs[places]


def by_name(inputs: Inputs) -> dict[str, np.ndarray]:
    """Return inputs by name; the series alone is `series`."""
    return inputs if isinstance(inputs, dict) else {"series": inputs}


def series_of(inputs: Inputs) -> np.ndarray:
    """Return the series alone, without covariates."""
    return by_name(inputs)["series"]


class Source(Protocol):
    """Windows that can be taken by their numbers."""

    def __len__(self) -> int: ...

    def take(self, places: np.ndarray) -> Batch: ...


class Shuffled:
    """Batches of windows, shuffled in each epoch.

    Args:
        windows: The windows. If there are few, an epoch reads them several
            times, for at least `LEAST_BATCHES` batches.
        size: Windows in a batch. An incomplete last batch is left out.
        seed: Seed of the shuffling.
        own: The rows that are taken; of several processes, each takes its own.
    """

    def __init__(
        self,
        windows: Source,
        size: int,
        seed: int,
        own: slice = slice(None),
    ) -> None:
        self.windows = windows
        self.size = size
        self.seed = seed
        self.own = own
        self.times = -(-LEAST_BATCHES * size // len(windows))

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return self.times * len(self.windows) // self.size

    def batches(self, epoch: int = 0, first: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches, starting with number `first`."""
        random = np.random.default_rng([self.seed, epoch])
        order = np.concatenate(
            [random.permutation(len(self.windows)) for _ in range(self.times)]
        )
        for number in range(first, len(self)):
            start = number * self.size
            places = order[start : start + self.size]
            yield self.windows.take(places[self.own])
