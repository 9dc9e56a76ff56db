"""What cannot be exported to LiteRT: one clear error, and no file."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export import ExportError, converter, export_litert
from keras_gatelstm.export.__main__ import main


def make_model(*parts):
    return keras.Sequential([keras.Input((None, 3), name="events"), *parts])


@pytest.fixture(scope="module")
def lstm():
    return make_model(layers.LSTM(4, name="memory"))


WRONG = [
    ({"form": "rolled"}, "form must be"),
    ({"quantize": "int4"}, "quantize must be"),
    ({"target": "macro"}, "target must be"),
    ({"time_steps": 0}, "time_steps must be a positive integer"),
    ({"batch_size": True}, "batch_size must be a positive integer"),
    ({"form": "fused", "batch_size": None}, "needs a fixed batch_size"),
    ({"form": "unrolled"}, "memory cannot be unrolled: .* Say time_steps"),
    ({"quantize": "int8", "time_steps": 5}, "needs representative_data"),
    (
        {
            "quantize": "int8",
            "time_steps": 5,
            "representative_data": np.ones((4, 3, 3)),
        },
        r"at least a batch of shape \(1, 5, 3\)\. Received: \(4, 3, 3\)",
    ),
    (
        {"target": "micro", "quantize": "dynamic"},
        "not for microcontrollers",
    ),
]


@pytest.mark.parametrize(("options", "problem"), WRONG, ids=str)
def test_wrong_arguments(lstm, options, problem, tmp_path):
    with pytest.raises(ValueError, match=problem):
        export_litert(lstm, tmp_path / "model.tflite", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "form", "problem"),
    [
        (lambda: GateLSTM(4), "auto", "must be a keras.Sequential or func"),
        (lambda: keras.Sequential([GateLSTM(4)]), "auto", "must be built"),
        (lambda: make_model(layers.Dense(4)), "auto", "no recurrent layer"),
        (
            lambda: make_model(GateLSTM(4, name="mine")),
            "fused",
            'mine cannot be fused: it has variant="lesson"',
        ),
        (
            lambda: make_model(layers.LSTM(4, "relu", name="mine")),
            "fused",
            "mine cannot be fused: its activation is not tanh",
        ),
        (
            lambda: make_model(layers.GRU(4, name="mine")),
            "fused",
            "mine cannot be fused: the operator is an LSTM",
        ),
        (
            lambda: make_model(layers.Bidirectional(layers.LSTM(4))),
            "streaming",
            "reads backwards: it needs the end first",
        ),
    ],
)
def test_models_that_cannot_be(make, form, problem, tmp_path):
    with pytest.raises((TypeError, ValueError), match=problem):
        export_litert(make(), tmp_path / "model.tflite", form, time_steps=4)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_differs_from_keras_is_no_file(lstm, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"before")
    with pytest.raises(
        ExportError,
        match=r"refused on memory \(GateLSTM\) with form='unrolled'.*differ "
        r"from Keras's by .* Try form='fused' or",
    ):
        export_litert(lstm, path, "unrolled", time_steps=4, tolerance=0.0)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_layers_that_look_at_several_events_do_not_stream(tmp_path):
    model = make_model(
        layers.Conv1D(3, 2, padding="causal"), layers.LSTM(4, name="memory")
    )
    with pytest.raises(ExportError, match="differ from Keras's"):
        export_litert(model, tmp_path / "model.tflite", "streaming")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_of_the_converter_is_an_error(lstm, tmp_path, monkeypatch):
    program = tmp_path / "crash.py"
    program.write_text("import os, sys; sys.stdin.readline(); os.abort()")
    folder = tmp_path / "out"
    converter._process.stop()
    with monkeypatch.context() as patch:
        patch.setattr(converter, "PROGRAM", program)
        with pytest.raises(
            ExportError,
            match=r"converter failed on memory \(GateLSTM\) with "
            r"form='fused': it crashed, with status -6\. Try form='looped'",
        ):
            export_litert(lstm, folder / "model.tflite")
    assert not folder.exists()
    assert export_litert(lstm, folder / "model.tflite").form == "fused"


def test_a_folder_that_cannot_be_written_is_an_error(lstm, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        export_litert(lstm, tmp_path / "file" / "model.tflite")


def test_the_command_exports_both_ways(tmp_path):
    model = keras.Sequential([keras.Input((7, 3)), layers.LSTM(4)])
    model.save(tmp_path / "model.keras")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "keras_gatelstm.export"),
            *(tmp_path / "model.keras", "--steps", "7"),
            *("--litert", tmp_path / "out" / "model.tflite"),
            *("--saved-model", tmp_path / "out" / "served"),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for told in ("serving_default", "UNIDIRECTIONAL_SEQUENCE_LSTM", "fused"):
        assert told in done.stdout
    assert (tmp_path / "out" / "served" / "1" / "saved_model.pb").is_file()
    assert (tmp_path / "out" / "model.tflite").is_file()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no.keras", "--litert", "a"], "there is no file no.keras"),
        ([__file__, "--litert", "a"], "cannot be loaded by Keras"),
        ([__file__], "name a --saved-model folder, a --litert file, or both"),
        ([__file__, "--litert", "a", "--form", "x"], "invalid choice"),
    ],
)
def test_mistakes_in_a_command_end_in_one_line(arguments, problem, capsys):
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
