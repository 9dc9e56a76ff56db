"""Keras models that hold a recurrent layer somewhere."""

import keras
import numpy as np

from tests.families import FEATURES, TIME

layers = keras.layers


def random_weights(layer):
    """All positive for variances; seeds and counters are left alone."""
    random = np.random.default_rng(2)
    for weight in layer.weights:
        if "float" in str(weight.dtype):
            low = 0.1 if "variance" in weight.path else -0.5
            weight.assign(random.uniform(low, 0.5, weight.shape))


def sequential(*parts):
    return keras.Sequential([keras.Input((TIME, FEATURES)), *parts])


def functional(family):
    """Encoder and decoder, with memories that go from one to the other."""
    inputs = keras.Input((TIME, FEATURES), name="events")
    embedded = layers.Dense(4, name="embed")(inputs)
    encoded, *memories = family.theirs(return_state=True, name="encode")(
        embedded
    )
    repeated = layers.RepeatVector(3)(encoded)
    decoded = family.theirs(return_sequences=True, name="decode")(
        repeated, initial_state=memories
    )
    return keras.Model(inputs, {"all": decoded, "first": encoded})


def used_twice(family):
    inputs = keras.Input((TIME, FEATURES))
    layer = family.theirs(return_sequences=True)
    return keras.Model(inputs, layer(inputs) - layer(2 * inputs))


def used_by_two_models():
    layer = layers.LSTM(3)
    inputs = keras.Input((TIME, FEATURES))
    first = keras.Sequential([keras.Input((TIME, FEATURES)), layer])
    second = keras.Sequential([keras.Input((TIME, FEATURES)), layer])
    return keras.Model(inputs, first(inputs) - second(2 * inputs))


PLACES = {
    "alone": lambda family: family.theirs(),
    "sequential": lambda family: sequential(
        layers.Dense(4), family.theirs(), layers.Dense(2)
    ),
    "stacked": lambda family: sequential(
        family.theirs(3, return_sequences=True, go_backwards=True),
        layers.BatchNormalization(),
        family.theirs(4),
    ),
    "nested": lambda family: sequential(
        keras.Sequential(
            [keras.Sequential([family.theirs(return_sequences=True)])]
        ),
        family.theirs(),
    ),
    "functional": functional,
    "used_twice": used_twice,
    "bidirectional": lambda family: sequential(
        layers.Bidirectional(family.theirs(return_sequences=True)),
        layers.Bidirectional(family.theirs(), merge_mode="sum"),
    ),
    "time_distributed": lambda family: keras.Sequential(
        [
            keras.Input((2, TIME, FEATURES)),
            layers.TimeDistributed(
                keras.Sequential([family.theirs(), layers.Dense(2)])
            ),
            layers.TimeDistributed(layers.Dense(1)),
        ]
    ),
    "rnn": lambda family: sequential(layers.RNN(family.their_cell())),
    "stacked_cells": lambda family: sequential(
        layers.RNN([family.their_cell(3), family.their_cell(4)])
    ),
}


def inside(layer):
    return layer._flatten_layers()
