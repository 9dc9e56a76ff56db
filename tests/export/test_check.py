"""The check after an export: what it finds, and what it reports."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import ExportError, export_litert, run_litert
from tests.export.models import (
    array,
    examples,
    random_weights,
    sequential,
    some_events,
)
from tests.families import FEATURES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.tflite"


@pytest.fixture(scope="module")
def model():
    return sequential(layers.LSTM(4, name="lstm"), layers.Dense(2, name="out"))


def test_the_report_says_what_the_file_is(path, model):
    given = some_events(2, 5)
    report = export_litert(
        model, path, time_steps=5, batch_size=2, check_inputs=given
    )
    found = run_litert(path, events=given)["out"]
    error = np.abs(found - array(model(given))).max()
    assert error <= report.largest_error < report.tolerance == 1e-5
    assert report.error_in_range <= report.largest_error
    assert report.path == path
    assert report.bytes == path.stat().st_size
    assert (report.form, report.quantize, report.micro) == (
        "fused",
        None,
        False,
    )
    assert report.inputs == {"events": (2, 5, FEATURES)}
    assert report.outputs == ["out"]
    assert report.operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1
    assert report.microseconds > 0


def test_the_report_is_printed_as_a_table(path, model):
    report = export_litert(model, path, time_steps=5)
    heads = {line.split("  ")[0] for line in str(report).splitlines()}
    names = "file form quantized operators bytes inputs outputs memories"
    assert {*names.split(), "µs per call", "largest error"} <= heads
    text = " ".join(str(report).split())
    assert f"form fused ({report.why})" in text
    assert f"bytes {report.bytes:,}" in text
    assert f"largest error {report.largest_error:.1e}" in text
    assert "1e-05 allowed" in text
    assert "memories empty at the start of each call" in text


def test_the_path_can_be_copied_from_the_table(tmp_path, model):
    path = tmp_path / ("long-" * 20) / "m.tflite"
    assert str(path) in str(export_litert(model, path, time_steps=5))


def test_what_is_too_far_from_keras_is_refused_and_leaves_what_was(path, model):
    path.write_bytes(b"before")
    with pytest.raises(
        ExportError,
        match=r"refused on lstm \(GateLSTM\) with form='fused', "
        r"quantize='float16'.* more than 0\. Try form='looped' or "
        r"'unrolled' or 'streaming', or quantize=None\.$",
    ):
        export_litert(model, path, "fused", "float16", tolerance=0)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_layers_that_look_at_several_events_do_not_stream(path):
    model = sequential(layers.Conv1D(3, 2, padding="causal"), layers.LSTM(4))
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(model, path, "streaming")
    assert list(path.parent.iterdir()) == []


def test_inputs_that_are_given_are_checked_too(path):
    # The ranges that int8 was made for end long before these.
    options = {"time_steps": 6, "representative_data": examples()}
    options["carry_state"] = True
    model = sequential(layers.LSTM(4, return_sequences=True))
    export_litert(model, path, "fused", "int8", **options)
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(
            model,
            path.with_name("other"),
            "fused",
            "int8",
            check_inputs=30 * some_events(1, 6),
            **options,
        )
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "given",
    [
        np.ones((1, 4, 3)),
        [np.ones((1, 5, 3))] * 2,
        np.ones((1, 5, 4)),
        np.full((1, 5, 3), "a"),
    ],
    ids=["steps", "two", "features", "text"],
)
def test_inputs_to_check_of_other_shapes(path, model, given):
    problem = r"^check_inputs must hold .* of shape \(1, 5, 3\),.*: \(1, "
    with pytest.raises(ValueError, match=problem):
        export_litert(model, path, time_steps=5, check_inputs=given)
    assert list(path.parent.iterdir()) == []


def test_a_small_output_that_is_wrong_beside_a_large_one(path):
    events = keras.Input((None, FEATURES), name="events")
    lstm = GateLSTM(4, return_sequences=True)(events)
    # The mean of all steps is not what a stream of steps can give.
    mean = layers.GlobalAveragePooling1D(name="mean")(lstm)
    large = layers.Rescaling(1e8, name="large")(lstm)
    model = random_weights(keras.Model(events, [large, mean]))
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(model, path, "streaming")


def test_8_bits_of_small_outputs(path):
    dense = layers.Dense(2, use_bias=False)
    model = sequential(GateLSTM(4), dense)
    dense.kernel.assign(0.02 * dense.kernel)
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(
            model,
            path,
            "unrolled",
            "int8",
            time_steps=6,
            # Not at all what comes.
            representative_data=1e-3 * examples(),
            check_inputs=10 * examples()[:1],
        )
