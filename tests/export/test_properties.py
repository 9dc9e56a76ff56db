"""Compare exports of layers of random options, sizes and dtypes with Keras."""

import tempfile
from pathlib import Path

import tensorflow as tf
from hypothesis import Phase, given, settings

from keras_gatelstm.export import (
    LiteRTFile,
    export_litert,
    export_saved_model,
)
from tests.test_properties import assert_equal, cases, examples, model_of


# Without a search for the smallest case that fails: it would take minutes.
@settings(examples(4, 0, 0), phases=[Phase.generate])
@given(cases(masked=False, starts_from_memories=False))
def test_exports_give_what_keras_gives(case):
    model, events = model_of(case), case.events()
    expected = model(events)
    with tempfile.TemporaryDirectory() as folder:
        saved = export_saved_model(model, folder)
        serve = tf.saved_model.load(saved.path).signatures["serving_default"]
        found = serve(events=tf.constant(events))
        assert_equal(in_order(found), expected)
        file = Path(folder) / "model.tflite"
        export_litert(model, file, time_steps=case.time, batch_size=case.batch)
        found = LiteRTFile(file)(events=events.astype("float32"))
        assert_equal(in_order(found), expected)


def in_order(outputs):
    """Return outputs by their names: `gate_lstm`, `gate_lstm_1`, and so on."""
    return [outputs[name] for name in sorted(outputs)]
