"""`python -m keras_gatelstm.export`."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
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


def test_what_is_read_is_not_written_over(tmp_path, capsys):
    model = tmp_path / "model.keras"
    keras.Sequential([keras.Input((7, 3)), layers.LSTM(4)]).save(model)
    before = model.read_bytes()
    link = tmp_path / "link.tflite"
    link.symlink_to(model)
    for target in (model, link):
        assert main([str(model), "--litert", str(target)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "would be replaced by the file for LiteRT" in line
    assert model.read_bytes() == before


def started(model, *arguments, **options):
    """The command, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "keras_gatelstm.export", model, *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@contextmanager
def files_of_at_most(size):
    """This process, and those that it starts, write no larger files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("target", "limit"),
    [
        ("--saved-model", 50_000),
        ("--litert", 50_000),
        # What the converter writes is larger.
        ("--litert", 215_000),
    ],
)
def test_a_full_disk_ends_in_one_line(target, limit, tmp_path, capsys):
    model = tmp_path / "model.keras"
    keras.Sequential([keras.Input((7, 300)), layers.LSTM(40)]).save(model)
    out = tmp_path / "out"
    with files_of_at_most(limit):
        status = main([str(model), target, str(out / "it")])
    assert status == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "could not be written: File too large" in said
    assert not out.exists()


def test_a_request_to_terminate_leaves_nothing(tmp_path):
    model = tmp_path / "model.keras"
    keras.Sequential([keras.Input((7, 3)), layers.LSTM(4)]).save(model)
    out = tmp_path / "out"
    process = started(model, "--litert", out / "model.tflite")
    while not list(out.glob(".writing-*/*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert not out.exists()
