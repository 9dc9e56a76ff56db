"""Description of a forecaster's series, which is written beside the model."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recipes import console
from recipes.data.columns import ColumnChoice
from recipes.data.file_format import FileFormat


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
            found = json.loads(path.read_text())
            columns, past, known = (
                [str(name) for name in found[part]]
                for part in ("columns", "past", "known")
            )
            shape = int(found["horizon"]), len(columns)
            return cls(
                columns,
                past,
                known,
                int(found["lookback"]),
                shape[0],
                float(found["step_seconds"]),
                float(found["coverage"]),
                np.reshape(np.asarray(found["half_widths"], float), shape),
                FileFormat.taken_from(found["file"]),
                ColumnChoice(**found["choice"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise console.UsageError(f"{path} describes no series") from error
