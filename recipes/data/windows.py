"""The windows of a series that forecasts are trained and tested on."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Batch = tuple[np.ndarray, np.ndarray]


class Windows:
    """Every window of a stretch of a series: what is seen, and what comes.

    Args:
        values: The series, `(time, columns)`.
        start: The first row to forecast.
        stop: The row after the last one to forecast.
        lookback: Rows seen before a forecast; they may be before `start`.
        horizon: Rows forecast.
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
        """Number of windows."""
        return len(self.views)

    def take(self, places: np.ndarray | slice) -> Batch:
        """Return inputs, `(n, lookback, columns)`, and targets after them."""
        taken = self.views[places].swapaxes(1, 2)
        return taken[:, : self.lookback], taken[:, self.lookback :]

    def batches(self, size: int) -> Iterator[Batch]:
        """All of them, in order."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


class Shuffled:
    """Windows in another order each epoch, in batches of one size.

    Args:
        windows: The windows.
        size: Windows in a batch. What does not fill one is left out.
        seed: Decides the orders.
    """

    def __init__(self, windows: Windows, size: int, seed: int) -> None:
        self.windows = windows
        self.size = size
        self.seed = seed

    def __len__(self) -> int:
        """Number of batches in an epoch."""
        return len(self.windows) // self.size

    def batches(self, epoch: int = 0, first: int = 0) -> Iterator[Batch]:
        """An epoch's batches, from one on."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.windows))
        for number in range(first, len(self)):
            start = number * self.size
            yield self.windows.take(order[start : start + self.size])
