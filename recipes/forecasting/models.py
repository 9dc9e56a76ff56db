"""Forecasters: `(batch, lookback, columns)` to `(batch, horizon, columns)`.

Both forms forecast the change since the last input value. `segments` handles
each column separately with the same weights; `plain` reads all columns at once.
`in_own_units` adds the scaling to a model.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from recipes.cells import recurrent_layer
from recipes.data.scaling import Scaling
from recipes.forecasting.settings import Settings

# The longest segment: a day of hours.
SEGMENT = 24


def build(settings: Settings, columns: int) -> keras.Model:
    """Return a new forecaster in the form that `settings` names."""
    make = {"segments": segments, "plain": plain}[settings.form]
    return make(settings, columns)


def segments(settings: Settings, columns: int) -> keras.Model:
    """Return a model that reads segments, and forecasts all in parallel.

    The recurrent layer reads one segment per step, so that a look-back of 720
    hours takes 30 steps. Each segment of the horizon is then decoded from the
    final memory by one step of the same layer, whose input is an embedding of
    the column and the segment's position.

    References:
        Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term
        Time Series Forecasting", 2023, arXiv 2308.11200.
    """
    size = segment_size(settings.lookback, settings.horizon)
    ahead = settings.horizon // size
    units = settings.units
    seen = keras.Input((settings.lookback, columns), name="series")
    last = seen[:, -1:, :]
    change = ops.transpose(seen - last, (0, 2, 1))
    events = ops.reshape(change, (-1, settings.lookback // size, size))
    embedded = layers.Dense(units, "relu", name="segment")(events)
    recurrent = recurrent_layer(
        settings.cell, units, return_state=True, name="recurrent"
    )
    _, *memories = recurrent(embedded)

    # Queries of all columns and segments, in the order of the decoder's batch.
    places, columns_of = np.meshgrid(np.arange(ahead), np.arange(columns))
    nothing = ops.zeros_like(seen[:, 0, :1], "int32")
    column = embedding(columns, units // 2, "column")(
        nothing + columns_of.ravel().astype("int32")
    )
    place = embedding(ahead, units - units // 2, "place")(
        nothing + places.ravel().astype("int32")
    )
    queries = layers.Concatenate(name="queries")([column, place])
    queries = ops.reshape(queries, (-1, 1, units))
    memories = [ops.repeat(memory, ahead, axis=0) for memory in memories]
    decoded, *_ = recurrent(queries, initial_state=memories)

    kept = layers.Dropout(settings.dropout)(decoded)
    written = layers.Dense(size, name="values")(kept)
    written = ops.reshape(written, (-1, columns, settings.horizon))
    forecast = ops.transpose(written, (0, 2, 1)) + last
    return keras.Model(seen, forecast, name="time_series")


def embedding(count: int, size: int, name: str) -> layers.Embedding:
    """Return an embedding with initial standard deviation 1.

    Keras's default is twenty times as small; the queries then stay nearly
    equal for a long part of the training.
    """
    spread = keras.initializers.RandomNormal(stddev=1.0)
    return layers.Embedding(
        count, size, embeddings_initializer=spread, name=name
    )


def plain(settings: Settings, columns: int) -> keras.Model:
    """Return a model that reads row by row, and forecasts from the last memory.

    This is the form of the lesson: an event is one row of the series.
    """
    seen = keras.Input((settings.lookback, columns), name="series")
    last = seen[:, -1:, :]
    memory = recurrent_layer(settings.cell, settings.units, name="recurrent")(
        seen - last
    )
    kept = layers.Dropout(settings.dropout)(memory)
    written = layers.Dense(settings.horizon * columns, name="values")(kept)
    forecast = ops.reshape(written, (-1, settings.horizon, columns)) + last
    return keras.Model(seen, forecast, name="time_series")


def segment_size(lookback: int, horizon: int) -> int:
    """Return the longest segment that divides look-back and horizon."""
    shared = math.gcd(lookback, horizon)
    return max(it for it in range(1, SEGMENT + 1) if shared % it == 0)


def in_own_units(
    model: keras.Model, scaling: Scaling, dtype: str = "float64"
) -> keras.Model:
    """Return a model with inputs and outputs in the series' own units.

    Args:
        model: A forecaster in standard units, in float32.
        scaling: Scaling of the series.
        dtype: Type of inputs, outputs and scaling. With float32, small changes
            of large values are rounded away.
    """
    seen = keras.Input(model.input_shape[1:], name="series", dtype=dtype)
    mean, deviation = scaling
    # Not Keras's Normalization, which clips deviations at 1e-7.
    around_zero = layers.Rescaling(1.0, list(-mean), dtype=dtype)(seen)
    scaled = layers.Rescaling(list(1 / deviation), dtype=dtype)(around_zero)
    forecast = layers.Rescaling(
        list(deviation), list(mean), dtype=dtype, name="forecast"
    )(model(scaled))
    return keras.Model(seen, forecast, name="time_series")
