"""Parts of a corpus, each scored by one worker in one go."""

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from recipes.console import UsageError, one_line
from recipes.data.series_file import PARQUET

# Parts of a corpus, about, and the bounds of their bytes. They do not depend on
# the number of workers, and neither do sums over them. A part is lost if its
# worker dies.
PARTS = 1024
LEAST_BYTES, MOST_BYTES = 2**17, 2**23
# Rows that are read at once.
BATCH_ROWS = 1024


class DataFile(NamedTuple):
    """File of a corpus.

    Args:
        name: Its path below that of the corpus.
        bytes: Its size.
    """

    name: str
    bytes: int

    @property
    def is_parquet(self) -> bool:
        """Whether it is a Parquet file."""
        return self.name.endswith(PARQUET)


class Piece(NamedTuple):
    """Piece of a file.

    Args:
        file: The file.
        start: First byte of a text, or first row of a table.
        stop: Byte or row after the last one.
        bytes: Its size, about.
    """

    file: DataFile
    start: int
    stop: int
    bytes: int


Part = list[Piece]

_SCHEMA = pa.schema(
    {
        "part": pa.int64(),
        "file": pa.string(),
        "file_bytes": pa.int64(),
        "start": pa.int64(),
        "stop": pa.int64(),
        "bytes": pa.int64(),
    }
)


def find_files(data: Path) -> list[DataFile]:
    """Find the files of a corpus: one file, or all in a folder.

    Hidden files are left out.

    Raises:
        UsageError: if there is none.
    """
    if data.is_file():
        return [DataFile(data.name, data.stat().st_size)]
    if not data.is_dir():
        raise UsageError(f"there is no file or folder {data}")
    found = []
    for folder, folders, names in os.walk(data):
        folders[:] = [it for it in folders if not it.startswith(".")]
        paths = [Path(folder, it) for it in names if not it.startswith(".")]
        found += [
            DataFile(str(it.relative_to(data)), it.stat().st_size)
            for it in paths
            if it.is_file()
        ]
    if not found:
        raise UsageError(f"there is no file in {data}")
    return sorted(found)


def part_bytes(files: Iterable[DataFile]) -> int:
    """Return the size of a part, for a corpus of these files."""
    each = sum(it.bytes for it in files) // PARTS
    return min(max(each, LEAST_BYTES), MOST_BYTES)


def join_pieces(pieces: Iterable[Piece], size: int) -> list[Part]:
    """Join consecutive pieces to parts of about so many bytes."""
    parts: list[Part] = []
    filled = size
    for piece in pieces:
        if filled >= size:
            parts.append([])
            filled = 0
        parts[-1].append(piece)
        filled += piece.bytes
    return parts


def save(parts: list[Part], path: Path) -> None:
    """Write parts to a Parquet file."""
    rows = [
        (number, *piece.file, *piece[1:])
        for number, part in enumerate(parts)
        for piece in part
    ]
    columns = zip(*rows, strict=True) if rows else [[]] * len(_SCHEMA)
    arrays = dict(zip(_SCHEMA.names, map(list, columns), strict=True))
    pq.write_table(pa.table(arrays, _SCHEMA), path)


def load(path: Path) -> list[Part]:
    """Read parts from a file of `save`."""
    columns = pq.read_table(path).to_pydict().values()
    return [
        [Piece(DataFile(*row[1:3]), *row[3:]) for row in rows]
        for _, rows in groupby(zip(*columns, strict=True), lambda row: row[0])
    ]


def check_unchanged(piece: Piece, root: Path) -> Path:
    """Return the path of a piece's file.

    Raises:
        UsageError: if it is not as large as when it was found.
    """
    path = root / piece.file.name
    if not path.is_file() or path.stat().st_size != piece.file.bytes:
        raise UsageError(
            f"{path} is not the file any more that it was when scoring began: "
            "bring it back, or score anew with another --output"
        )
    return path


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises:
        UsageError: if it is none.
    """
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(
            f"{path} is no Parquet file: {one_line(error)}"
        ) from error


def read_rows(
    path: Path, columns: list[str] | None, start: int, stop: int
) -> pa.Table:
    """Read rows of a Parquet file, and of its columns some or all."""
    file = open_parquet(path)
    found = []
    first = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if start < first + rows and first < stop:
            place = first
            for batch in file.iter_batches(BATCH_ROWS, [group], columns):
                low = max(0, start - place)
                high = min(batch.num_rows, stop - place)
                if low < high:
                    found.append(batch.slice(low, high - low))
                place += batch.num_rows
        first += rows
    schema = None if found else file.schema_arrow
    return pa.Table.from_batches(found, schema)


def row_pieces(
    file: DataFile, path: Path, columns: list[str], size: int
) -> Iterator[Piece]:
    """Cut the rows of a Parquet file into pieces of about so many bytes.

    Args:
        file: The file.
        path: Its path.
        columns: The columns whose bytes count.
        size: The bytes of a piece.
    """
    metadata = open_parquet(path).metadata
    first = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        rows = group.num_rows
        bytes_ = sum(
            column.total_uncompressed_size
            for column in map(group.column, range(group.num_columns))
            if column.path_in_schema.split(".")[0] in columns
        )
        each = max(1, rows * size // max(bytes_, 1))
        for start in range(0, rows, each):
            stop = min(start + each, rows)
            share = bytes_ * (stop - start) // rows
            yield Piece(file, first + start, first + stop, share)
        first += rows
