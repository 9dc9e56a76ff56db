"""Training of a character model."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from recipes import resuming
from recipes.characters import models
from recipes.characters.settings import Settings
from recipes.data.numbers import Numbers, Reading
from recipes.data.vocabulary import Vocabulary
from recipes.training import Budget, raise_memory_error


def train(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
    folder: Path,
) -> tuple[keras.Sequential, Budget]:
    """Train for the minutes or epochs of `settings`.

    Args:
        parts: Encoded text to train on and to validate on; others are ignored.
        vocabulary: Characters of the text.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.

    Returns:
        The model with the weights of the best validation loss, and the budget
        with the losses and the time spent.

    Raises:
        UsageError: if the loss becomes NaN or infinite, or too few batches
            were trained.
        KeyboardInterrupt: if the training is stopped before its first batch.
        MemoryError: if the model does not fit into memory.
    """
    keras.utils.set_random_seed(settings.seed)
    with raise_memory_error():
        model = compiled(len(vocabulary), settings)
        windows = Reading(
            parts[1][:], settings.batch_size, settings.steps
        ).batches()
        inputs, targets = map(np.stack, zip(*windows, strict=True))
        callbacks: list[keras.callbacks.Callback] = []
        if settings.averaging:
            # Validates with the averaged weights, trains on with the others.
            callbacks.append(keras.callbacks.SwapEMAWeights())
        if settings.logs:
            from recipes.characters.logs import logging

            callbacks += logging(inputs[0], targets[0], vocabulary, settings)
        reading = Reading(
            parts[0], settings.batch_size, settings.steps, settings.seed
        )
        batches = (settings.epochs or 1) * len(reading)
        budget = resuming.train(
            model,
            reading,
            (inputs, targets),
            batches,
            settings,
            folder,
            callbacks,
        )
    resuming.check_enough(budget, batches, folder)
    return model, budget


def compiled(symbols: int, settings: Settings) -> keras.Sequential:
    """Return a compiled model."""
    model = models.build(symbols, settings, settings.batch_size, stateful=True)
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
