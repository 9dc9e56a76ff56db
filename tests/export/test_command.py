"""`python -m keras_gatelstm.export`."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from keras import layers

from keras_gatelstm.export.__main__ import main


def in_this_process(arguments, capsys):
    assert main(arguments) == 0
    return capsys.readouterr().out


def in_its_own(arguments, capsys):
    done = subprocess.run(
        [sys.executable, "-m", "keras_gatelstm.export", *arguments],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "run",
    [in_this_process, pytest.param(in_its_own, marks=pytest.mark.thorough)],
)
def test_the_command_exports_both_ways(run, tmp_path, capsys):
    model = keras.Sequential([keras.Input((7, 3)), layers.LSTM(4)])
    model.save(tmp_path / "model.keras")
    litert, served = tmp_path / "out" / "model.tflite", tmp_path / "out/served"
    arguments = [str(tmp_path / "model.keras"), "--steps", "7"]
    arguments += ["--litert", str(litert), "--saved-model", str(served)]
    printed = run(arguments, capsys)
    for told in ("serving_default", "UNIDIRECTIONAL_SEQUENCE_LSTM", "fused"):
        assert told in printed
    assert (served / "1" / "saved_model.pb").is_file()
    assert litert.is_file()


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
