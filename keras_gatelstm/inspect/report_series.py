"""Series that a report shows as a line above its heat maps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_gatelstm.inspect.trace import GateTrace

# A column is rounded to so many levels of its range.
LEVELS = 10_000


@dataclass(frozen=True)
class Series:
    """A series of numbers that was read, to show as a line.

    Args:
        values: The numbers, `(rows,)` or `(rows, columns)`, in the units to
            show them in.
        times: Label of each row, such as its time.
        names: Name of each column. Default: `"value"`, or the columns'
            numbers if there are several.
        rows_per_step: Rows that a step reads. The last step ends with the last
            row; the first may read fewer. Default 1.

    Raises:
        ValueError: if there are no rows, if there are not as many times as
            rows or names as columns, or if `rows_per_step` is not positive.

    Example:

    >>> from keras_gatelstm.inspect.report import Series
    >>> series = Series(np.arange(5.0), list("abcde"), rows_per_step=2)
    >>> series.steps
    3
    """

    values: np.ndarray
    times: Sequence[str]
    names: Sequence[str] | None = None
    rows_per_step: int = 1

    def __post_init__(self) -> None:
        shape = np.shape(self.values)
        if len(shape) not in (1, 2) or 0 in shape:
            raise ValueError(
                "values must be (rows,) or (rows, columns), and some. "
                f"Received: shape {shape}"
            )
        if len(self.times) != shape[0]:
            raise ValueError(
                f"times must be one for each of {shape[0]} rows. "
                f"Received: {len(self.times)}"
            )
        columns = shape[1] if len(shape) == 2 else 1
        if self.names is not None and len(self.names) != columns:
            raise ValueError(
                f"names must be one for each of {columns} columns. "
                f"Received: {list(self.names)}"
            )
        if self.rows_per_step < 1:
            raise ValueError(
                "rows_per_step must be a positive integer. "
                f"Received: rows_per_step={self.rows_per_step}"
            )

    @property
    def steps(self) -> int:
        """Number of steps that read the series."""
        return math.ceil(len(self.times) / self.rows_per_step)

    def check_read_by(self, trace: GateTrace) -> None:
        """Check that a layer of a trace has this number of steps."""
        steps = {path: layer.shape[1] for path, layer in trace.items()}
        if self.steps not in steps.values():
            found = ", ".join(f"{path}: {it}" for path, it in steps.items())
            raise ValueError(
                f"series must have as many steps as a layer ({found}). "
                f"Received: {len(self.times)} rows, {self.rows_per_step} at a "
                f"step, which are {self.steps} steps"
            )

    def as_data(self) -> dict[str, Any]:
        """Return what the page needs, as JSON can hold it."""
        columns = np.asarray(self.values, "float64").T
        if columns.ndim == 1:
            columns = columns[np.newaxis]
        names = self.names
        if names is None:
            names = [str(number) for number in range(len(columns))]
            names = ["value"] if len(columns) == 1 else names
        return {
            "names": [str(it) for it in names],
            "times": [str(it) for it in self.times],
            "size": int(self.rows_per_step),
            "columns": [_round(column) for column in columns],
        }


def _round(column: np.ndarray) -> list[float | None]:
    """Return rounded numbers; `None` for those that are not finite."""
    finite = column[np.isfinite(column)]
    spread = float(np.ptp(finite)) if finite.size else 0.0
    least = spread or float(np.abs(finite).max(initial=0.0)) or 1.0
    digits = math.ceil(-math.log10(least / LEVELS))
    return [
        round(it, digits) if math.isfinite(it) else None
        for it in column.tolist()
    ]
