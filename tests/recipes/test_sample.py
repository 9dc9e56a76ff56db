"""`recipes.sample`, from every form that a model is written in."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM, export
from recipes import console, sample
from recipes.characters.reading import reader_of
from recipes.data.vocabulary import Vocabulary

CHARACTERS = "abcd\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of two layers as Keras, TensorFlow and LiteRT have it."""
    folder = tmp_path_factory.mktemp("model")
    vocabulary = Vocabulary.of(CHARACTERS)
    vocabulary.save(folder / "vocabulary.json")
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(len(vocabulary), 8),
            GateLSTM(16, return_sequences=True, name="lower"),
            keras.layers.Dropout(0.5),
            keras.layers.LSTM(16, return_sequences=True, name="upper"),
            keras.layers.Dense(len(vocabulary), name="logits"),
        ]
    )
    for weight in model.weights:
        weight.assign(weight.value * 4)  # Sure of itself.
    model.save(folder / "model.keras")
    export.export_saved_model(
        model, folder / "serving", vocabulary=list(vocabulary.characters)
    )
    litert = folder / "litert"
    export.export_litert(model, litert / "streaming.tflite", "streaming")
    export.export_litert(model, litert / "steps.tflite", time_steps=4)
    return folder


FORMS = ["model.keras", "serving/1", "litert/streaming.tflite"]


def run(*arguments):
    return console.run("sample", sample.main, [str(it) for it in arguments])


@pytest.mark.parametrize("form", FORMS)
def test_a_guess_is_that_of_the_model_on_all_read_so_far(folder, form):
    model = keras.saving.load_model(folder / "model.keras")
    read = reader_of(folder / form, symbols=6)
    symbols = [3, 1, 2, 2, 5]
    found = [read(symbol) for symbol in symbols]
    expected = model.predict_on_batch(np.array([symbols]))[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_same_seed_writes_the_same_from_every_form(folder, capsys):
    texts = {}
    for form in FORMS:
        options = "--prompt", "ab", "--length", 60, "--seed", 5
        assert run(folder / form, *options) == 0
        texts[form] = capsys.readouterr().out
    assert len(set(texts.values())) == 1
    text = texts["model.keras"]
    assert text.startswith("ab")
    assert len(text) == 2 + 60 + 1
    assert set(text) <= set(CHARACTERS)
    assert run(folder / FORMS[0], *options[:-1], 6) == 0
    assert capsys.readouterr().out != text


def test_draws_follow_the_chances():
    random = np.random.default_rng(0)
    logits = np.log([0.5, 0.1, 0.2, 0.3, 0.4])

    def shares(temperature, top_k):
        drawn = [
            sample.draw(logits, temperature, top_k, random) for _ in range(4000)
        ]
        return np.bincount(drawn, minlength=5) / 4000

    # Number 0 is the unknown character.
    np.testing.assert_allclose(
        shares(1, None), [0, 0.1, 0.2, 0.3, 0.4], atol=0.03
    )
    np.testing.assert_allclose(shares(1, 2), [0, 0, 0, 3 / 7, 4 / 7], atol=0.03)
    squares = np.array([0, 1, 4, 9, 16]) / 30
    np.testing.assert_allclose(shares(0.5, None), squares, atol=0.03)
    assert shares(1e-3, None)[4] == 1
    assert shares(1, 1)[4] == 1


def test_mistakes_are_one_line_and_status_2(folder, tmp_path, capsys):
    other = tmp_path / "vocabulary.json"
    Vocabulary.of("xy").save(other)
    (tmp_path / "bad.keras").write_text("nothing")
    mistakes = {
        "there is no file": [folder / "none.keras"],
        "must be a .keras or .tflite file": [folder / "vocabulary.json"],
        "at once: export it": [folder / "litert" / "steps.tflite"],
        "knows 6 characters, its": [
            folder / "model.keras",
            "--vocabulary",
            other,
        ],
        "cannot be read with": [tmp_path / "bad.keras"],
        "whole number": [folder / "model.keras", "--length", "0"],
        "a number above zero": [folder / "model.keras", "--temperature", "0"],
    }
    for message, arguments in mistakes.items():
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
