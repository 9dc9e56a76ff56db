"""Training of a character model."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np

from recipes.characters import models
from recipes.characters.settings import Settings
from recipes.data.numbers import Numbers, Reading
from recipes.data.vocabulary import Vocabulary
from recipes.training import resuming
from recipes.training.budget import History
from recipes.training.running import run
from recipes.training.strategy import Strategy, own_rows


def train(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
    folder: Path,
) -> tuple[keras.Sequential, History]:
    """Train for the minutes or epochs of `settings`.

    Args:
        parts: Encoded text to train on and to validate on; others are ignored.
        vocabulary: Characters of the text.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.

    Returns:
        The model with the weights of the best validation loss, and the
        history of the training.

    Raises:
        UsageError: if the loss becomes NaN or infinite, or too few batches
            were trained.
        KeyboardInterrupt: if the training is stopped before its first batch.
        MemoryError: if the model does not fit into memory.
    """
    model, history = run(
        partial(
            train_process, parts[:2], vocabulary, settings, folder.absolute()
        ),
        partial(compiled, len(vocabulary), settings, settings.batch_size),
        settings,
        folder,
    )
    resuming.check_enough(
        history, settings.minutes, _length(parts[0], settings), folder
    )
    return model, history


def train_process(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
    folder: Path,
    strategy: Strategy,
) -> tuple[keras.Sequential, History]:
    """Train as one of the processes of a strategy."""
    keras.utils.set_random_seed(settings.seed)
    size, steps = settings.batch_size, settings.steps
    own = own_rows(strategy, size)
    model = compiled(len(vocabulary), settings, size // strategy.processes)
    windows = Reading(parts[1][:], size, steps, own=own).batches()
    inputs, targets = map(np.stack, zip(*windows, strict=True))
    callbacks: list[keras.callbacks.Callback] = []
    if settings.logs and strategy.rank == 0:
        from recipes.characters.logs import logging

        callbacks += logging(inputs[0], targets[0], vocabulary, settings)
    history = resuming.train(
        model,
        Reading(parts[0], size, steps, settings.seed, own),
        (inputs, targets),
        _length(parts[0], settings),
        settings,
        folder,
        strategy,
        callbacks,
    )
    return model, history


def _length(text: Numbers, settings: Settings) -> int:
    """Return the number of batches of all epochs."""
    reading = Reading(text, settings.batch_size, settings.steps, settings.seed)
    return (settings.epochs or 1) * len(reading)


def compiled(
    symbols: int, settings: Settings, batch_size: int
) -> keras.Sequential:
    """Return a compiled model."""
    model = models.build(symbols, settings, batch_size, stateful=True)
    averaging = {"use_ema": True, "ema_momentum": settings.averaging}
    model.compile(
        # With Keras's beta_2 of 0.999, the large first gradients weigh too
        # long. Clipping by the global norm was worse: after an epoch of Tiny
        # Shakespeare, 1.795 against 1.792 nats (standard), 1.897 against 1.881
        # (lesson).
        keras.optimizers.Adam(
            beta_2=0.99,
            clipnorm=1.0,
            **(averaging if settings.averaging else {}),
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
