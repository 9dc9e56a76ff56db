"""The character recipe, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from pydoc_data.topics import topics

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

import keras_gatelstm  # noqa: F401 - loading model.keras needs it
from keras_gatelstm.export import ExportError, run_litert
from recipes import char_text, console, finishing
from recipes.characters.settings import parse
from recipes.data import text
from recipes.data.vocabulary import Vocabulary
from tests.tensorflow_alone import served

ROOT = Path(__file__).parents[2]
SMALL = {
    "--units": "12",
    "--embedding": "4",
    "--batch-size": "16",
    "--steps": "16",
    "--epochs": "2",
    # Exported in a third of the time that the lesson's takes.
    "--variant": "standard",
}
WRITTEN = [
    "litert/char_text.tflite",
    "litert/streaming.tflite",
    "metrics.json",
    "model.keras",
    "serving/1/assets.extra/tf_serving_warmup_requests",
    "serving/1/saved_model.pb",
    "training.png",
    "vocabulary.json",
]


def words(options):
    return [str(word) for pair in options.items() for word in pair]


@pytest.fixture(scope="module")
def novel(tmp_path_factory):
    """A text file of 20,000 characters."""
    path = tmp_path_factory.mktemp("texts") / "novel.txt"
    path.write_text("\n".join(topics.values())[:20_000], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(novel, tmp_path_factory):
    """What the recipe printed, and the folder it wrote."""
    output = tmp_path_factory.mktemp("trained") / "char_text"
    options = {**SMALL, "--dataset": novel, "--output": output}
    command = [sys.executable, "-m", "recipes.char_text", *words(options)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done, output


def test_it_writes_a_model_to_deploy(trained):
    _, output = trained
    for name in WRITTEN:
        assert (output / name).stat().st_size > 0, name
    written = {name.split("/")[0] for name in WRITTEN}
    assert {path.name for path in output.iterdir()} == written


def test_it_prints_losses_a_sample_and_what_it_wrote(trained):
    done, output = trained
    metrics = json.loads((output / "metrics.json").read_text())
    losses = metrics["nats_per_character"]
    for name, loss in losses.items():
        row = next(r for r in done.stdout.splitlines() if r.startswith(name))
        printed = [float(number) for number in row[len(name) :].split()[:6]]
        nats = np.array(list(loss.values()))
        expected = [*nats, *nats / np.log(2)]
        np.testing.assert_allclose(printed, expected, atol=6e-4)
    assert (
        losses["this model (standard)"]["both"]
        < losses["uniform guess"]["both"]
    )
    # Two epochs are too few.
    assert metrics["loses_to"] == ["5-gram, Witten-Bell"]
    row = next(r for r in done.stdout.splitlines() if r.startswith("5-gram"))
    assert row.endswith("yes")
    assert done.stdout.splitlines()[-1] == (
        "this model is worse than a guess without it: 5-gram, Witten-Bell"
    )
    for name in ("model.keras", "serving/1", "litert/char_text.tflite"):
        assert str(output / name) in done.stdout
    assert "training" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


def test_its_exports_agree(trained, novel):
    _, output = trained
    model = keras.models.load_model(output / "model.keras")
    characters = json.loads((output / "vocabulary.json").read_text("utf-8"))
    vocabulary = Vocabulary("".join(characters["characters"][1:]))
    numbers = vocabulary.encode(str(text.load(str(novel)).test))[None, :64]

    expected = model(numbers)
    litert = run_litert(
        output / "litert" / "char_text.tflite", characters=numbers
    )["logits"]
    serving = served(output / "serving" / "1", characters=numbers)

    np.testing.assert_allclose(litert, expected, atol=1e-4)
    np.testing.assert_allclose(serving["logits"], expected, atol=1e-5)


def test_its_losses_are_those_of_the_model_it_wrote(trained, novel):
    """The evaluation in windows equals reading the text in one go."""
    _, output = trained
    model = keras.models.load_model(output / "model.keras")
    splits = text.load(str(novel))
    vocabulary = Vocabulary.of(str(splits.train))
    numbers = vocabulary.encode(f"{splits.validation}{splits.test}")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = json.loads((output / "metrics.json").read_text())
    assert float(
        loss(numbers[None, 1:], model.predict(numbers[None, :-1], verbose=0))
    ) == pytest.approx(
        found["nats_per_character"]["this model (standard)"]["both"], rel=1e-5
    )


def run(capsys, *arguments):
    """Runs the recipe here; gives its status and standard error."""
    status = console.run("char_text", char_text.main, arguments)
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--units", "0"], "--units: expected a whole number above zero"),
        (["--units", "many"], "received 'many'"),
        (["--dropout", "1"], "--dropout: expected a number from 0 to below 1"),
        (["--minutes", "nan"], "--minutes: expected a number above zero"),
        (["--learning-rate", "-1"], "expected a number above zero"),
        (["--minutes", "1", "--epochs", "1"], "not allowed with argument"),
        (["--variant", "lessons"], "invalid choice: 'lessons'"),
        (["--unit-count", "3"], "unrecognized arguments"),
        (["--dataset", "nowhere.txt"], "there is no file nowhere.txt"),
        (["--dataset", "."], ". is a directory"),
        (["--seed", "-1"], "--seed: expected a whole number from 0 to"),
        (["--batch-size", "9999"], "is too short: its validation part has"),
        (
            ["--learning-rate", "1e39", "--units", "8"],
            "smaller --learning-rate",
        ),
    ],
)
def test_mistakes_end_in_one_line(capsys, tmp_path, arguments, message):
    output = tmp_path / "out"
    short = ["--epochs", "1"] if "--learning-rate" in arguments else []
    status, said = run(capsys, *arguments, *short, "--output", str(output))
    assert status == 2
    assert message in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not output.exists()


def test_an_output_that_is_a_file_ends_in_one_line(capsys, tmp_path):
    path = tmp_path / "out"
    path.write_text("mine")
    status, said = run(capsys, "--output", str(path))
    assert status == 2
    assert f"--output {path} is a file" in said
    assert path.read_text() == "mine"


def started(output, dataset, **options):
    """The recipe, in a process of its own."""
    options = {**SMALL, "--dataset": dataset, "--output": output, **options}
    return subprocess.Popen(
        [sys.executable, "-m", "recipes.char_text", *words(options)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_after_a_kill_and_a_failure_it_is_gone_on_with(
    trained, novel, tmp_path, capsys
):
    output = tmp_path / "out"
    output.mkdir()
    (output / "model.keras").write_text("before")
    process = started(output, novel)
    while not (output / "unfinished" / "checkpoint.npz").exists():
        assert process.poll() is None
        time.sleep(0.01)
    for more in ([], ["--resume"]):
        status, said = run(capsys, *more, "--output", str(output))
        assert status == 2
        assert f"another run is writing to {output}" in said
    process.kill()
    process.communicate()

    numbers = output / "unfinished" / "train.numbers"
    encoded = numbers.read_bytes()
    numbers.write_bytes(encoded[:-100])
    status, said = run(capsys, "--resume", "--output", str(output))
    assert status == 2
    assert "has changed since the training in" in said
    numbers.write_bytes(encoded)

    def fail(*_, **__):
        raise ExportError("It differs.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_gatelstm.export.export_litert", fail)
        status, said = run(capsys, "--resume", "--output", str(output))
    assert status == 2
    assert "char_text: error: It differs." in said.splitlines()[-1]
    assert "Traceback" not in said
    assert (output / "model.keras").read_text() == "before"

    status, said = run(capsys, "--resume", "--output", str(output))
    assert status == 0, said
    found, expected = (
        json.loads((folder / "metrics.json").read_text())
        for folder in (output, trained[1])
    )
    assert found["training_batches"] == expected["training_batches"]
    one, other = (
        it["nats_per_character"]["this model (standard)"]
        for it in (found, expected)
    )
    assert one == pytest.approx(other, rel=1e-4)
    names = {path.name for path in trained[1].iterdir()}
    assert {path.name for path in output.iterdir()} == names


@pytest.mark.thorough
def test_a_process_that_is_stopped_writes_its_best_model(novel, tmp_path):
    output = tmp_path / "out"
    process = started(output, novel, **{"--epochs": 100_000})
    while "val_loss=" not in process.stderr.readline(1000):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "stopped before its end" in said
    assert "Traceback" not in said
    for name in WRITTEN:
        assert (output / name).stat().st_size > 0, name


def test_stopped_it_writes_its_best_model_and_can_go_on(
    novel, tmp_path, capsys, monkeypatch
):
    validate = keras.Model.test_on_batch

    def interrupted(*args, **kwargs):
        patch.undo()
        signal.raise_signal(signal.SIGINT)  # Ctrl-C, once.
        return validate(*args, **kwargs)

    output = tmp_path / "out"
    options = {**SMALL, "--dataset": novel, "--output": output}
    options["--epochs"] = 100_000
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "test_on_batch", interrupted)
        status, said = run(capsys, *words(options))
    assert status == 130
    assert "stopped before its end" in said
    for name in WRITTEN:
        assert (output / name).stat().st_size > 0, name

    options = ["--dataset", str(novel), "--output", str(output)]
    status, said = run(capsys, *options)
    assert status == 2
    assert "holds an unfinished training: go on with it with --resume" in said
    status, said = run(capsys, *options, "--resume", "--units", "13")
    assert status == 2
    assert "--units was 12 when the training in" in said
    more = ["--resume", "--learning-rate", "0.25", *options]
    assert parse(more, "").learning_rate == 0.25


@pytest.mark.thorough
def test_too_few_batches_are_no_model(novel, tmp_path, capsys, monkeypatch):
    output = tmp_path / "out"
    del (options := {**SMALL})["--epochs"]
    options |= {"--dataset": novel, "--output": output, "--minutes": "1e-6"}
    options |= {"--layers": 2}
    status, said = run(capsys, *words(options))
    assert status == 2
    last = said.splitlines()[-1]
    assert "2 batches were trained in --minutes 1e-06, too few for a" in last
    assert "go on with --resume and more --minutes" in last
    assert [path.name for path in output.iterdir()] == ["unfinished"]

    less = ["--resume", "--minutes", "1e-7", "--output", str(output)]
    status, said = run(capsys, *less)
    assert status == 2
    assert "too few for a model" in said.splitlines()[-1]
    assert (output / "unfinished" / "checkpoint.npz").is_file()

    trained = []
    monkeypatch.setattr(
        finishing, "finish", lambda _, budget, *__: trained.append(budget)
    )
    more = ["--resume", "--minutes", "0.01", "--output", str(output)]
    assert run(capsys, *more)[0] == 0
    assert len(trained[0].losses) >= 10
    assert trained[0].seconds >= 0.6
    assert not any(output.iterdir())


def test_a_text_that_would_be_written_over_is_refused(capsys, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    text = output / "metrics.json"
    text.write_text("To be, or not to be")
    link = tmp_path / "link.txt"
    link.symlink_to(text)
    kept = output / "unfinished" / "novel.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    for given in (text, link, kept):
        status, said = run(
            capsys, "--dataset", str(given), "--output", str(output)
        )
        assert status == 2
        assert f"{given} would be lost: this writes to" in said
    status, said = run(capsys, "--output", str(output))
    assert status == 2
    assert f"{kept} is not of an unfinished training" in said
    assert text.read_text() == "To be, or not to be"
    assert kept.read_text() == "mine"


def test_nothing_to_go_on_with_ends_in_one_line(capsys, tmp_path):
    output = tmp_path / "out"
    status, said = run(capsys, "--resume", "--output", str(output))
    assert status == 2
    assert "there is no unfinished training in" in said
    assert not output.exists()


def test_tensorboard_is_shown_losses_samples_and_gates(
    capsys, novel, tmp_path, monkeypatch
):
    options = {
        **SMALL,
        "--dataset": novel,
        "--output": tmp_path / "out",
        "--logs": tmp_path / "logs",
        "--epochs": "1",
    }
    monkeypatch.setattr(finishing, "finish", lambda *_: None)
    status, said = run(capsys, *words(options))
    assert status == 0, said
    names = {}
    for folder in (tmp_path / "logs").iterdir():
        events = EventAccumulator(str(folder)).Reload()
        names[folder.name] = set(events.Tags()["tensors"])
    assert {"epoch_loss", "epoch_learning_rate"} <= names["train"]
    assert "epoch_loss" in names["validation"]
    assert names["progress"] == {"loss", "learning_rate", "sample"}
    assert "gates/lstm_1/forget_factor/open" in names["gates"]


def test_another_backend_is_refused(novel, tmp_path):
    options = {"--dataset": novel, "--output": tmp_path / "out", **SMALL}
    done = subprocess.run(
        [sys.executable, "-m", "recipes.char_text", *words(options)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "fortran"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Received: KERAS_BACKEND=fortran" in done.stderr
    assert "Traceback" not in done.stderr
