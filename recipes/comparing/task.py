"""What a comparison needs to know of a task."""

import argparse
from abc import ABC, abstractmethod
from typing import NamedTuple

import keras

from recipes.resuming import Batches
from recipes.training import Batch


class Run(NamedTuple):
    """One training of a comparison.

    Args:
        cell: Which recurrent layer, by its name in `recipes.cells`.
        units: The size of its memories.
        length: How long they must last, in steps; 0 where nobody knows.
        seed: Of all that is random.
    """

    cell: str
    units: int
    length: int
    seed: int


class Task(ABC):
    """Something to learn, for any recurrent layer.

    Args:
        args: The recipe's settings.

    Attributes:
        lengths: How long memories must last: each is tried.
        score: What is measured.
        chance: What is reached without a memory: how, and the score.
        solved: The validation loss at which there is no more to learn.
    """

    lengths: tuple[int, ...] = (0,)
    score: str
    chance: tuple[str, float]
    solved = 0.0

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @abstractmethod
    def model(self, run: Run) -> keras.Model:
        """A model with the run's layer in it, ready to train."""

    @abstractmethod
    def batches(self, run: Run) -> Batches:
        """What to train on."""

    @abstractmethod
    def validation(self, run: Run) -> Batch:
        """Batches to validate on, inputs and targets, stacked."""

    @abstractmethod
    def measure(self, model: keras.Model, run: Run) -> float:
        """The score of the trained model, on what it has not seen."""
