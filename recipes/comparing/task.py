"""Interface of a comparison's task."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import keras

from recipes import options
from recipes.comparing.settings import Settings
from recipes.data.windows import Batch
from recipes.training.resuming import Batches


class Run(NamedTuple):
    """One training of a comparison.

    Args:
        cell: Name of the recurrent layer in `recipes.cells`.
        units: Number of units.
        length: Steps that the memory must last; 0 if unknown.
        seed: Random seed.
    """

    cell: str
    units: int
    length: int
    seed: int


class Task(ABC):
    """Task that any recurrent layer can be trained on.

    Args:
        settings: The recipe's settings.

    Attributes:
        lengths: Steps that the memory must last; each gets its own runs.
        score: Name of the score.
        chance: Name and score of a reference without memory.
        solved: Validation loss below which training ends early.
        recipe: Settings of the recipe whose model is trained, but for the
            run's layer; `None` for a model of its own.
    """

    lengths: tuple[int, ...] = (0,)
    score: str
    chance: tuple[str, float]
    solved = 0.0
    recipe: options.Settings | None = None

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def model(self, run: Run) -> keras.Model:
        """Return a compiled model with the run's layer."""

    @abstractmethod
    def batches(self, run: Run) -> Batches:
        """Return the training batches."""

    @abstractmethod
    def validation(self, run: Run) -> Batch:
        """Return stacked batches to validate on, inputs and targets."""

    @abstractmethod
    def measure(self, model: keras.Model, run: Run) -> float:
        """Return the score of the trained model on held-out data."""
