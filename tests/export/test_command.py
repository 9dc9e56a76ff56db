"""`python -m keras_gatelstm.export`."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from keras import layers

from keras_gatelstm.export.__main__ import main


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
