"""Series of a fleet, read one by one for a forecaster."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from recipes.console import UsageError, one_line
from recipes.data.file_format import FileFormat
from recipes.data.series_file import read_table, table_of
from recipes.forecasting import deployed
from recipes.forecasting.deployed import Series
from recipes.forecasting.description import Description
from recipes.scoring.parts import (
    DataFile,
    Part,
    Piece,
    check_unchanged,
    find_files,
    folder_of,
    join_pieces,
    open_parquet,
    part_bytes,
    read_rows,
)


class Fleet(NamedTuple):
    """Series that are forecast.

    Args:
        data: The file, or the folder of all files.
        file_format: How they are written.
        series_column: Column of Parquet files that says which series a row
            belongs to; the rows of a series lie together. `None` if each file
            is a series.
    """

    data: Path
    file_format: FileFormat
    series_column: str | None = None

    def parts(self) -> list[Part]:
        """Share the series out.

        Raises:
            UsageError: if there is none.
        """
        files = find_files(self.data)
        size = part_bytes(files)
        pieces = (piece for it in files for piece in self._pieces(it, size))
        parts = join_pieces(pieces, size)
        if not parts:
            raise UsageError(f"there is no series in {self.data}")
        return parts

    def _pieces(self, file: DataFile, size: int) -> Iterator[Piece]:
        """Yield pieces of a file, of whole series.

        Raises:
            UsageError: if there is no such column, or the rows of a series do
                not lie together.
        """
        if self.series_column is None:
            yield Piece(file, 0, 0, file.bytes)
            return
        path = folder_of(self.data) / file.name
        parquet = open_parquet(path)
        names = parquet.schema_arrow.names
        if names.count(self.series_column) != 1:
            raise UsageError(
                f"{path} has no column {self.series_column}: --series-column "
                f"takes one of {', '.join(names)}"
            )
        rows = parquet.metadata.num_rows
        table = read_rows(path, [self.series_column], 0, rows)
        labels = _labels(path, table, self.series_column, 0)
        series = _runs(labels)
        again = pd.Series([labels[start] for start, _ in series]).duplicated()
        if again.any():
            start, _ = series[int(again.to_numpy().argmax())]
            raise UsageError(
                f"{path}, row {start + 1}: series {labels[start]} "
                f"goes on after others: sort the rows by {self.series_column}"
            )
        # About as many bytes as the part of the file.
        each = max(1, rows * size // max(file.bytes, 1))
        first = 0
        for _, stop in series:
            if stop - first >= each or stop == rows:
                share = file.bytes * (stop - first) // rows
                yield Piece(file, first, stop, share)
                first = stop

    def read(
        self, piece: Piece, description: Description
    ) -> Iterator[tuple[str, Series | str]]:
        """Yield names of series, each with the series, or why it is refused."""
        for rows in self._rows(piece):
            yield rows.name, self._series(piece, rows, description)

    def _rows(self, piece: Piece) -> Iterator["_Rows"]:
        """Yield the rows of each series of a piece."""
        if self.series_column is None:
            yield _Rows(piece.file.name)
            return
        path = check_unchanged(piece, folder_of(self.data))
        table = read_rows(path, None, piece.start, piece.stop)
        labels = _labels(path, table, self.series_column, piece.start)
        frame = table.to_pandas()
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        frame = frame.drop(columns=self.series_column)
        before = f"{piece.file.name}:" if self.data.is_dir() else ""
        for start, stop in _runs(labels):
            name = f"{before}{labels[start]}"
            first = piece.start + start + 1
            yield _Rows(name, frame[start:stop].copy(), first)

    def _series(
        self, piece: Piece, rows: "_Rows", description: Description
    ) -> Series | str:
        """Return a series, or why it is refused.

        One series must not stop the others, whatever is in its file.
        """
        file_format = self.file_format.or_else(description.file)
        try:
            path = check_unchanged(piece, folder_of(self.data))
            if rows.frame is None:
                table = read_table(path, file_format)
            else:
                table = table_of(rows.frame, file_format, path, rows.first)
            return deployed.series_of(
                table, file_format, description, rows.name
            )
        except (UsageError, OSError) as error:
            return one_line(error)
        except (ValueError, LookupError, TypeError) as error:
            return f"it cannot be read: {one_line(error)}"


class _Rows(NamedTuple):
    """Rows of a series.

    Args:
        name: Its name.
        frame: Its rows; `None` for those of the whole file.
        first: Number of the first of them in the file.
    """

    name: str
    frame: pd.DataFrame | None = None
    first: int = 1


def _labels(path: Path, rows: pa.Table, column: str, first: int) -> np.ndarray:
    """Return which series rows belong to, as text.

    Raises:
        UsageError: if a row does not say it.
    """
    labels = rows[column]
    if labels.null_count:
        row = first + labels.is_null().to_pylist().index(True) + 1
        raise UsageError(
            f"{path}, row {row}: column {column} does not say which series it "
            "is of"
        )
    return labels.to_pandas().astype(str).to_numpy(object)


def _runs(labels: np.ndarray) -> list[tuple[int, int]]:
    """Return first row and row after the last of labels that are the same."""
    borders = [0, *(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist()]
    if not len(labels):
        return []
    return list(pairwise([*borders, len(labels)]))
