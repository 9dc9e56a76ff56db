"""Encoded texts in files, and batches of them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from recipes.data.text import Text
from recipes.data.vocabulary import Vocabulary

Batch = tuple[np.ndarray, np.ndarray]

# Windows of a row that are read from a file at once.
BLOCK = 64


class Numbers:
    """Array of numbers in a file, read on demand.

    `numbers[start:stop]` reads a part as int32.

    Args:
        path: The file.
        dtype: Type of the numbers in the file.
        digest: SHA-256 of the file, if known.
    """

    def __init__(
        self, path: Path, dtype: np.dtype, digest: bytes | None = None
    ) -> None:
        # Also of a worker, which may have another working directory.
        self.path = path.absolute()
        self.dtype = dtype
        self._digest = digest

    def digest(self) -> bytes:
        """Return the file's SHA-256."""
        if self._digest is None:
            with self.path.open("rb") as file:
                self._digest = hashlib.file_digest(file, "sha256").digest()
        return self._digest

    def __len__(self) -> int:
        return self.path.stat().st_size // self.dtype.itemsize

    def __getitem__(self, place: slice) -> np.ndarray:
        start, stop, _ = place.indices(len(self))
        read = np.fromfile(
            self.path,
            self.dtype,
            count=max(0, stop - start),
            offset=start * self.dtype.itemsize,
        )
        return read.astype(np.int32)


def vocabulary_of(text: Text) -> Vocabulary:
    """Return the vocabulary of a text, read in pieces."""
    return Vocabulary.of(_show_progress(text, "counting characters"))


def encode(text: Text, vocabulary: Vocabulary, path: Path) -> Numbers:
    """Encode a text, and write the numbers to a file."""
    written = hashlib.sha256()
    with path.open("wb") as file:
        for piece in _show_progress(text, "encoding"):
            numbers = vocabulary.encode(piece).astype(vocabulary.dtype)
            written.update(numbers.data)
            numbers.tofile(file)
    return Numbers(path, vocabulary.dtype, written.digest())


def _show_progress(text: Text, doing: str) -> Iterator[str]:
    """Yield a text's pieces; show a progress bar after a second."""
    with tqdm(
        desc=doing,
        total=text.bytes,
        unit="B",
        unit_scale=True,
        delay=1,
        leave=False,
    ) as bar:
        for piece in text.pieces():
            yield piece
            bar.update(len(piece))


class Reading:
    """Batches of a text that is cut into parallel rows.

    Row `b` of a batch continues row `b` of the previous batch, so that memories
    can be carried from one to the next. An incomplete last window is left out.

    Args:
        numbers: The encoded text, `(n,)`, in memory or in a file.
        rows: Rows in a batch.
        steps: Characters per row of a batch.
        seed: Seed of a random offset of each epoch's first window, which costs
            one batch per epoch; `None` for no offset.
        own: The rows that are read; of several processes, each reads its own.
    """

    def __init__(
        self,
        numbers: Numbers | np.ndarray,
        rows: int,
        steps: int,
        seed: int | None = None,
        own: slice = slice(None),
    ) -> None:
        self.numbers = numbers
        self.rows = rows
        self.own = own
        self.steps = steps
        whole = (len(numbers) - 1) // (rows * steps)
        self.seed = seed if whole > 1 else None
        self.windows = whole if self.seed is None else whole - 1

    def __len__(self) -> int:
        """Return the number of batches."""
        return self.windows

    def batches(self, epoch: int = 0, first: int = 0) -> Iterator[Batch]:
        """Yield inputs and targets, the next characters, `(rows, steps)`.

        Args:
            epoch: Number of the epoch, which determines the random offset.
            first: First batch to yield.
        """
        start = self._start(epoch)
        length = self.windows * self.steps
        for block in range(first, self.windows, BLOCK):
            windows = min(BLOCK, self.windows - block)
            size = windows * self.steps
            place = start + block * self.steps
            rows = np.stack(
                [
                    self.numbers[at : at + size + 1]
                    for at in place + length * np.arange(self.rows)[self.own]
                ]
            )
            for i in range(0, size, self.steps):
                window = rows[:, i : i + self.steps + 1]
                yield window[:, :-1], window[:, 1:]

    def _start(self, epoch: int) -> int:
        if self.seed is None:
            return 0
        unread = len(self.numbers) - 1 - self.rows * self.windows * self.steps
        random = np.random.default_rng([self.seed, epoch])
        return int(random.integers(unread + 1))
