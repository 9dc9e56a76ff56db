"""Documents of a corpus, in windows that a character model reads."""

import codecs
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from recipes.console import UsageError
from recipes.data.text import MORE_BYTES, bytes_inside
from recipes.scoring.parts import (
    LEAST_BYTES,
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
    row_pieces,
)

# Windows that are read at once, at most: parts of a text are full batches.
BATCH = 128


class Window(NamedTuple):
    """Chunk of a document, and the text before it.

    Args:
        document: Name of the document.
        start: The chunk's first byte in the document.
        context: Text before the chunk, which is read first.
        text: The chunk.
    """

    document: str
    start: int
    context: str
    text: str


class Corpus(NamedTuple):
    """Texts that are scored in chunks.

    A text file is a document, and so is each row of a Parquet file.

    Args:
        data: The file, or the folder of all files.
        chunk: Bytes of a chunk. Its characters are those that begin in them.
        context: Bytes that are read before a chunk.
        text_column: Column of the texts in Parquet files; `None` for the only
            column of strings.
        id_column: Column of their names; `None` for the numbers of the rows.
    """

    data: Path
    chunk: int
    context: int
    text_column: str | None = None
    id_column: str | None = None

    def parts(self) -> list[Part]:
        """Cut the corpus into parts.

        Raises:
            UsageError: if there is no text.
        """
        files = find_files(self.data)
        batch = self.chunk * max(1, min(BATCH, LEAST_BYTES // self.chunk))
        size = math.ceil(part_bytes(files) / batch) * batch
        pieces = (piece for it in files for piece in self._pieces(it, size))
        parts = join_pieces(pieces, size)
        if not parts:
            raise UsageError(f"there is no text in {self.data}")
        return parts

    def _pieces(self, file: DataFile, size: int) -> Iterator[Piece]:
        if file.is_parquet:
            path = folder_of(self.data) / file.name
            yield from row_pieces(file, path, self._text_column(path), size)
            return
        # Of an empty file, too.
        for start in range(0, max(file.bytes, 1), size):
            stop = min(start + size, file.bytes)
            yield Piece(file, start, stop, stop - start)

    def windows(self, part: Part) -> Iterator[Window]:
        """Yield the windows of a part.

        An empty document has one, without text.

        Raises:
            UsageError: if a file has changed.
        """
        for piece in part:
            path = check_unchanged(piece, folder_of(self.data))
            if piece.file.is_parquet:
                for name, text in self._rows(path, piece):
                    yield from self._cut(name, text, 0, 0, len(text))
            else:
                offset = max(0, piece.start - self.context - MORE_BYTES)
                with path.open("rb") as file:
                    file.seek(offset)
                    text = file.read(piece.stop + MORE_BYTES - offset)
                yield from self._cut(
                    piece.file.name, text, offset, piece.start, piece.stop
                )

    def _cut(
        self, name: str, text: bytes, offset: int, start: int, stop: int
    ) -> Iterator[Window]:
        """Cut some bytes of a document into windows.

        Args:
            name: Name of the document.
            text: Some of its bytes.
            offset: The place of the first of them.
            start: Place of the first chunk.
            stop: Place after the last chunk.
        """
        for place in range(start, max(stop, start + 1), self.chunk):
            before = _character_at(text, max(0, place - self.context) - offset)
            first = _character_at(text, place - offset)
            last = _character_at(text, min(place + self.chunk, stop) - offset)
            yield Window(
                name,
                offset + first,
                text[before:first].decode("utf-8", "replace"),
                text[first:last].decode("utf-8", "replace"),
            )

    def _rows(self, path: Path, piece: Piece) -> Iterator[tuple[str, bytes]]:
        """Yield the names and texts of rows. A missing text is empty."""
        column = self._text_column(path)
        columns = [column, *([self.id_column] if self.id_column else [])]
        table = read_rows(path, columns, piece.start, piece.stop)
        texts = _as_bytes(table[column]).to_pylist()
        numbers = range(piece.start, piece.stop)
        names = map(str, numbers)
        if self.id_column:
            given = table[self.id_column].to_pylist()
            names = map(
                str,
                (
                    number if it is None else it
                    for it, number in zip(given, numbers, strict=True)
                ),
            )
        before = f"{piece.file.name}:" if self.data.is_dir() else ""
        for name, text in zip(names, texts, strict=True):
            yield f"{before}{name}", text or b""

    def _text_column(self, path: Path) -> str:
        """Return the column of the texts.

        Raises:
            UsageError: if it is missing, or if it is not said which it is.
        """
        schema = open_parquet(path).schema_arrow
        if self.id_column is not None:
            _choose(path, schema.names, self.id_column, "--id-column")
        texts = [field.name for field in schema if _is_text(field.type)]
        return _choose(path, texts, self.text_column, "--text-column")


def _choose(
    path: Path, names: list[str], chosen: str | None, option: str
) -> str:
    """Return the chosen column, or the only one.

    Raises:
        UsageError: if it is not there, or not once; or if there are several.
    """
    if chosen is None and len(names) == 1:
        return names[0]
    if chosen is not None and names.count(chosen) == 1:
        return chosen
    if not names:
        raise UsageError(f"{path} has no column of texts")
    found = "several columns that could be meant"
    if chosen is not None:
        found = f"{names.count(chosen) or 'no'} such columns called {chosen}"
    raise UsageError(
        f"{path} has {found}: {option} takes one of {', '.join(names)}"
    )


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    )


def _as_bytes(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts in UTF-8, as they are in the file, even if they are not."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(texts.type.value_type)
    return texts.cast(pa.large_binary())


def _character_at(text: bytes, place: int) -> int:
    """Return the first byte of a character, at a place or behind it.

    Bytes that are no UTF-8 count as characters, sooner or later.
    """
    if not place:
        return len(codecs.BOM_UTF8) if text.startswith(codecs.BOM_UTF8) else 0
    return place + bytes_inside(text[place : place + MORE_BYTES])
