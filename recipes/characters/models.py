"""Character models: building, copying, scoring and sampling."""

import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any

import keras
import numpy as np
from keras import layers

from recipes.cells import recurrent_layer
from recipes.characters.settings import Settings
from recipes.data.numbers import Reading
from recipes.data.vocabulary import Vocabulary
from recipes.sample import generate
from recipes.training.variables import (
    assign_values,
    empty_memories,
    memories,
)

# Evaluation reads one stream per so many characters, in windows of so many
# steps.
STREAM_CHARACTERS = 200_000
READING_STEPS = 500
# Temperature of samples.
TEMPERATURE = 0.5


def build(
    symbols: int,
    settings: Settings,
    batch_size: int | None = None,
    stateful: bool = False,
) -> keras.Sequential:
    """Build a model from characters to logits, `(batch, time, symbols)`."""
    model = keras.Sequential(name="char_text")
    model.add(
        keras.Input((None,), batch_size, dtype="int32", name="characters")
    )
    # With Keras's default, a twentieth of this deviation, biases dominate the
    # gates at first, and long-term memories grow without bound.
    model.add(
        layers.Embedding(
            symbols,
            settings.embedding,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1),
            name="embedding",
        )
    )
    # Spatial dropout drops the same features at all steps of a window.
    model.add(layers.SpatialDropout1D(settings.embedding_dropout))
    for number in range(1, settings.layers + 1):
        lstm = recurrent_layer(
            settings.variant,
            settings.units,
            recurrent_dropout=settings.recurrent_dropout,
            return_sequences=True,
            stateful=stateful,
            name=f"lstm_{number}",
        )
        model.add(lstm)
        model.add(layers.Dropout(settings.dropout))
    model.add(layers.Dense(symbols, name="logits"))
    return model


def copy_of(
    model: keras.Sequential,
    settings: Settings,
    batch_size: int | None = None,
    stateful: bool = False,
) -> keras.Sequential:
    """Copy a model for another batch size, with memories of its own."""
    copy = build(model.output_shape[-1], settings, batch_size, stateful)
    copy.set_weights(model.get_weights())
    return copy


def nats(model: keras.Sequential, numbers: np.ndarray) -> np.ndarray:
    """Compute the loss of each character after the first, in nats.

    The text is read from start to end without resetting the memories; a long
    text is split into parallel streams.

    Args:
        model: A stateful model with a batch size of `streams(numbers)`.
        numbers: The encoded text, `(n,)`.

    Returns:
        `-ln P` of each character, `(n - 1,)`.
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
    """Return the number of parallel streams in which `nats` reads a text."""
    return 1 + len(numbers) // STREAM_CHARACTERS


def predict_and_remember(
    model: keras.Model,
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that predicts, and keeps the memories of the model.

    `Model.predict_on_batch` does not keep them with Keras 3.15 on JAX.

    Args:
        model: A model with stateful layers, which does not change any more.
    """
    if keras.backend.backend() != "jax":
        return model.predict_on_batch
    import jax

    states = memories(model)

    @jax.jit
    def step(inputs: Any, before: list[Any]) -> tuple[Any, list[Any]]:
        mapping = zip(states, before, strict=True)
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = model(inputs, training=False)
            return outputs, [scope.get_current_value(it) for it in states]

    def predict(inputs: np.ndarray) -> np.ndarray:
        outputs, after = step(inputs, [state.value for state in states])
        assign_values(states, after)
        return np.asarray(outputs)

    return predict


def reader(model: keras.Sequential) -> Callable[[int], np.ndarray]:
    """Return a function that reads one character and returns the next's logits.

    Args:
        model: A stateful model with a batch size of 1; its memories are reset.
    """
    empty_memories(model)
    predict = predict_and_remember(model)
    return lambda symbol: predict(np.array([[symbol]]))[0, -1]


def sample(
    model: keras.Sequential,
    vocabulary: Vocabulary,
    settings: Settings,
    characters: int,
    opening: str = "",
) -> str:
    """Sample a text that goes on from these words, at the start of a line."""
    read = reader(copy_of(model, settings, batch_size=1, stateful=True))
    for symbol in vocabulary.encode(f"\n{opening}"):
        logits = read(int(symbol))
    symbols = generate(read, logits, TEMPERATURE, None, settings.seed)
    return opening + vocabulary.decode(islice(symbols, characters))


def common_opening(text: str) -> str:
    """Return the word, with a space, that most lines of a text begin with."""
    words = Counter(re.findall(r"^[^\W\d]+ ", text, re.MULTILINE))
    return max(words, key=lambda word: words[word], default="")
