"""Training of a forecaster."""

import math
from pathlib import Path

import keras

from recipes import resuming
from recipes.data.windows import Batch, Shuffled, Windows
from recipes.forecasting import models
from recipes.forecasting.settings import Settings
from recipes.training import Budget, raise_memory_error


def train(
    seen: Windows,
    held_out: Windows,
    columns: int,
    settings: Settings,
    folder: Path,
) -> tuple[keras.Model, Budget]:
    """Train for the batches or minutes of `settings`.

    Args:
        seen: Windows to train on, in standard units.
        held_out: Windows to validate on.
        columns: Number of columns of the series.
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
    size = min(settings.batch_size, len(seen))
    with raise_memory_error():
        model = compiled(settings, columns)
        shuffled = Shuffled(seen, size, settings.seed)
        budget = resuming.train(
            model,
            shuffled,
            batched(held_out, size),
            settings.batches,
            settings,
            folder,
        )
    resuming.check_enough(budget, settings.batches, folder)
    return model, budget


def compiled(settings: Settings, columns: int) -> keras.Model:
    """Return a compiled model."""
    model = models.build(settings, columns)
    # The absolute error is more robust to outliers than the squared error.
    model.compile(keras.optimizers.Adam(global_clipnorm=1.0), "mae")
    return model


def batched(windows: Windows, size: int) -> Batch:
    """Stack windows into batches of equal size, at most `size`.

    The last windows are left out if they do not divide evenly.
    """
    count = math.ceil(len(windows) / size)
    each = len(windows) // count
    inputs, targets = (
        part.reshape(count, each, *part.shape[1:])
        for part in windows.take(slice(0, count * each))
    )
    return inputs, targets
