"""Texts that are read in pieces, since they may be larger than memory."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from recipes.console import UsageError

if TYPE_CHECKING:
    import tensorflow as tf

PIECE = 2**20
# Longest UTF-8 code of a character, less its first byte.
MORE_BYTES = 3
# Largest validation or test part, in bytes, of a text without splits of its
# own; otherwise a twentieth of the text each.
HELD_OUT = 1_000_000


class Text:
    """Part of a text in UTF-8.

    Args:
        source: Path of the file, or its content.
        start: First byte.
        stop: Byte after the last one. Default: the end of the source.
    """

    def __init__(
        self, source: Path | bytes, start: int = 0, stop: int | None = None
    ) -> None:
        self.source = source
        self.start = start
        self.stop = self._size() if stop is None else stop

    @property
    def bytes(self) -> int:
        """Length in bytes."""
        return self.stop - self.start

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces.

        Raises:
            UsageError: if the text is not UTF-8.
        """
        name = self.source if isinstance(self.source, Path) else "the text"
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self._open() as file:
            place = file.seek(self.start)
            while place < self.stop:
                before = place - len(decoder.getstate()[0])
                piece = file.read(min(PIECE, self.stop - place))
                place += len(piece)
                try:
                    yield decoder.decode(piece, final=place == self.stop)
                except UnicodeDecodeError as error:
                    raise UsageError(
                        f"{name} is not UTF-8: {error.reason} at byte "
                        f"{before + error.start}; convert it first, for "
                        "example with iconv -t UTF-8"
                    ) from None

    def __str__(self) -> str:
        return "".join(self.pieces())

    def cut(self, *places: int) -> "list[Text]":
        """Cut the text at byte positions, and return its parts.

        A position within a character is moved behind that character.
        """
        with self._open() as file:
            starts = [self.start]
            for place in places:
                file.seek(place)
                starts.append(place + bytes_inside(file.read(MORE_BYTES)))
        return [
            Text(self.source, start, stop)
            for start, stop in zip(
                starts, [*starts[1:], self.stop], strict=True
            )
        ]

    def _open(self) -> BinaryIO:
        if isinstance(self.source, Path):
            return self.source.open("rb")
        return io.BytesIO(self.source)

    def _size(self) -> int:
        with self._open() as file:
            return file.seek(0, io.SEEK_END)


def bytes_inside(beyond: bytes) -> int:
    """Return how many bytes, at the start of some, go on with a character.

    Args:
        beyond: `MORE_BYTES` bytes in UTF-8 from anywhere in a text.
    """
    inside = (byte & 0xC0 == 0x80 for byte in beyond)
    return [*inside, False].index(False)


class Splits(NamedTuple):
    """Three consecutive parts of a text."""

    train: Text
    validation: Text
    test: Text


def load(
    dataset: str, data_dir: str | None = None, manual_dir: str | None = None
) -> Splits:
    """Load a text in three parts.

    Args:
        dataset: `"stdlib"`, the English of the standard library's
            `pydoc_data.topics`; `"tiny_shakespeare"`, from
            tensorflow-datasets with its own splits; or the path of a text
            file in UTF-8. Texts without splits are cut 90/5/5, with at most a
            million bytes each for validation and test.
        data_dir: Folder of tensorflow-datasets; `None` for its default.
        manual_dir: Folder that holds the data file; `None` to download it.

    Raises:
        UsageError: if the text is missing or cannot be read.
    """
    if dataset == "stdlib":
        return _split(_load_stdlib())
    if dataset == "tiny_shakespeare":
        from recipes.data.downloads import prepare

        builder = prepare(dataset, "input.txt", data_dir, manual_dir)
        return Splits(
            *(
                _join_examples(builder.as_dataset(split=split))
                for split in Splits._fields
            )
        )
    return _split(_load_file(Path(dataset)))


def _split(text: Text) -> Splits:
    held_out = min(text.bytes // 20, HELD_OUT)
    return Splits(*text.cut(text.stop - 2 * held_out, text.stop - held_out))


def _load_stdlib() -> Text:
    from pydoc_data.topics import topics

    return Text("\n\n".join(topics[name] for name in sorted(topics)).encode())


def _load_file(path: Path) -> Text:
    if path.is_dir():
        raise UsageError(f"{path} is a directory: --dataset takes a text file")
    if not path.exists():
        raise UsageError(
            f"there is no file {path}: --dataset takes stdlib, "
            "tiny_shakespeare, or the path of a text file in UTF-8"
        )
    if not path.is_file():
        raise UsageError(
            f"{path} is a pipe or a device: --dataset takes a text file, which "
            "is read more than once"
        )
    with path.open("rb") as file:
        marked = file.read(3) == codecs.BOM_UTF8
    text = Text(path, 3 if marked else 0)
    if not text.bytes:
        raise UsageError(f"{path} is empty")
    return text


def _join_examples(dataset: "tf.data.Dataset") -> Text:
    return Text(
        b"".join(example["text"] for example in dataset.as_numpy_iterator())
    )
