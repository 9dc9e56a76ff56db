"""What the callback writes is what the gates do."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM, record_gates, statistics
from keras_gatelstm.inspect.callbacks import GateStatistics
from keras_gatelstm.inspect.gradients import gradient_norms

tf = pytest.importorskip("tensorflow")
pytest.importorskip("tensorboard")


def events_in(folder):
    """Every scalar that was written, by its name and epoch."""
    (file,) = folder.glob("events.*")
    found = {}
    histograms = set()
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "histograms":
                histograms.add(value.tag)
            else:
                number = float(tf.make_ndarray(value.tensor))
                found[value.tag, event.step] = number
    return found, histograms


def test_statistics_of_every_layer_are_written_each_epoch(events, tmp_path):
    model = keras.Sequential(
        [
            keras.Input(events.shape[1:]),
            GateLSTM(5, return_sequences=True, name="ours"),
            layers.GRU(4, return_sequences=True, name="gru"),
            layers.SimpleRNN(2, name="rnn"),
        ]
    )
    model.compile("sgd", "mse")
    targets = np.ones((4, 2), "float32")
    callback = GateStatistics(events, targets, tmp_path, every=2)
    model.fit(events, targets, epochs=4, verbose=0, callbacks=[callback])
    scalars, histograms = events_in(tmp_path / "gates")
    assert {step for _, step in scalars} == {1, 3}
    trace = record_gates(model, events)
    share = statistics.saturation(trace["ours"], "use_factor")
    norms = gradient_norms(model, events, targets)
    expected = {
        "gates/ours/use_factor/open": share.high.mean(),
        "gates/ours/use_factor/shut": share.low.mean(),
        "gates/gru/half_life": np.median(statistics.half_life(trace["gru"])),
        "gates/ours/learn_gate/gradient_norm": norms["ours/learn_gate"],
        "gates/rnn/memory/gradient_norm": norms["rnn/memory"],
    }
    for name, value in expected.items():
        np.testing.assert_allclose(scalars[name, 3], value, rtol=1e-4)
        np.testing.assert_allclose(callback.history[name][-1], value, rtol=1e-4)
    assert "gates/gru/update_factor" in histograms


def test_mistakes_are_refused(events, tmp_path):
    with pytest.raises(ValueError, match="every must be a positive integer"):
        GateStatistics(events, every=0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="has no gates to record"):
        model.fit(
            np.ones((2, 3)),
            np.ones((2, 1)),
            verbose=0,
            callbacks=[GateStatistics(np.ones((2, 3)), log_dir=tmp_path)],
        )
