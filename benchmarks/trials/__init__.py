"""Trials of `python -m benchmarks.soak`: promises held for long, or often."""

from pathlib import Path
from typing import NamedTuple


class Options(NamedTuple):
    """Options of a trial.

    Args:
        folder: Empty folder to write in.
        minutes: How long to ask a server.
        count: How often to kill, fail, call or try.
    """

    folder: Path
    minutes: float
    count: int


class Outcome(NamedTuple):
    """Result of a trial.

    Args:
        figures: Figures by name, with their units.
        broken: A line for each promise that did not hold.
    """

    figures: dict[str, object]
    broken: list[str]
