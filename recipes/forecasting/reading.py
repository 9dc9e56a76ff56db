"""Which rows of a series each step of a recurrent layer reads."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from keras_gatelstm import GateTrace
    from keras_gatelstm.inspect import LayerTrace


class Reading(NamedTuple):
    """A series that a model reads.

    Args:
        values: The rows that it reads, in their own units.
        horizon: Steps that the model forecasts, if it is a forecaster of
            `recipes.time_series`.
    """

    values: pd.DataFrame
    horizon: int | None

    def rows_per_step(self, layer: "LayerTrace") -> int | None:
        """Return how many rows a step of a layer reads, as below."""
        return rows_per_step(layer.shape[1], len(self.values), self.horizon)

    def of_last_row(self, layer: "LayerTrace") -> pd.DataFrame:
        """Return what the last row of a layer's batch is of.

        It is the last column, where each has a row of its own, or else all.
        """
        if layer.shape[0] == len(self.values.columns):
            return self.values.iloc[:, -1:]
        return self.values

    def with_times(self, trace: "GateTrace") -> "GateTrace":
        """Return a trace whose steps are labelled with their first times.

        The trace is left as it is, if the steps of its first layer are neither
        rows nor segments.
        """
        from keras_gatelstm import GateTrace

        layer = next(iter(trace.values()))
        size = self.rows_per_step(layer)
        if size is None:
            return trace
        batch, steps, _ = layer.shape
        first = borders_of(steps, len(self.values), size)[:-1]
        begins = np.array(written(self.values.index[first]), str)
        return GateTrace(trace.layers, np.broadcast_to(begins, (batch, steps)))


def rows_per_step(steps: int, rows: int, horizon: int | None) -> int | None:
    """Return how many rows of a series a step of a layer reads.

    Args:
        steps: Steps of the layer.
        rows: Rows of the series that the model reads.
        horizon: Steps that the model forecasts, if it is a forecaster of
            `recipes.time_series`.

    Returns:
        1, or the length of a segment, of which the first may be shorter; `None`
        if the steps fit neither.
    """
    # Imported late, as TensorFlow comes with it.
    from recipes.forecasting.models import segment_size

    if steps == rows:
        return 1
    if horizon is None:
        return None if rows % steps else rows // steps
    size = segment_size(rows, horizon)
    return size if math.ceil(rows / size) == steps else None


def borders_of(steps: int, rows: int, size: int) -> np.ndarray:
    """Return the first row that each step reads, and the end, `(steps + 1,)`.

    The last step ends with the last row; the first may read fewer than `size`.
    """
    return np.maximum(0, rows - size * np.arange(steps, -1, -1))


def written(times: pd.DatetimeIndex) -> list[str]:
    """Return times as text, without what is midnight or zero seconds in all."""
    texts = times.astype(str)
    short = texts.str.replace(r"(\d\d:\d\d):00", r"\1", regex=True)
    return list(short if (times.second == 0).all() else texts)


def in_zone(times: pd.DatetimeIndex, zone: str | None) -> pd.DatetimeIndex:
    """Return times in a time zone, if it is given and they have one."""
    if zone is None or times.tz is None:
        return times
    return times.tz_convert(zone)
