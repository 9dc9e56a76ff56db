"""Trains a forecaster."""

import argparse
import math
from pathlib import Path

import keras

from recipes import resuming
from recipes.data.windows import Batch, Shuffled, Windows
from recipes.forecasting import models
from recipes.training import Budget, enough_memory


def train(
    seen: Windows,
    held_out: Windows,
    columns: int,
    args: argparse.Namespace,
    folder: Path,
) -> tuple[keras.Model, Budget]:
    """Trains for the batches or minutes that `args` names.

    Args:
        seen: Windows to train on, of standard deviation 1.
        held_out: Windows to validate on.
        columns: How many columns the series has.
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
    size = min(args.batch_size, len(seen))
    with enough_memory():
        model = compiled(args, columns)
        shuffled = Shuffled(seen, size, args.seed)
        budget = resuming.train(
            model,
            shuffled,
            batched(held_out, size),
            args.batches,
            args,
            folder,
        )
    resuming.check_enough(budget, args.batches, folder)
    return model, budget


def compiled(args: argparse.Namespace, columns: int) -> keras.Model:
    """The model, ready to train."""
    model = models.build(args, columns)
    # Less moved by what cannot be foreseen than the squared error.
    model.compile(keras.optimizers.Adam(global_clipnorm=1.0), "mae")
    return model


def batched(windows: Windows, size: int) -> Batch:
    """Windows in batches of up to one size, all alike, stacked.

    Fewer windows than there are batches may be left out at the end.
    """
    count = math.ceil(len(windows) / size)
    each = len(windows) // count
    inputs, targets = (
        part.reshape(count, each, *part.shape[1:])
        for part in windows.take(slice(0, count * each))
    )
    return inputs, targets
