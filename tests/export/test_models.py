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
        GateLSTM(3, "standard", go_backwards=True),
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
        layers.TimeDistributed(layers.Dense(2)),
        layers.LSTM(3),
        layers.Dense(2, "softmax"),
    ],
    "refined": lambda: [GateLSTM(4, "standard", peephole=True, coupled=True)],
}
NOT_FUSED = {"a stack", "GRU", "plain RNN", "cells", "refined"}
NOT_STREAMED = {"both ways", "backwards", "others around"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["fused", "unrolled", "looped", "streaming"])
def test_outputs_are_those_of_keras(kind, form, events, tmp_path):
    model, path = make_model(*KINDS[kind]()), tmp_path / "model.tflite"
    steps = None if form in ("looped", "streaming") else STEPS
    if (form == "fused" and kind in NOT_FUSED) or (
        form == "streaming" and kind in NOT_STREAMED
    ):
        with pytest.raises((ValueError, RuntimeError)):
            export_litert(model, path, form, time_steps=steps)
        assert list(tmp_path.iterdir()) == []
        return
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


@pytest.mark.parametrize("form", ["unrolled", "looped"])
@pytest.mark.parametrize(
    "options",
    [{}, {"zero_output_for_mask": True, "return_sequences": True}],
    ids=["last", "zeros"],
)
def test_masks_are_honoured(form, options, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="words"),
            layers.Embedding(5, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4, **options)),
        ]
    )
    words = np.array([[3, 1, 2, 0, 0], [0, 2, 0, 4, 1]], "int32")
    path = tmp_path / "model.tflite"
    export_litert(
        model, path, form, time_steps=5, batch_size=2, check_inputs=words
    )
    (found,) = run_litert(path, words=words).values()
    np.testing.assert_allclose(found, model(words), atol=1e-5)
    with pytest.raises(ValueError, match="its input is masked"):
        export_litert(model, tmp_path / "m", "fused", time_steps=5)
    report = export_litert(model, path, time_steps=5)
    assert report.form == "unrolled"


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


def test_several_inputs_and_outputs_keep_their_names(events, tmp_path):
    one = keras.Input((None, FEATURES), name="one")
    two = keras.Input((None, FEATURES), name="two")
    memory, *states = layers.GRU(4, return_state=True, name="memory")(one + two)
    total = layers.Dense(1, name="total")(memory)
    model = keras.Model({"a": one, "b": two}, [total, *states])
    path = tmp_path / "model.tflite"
    export_litert(model, path, time_steps=STEPS, batch_size=None)
    found = run_litert(path, one=events, two=-2 * events)
    expected = model({"a": events, "b": -2 * events})
    np.testing.assert_allclose(found["total"], expected[0], atol=1e-5)
    np.testing.assert_allclose(found["memory"], expected[1], atol=1e-5)


def test_memories_inside_stay_until_they_are_emptied(events, tmp_path):
    model, path = make_model(layers.LSTM(4)), tmp_path / "model.tflite"
    report = export_litert(model, path, "streaming")
    assert "inside, from call to call" in str(report)
    file = LiteRTFile(path)
    for _ in range(2):
        for step in range(STEPS):
            (last,) = file(events=events[:1, step : step + 1]).values()
        np.testing.assert_allclose(last, model(events[:1]), atol=1e-5)
        file.reset()


def test_int8_files_are_integer_from_end_to_end(tmp_path):
    model, path = make_model(layers.LSTM(4)), tmp_path / "model.tflite"
    examples = np.random.default_rng(1).normal(size=(40, STEPS, FEATURES))
    export_litert(
        model,
        path,
        quantize="int8",
        time_steps=STEPS,
        representative_data=examples,
    )
    file = LiteRTFile(path)
    for detail in [*file.inputs.values(), *file.outputs.values()]:
        assert detail["dtype"] is np.int8


@pytest.mark.parametrize("quantize", [None, "int8"])
@pytest.mark.parametrize("variant", ["lesson", "standard"])
def test_microcontrollers_run_it(variant, quantize, tmp_path):
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    model = make_model(sequences(GateLSTM, variant=variant), layers.Dense(2))
    examples = np.random.default_rng(1).normal(size=(40, STEPS, FEATURES))
    for form in ("auto", "streaming"):
        report = export_litert(
            model,
            tmp_path / "model.tflite",
            form,
            quantize,
            time_steps=STEPS,
            representative_data=examples,
            target="micro",
        )
        assert report.micro
