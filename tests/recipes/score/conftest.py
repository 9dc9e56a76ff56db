"""A character model, and its scoring of texts."""

import keras
import pytest

from keras_gatelstm import GateGRU, GateLSTM
from keras_gatelstm.export import export_saved_model
from recipes import score
from recipes.data.vocabulary import Vocabulary
from tests.families import randomize
from tests.recipes.score.texts import (
    CHUNK,
    CONTEXT,
    POEM,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A character model of random weights, and its SavedModel."""
    vocabulary = Vocabulary.of(POEM)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(len(vocabulary), 6),
            GateLSTM(5, return_sequences=True, name="lower"),
            GateGRU(4, return_sequences=True, name="upper"),
            keras.layers.Dense(len(vocabulary), name="logits"),
        ]
    )
    randomize(model)
    model.folder = tmp_path_factory.mktemp("model")
    vocabulary.save(model.folder / "vocabulary.json")
    model.vocabulary = vocabulary
    export_saved_model(
        model, model.folder / "serving", vocabulary=vocabulary.characters
    )
    return model


@pytest.fixture
def score_texts(model, tmp_path):
    """Scores texts in small chunks, and returns the output folder."""

    def run(data, *options, name="scores"):
        output = tmp_path / name
        score.main(
            [
                *map(str, (model.folder / "serving", data)),
                *("--output", str(output)),
                *("--chunk", str(CHUNK), "--context", str(CONTEXT)),
                *options,
            ]
        )
        return output

    return run
