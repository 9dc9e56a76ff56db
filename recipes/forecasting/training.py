"""Training of a forecaster."""

import math
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from recipes.console import UsageError
from recipes.data.windows import (
    Batch,
    ColumnWindows,
    Layout,
    Shuffled,
    Source,
    Windows,
)
from recipes.forecasting import linear, models
from recipes.forecasting.linear import LinearForecast
from recipes.forecasting.settings import Settings
from recipes.training import resuming
from recipes.training.budget import History
from recipes.training.running import run
from recipes.training.strategy import SINGLE_PROCESS, Strategy, own_rows

# Windows to validate on, at most.
MOST_VALIDATED = 2**15
# Momentum of the mean of the weights.
MOMENTUM = 0.98
# Candidate weights of the linear map in the average.
LINEAR_WEIGHTS = np.linspace(0, 1, 11)


class Forecaster(NamedTuple):
    """A trained forecaster and its parts.

    Args:
        model: The forecaster: the recurrent model, or the average of both.
        recurrent: The recurrent model.
        linear: The linear map.
        linear_weight: Weight of the linear map in the average, from 0 to 1;
            0 if the forecaster is not averaged.
        validation_mse: Mean squared error on validation.
    """

    model: keras.Model
    recurrent: keras.Model
    linear: LinearForecast
    linear_weight: float
    validation_mse: float


def train(
    seen: Windows,
    held_out: Windows,
    settings: Settings,
    folder: Path,
) -> tuple[Forecaster, History]:
    """Train the recurrent model, and average it with a linear map.

    Args:
        seen: Windows to train on, in standard units.
        held_out: Windows to validate on.
        settings: The recipe's settings.
        folder: Folder of the checkpoints.

    Returns:
        The forecaster, with the weights of the best validation loss; and the
        history of the training.

    Raises:
        UsageError: if the loss becomes NaN or infinite, or too few batches
            were trained.
        KeyboardInterrupt: if the training is stopped before its first batch.
        MemoryError: if the model does not fit into memory.
    """
    windows = min(len(_source(it, settings)) for it in (seen, held_out))
    if windows < (settings.workers or 1):
        raise UsageError(
            f"--workers {settings.workers} share {windows} windows of the "
            "series: take fewer workers"
        )
    trained, history = run(
        partial(train_process, seen, held_out, settings, folder.absolute()),
        partial(compiled, settings, seen.layout),
        settings,
        folder,
    )
    resuming.check_enough(history, settings.minutes, settings.batches, folder)
    recurrent = whole(trained, settings, seen.layout)
    line = linear.fit(seen, held_out, settings.period)
    averaged = settings.form == "averaged"
    weights = LINEAR_WEIGHTS if averaged else np.zeros(1)
    errors = averaged_errors(line, recurrent, weights, held_out)
    weight = round(float(weights[errors.argmin()]), 1)
    model = recurrent
    if averaged:
        model = models.averaged(line, recurrent, weight)
    return Forecaster(model, recurrent, line, weight, errors.min()), history


def train_process(
    seen: Windows,
    held_out: Windows,
    settings: Settings,
    folder: Path,
    strategy: Strategy,
) -> tuple[keras.Model, History]:
    """Train the recurrent model as one of the processes of a strategy."""
    keras.utils.set_random_seed(settings.seed)
    model = compiled(settings, seen.layout)
    history = resuming.train(
        model,
        shuffled(seen, settings, strategy),
        validation(held_out, settings, strategy),
        settings.batches,
        settings,
        folder,
        strategy,
    )
    return model, history


def compiled(settings: Settings, layout: Layout) -> keras.Model:
    """Return the model to train: of one column, but for the plain form.

    It is validated with a running mean of its weights (Polyak averaging).
    """
    model = models.build(settings, layout)
    optimizer = keras.optimizers.Adam(
        global_clipnorm=1.0, use_ema=True, ema_momentum=MOMENTUM
    )
    model.compile(optimizer, settings.loss)
    return model


def whole(
    trained: keras.Model, settings: Settings, layout: Layout
) -> keras.Model:
    """Return a model of all columns, with the weights that were trained."""
    # Saved models hold the optimizers of compiled models inside them.
    model = models.build(settings, layout)
    model.set_weights(trained.get_weights())
    if settings.form == "plain":
        return model
    return models.of_all_columns(model, settings, layout)


def shuffled(
    seen: Windows,
    settings: Settings,
    strategy: Strategy = SINGLE_PROCESS,
) -> Shuffled:
    """Return a process's rows of the batches of windows to train on."""
    source = _source(seen, settings)
    size = min(settings.batch_size, len(source))
    size -= size % strategy.processes
    return Shuffled(source, size, settings.seed, own_rows(strategy, size))


def validation(
    held_out: Windows,
    settings: Settings,
    strategy: Strategy = SINGLE_PROCESS,
) -> Batch:
    """Stack a process's windows to validate on into batches of equal size.

    They are `MOST_VALIDATED` at most, evenly spaced; the last are left out if
    they do not divide evenly.
    """
    source = _source(held_out, settings)
    places = np.arange(len(source))[:: math.ceil(len(source) / MOST_VALIDATED)]
    processes = strategy.processes
    # Each process takes one window of a group.
    groups = len(places) // processes
    count = math.ceil(groups / (settings.batch_size // processes))
    size = groups // count * processes
    batches = places[: count * size].reshape(count, size)
    own = batches[:, own_rows(strategy, size)]
    inputs, targets = keras.tree.map_structure(
        lambda part: part.reshape(*own.shape, *part.shape[1:]),
        source.take(own.ravel()),
    )
    return inputs, targets


def _source(windows: Windows, settings: Settings) -> Source:
    return windows if settings.form == "plain" else ColumnWindows(windows)


def averaged_errors(
    line: LinearForecast,
    recurrent: keras.Model,
    weights: np.ndarray,
    windows: Windows,
) -> np.ndarray:
    """Return the mean squared error with each weight of the linear map."""
    forecast = models.forecast_of(recurrent)
    errors = np.zeros(len(weights))
    count = 0
    for inputs, targets in windows.batches():
        of_line, of_recurrent = line(inputs), forecast(inputs)
        for number, weight in enumerate(weights):
            found = weight * of_line + (1 - weight) * of_recurrent
            errors[number] += np.sum((found - targets) ** 2, dtype=np.float64)
        count += targets.size
    return errors / count
