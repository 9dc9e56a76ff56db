"""Trains a character model."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from recipes import resuming
from recipes.characters import models
from recipes.data.numbers import Numbers, Reading
from recipes.data.vocabulary import Vocabulary
from recipes.training import Budget, enough_memory


def train(
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    args: argparse.Namespace,
    folder: Path,
) -> tuple[keras.Sequential, Budget]:
    """Trains for the minutes or epochs that `args` names.

    Args:
        parts: The text to train on, that to validate on, and others.
        vocabulary: Its characters.
        args: The recipe's settings.
        folder: Where checkpoints are kept, and gone on from.

    Returns:
        The model with the weights of the best validation loss, and what the
        training spent.

    Raises:
        UsageError: if the loss stops being a number, or too few batches are
            trained for a model.
        KeyboardInterrupt: if it is stopped before there is a model.
        MemoryError: if the model does not fit.
    """
    keras.utils.set_random_seed(args.seed)
    with enough_memory():
        model = compiled(len(vocabulary), args)
        windows = Reading(parts[1][:], args.batch_size, args.steps).batches()
        inputs, targets = map(np.stack, zip(*windows, strict=True))
        callbacks: list[keras.callbacks.Callback] = []
        if args.averaging:
            # Validates with the mean of the weights, goes on with its own.
            callbacks.append(keras.callbacks.SwapEMAWeights())
        if args.logs is not None:
            from recipes.characters.logs import logging

            callbacks += logging(inputs[0], targets[0], vocabulary, args)
        reading = Reading(parts[0], args.batch_size, args.steps, args.seed)
        batches = (args.epochs or 1) * len(reading)
        budget = resuming.train(
            model,
            reading,
            (inputs, targets),
            batches,
            args,
            folder,
            callbacks,
        )
    resuming.check_enough(budget, batches, folder)
    return model, budget


def compiled(symbols: int, args: argparse.Namespace) -> keras.Sequential:
    """The model, ready to train."""
    model = models.build(symbols, args, args.batch_size, stateful=True)
    averaging = {"use_ema": True, "ema_momentum": args.averaging}
    model.compile(
        # Keras's beta_2 of 0.999 remembers the steep start too long. Clipping
        # all gradients together was worse: after an epoch of Tiny Shakespeare
        # 1.795 nats for 1.792 (standard), 1.897 for 1.881 (lesson).
        keras.optimizers.Adam(
            beta_2=0.99, clipnorm=1.0, **(averaging if args.averaging else {})
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model
