"""Character models for the page."""

import keras

from keras_gatelstm import GateGRU, GateLSTM, GateRNN
from recipes.data.vocabulary import Vocabulary
from tests.families import randomize

TEXT = "KING HENRY:\nWhat says the world of me (my lord)?\n" * 8
KINDS = {
    "lesson": [GateLSTM(12, return_sequences=True, name="only")],
    "gru": [keras.layers.GRU(5, return_sequences=True, name="only")],
    "rnn": [GateRNN(5, return_sequences=True, name="only")],
    "two": [
        GateGRU(5, return_sequences=True, name="lower"),
        keras.layers.LSTM(7, return_sequences=True, name="upper"),
    ],
    "both ways": [
        keras.layers.Bidirectional(
            keras.layers.LSTM(5, return_sequences=True), name="both"
        )
    ],
}


def write_model(folder, kind, activation=None):
    """Writes a model of random weights, with its vocabulary; its path."""
    vocabulary = Vocabulary.of(TEXT)
    vocabulary.save(folder / "vocabulary.json")
    model = keras.Sequential(
        [
            # Keras's default is float32.
            keras.Input((None,), dtype=None if kind == "two" else "int32"),
            keras.layers.Embedding(len(vocabulary), 6),
            *KINDS[kind],
            keras.layers.Dense(len(vocabulary), activation, name="logits"),
        ]
    )
    randomize(model)
    path = folder / f"{kind.replace(' ', '_')}.keras"
    model.save(path)
    return path
