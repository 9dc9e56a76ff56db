"""Windows of a series, to train and test forecasts on."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Inputs of a model: one array, or several by name.
Inputs = np.ndarray | dict[str, np.ndarray]
Batch = tuple[Inputs, np.ndarray]

# Batches of an epoch, at least: short series are read several times.
LEAST_BATCHES = 50


class Windows:
    """All windows of a part of a series, as inputs and targets.

    Args:
        values: The series, `(time, columns)`.
        start: First row to forecast.
        stop: Row after the last one to forecast.
        lookback: Number of input rows; they may be before `start`.
        horizon: Number of rows to forecast.
    """

    def __init__(
        self,
        values: np.ndarray,
        start: int,
        stop: int,
        lookback: int,
        horizon: int,
    ) -> None:
        self.lookback = lookback
        first = max(0, start - lookback)
        length = lookback + horizon
        if stop - first < length:
            self.views = np.empty((0, values.shape[1], length), values.dtype)
        else:
            self.views = sliding_window_view(values[first:stop], length, 0)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.views)

    def take(self, places: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs, `(n, lookback, columns)`, and targets of windows."""
        taken = self.views[places].swapaxes(1, 2)
        return taken[:, : self.lookback], taken[:, self.lookback :]

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield all windows in order, in batches."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


class ColumnWindows:
    """All windows of a part of a series, of one column each.

    Args:
        windows: Windows of all columns.
    """

    def __init__(self, windows: Windows) -> None:
        self.lookback = windows.lookback
        self.views = windows.views

    def __len__(self) -> int:
        """Return the number of windows times that of columns."""
        return self.views.shape[0] * self.views.shape[1]

    def take(self, places: np.ndarray) -> Batch:
        """Return inputs and targets of windows.

        Returns:
            `series`, `(n, lookback)`, and `column`, the column's number,
            `(n,)`; and targets, `(n, horizon)`.
        """
        window, column = np.divmod(places, self.views.shape[1])
        taken = self.views[window, column]
        inputs = {
            "series": taken[:, : self.lookback],
            "column": column.astype(np.int32),
        }
        return inputs, taken[:, self.lookback :]


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
    """

    def __init__(self, windows: Source, size: int, seed: int) -> None:
        self.windows = windows
        self.size = size
        self.seed = seed
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
            yield self.windows.take(order[start : start + self.size])
