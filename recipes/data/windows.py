"""Windows of a series, to train and test forecasts on."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Batch = tuple[np.ndarray, np.ndarray]


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

    def take(self, places: np.ndarray | slice) -> Batch:
        """Return inputs, `(n, lookback, columns)`, and targets of windows."""
        taken = self.views[places].swapaxes(1, 2)
        return taken[:, : self.lookback], taken[:, self.lookback :]

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all windows in order, in batches."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


class Shuffled:
    """Batches of windows, shuffled in each epoch.

    Args:
        windows: The windows.
        size: Windows in a batch. An incomplete last batch is left out.
        seed: Seed of the shuffling.
    """

    def __init__(self, windows: Windows, size: int, seed: int) -> None:
        self.windows = windows
        self.size = size
        self.seed = seed

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return len(self.windows) // self.size

    def batches(self, epoch: int = 0, first: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches, starting with number `first`."""
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.windows))
        for number in range(first, len(self)):
            start = number * self.size
            yield self.windows.take(order[start : start + self.size])
