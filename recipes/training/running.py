"""Run a training in this process, or by several workers."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import keras

from recipes.memory import raise_memory_error
from recipes.options import Settings
from recipes.training import on_ray
from recipes.training.budget import History
from recipes.training.strategy import SINGLE_PROCESS, Strategy
from recipes.training.variables import assign_values

Model = TypeVar("Model", bound=keras.Model)


def run(
    train_process: Callable[[Strategy], tuple[Model, History]],
    build: Callable[[], Model],
    settings: Settings,
    folder: Path,
) -> tuple[Model, History]:
    """Train, and return a model of this process.

    Args:
        train_process: Function that builds a model and trains it as one of the
            processes of a strategy.
        build: Function that builds such a model.
        settings: The recipe's settings; with `workers`, these train.
        folder: Folder of the checkpoints.
    """
    with raise_memory_error():
        if settings.workers is None:
            return train_process(SINGLE_PROCESS)
        weights, history = on_ray.train(train_process, settings, folder)
        model = build()
        assign_values(model.trainable_weights, weights)
        return model, history
