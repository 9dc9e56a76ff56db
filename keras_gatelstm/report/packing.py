"""A trace's numbers, small enough for a page.

A quantity's values become levels between its least and its greatest, a byte
each; all of them one after the other, `(units, time)` each, are compressed and
written in base64. Where one of them is not finite, the quantity's last level
stands for that.
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
        high: The value of the last level, or of the one before, where the
            last is for values that are not finite.
        most: The size of value that has the strongest colour: few are larger.
        gaps: Whether there are values that are not finite.
        levels: `(units, time)`, uint8.
    """

    name: str
    low: float
    high: float
    most: float
    gaps: bool
    levels: np.ndarray


def pack(layer: LayerTrace, row: int, count: int) -> list[Packed]:
    """A row of every quantity of a layer, in so many levels."""
    return [
        _packed(name, values[row].astype("float32").T, count)
        for name, values in layer.items()
    ]


def _packed(name: str, values: np.ndarray, count: int) -> Packed:
    is_finite = np.isfinite(values)
    gaps = not is_finite.all()
    finite = values[is_finite].astype("float64") if is_finite.any() else [0.0]
    low, high = float(np.min(finite)), float(np.max(finite))
    if name.endswith("_factor"):
        low, high = min(low, 0.0), max(high, 1.0)
    if high == low:
        high = low + 1.0
    known = np.where(is_finite, values, low).astype("float64")
    scaled = (known - low) / (high - low) * (count - 1 - gaps)
    levels = np.where(is_finite, np.rint(scaled), count - 1).astype(np.uint8)
    most = float(np.percentile(np.abs(finite), 99)) or 1.0
    return Packed(name, low, high, most, gaps, levels)


def encode(levels: list[np.ndarray]) -> str:
    """All levels as one text."""
    numbers = b"".join(np.ascontiguousarray(it).tobytes() for it in levels)
    return base64.b64encode(zlib.compress(numbers, 9)).decode("ascii")


def decode(text: str) -> np.ndarray:
    """The levels that `encode` wrote, flat."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
