"""Sums over the steps of a layer, from which statistics are computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from keras_gatelstm.inspect.moments import Moments
from keras_gatelstm.inspect.trace import GateTrace, LayerTrace, as_layer

Trace = GateTrace | LayerTrace
LOW, HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Saturation:
    """Shares of steps at which a gate is shut or open, `(units,)` each.

    Args:
        low: Share of the steps at which the unit's factor is below 0.1.
        high: Share of the steps at which it is above 0.9.
    """

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class CharacterfulUnit:
    """A unit that correlates with a property of the input.

    Args:
        unit: Its number.
        quantity: The quantity that was compared.
        property: The property's name.
        correlation: Pearson's, from -1 to 1.
    """

    unit: int
    quantity: str
    property: str
    correlation: float


@dataclass(frozen=True)
class GateSums:
    """Sums over the steps of a layer, from which statistics are computed.

    The sums of parts add up to those of the whole, up to rounding in float64,
    so that a corpus need not fit into a trace. Of the same parts in the same
    order, they are the same to the last bit.

    Args:
        low: Number of steps at which each unit of a factor is below 0.1, by
            the factor's name, `(units,)`.
        high: Likewise above 0.9.
        logs: Sum of the natural logarithms of the factor by which the main
            memory is kept, `(units,)`; of a layer without one, empty.
        memory: Name of the main memory.
        properties: Names of the properties.
        moments: Moments of the main memory with the properties.

    Example:

    >>> from keras_gatelstm import statistics
    >>> trace = record_gates(GateLSTM(4), np.ones((2, 9, 3)))
    >>> parts = [trace.select(batch=row) for row in (0, 1)]
    >>> first, second = (statistics.GateSums.of(part) for part in parts)
    >>> whole = statistics.half_life(trace)
    >>> bool(np.allclose((first + second).half_life(), whole))
    True
    """

    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]
    logs: np.ndarray
    memory: str
    properties: tuple[str, ...]
    moments: Moments

    @classmethod
    def of(
        cls, trace: Trace, properties: Mapping[str, np.ndarray] | None = None
    ) -> Self:
        """Sum over the steps of a trace.

        Args:
            trace: A layer of a `GateTrace`, or a trace of one layer.
            properties: A value for each step, `(time,)` or `(batch, time)`, by
                the property's name: those of `text_properties` with
                `keep_constant`, or others. All parts must have the same.
                Default: none.

        Raises:
            ValueError: if a property does not have a value for each step.
        """
        layer = as_layer(trace)
        names = tuple(properties or {})
        values = {name: layer.unmasked(name) for name in layer.factors}
        memory = layer.unmasked(layer.main_memory)
        keeping = layer.keeping_factor
        steps = [
            unmasked_property(layer, (properties or {})[it]) for it in names
        ]
        return cls(
            {name: (it < LOW).sum(axis=0) for name, it in values.items()},
            {name: (it > HIGH).sum(axis=0) for name, it in values.items()},
            np.zeros(0) if keeping is None else sum_of_logs(values[keeping]),
            layer.main_memory,
            names,
            Moments.of(
                memory,
                np.stack(steps, axis=1)
                if steps
                else np.zeros((len(memory), 0)),
            ),
        )

    def __add__(self, other: Self) -> Self:
        """Return the sums over the steps of both.

        Raises:
            ValueError: if their quantities, units or properties differ.
        """
        mine, others = (
            (it.memory, it.properties, it.moments.mean.shape, *it.low)
            for it in (self, other)
        )
        if mine != others:
            raise ValueError(
                "Sums to add must be of the same layer and properties. "
                f"Received: {mine} and {others}"
            )
        return type(self)(
            {name: it + other.low[name] for name, it in self.low.items()},
            {name: it + other.high[name] for name, it in self.high.items()},
            self.logs + other.logs,
            self.memory,
            self.properties,
            self.moments + other.moments,
        )

    @property
    def steps(self) -> int:
        """The number of steps."""
        return self.moments.steps

    def saturation(self, factor: str) -> Saturation:
        """Return how often each unit of a gate is nearly shut or nearly open.

        Raises:
            KeyError: if there is no such factor.
        """
        if factor not in self.low:
            raise KeyError(
                f"There is no factor {factor!r}. Available: "
                f"{', '.join(self.low)}"
            )
        with np.errstate(invalid="ignore"):
            return Saturation(
                self.low[factor] / np.float64(self.steps),
                self.high[factor] / np.float64(self.steps),
            )

    def half_life(self) -> np.ndarray:
        """Return the steps in which each unit forgets half of its memory.

        Raises:
            ValueError: if the layer has no gate that forgets.
        """
        if not self.logs.size:
            raise ValueError("The layer has no gate that forgets")
        return half_life_of(self.logs, self.steps)

    def characterful_units(self, top: int = 10) -> list[CharacterfulUnit]:
        """Return the units that correlate most with any property, best first.

        Args:
            top: The number of units to return, at most. Default 10.
        """
        found = dict(
            zip(self.properties, self.moments.correlations(), strict=True)
        )
        return strongest(found, self.memory, top)


def strongest(
    correlations: Mapping[str, np.ndarray], quantity: str, top: int
) -> list[CharacterfulUnit]:
    """Return the units with the largest correlations, by property."""
    found = [
        CharacterfulUnit(unit, quantity, name, float(value))
        for name, values in correlations.items()
        for unit, value in enumerate(values)
    ]
    return sorted(found, key=lambda it: -abs(it.correlation))[:top]


def unmasked_property(layer: LayerTrace, property_: np.ndarray) -> np.ndarray:
    """Return the values of a property at the steps that are not masked."""
    batch, time, _ = layer.shape
    wanted = np.asarray(property_, "float64")
    if wanted.shape not in ((time,), (batch, time)):
        raise ValueError(
            f"A property must have a value for each of {time} steps, (time,), "
            f"or for each row too, {(batch, time)}. "
            f"Received: shape {wanted.shape}"
        )
    wanted = np.broadcast_to(wanted, (batch, time))
    return wanted[layer.mask] if layer.mask is not None else wanted.reshape(-1)


def sum_of_logs(kept: np.ndarray) -> np.ndarray:
    tiny = np.finfo("float64").tiny
    return np.log(np.maximum(kept.astype("float64"), tiny)).sum(axis=0)


def half_life_of(logs: np.ndarray, steps: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(0.5) / (logs / np.float64(steps))
