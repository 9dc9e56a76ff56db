"""Forecasters: `(batch, lookback, columns)` to `(batch, horizon, columns)`.

A recurrent forecaster has one of two forms. `segments` handles each column
separately with the same weights; `plain` reads all columns at once.
`averaged` averages one with a linear map, and `in_own_units` adds the scaling.
"""

import math
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from recipes.cells import recurrent_layer
from recipes.data.scaling import Scaling
from recipes.data.windows import Layout
from recipes.forecasting.baselines import Forecast
from recipes.forecasting.linear import LinearForecast
from recipes.forecasting.settings import Settings

Kind = TypeVar("Kind")

# Longest segment.
SEGMENT = 48


def build(settings: Settings, layout: Layout) -> keras.Model:
    """Return a new recurrent model: of one column, but for the plain form."""
    if settings.form == "plain":
        return plain(settings, layout.columns)
    return segments(settings, layout)


def segments(settings: Settings, layout: Layout) -> keras.Model:
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

    Covariates are two more inputs, `past`, `(batch, lookback, P)`, and
    `known`, `(batch, lookback + horizon, K)`. They are read with the segments
    of the series; what is known of a segment of the horizon is added to the
    input that decodes it.

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
    inputs = {"series": seen, "column": column}
    level = seen[:, -1:]
    if settings.level == "mean":
        level = ops.mean(seen, axis=1, keepdims=True)
    read = [ops.expand_dims(seen - level, -1)]
    if layout.past_of.size:
        past = keras.Input((lookback, layout.past_of.shape[1]), name="past")
        inputs["past"] = past
        read.append(past)
    if layout.known_of.size:
        known = keras.Input(
            (lookback + horizon, layout.known_of.shape[1]), name="known"
        )
        inputs["known"] = known
        read.append(known[:, :lookback])
    events = ops.concatenate(read, -1) if len(read) > 1 else read[0]
    # The first segment is filled up with zeros.
    events = ops.pad(events, [(0, 0), (steps * size - lookback, 0), (0, 0)])
    events = ops.reshape(events, (-1, steps, size * events.shape[-1]))
    embedded = layers.Dense(units, "relu", name="segment")(events)
    recurrent = recurrent_layer(
        settings.cell, units, return_state=True, name="recurrent"
    )
    _, *memories = recurrent(embedded)

    # A query for each segment of the horizon.
    places = ops.expand_dims(ops.zeros_like(column), 1)
    places = places + np.arange(ahead, dtype="int32")
    place = embedding(ahead, units - units // 2, "place")(places)
    of_column = embedding(layout.columns, units // 2, "column_embedding")(
        column
    )
    of_column = ops.repeat(ops.expand_dims(of_column, 1), ahead, axis=1)
    queries = layers.Concatenate(name="queries")([of_column, place])
    if layout.known_of.size:
        # The last segment is filled up with zeros.
        later = known[:, lookback:]
        later = ops.pad(later, [(0, 0), (0, ahead * size - horizon), (0, 0)])
        later = ops.reshape(later, (-1, ahead, size * later.shape[-1]))
        queries = queries + layers.Dense(units, name="known_ahead")(later)
    queries = ops.reshape(queries, (-1, 1, units))
    memories = [ops.repeat(memory, ahead, axis=0) for memory in memories]
    decoded, *_ = recurrent(queries, initial_state=memories)

    kept = layers.Dropout(settings.dropout)(decoded)
    written = layers.Dense(size, name="values")(kept)
    # The last segment may reach beyond the horizon.
    written = ops.reshape(written, (-1, ahead * size))[:, :horizon]
    return keras.Model(inputs, add_level(written, level), name="segments")


def of_all_columns(
    model: keras.Model, settings: Settings, layout: Layout
) -> keras.Model:
    """Return a model that applies a model of one column to each.

    ```
    (batch, lookback, columns) to (batch, horizon, columns)
    ```

    With covariates its inputs are a dictionary, with all of `past` and
    `known`, as `Windows.take` returns it.
    """
    lookback, horizon = settings.lookback, settings.horizon
    columns = layout.columns
    series = keras.Input((lookback, columns), name="series")
    numbers = ops.zeros_like(series[:, 0, :1], "int32")
    numbers = numbers + np.arange(columns, dtype="int32")
    by_column = ops.transpose(series, (0, 2, 1))
    inputs = {"series": series}
    each = {
        "series": ops.reshape(by_column, (-1, lookback)),
        "column": ops.reshape(numbers, (-1,)),
    }
    for name, length, count, own in (
        ("past", lookback, layout.past, layout.past_of),
        ("known", lookback + horizon, layout.known, layout.known_of),
    ):
        if own.size:
            inputs[name] = keras.Input((length, count), name=name)
            shape = (-1, length, columns, own.shape[1])
            of_each = ops.take(inputs[name], own.ravel(), axis=2)
            of_each = ops.transpose(ops.reshape(of_each, shape), (0, 2, 1, 3))
            each[name] = ops.reshape(of_each, (-1, length, own.shape[1]))
    forecast = ops.reshape(model(each), (-1, columns, horizon))
    forecast = ops.transpose(forecast, (0, 2, 1))
    return keras.Model(alone(inputs), forecast, name="time_series")


def alone(inputs: dict[str, Kind]) -> dict[str, Kind] | Kind:
    """Return the series alone, if there are no covariates."""
    return inputs if len(inputs) > 1 else inputs["series"]


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
    inputs = inputs_like(recurrent)
    seen = inputs["series"]
    last = seen[:, -1:, :]
    kernel, equation = linear.kernel, "blc,clh->bhc"
    if len(kernel) != seen.shape[-1]:
        [kernel], equation = kernel, "blc,lh->bhc"
    layer = layers.EinsumDense(
        equation, recurrent.output_shape[1:], trainable=False, name="linear"
    )
    of_line = add_level(layer(seen - last), last)
    layer.set_weights([kernel])
    of_recurrent = recurrent(alone(inputs))
    forecast = linear_weight * of_line + (1 - linear_weight) * of_recurrent
    return keras.Model(alone(inputs), forecast, name="time_series")


def inputs_like(
    model: keras.Model, dtype: str = "float32"
) -> dict[str, keras.KerasTensor]:
    """Return new inputs of a forecaster, by name."""
    return {
        it.name: keras.Input(it.shape[1:], name=it.name, dtype=dtype)
        for it in model.inputs
    }


def in_own_units(
    model: keras.Model, scalings: dict[str, Scaling], dtype: str = "float64"
) -> keras.Model:
    """Return a model with inputs and outputs in their own units.

    Args:
        model: A forecaster in standard units, in float32.
        scalings: Scaling of each input, by its name.
        dtype: Type of inputs, outputs and scaling. With float32, small changes
            of large values are rounded away.
    """
    inputs = inputs_like(model, dtype)
    scaled = {}
    for name, given in inputs.items():
        mean, deviation = scalings[name]
        # Not Keras's Normalization, which clips deviations at 1e-7.
        around_zero = layers.Rescaling(1.0, list(-mean), dtype=dtype)(given)
        scaled[name] = layers.Rescaling(list(1 / deviation), dtype=dtype)(
            around_zero
        )
    mean, deviation = scalings["series"]
    forecast = layers.Rescaling(
        list(deviation), list(mean), dtype=dtype, name="forecast"
    )(model(alone(scaled)))
    return keras.Model(alone(inputs), forecast, name="time_series")


def forecast_of(model: keras.Model) -> Forecast:
    """Return a model's forecasts as a function of arrays, traced once."""
    specs = {
        it.name: tf.TensorSpec(it.shape, tf.float32) for it in model.inputs
    }
    function = tf.function(
        lambda inputs: model(inputs, training=False),
        input_signature=[alone(specs)],
    )
    return lambda inputs: function(inputs).numpy()
