"""Scaling to standard units, of mean 0 and standard deviation 1."""

from typing import NamedTuple

import numpy as np


class Scaling(NamedTuple):
    """Linear map between a series' own units and standard units.

    Args:
        mean: Mean of each column, float64.
        deviation: Standard deviation of each column, float64.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Scaling":
        """Fit the scaling of a series, `(time, columns)`.

        Constant columns get a deviation of 1.
        """
        mean = values.mean(0)
        # Normalized first: squares of tiny numbers underflow to zero.
        largest = np.abs(values - mean).max(0)
        largest[largest == 0] = 1.0
        deviation = largest * ((values - mean) / largest).std(0)
        deviation[deviation == 0] = 1.0
        return cls(mean, deviation)

    def standard(self, values: np.ndarray) -> np.ndarray:
        """Convert own units to standard units, float32."""
        return ((values - self.mean) / self.deviation).astype(np.float32)

    def own(self, values: np.ndarray) -> np.ndarray:
        """Convert standard units to own units, float64."""
        return values.astype(np.float64) * self.deviation + self.mean
