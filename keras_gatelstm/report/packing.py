"""A trace's numbers, small enough for a page.

A quantity's values become levels between its least and its greatest, a byte
each; all of them one after the other, `(units, time)` each, are compressed and
written in base64.
"""

import base64
import zlib
from dataclasses import dataclass

import numpy as np

from keras_gatelstm.trace import LayerTrace


@dataclass(frozen=True)
class Packed:
    """A quantity as levels.

    Args:
        name: The quantity's name.
        low: The value of level 0.
        high: The value of the last level.
        most: The size of value that has the strongest colour: few are larger.
        levels: `(units, time)`, uint8.
    """

    name: str
    low: float
    high: float
    most: float
    levels: np.ndarray


def pack(layer: LayerTrace, row: int, count: int) -> list[Packed]:
    """A row of every quantity of a layer, in so many levels."""
    return [
        _packed(name, values[row].astype("float32").T, count)
        for name, values in layer.items()
    ]


def _packed(name: str, values: np.ndarray, count: int) -> Packed:
    finite = np.nan_to_num(values, nan=0.0, posinf=3e38, neginf=-3e38)
    low, high = float(finite.min()), float(finite.max())
    if name.endswith("_factor"):
        low, high = min(low, 0.0), max(high, 1.0)
    if high == low:
        high = low + 1.0
    scaled = (finite.astype("float64") - low) / (high - low) * (count - 1)
    most = float(np.percentile(np.abs(finite), 99)) or 1.0
    return Packed(name, low, high, most, np.rint(scaled).astype(np.uint8))


def encode(levels: list[np.ndarray]) -> str:
    """All levels as one text."""
    numbers = b"".join(np.ascontiguousarray(it).tobytes() for it in levels)
    return base64.b64encode(zlib.compress(numbers, 9)).decode("ascii")


def decode(text: str) -> np.ndarray:
    """The levels that `encode` wrote, flat."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
