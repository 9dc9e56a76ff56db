"""LiteRT files: built-in operators only, the same numbers as Keras."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM, GateLSTMCell
from keras_gatelstm.export import export_litert, run_litert

TIME, FEATURES = 6, 3


@pytest.fixture
def events():
    random = np.random.default_rng(1)
    return random.normal(size=(2, TIME, FEATURES)).astype("float32")


def make_model(*recurrent):
    return keras.Sequential(
        [
            keras.Input((None, FEATURES), name="events"),
            *recurrent,
            layers.Dense(2, name="guess"),
        ]
    )


@pytest.mark.parametrize(
    "recurrent",
    [
        lambda: [GateLSTM(4), layers.Dropout(0.5)],
        lambda: [GateLSTM(4, "standard", return_sequences=True)],
        lambda: [GateLSTM(4, return_sequences=True), GateLSTM(3, dropout=0.2)],
        lambda: [layers.Bidirectional(GateLSTM(4, recurrent_dropout=0.2))],
        lambda: [layers.RNN(GateLSTMCell(4))],
        lambda: [layers.LSTM(4)],
    ],
    ids=["lesson", "standard", "stack", "bidirectional", "cell", "keras"],
)
def test_built_in_operators_give_what_keras_gives(tmp_path, events, recurrent):
    # The plain interpreter refuses all but built-in operators.
    model = make_model(*recurrent())
    path = export_litert(model, tmp_path / "a" / "m.tflite", time_steps=TIME)
    assert list(path.parent.iterdir()) == [path]
    found = run_litert(path, events=events[:1])["guess"]
    np.testing.assert_allclose(found, model(events[:1]), atol=1e-5)


def test_a_free_batch(tmp_path, events):
    model = make_model(GateLSTM(4))
    path = export_litert(
        model, tmp_path / "m.tflite", time_steps=TIME, batch_size=None
    )
    for rows in (1, 2):
        found = run_litert(path, events=events[:rows])["guess"]
        np.testing.assert_allclose(found, model(events[:rows]), atol=1e-5)


def test_a_functional_model(tmp_path, events):
    given = keras.Input((None, FEATURES), name="events")
    model = keras.Model([given], GateLSTM(4, name="memory")(given))
    path = export_litert(model, tmp_path / "m.tflite", time_steps=TIME)
    found = run_litert(path, events=events[:1])["memory"]
    np.testing.assert_allclose(found, model([events[:1]]), atol=1e-5)


def test_inputs_that_the_file_does_not_have_are_refused(tmp_path, events):
    path = tmp_path / "m.tflite"
    export_litert(make_model(GateLSTM(4)), path, time_steps=TIME)
    with pytest.raises(ValueError, match=r"takes events\. Received: event"):
        run_litert(path, event=events)


def test_a_failed_export_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "m.tflite"
    path.write_bytes(b"before")

    def fail(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(OSError, match="No space"):
        export_litert(make_model(GateLSTM(4)), path, time_steps=TIME)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_more_than_one_input_is_refused(tmp_path):
    one, two = keras.Input((None, 3)), keras.Input((None, 3))
    model = keras.Model([one, two], GateLSTM(4)(one + two))
    with pytest.raises(ValueError, match="must have one input"):
        export_litert(model, tmp_path / "m.tflite", time_steps=TIME)
