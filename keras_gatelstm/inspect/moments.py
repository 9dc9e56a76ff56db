"""Means, spreads and correlations that add up."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Means and products of quantities and properties, which add up.

    Args:
        steps: The number of steps.
        mean: Mean of each unit, `(units,)`.
        squares: Sum of the squares of its distances from the mean.
        property_mean: Mean of each property, `(properties,)`.
        property_squares: Likewise.
        products: Sums of the products of both distances, `(properties,
            units)`.
    """

    steps: int
    mean: np.ndarray
    squares: np.ndarray
    property_mean: np.ndarray
    property_squares: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, properties: np.ndarray) -> Self:
        """Compute the moments of values, `(steps, units)`, with properties.

        Args:
            values: The values.
            properties: `(steps, properties)`.
        """
        if not len(values):
            units, (_, names) = values.shape[1:], properties.shape
            zeros = np.zeros(units), np.zeros(units)
            of_properties = np.zeros(names), np.zeros(names)
            return cls(0, *zeros, *of_properties, np.zeros((names, *units)))
        mean = values.mean(axis=0, dtype="float64")
        property_mean = properties.mean(axis=0, dtype="float64")
        away, property_away = values - mean, properties - property_mean
        return cls(
            len(values),
            mean,
            (away**2).sum(axis=0),
            property_mean,
            (property_away**2).sum(axis=0),
            property_away.T @ away,
        )

    def __add__(self, other: Self) -> Self:
        """Return the moments of the steps of both.

        References:
            Chan, Golub and LeVeque, "Algorithms for Computing the Sample
            Variance", 1983.
        """
        if not (self.steps and other.steps):
            return self if self.steps else other
        steps = self.steps + other.steps
        share = other.steps / steps
        weight = self.steps * share
        apart = other.mean - self.mean
        property_apart = other.property_mean - self.property_mean
        return type(self)(
            steps,
            self.mean + share * apart,
            self.squares + other.squares + weight * apart**2,
            self.property_mean + share * property_apart,
            self.property_squares
            + other.property_squares
            + weight * property_apart**2,
            self.products
            + other.products
            + weight * np.outer(property_apart, apart),
        )

    def correlations(self) -> np.ndarray:
        """Return Pearson's correlations, `(properties, units)`.

        They are 0 where one of the two is constant.
        """
        spread = np.sqrt(np.outer(self.property_squares, self.squares))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.products / spread
        return np.where(spread > 1e-12, found, 0.0)
