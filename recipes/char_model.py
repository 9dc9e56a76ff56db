"""A character model: built, trained, read with and written with."""

import argparse
import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_gatelstm import GateLSTM
from recipes.console import UsageError
from recipes.data.text import Vocabulary, side_by_side
from recipes.training import Budget, CarryMemories, empty_memories

# Evaluation reads a text in one stream for every so many characters, and so
# many steps of it at a time.
STREAM_CHARACTERS = 200_000
READING_STEPS = 500


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
        )
    )
    for _ in range(args.layers):
        lstm = GateLSTM(
            args.units, args.variant, return_sequences=True, stateful=stateful
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


def train(
    numbers: np.ndarray,
    held_out: np.ndarray,
    vocabulary: Vocabulary,
    args: argparse.Namespace,
) -> tuple[keras.Sequential, Budget]:
    """Trains on a text for the minutes or epochs that `args` names.

    Raises:
        UsageError: if the loss stops being a number.
        MemoryError: if the model does not fit.
    """
    keras.utils.set_random_seed(args.seed)
    inputs, targets = side_by_side(numbers, args.batch_size, args.steps)
    validation = side_by_side(held_out, args.batch_size, args.steps)
    # A budget in minutes ends the training before so many epochs do.
    epochs = args.epochs or 10**6
    budget = Budget(args.learning_rate, args.minutes, epochs * len(inputs))
    try:
        model = build(len(vocabulary), args, args.batch_size, stateful=True)
        model.compile(
            # Keras's beta_2 of 0.999 remembers the steep start too long.
            keras.optimizers.Adam(beta_2=0.99, clipnorm=1.0),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        model.fit(
            tf.data.Dataset.from_tensor_slices((inputs, targets)),
            validation_data=tf.data.Dataset.from_tensor_slices(validation),
            epochs=epochs,
            callbacks=[CarryMemories(), budget],
            shuffle=False,
            verbose=0,
        )
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error
    if not np.isfinite(budget.losses[-1]):
        raise UsageError(
            "the training diverged, its loss is no number any more: take a "
            f"smaller --learning-rate. Received: {args.learning_rate}"
        )
    return model, budget


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
    read = side_by_side(padded, rows, READING_STEPS)
    empty_memories(model)
    costs = [
        keras.losses.sparse_categorical_crossentropy(
            targets, model.predict_on_batch(inputs), from_logits=True
        )
        for inputs, targets in zip(*read, strict=True)
    ]
    return np.asarray(costs).swapaxes(0, 1).reshape(-1)[:count]


def streams(numbers: np.ndarray) -> int:
    """In how many streams `nats` reads a text."""
    return 1 + len(numbers) // STREAM_CHARACTERS


def sample(
    model: keras.Sequential,
    vocabulary: Vocabulary,
    characters: int,
    temperature: float,
    seed: int,
) -> str:
    """Writes so many characters, each drawn from the model's guess.

    Args:
        model: A stateful model of one row.
        vocabulary: The model's characters.
        characters: How many to write.
        temperature: Above zero; the lower, the surer the guesses.
        seed: The same seed writes the same text.
    """
    random = np.random.default_rng(seed)
    empty_memories(model)
    written = [int(vocabulary.encode("\n")[0])]
    while len(written) <= characters:
        logits = model.predict_on_batch(np.array([written[-1:]]))[0, -1]
        logits[0] = -np.inf  # The unknown character is never written.
        chances = np.exp((logits - logits.max()) / temperature)
        chances /= chances.sum()
        written.append(int(random.choice(len(chances), p=chances)))
    return vocabulary.decode(written[1:])
