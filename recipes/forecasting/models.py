"""Forecasters: `(batch, lookback, columns)` to `(batch, horizon, columns)`.

A recurrent forecaster has one of two forms. `segments` handles each column
separately with the same weights; `plain` reads all columns at once.
`averaged` averages one with a linear map, and `in_own_units` adds the scaling.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from recipes.cells import recurrent_layer
from recipes.data.scaling import Scaling
from recipes.forecasting.baselines import Forecast
from recipes.forecasting.linear import LinearForecast
from recipes.forecasting.settings import Settings

# Longest segment.
SEGMENT = 48


def build(settings: Settings, columns: int) -> keras.Model:
    """Return a new recurrent model: of one column, but for the plain form."""
    make = plain if settings.form == "plain" else segments
    return make(settings, columns)


def segments(settings: Settings, columns: int) -> keras.Model:
    """Return a model that reads one column in segments.

    ```
    {"series": (batch, lookback), "column": (batch,)} to (batch, horizon)
    ```

    The recurrent layer reads one segment per step, so that a look-back of 720
    hours takes 15 steps. Each segment of the horizon is then decoded from the
    final memory by one step of the same layer, whose input is an embedding of
    the column and the segment's position.

    The series is read relative to its level, which is added to the forecast:
    the last value or the mean of the look-back.

    References:
        Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term
        Time Series Forecasting", 2023, arXiv 2308.11200.
    """
    lookback, horizon = settings.lookback, settings.horizon
    size = segment_size(lookback, horizon)
    steps, ahead = math.ceil(lookback / size), math.ceil(horizon / size)
    units = settings.units
    seen = keras.Input((lookback,), name="series")
    column = keras.Input((), dtype="int32", name="column")
    level = seen[:, -1:]
    if settings.level == "mean":
        level = ops.mean(seen, axis=1, keepdims=True)
    # The first segment is filled up with zeros.
    events = ops.pad(seen - level, [(0, 0), (steps * size - lookback, 0)])
    events = ops.reshape(events, (-1, steps, size))
    embedded = layers.Dense(units, "relu", name="segment")(events)
    recurrent = recurrent_layer(
        settings.cell, units, return_state=True, name="recurrent"
    )
    _, *memories = recurrent(embedded)

    # A query for each segment of the horizon.
    places = ops.expand_dims(ops.zeros_like(column), 1)
    places = places + np.arange(ahead, dtype="int32")
    place = embedding(ahead, units - units // 2, "place")(places)
    of_column = embedding(columns, units // 2, "column_embedding")(column)
    of_column = ops.repeat(ops.expand_dims(of_column, 1), ahead, axis=1)
    queries = layers.Concatenate(name="queries")([of_column, place])
    queries = ops.reshape(queries, (-1, 1, units))
    memories = [ops.repeat(memory, ahead, axis=0) for memory in memories]
    decoded, *_ = recurrent(queries, initial_state=memories)

    kept = layers.Dropout(settings.dropout)(decoded)
    written = layers.Dense(size, name="values")(kept)
    # The last segment may reach beyond the horizon.
    written = ops.reshape(written, (-1, ahead * size))[:, :horizon]
    inputs = {"series": seen, "column": column}
    return keras.Model(inputs, add_level(written, level), name="segments")


def of_all_columns(
    model: keras.Model, settings: Settings, columns: int
) -> keras.Model:
    """Return a model that applies a model of one column to each."""
    seen = keras.Input((settings.lookback, columns), name="series")
    each = ops.reshape(ops.transpose(seen, (0, 2, 1)), (-1, settings.lookback))
    numbers = ops.zeros_like(seen[:, 0, :1], "int32")
    numbers = ops.reshape(numbers + np.arange(columns, dtype="int32"), (-1,))
    forecast = model({"series": each, "column": numbers})
    forecast = ops.reshape(forecast, (-1, columns, settings.horizon))
    forecast = ops.transpose(forecast, (0, 2, 1))
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
    forecast = ops.reshape(written, (-1, settings.horizon, columns))
    return keras.Model(seen, add_level(forecast, last), name="time_series")


def add_level(
    changes: keras.KerasTensor, level: keras.KerasTensor
) -> keras.KerasTensor:
    """Return `changes + level`, with a level of one step.

    Keras's sum on TensorFlow takes the levels of as many series as there are
    steps for a bias (3.15).
    """
    return ops.subtract(changes, ops.negative(level))


def segment_size(lookback: int, horizon: int) -> int:
    """Return the length of a segment: that with the least to fill up.

    It is between a half and all of the longest, which is `SEGMENT`, or half
    of a short look-back.
    """
    longest = max(1, min(SEGMENT, lookback // 2))
    sizes = range(longest, longest // 2, -1)
    return min(sizes, key=lambda it: -lookback % it + -horizon % it)


def averaged(
    linear: LinearForecast, recurrent: keras.Model, linear_weight: float
) -> keras.Model:
    """Return the weighted average of a linear map and a recurrent model.

    ```
    ŷ = a·linear(x) + (1 - a)·recurrent(x)
    ```

    The linear map is a layer that does not train.

    Args:
        linear: The linear map.
        recurrent: A forecaster of all columns.
        linear_weight: `a`, from 0 to 1.
    """
    seen = keras.Input(recurrent.input_shape[1:], name="series")
    last = seen[:, -1:, :]
    kernel, equation = linear.kernel, "blc,clh->bhc"
    if len(kernel) != seen.shape[-1]:
        [kernel], equation = kernel, "blc,lh->bhc"
    layer = layers.EinsumDense(
        equation, recurrent.output_shape[1:], trainable=False, name="linear"
    )
    of_line = add_level(layer(seen - last), last)
    layer.set_weights([kernel])
    forecast = linear_weight * of_line + (1 - linear_weight) * recurrent(seen)
    return keras.Model(seen, forecast, name="time_series")


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


def forecast_of(model: keras.Model) -> Forecast:
    """Return a model's forecasts as a function of arrays, traced once."""
    function = tf.function(
        lambda seen: model(seen, training=False),
        input_signature=[tf.TensorSpec(model.input_shape, tf.float32)],
    )
    return lambda seen: function(seen).numpy()
