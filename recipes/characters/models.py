"""A character model: built, copied, and read with."""

import argparse
import math
from collections.abc import Callable
from itertools import islice

import keras
import numpy as np
from keras import layers

from recipes.cells import recurrent_layer
from recipes.data.numbers import Reading
from recipes.data.vocabulary import Vocabulary
from recipes.sample import written
from recipes.training import empty_memories

# Evaluation reads a text in one stream for every so many characters, and so
# many steps of it at a time.
STREAM_CHARACTERS = 200_000
READING_STEPS = 500
# Of samples.
TEMPERATURE = 0.8


def build(
    symbols: int,
    args: argparse.Namespace,
    batch_size: int | None = None,
    stateful: bool = False,
) -> keras.Sequential:
    """Characters `(batch, time)` to logits `(batch, time, symbols)`."""
    model = keras.Sequential(name="char_text")
    model.add(
        keras.Input((None,), batch_size, dtype="int32", name="characters")
    )
    # With vectors of Keras's own size, a twentieth of this, the gates see
    # little but their biases at first, and long-term memories run away.
    model.add(
        layers.Embedding(
            symbols,
            args.embedding,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1),
            name="embedding",
        )
    )
    # The same features of a window's characters are dropped all along it.
    model.add(layers.SpatialDropout1D(args.embedding_dropout))
    for number in range(1, args.layers + 1):
        lstm = recurrent_layer(
            args.variant,
            args.units,
            recurrent_dropout=args.recurrent_dropout,
            return_sequences=True,
            stateful=stateful,
            name=f"lstm_{number}",
        )
        model.add(lstm)
        model.add(layers.Dropout(args.dropout))
    model.add(layers.Dense(symbols, name="logits"))
    return model


def copy_of(
    model: keras.Sequential,
    args: argparse.Namespace,
    batch_size: int | None = None,
    stateful: bool = False,
) -> keras.Sequential:
    """The same model for other batches: same weights, its own memories."""
    copy = build(model.output_shape[-1], args, batch_size, stateful)
    copy.set_weights(model.get_weights())
    return copy


def nats(model: keras.Sequential, numbers: np.ndarray) -> np.ndarray:
    """What the model pays for each character after the first, in nats.

    The text is read from start to end, memories carried all the way; a long
    one in several streams side by side.

    Args:
        model: A stateful model of `streams(numbers)` rows.
        numbers: The text, `(n,)`.

    Returns:
        `-ln P` of each, `(n - 1,)`.
    """
    rows = streams(numbers)
    count = len(numbers) - 1
    windows = math.ceil(count / (rows * READING_STEPS))
    padded = np.zeros(rows * windows * READING_STEPS + 1, np.int32)
    padded[: len(numbers)] = numbers
    empty_memories(model)
    costs = [
        keras.losses.sparse_categorical_crossentropy(
            targets, model.predict_on_batch(inputs), from_logits=True
        )
        for inputs, targets in Reading(padded, rows, READING_STEPS).batches()
    ]
    return np.asarray(costs).swapaxes(0, 1).reshape(-1)[:count]


def streams(numbers: np.ndarray) -> int:
    """In how many streams `nats` reads a text."""
    return 1 + len(numbers) // STREAM_CHARACTERS


def reader(model: keras.Sequential) -> Callable[[int], np.ndarray]:
    """Reads a character a call, and gives the logits of the next one.

    Args:
        model: A stateful model of one row, which starts with empty memories.
    """
    empty_memories(model)
    return lambda symbol: model.predict_on_batch(np.array([[symbol]]))[0, -1]


def sample(
    model: keras.Sequential,
    vocabulary: Vocabulary,
    args: argparse.Namespace,
    characters: int,
) -> str:
    """A line that the model starts, and goes on with."""
    read = reader(copy_of(model, args, batch_size=1, stateful=True))
    logits = read(int(vocabulary.encode("\n")[0]))
    symbols = written(read, logits, TEMPERATURE, None, args.seed)
    return vocabulary.decode(islice(symbols, characters))
