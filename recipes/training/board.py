"""Messages between a training and the program that shows it."""

from typing import NamedTuple

# Seconds between two looks at the board.
POLL_SECONDS = 0.3


class Progress(NamedTuple):
    """Progress of a training.

    Args:
        spent: Spent share of the budget, from 0 to 1.
        losses: Losses to show beside it, by name.
    """

    spent: float
    losses: dict[str, float]


class Notice(NamedTuple):
    """Messages on a board.

    Args:
        progress: The last progress, or `None`.
        failure: Why a worker cannot go on, or `None`.
    """

    progress: Progress | None
    failure: str | None


class Board:
    """Board on which workers and the program that started them write.

    It becomes an actor of Ray, in a process that does not load Keras.

    Args:
        stopping: Whether the training shall stop.
    """

    def __init__(self, stopping: bool = False) -> None:
        self._progress: Progress | None = None
        self._failure: str | None = None
        self._stopping = stopping

    def report(self, progress: Progress) -> bool:
        """Write the progress, and return whether the training shall stop."""
        self._progress = progress
        return self._stopping

    def fail(self, failure: str) -> None:
        """Write why the training cannot go on."""
        self._failure = failure

    def stop(self) -> None:
        """Ask the training to stop."""
        self._stopping = True

    def read(self) -> Notice:
        """Return what there is to read."""
        return Notice(self._progress, self._failure)
