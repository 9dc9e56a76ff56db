"""Parts of a corpus, each scored by one worker in one go."""

import math
import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from recipes.console import UsageError, one_line, shown
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
        changed: Time of its last change, in ns.
    """

    name: str
    bytes: int
    changed: int

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
        "changed": pa.int64(),
        "start": pa.int64(),
        "stop": pa.int64(),
        "bytes": pa.int64(),
    }
)


def folder_of(data: Path) -> Path:
    """Return the folder that the names of a corpus's files are below."""
    return data if data.is_dir() else data.parent


def find_files(data: Path) -> list[DataFile]:
    """Find the files of a corpus: one file, or all in a folder.

    Links are followed. Hidden files are left out, and what is no file.

    Raises:
        UsageError: if there is none, or a link to nothing.
        OSError: if a folder cannot be read.
    """
    if data.is_file():
        return [_data_file(data, data.name)]
    if not data.is_dir():
        raise UsageError(f"there is no file or folder {data}")
    found = []
    seen = set()
    for folder, folders, names in os.walk(
        data, onerror=_raise, followlinks=True
    ):
        folders[:] = [it for it in folders if not it.startswith(".")]
        if os.path.realpath(folder) in seen:
            # A link to a folder that is scored already, perhaps above it.
            folders.clear()
            continue
        seen.add(os.path.realpath(folder))
        for path in (Path(folder, it) for it in names if it[0] != "."):
            if not path.exists():
                raise UsageError(f"{path} is a link to nothing: remove it")
            if path.is_file():
                found.append(_data_file(path, str(path.relative_to(data))))
    if not found:
        raise UsageError(f"there is no file in {data}")
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def _data_file(path: Path, name: str) -> DataFile:
    if not name.isprintable():
        # Also what is not UTF-8.
        raise UsageError(
            f"{shown(name)} is a file name that cannot be printed: rename it"
        )
    status = path.stat()
    return DataFile(name, status.st_size, status.st_mtime_ns)


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
        [Piece(DataFile(*row[1:4]), *row[4:]) for row in rows]
        for _, rows in groupby(zip(*columns, strict=True), lambda row: row[0])
    ]


def check_unchanged(piece: Piece, root: Path) -> Path:
    """Return the path of a piece's file.

    Raises:
        UsageError: if it has changed since it was found.
    """
    path = root / piece.file.name
    if not path.is_file() or _data_file(path, piece.file.name) != piece.file:
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
                if place >= stop:
                    break
        first += rows
    schema = None if found else file.schema_arrow
    return pa.Table.from_batches(found, schema)


def row_pieces(
    file: DataFile, path: Path, column: str, size: int
) -> Iterator[Piece]:
    """Cut the rows of a Parquet file into pieces of about so many bytes.

    Args:
        file: The file.
        path: Its path.
        column: The column whose bytes count.
        size: The bytes of a piece.
    """
    rows = open_parquet(path).metadata.num_rows
    # In the file, texts may be compressed, or there once for many rows.
    sample = read_rows(path, [column], 0, BATCH_ROWS)
    bytes_ = max(sample.nbytes // max(sample.num_rows, 1), 1)
    each = math.ceil(size / bytes_)
    for start in range(0, rows, each):
        stop = min(start + each, rows)
        yield Piece(file, start, stop, bytes_ * (stop - start))
