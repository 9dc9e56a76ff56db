"""LiteRT's converter in its own process: whatever it does, we live on."""

import json
from pathlib import Path

import pytest
from keras import layers

from keras_gatelstm.export import ExportError, export_litert
from keras_gatelstm.export.litert import converter
from tests.export.models import assert_like_keras, sequential, some_events

ABORTS = "import os, sys; sys.stdin.readline(); os.abort()"
CRASHES_ONCE = """
import os, pathlib, runpy, signal, sys
marker = pathlib.Path({marker!r})
if not marker.exists():
    marker.touch()
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
runpy.run_path({program!r}, run_name="__main__")
"""
ANSWERS = """
import sys
for line in sys.stdin:
    print({answer!r}, flush=True)
"""


@pytest.fixture(scope="module")
def model():
    return sequential(layers.LSTM(4, name="memory"))


@pytest.fixture
def process(monkeypatch):
    """A process of the test's own."""
    process = converter._Process()
    monkeypatch.setattr(converter, "_process", process)
    yield process
    process.stop()


@pytest.fixture
def program(tmp_path, monkeypatch, process):
    """Puts another program in the converter's place."""
    path = tmp_path / "program.py"
    monkeypatch.setattr(converter, "PROGRAM", path)
    return path.write_text


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made" / "m.tflite"


def answering(error):
    answer = {"error": error, "of_system": False}
    return ANSWERS.format(answer=json.dumps(answer))


def test_a_converter_that_is_killed_is_an_error_and_the_next_works(
    tmp_path, path, model, program, process
):
    whole = Path(converter.__file__).with_name("converter_worker.py")
    marker = tmp_path / "marker"
    program(CRASHES_ONCE.format(marker=str(marker), program=str(whole)))
    with pytest.raises(
        ExportError,
        match=r"^LiteRT's converter failed on memory \(GateLSTM\) with "
        r"form='fused': it crashed, with status -9\. Try form='looped' or "
        r"'unrolled' or 'streaming'\.$",
    ):
        export_litert(model, path)
    assert not path.parent.exists()
    export_litert(model, path)
    assert_like_keras(model, path, some_events(1, 5))


@pytest.mark.thorough
def test_a_relative_path_is_written_in_the_directory_of_the_moment(
    tmp_path, monkeypatch, model, process
):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        export_litert(model, "m.tflite", form="looped")
        assert_like_keras(model, "m.tflite", some_events(2, 3))


def test_what_was_there_stays_where_the_converter_crashes(path, model, program):
    program(ABORTS)
    path.parent.mkdir()
    path.write_bytes(b"before")
    with pytest.raises(ExportError, match="it crashed, with status -6"):
        export_litert(model, path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == b"before"


def test_an_error_in_the_converter_is_one_short_line(path, model, program):
    notes = [f'<unknown>:0: note: called from "layer {i}"' for i in range(99)]
    told = [f"<unknown>:0: error: {'no ' * 99}{i}" for i in range(9)]
    program(answering("\n".join(["ConverterError:", *notes, *told])))
    with pytest.raises(ExportError, match=r"error: no no .* Try form=") as info:
        export_litert(model, path)
    message = str(info.value)
    assert "\n" not in message
    assert "note:" not in message
    assert len(message) < 700
    assert not path.parent.exists()


def test_an_error_without_words_is_told_in_those_that_were_printed(
    path, model, program
):
    program(
        "import sys\n"
        "print('loc(x): error: no such scale', file=sys.stderr, flush=True)\n"
        + answering("RuntimeError: ")
    )
    with pytest.raises(ExportError, match="error: no such scale"):
        export_litert(model, path)


def test_an_interrupt_ends_the_process(path, model, program, process):
    program("import time; time.sleep(60)")
    running = process._ensure_running()

    def interrupted():
        raise KeyboardInterrupt

    running.stdout.readline = interrupted
    with pytest.raises(KeyboardInterrupt):
        export_litert(model, path)
    assert running.poll() is not None
    assert process.process is None
    assert not path.parent.exists()


def test_a_process_that_crashed_leaves_no_open_files(
    path, model, program, process
):
    program(ABORTS)
    with pytest.raises(ExportError, match="it crashed"):
        export_litert(model, path)
    assert process.process is None
