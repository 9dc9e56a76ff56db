"""Forecasters: what was seen, `(batch, lookback, columns)`, to what comes.

Both forecast the change since the last value seen, each column by itself with
the same weights, and take and give a series in units of its own.
"""

import argparse
import math

import keras
import numpy as np
from keras import layers, ops

from recipes.cells import recurrent_layer
from recipes.data.scaling import Scaling

# The longest segment: a day of hours.
SEGMENT = 24


def build(args: argparse.Namespace, columns: int) -> keras.Model:
    """The model that `args` names, for a series of standard deviation 1."""
    make = {"segments": segments, "plain": plain}[args.form]
    return make(args, columns)


def segments(args: argparse.Namespace, columns: int) -> keras.Model:
    """Reads segment by segment, and writes all segments to come at once.

    A segment is a vector to the recurrent layer, so that a look-back of 720
    hours is 15 steps. From the memory it ends with, each segment of the
    horizon is decoded by one step of the same layer, whose event says which
    segment of which column it is.

    References:
        Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term
        Time Series Forecasting", 2023, arXiv 2308.11200.
    """
    size = segment_size(args.lookback, args.horizon)
    ahead = args.horizon // size
    units = args.units
    seen = keras.Input((args.lookback, columns), name="series")
    last = seen[:, -1:, :]
    change = ops.transpose(seen - last, (0, 2, 1))
    events = ops.reshape(change, (-1, args.lookback // size, size))
    embedded = layers.Dense(units, "relu", name="segment")(events)
    recurrent = recurrent_layer(
        args.cell, units, return_state=True, name="recurrent"
    )
    _, *memories = recurrent(embedded)

    # Which column and which segment of it, for each row of the batch.
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

    kept = layers.Dropout(args.dropout)(decoded)
    written = layers.Dense(size, name="values")(kept)
    written = ops.reshape(written, (-1, columns, args.horizon))
    forecast = ops.transpose(written, (0, 2, 1)) + last
    return keras.Model(seen, forecast, name="time_series")


def embedding(count: int, size: int, name: str) -> layers.Embedding:
    """An embedding of standard deviation 1.

    With Keras's own, twenty times as small, all queries are alike for long.
    """
    spread = keras.initializers.RandomNormal(stddev=1.0)
    return layers.Embedding(
        count, size, embeddings_initializer=spread, name=name
    )


def plain(args: argparse.Namespace, columns: int) -> keras.Model:
    """Reads step by step, and writes the horizon from the last memory.

    The form of the lesson: an event is one row of the series.
    """
    seen = keras.Input((args.lookback, columns), name="series")
    last = seen[:, -1:, :]
    memory = recurrent_layer(args.cell, args.units, name="recurrent")(
        seen - last
    )
    kept = layers.Dropout(args.dropout)(memory)
    written = layers.Dense(args.horizon * columns, name="values")(kept)
    forecast = ops.reshape(written, (-1, args.horizon, columns)) + last
    return keras.Model(seen, forecast, name="time_series")


def segment_size(lookback: int, horizon: int) -> int:
    """The longest segment that both are made of."""
    shared = math.gcd(lookback, horizon)
    return max(it for it in range(1, SEGMENT + 1) if shared % it == 0)


def in_own_units(
    model: keras.Model, scaling: Scaling, dtype: str = "float64"
) -> keras.Model:
    """The model with the scaling inside: a series' own units in and out.

    Args:
        model: A forecaster of a series in standard units, in float32.
        scaling: From the series' own units.
        dtype: The type of what goes in and comes out, and of the scaling. In
            float32, numbers far from zero lose what is small beside them.
    """
    seen = keras.Input(model.input_shape[1:], name="series", dtype=dtype)
    mean, deviation = scaling
    # Keras's Normalization takes a deviation below 1e-7 for one of 1e-7.
    around_zero = layers.Rescaling(1.0, list(-mean), dtype=dtype)(seen)
    scaled = layers.Rescaling(list(1 / deviation), dtype=dtype)(around_zero)
    forecast = layers.Rescaling(
        list(deviation), list(mean), dtype=dtype, name="forecast"
    )(model(scaled))
    return keras.Model(seen, forecast, name="time_series")
