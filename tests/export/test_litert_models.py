"""Models of all kinds as LiteRT files: the same numbers as Keras."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateGRU, GateLSTM, GateLSTMCell, GateRNN
from keras_gatelstm.export import LiteRTFile, export_litert, run_litert

STEPS, FEATURES = 6, 3


@pytest.fixture
def events():
    random = np.random.default_rng(1)
    return random.normal(size=(2, STEPS, FEATURES)).astype("float32")


def make_model(*parts):
    model = keras.Sequential(
        [keras.Input((None, FEATURES), name="events"), *parts]
    )
    random = np.random.default_rng(2)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            weight.assign(random.uniform(0.1, 0.9, weight.shape))
    return model


def sequences(layer, units=4, **options):
    return layer(units, return_sequences=True, **options)


KINDS = {
    "a stack": lambda: [sequences(GateLSTM), GateLSTM(3, dropout=0.2)],
    "both ways": lambda: [
        layers.Bidirectional(sequences(layers.LSTM, recurrent_dropout=0.1)),
        layers.Bidirectional(layers.LSTM(3), merge_mode="sum"),
    ],
    "backwards": lambda: [
        sequences(layers.LSTM, go_backwards=True),
        GateLSTM(3, variant="standard", go_backwards=True),
    ],
    "no bias": lambda: [sequences(layers.LSTM, use_bias=False)],
    "GRU": lambda: [sequences(layers.GRU), GateGRU(3, reset_after=False)],
    "plain RNN": lambda: [sequences(layers.SimpleRNN), GateRNN(3)],
    "a GRU on an LSTM": lambda: [sequences(layers.LSTM), layers.GRU(3)],
    "cells": lambda: [layers.RNN([GateLSTMCell(4), layers.GRUCell(3)])],
    "others around": lambda: [
        layers.Conv1D(4, 2, padding="causal"),
        layers.LayerNormalization(),
        sequences(layers.LSTM),
        layers.Dropout(0.5),
        layers.LSTM(3),
        layers.Dense(2, "softmax"),
    ],
    "refined": lambda: [
        GateLSTM(4, variant="standard", peephole=True, coupled=True)
    ],
}
FORMS = {
    "a stack": ["auto"],
    "both ways": ["fused", "looped"],
    "backwards": ["fused"],
    "no bias": ["fused"],
    "GRU": ["looped", "streaming"],
    "plain RNN": ["unrolled"],
    "a GRU on an LSTM": ["fused", "streaming"],
    "cells": ["looped"],
    "others around": ["looped"],
    "refined": ["streaming"],
}


@pytest.mark.parametrize(
    ("kind", "form"),
    [(kind, form) for kind in KINDS for form in FORMS[kind]],
)
def test_outputs_are_those_of_keras(kind, form, events, tmp_path):
    model, path = make_model(*KINDS[kind]()), tmp_path / "model.tflite"
    steps = None if form in ("looped", "streaming") else STEPS
    report = export_litert(model, path, form, time_steps=steps)
    assert report.largest_error < 1e-5
    assert list(tmp_path.iterdir()) == [path]
    if form == "streaming":
        return
    (found,) = run_litert(path, events=events[:1]).values()
    np.testing.assert_allclose(found, model(events[:1]), atol=1e-5)


def test_one_looped_file_for_sequences_of_any_length_and_number(tmp_path):
    model, path = make_model(sequences(GateLSTM)), tmp_path / "model.tflite"
    export_litert(model, path, "looped")
    file = LiteRTFile(path)
    for rows, steps in [(1, 1), (2, 7), (3, 8), (1, 9), (2, 33)]:
        events = np.random.default_rng(steps).normal(size=(rows, steps, 3))
        (found,) = file(events=events).values()
        np.testing.assert_allclose(found, model(events), atol=1e-5)


def test_masks_are_honoured_both_ways(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="words"),
            layers.Embedding(5, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4)),
        ]
    )
    words = np.array([[3, 1, 2, 0, 0], [0, 2, 0, 4, 1]], "int32")
    path = tmp_path / "model.tflite"
    export_litert(model, path, "looped", check_inputs=words)
    (found,) = run_litert(path, words=words).values()
    np.testing.assert_allclose(found, model(words), atol=1e-5)


def test_a_model_that_was_trained_in_batches_of_one_size(events, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((STEPS, FEATURES), batch_size=2, name="events"),
            layers.LSTM(4, stateful=True, dtype="mixed_bfloat16"),
        ]
    )
    model(events)
    path = tmp_path / "model.tflite"
    export_litert(model, path, "looped")
    (found,) = run_litert(path, events=events[:1, :4]).values()
    same = layers.LSTM(4)
    same.build(events.shape)
    same.set_weights(model.layers[0].get_weights())
    np.testing.assert_allclose(found, same(events[:1, :4]), atol=1e-5)
