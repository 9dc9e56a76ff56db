"""Trains a character model."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from recipes import checkpoints
from recipes.characters import models, settings
from recipes.console import UsageError
from recipes.data.numbers import Numbers, Reading
from recipes.data.vocabulary import Vocabulary
from recipes.resuming import Resumable
from recipes.training import Budget, KeepBest, fit, stopping


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
        UsageError: if the loss stops being a number.
        KeyboardInterrupt: if it is stopped before there is a model.
        MemoryError: if the model does not fit.
    """
    keras.utils.set_random_seed(args.seed)
    reading = Reading(parts[0], args.batch_size, args.steps, args.seed)
    batches = (args.epochs or 1) * len(reading)
    budget = Budget(args.learning_rate, args.minutes, batches)
    best = KeepBest()
    resumable = Resumable(
        folder, settings.kept(args), budget, best, len(reading)
    )
    try:
        model = compiled(len(vocabulary), args)
        checkpoint = checkpoints.load(folder)
        if checkpoint is not None:
            resumable.restore(model, checkpoint)
        if budget.spent() < 1:
            with stopping(budget):
                _fit(model, reading, parts[1][:], vocabulary, args, resumable)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError from error
    if not budget.losses:
        raise KeyboardInterrupt
    if not np.isfinite(budget.losses[-1]):
        shutil.rmtree(folder)
        raise UsageError(
            "the training diverged, its loss is no number any more: take a "
            f"smaller --learning-rate. Received: {args.learning_rate}"
        )
    best.restore(model)
    return model, budget


def compiled(symbols: int, args: argparse.Namespace) -> keras.Sequential:
    """The model, ready to train."""
    model = models.build(symbols, args, args.batch_size, stateful=True)
    averaging = {"use_ema": True, "ema_momentum": args.averaging}
    model.compile(
        # Keras's beta_2 of 0.999 remembers the steep start too long.
        keras.optimizers.Adam(
            beta_2=0.99, clipnorm=1.0, **(averaging if args.averaging else {})
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def _fit(
    model: keras.Sequential,
    reading: Reading,
    held_out: np.ndarray,
    vocabulary: Vocabulary,
    args: argparse.Namespace,
    resumable: Resumable,
) -> None:
    windows = Reading(held_out, args.batch_size, args.steps).batches()
    inputs, targets = map(np.stack, zip(*windows, strict=True))
    callbacks: list[keras.callbacks.Callback] = [
        resumable.budget,
        resumable.best,
        resumable,
    ]
    if args.averaging:
        # Validates with the mean of the weights, and goes on with its own.
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if args.logs is not None:
        from recipes.characters.logs import logging

        callbacks += logging(inputs[0], targets[0], vocabulary, args)
    fit(
        model,
        reading.batches,
        (inputs, targets),
        callbacks,
        resumable.epoch,
        resumable.batch,
    )
