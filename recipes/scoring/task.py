"""Kinds of scoring: of texts by characters, and of series by forecasts."""

from pathlib import Path
from typing import Any, Protocol

from recipes.scoring.folder import Folder, Scored
from recipes.scoring.parts import Part

# Entries of the summary, and the text that is printed.
Summary = tuple[dict[str, Any], str]


class Scorer(Protocol):
    """Loaded model that scores parts."""

    def __call__(self, part: Part) -> Scored: ...


class Task(Protocol):
    """Scoring of some data by a model. It is pickled and sent to workers."""

    @property
    def rows(self) -> str:
        """Name of the folder for its rows."""

    def parts(self) -> list[Part]:
        """Find the data, and cut them into parts.

        Raises:
            UsageError: if they are missing or unreadable.
        """

    def scorer(self) -> Scorer:
        """Load the model.

        Raises:
            UsageError: if it does not fit.
        """

    def summarize(self, folder: Folder, parts: int, stage: Path) -> Summary:
        """Write tables of all parts into a folder, and return their summary."""
