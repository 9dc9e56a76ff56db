"""Standard units: of mean 0 and standard deviation 1."""

from typing import NamedTuple

import numpy as np


class Scaling(NamedTuple):
    """From a series' own units to standard ones, and back.

    Args:
        mean: Of each column, float64.
        deviation: The same.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Scaling":
        """That of a series, `(time, columns)`; constant columns keep theirs."""
        mean = values.mean(0)
        # In float64, the squares of very small numbers are zero.
        largest = np.abs(values - mean).max(0)
        largest[largest == 0] = 1.0
        deviation = largest * ((values - mean) / largest).std(0)
        deviation[deviation == 0] = 1.0
        return cls(mean, deviation)

    def standard(self, values: np.ndarray) -> np.ndarray:
        """Own units to standard ones, float32."""
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def own(self, values: np.ndarray) -> np.ndarray:
        """Standard units to own ones, float64."""
        return values.astype(np.float64) * self.deviation + self.mean
