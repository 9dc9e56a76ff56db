"""Description of a forecaster's series, which is written beside the model."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, get_type_hints

import numpy as np

from recipes import console
from recipes.data.columns import ColumnChoice
from recipes.data.file_format import FileFormat
from recipes.data.typed import check, from_json


@dataclass(frozen=True)
class Description:
    """Description of a forecaster's series, in `series.json`.

    Args:
        columns: Names of the columns that are forecast.
        past: Names of the columns that help by their past.
        known: Names of the columns that are known ahead.
        lookback: Steps that the model sees.
        horizon: Steps that it forecasts.
        step_seconds: Median length of a step.
        coverage: Share of true values that the intervals are to cover.
        half_widths: Half widths of the intervals, `(horizon, columns)`.
        file: How the file of the training was written.
        choice: What its columns were for.
    """

    columns: list[str]
    past: list[str]
    known: list[str]
    lookback: int
    horizon: int
    step_seconds: float
    coverage: float
    half_widths: np.ndarray
    file: FileFormat
    choice: ColumnChoice

    def save(self, path: Path) -> None:
        """Write the description as JSON."""
        values = asdict(self) | {"half_widths": self.half_widths.tolist()}
        path.write_text(json.dumps(values, indent=2))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a description.

        Raises:
            UsageError: if the file is missing or invalid.
        """
        if not path.is_file():
            raise console.UsageError(
                f"there is no file {path}: recipes.time_series writes it "
                "beside the model"
            )
        try:
            return cls._read(json.loads(path.read_text("utf-8")))
        except KeyError as error:
            raise console.UsageError(
                f"{path} describes no series: it has no {error}"
            ) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise console.UsageError(
                f"{path} describes no series: {error}"
            ) from error

    @classmethod
    def _read(cls, found: Any) -> Self:
        """Return the description that a JSON document holds.

        Raises:
            ValueError: if a value is of the wrong type, or out of range.
            KeyError: if one is missing.
            TypeError: if the document is no dictionary.
        """
        values = {
            field.name: found[field.name]
            for field in fields(cls)
            if field.name not in ("half_widths", "file", "choice")
        }
        hints = get_type_hints(cls)
        for name, value in values.items():
            check(name, value, hints[name])
        check("half_widths", found["half_widths"], list[list[float]])
        read = cls(
            **values,
            half_widths=np.asarray(found["half_widths"], float),
            file=FileFormat.from_json(found["file"]),
            choice=from_json(ColumnChoice, found["choice"]),
        )
        names = [*read.columns, *read.past, *read.known]
        if not read.columns or len(set(read.columns)) < len(read.columns):
            raise ValueError("columns must be names, each once")
        if not all(names):
            raise ValueError("a column has no name")
        if min(read.lookback, read.horizon) < 1:
            raise ValueError("lookback and horizon must be above zero")
        if not (read.step_seconds > 0 and 0 < read.coverage < 1):
            raise ValueError(
                "step_seconds must be above zero, and coverage from 0 to 1"
            )
        shape = (read.horizon, len(read.columns))
        if read.half_widths.shape != shape or (read.half_widths < 0).any():
            raise ValueError(
                f"half_widths must be widths of shape {shape}, horizon and "
                f"columns; found the shape {read.half_widths.shape}"
            )
        return read
