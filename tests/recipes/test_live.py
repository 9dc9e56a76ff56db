"""`recipes.live`, run as its users run it."""

import socket

import keras
import pytest

from keras_gatelstm import GateLSTM
from recipes import console, live
from recipes.data.vocabulary import Vocabulary
from recipes.live_page import site
from tests.recipes.live_models import TEXT, write_model


def run(*arguments):
    return console.run("live", live.main, [str(it) for it in arguments])


def refused(capsys, *arguments):
    assert run(*arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("live: error: ")
    return line


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "play.txt"
    path.write_text(TEXT, "utf-8")
    return path


def test_what_has_no_step_is_refused(tmp_path, text, capsys, monkeypatch):
    monkeypatch.setattr(site, "check_built", lambda: None)
    path = write_model(tmp_path, "both ways")
    said = refused(capsys, path, "--text-file", text)
    assert "both reads backwards: it needs the end first" in said
    keras.Sequential([keras.Input((None, 3)), GateLSTM(4)]).save(path)
    said = refused(capsys, path, "--text-file", text)
    assert "takes [(None, None, 3)] and gives [(None, 4)]" in said
    assert {it.name for it in tmp_path.iterdir()} == {
        "both_ways.keras",
        "play.txt",
        "vocabulary.json",
    }


def test_probabilities_are_no_logits(tmp_path, text, capsys, monkeypatch):
    monkeypatch.setattr(site, "check_built", lambda: None)
    path = write_model(tmp_path, "rnn", "softmax")
    said = refused(capsys, path, "--text-file", text)
    assert "gives probabilities: the page needs logits" in said


def test_a_port_in_use_is_told_before_the_export(
    tmp_path, text, capsys, monkeypatch
):
    monkeypatch.setattr(site, "check_built", lambda: None)
    path = write_model(tmp_path, "rnn")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(
            capsys, path, "--text-file", text, "--serve", "--port", port
        )
    assert f"--port {port}: Address already in use" in said
    assert not (tmp_path / "live.html").exists()


def test_a_cell_that_the_page_cannot_draw_is_refused(tmp_path, text):
    from keras_gatelstm import GateRNNCell
    from recipes.live_page.description import describe

    class Mine(GateRNNCell):
        """A cell that the page does not know."""

    vocabulary = Vocabulary.of(TEXT)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(len(vocabulary), 6),
            keras.layers.RNN(Mine(4), return_sequences=True, name="own"),
            keras.layers.Dense(len(vocabulary)),
        ]
    )
    with pytest.raises(console.UsageError, match="own is made of Mines: the"):
        describe(model, vocabulary, "mine", TEXT, "")


def test_a_checkout_without_the_page(tmp_path, text, capsys, monkeypatch):
    path = write_model(tmp_path, "rnn")
    monkeypatch.setattr(site, "BUILT", tmp_path / "dist")
    said = refused(capsys, path, "--text-file", text)
    assert "the page is not built in" in said
    assert "run `make web`" in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no.keras"], "there is no file"),
        (["model.txt"], "MODEL must be a .keras file"),
        (["model.keras", "--text-file", "short.txt"], "short.txt has 5 charac"),
        (["model.keras", "--text-file", "latin.txt"], "is not in UTF-8"),
        (["model.keras", "--folder", "model.txt"], "model.txt is a file"),
        (["model.keras", "--output", "folder"], "folder is a folder: name a"),
        (["model.keras", "--output", "model.keras"], "would be lost"),
        (["model.keras", "--output", "a", "--folder", "b"], "not allowed with"),
        (["model.keras", "--output", "vocabulary.json"], "would be lost"),
        (["model.keras", "--port", "0"], "expected a number from 1 to 65535"),
        (["model.keras", "--port", "70000"], "from 1 to 65535, received '700"),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments, problem, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(site, "check_built", lambda: None)
    for name in ("model.keras", "model.txt"):
        (tmp_path / name).write_bytes(b"PK")
    (tmp_path / "short.txt").write_text("short")
    (tmp_path / "latin.txt").write_bytes(b"\xe9" * 300)
    (tmp_path / "folder").mkdir()
    Vocabulary("abc").save(tmp_path / "vocabulary.json")
    assert problem in refused(capsys, *arguments)


def test_a_model_without_its_characters(tmp_path, text, capsys, monkeypatch):
    monkeypatch.setattr(site, "check_built", lambda: None)
    path = write_model(tmp_path, "rnn")
    (tmp_path / "vocabulary.json").unlink()
    assert "vocabulary.json: it has the model's" in refused(capsys, path)
    Vocabulary("abc").save(tmp_path / "vocabulary.json")
    said = refused(capsys, path, "--text-file", text)
    assert "to (batch, time, characters), here 4" in said
