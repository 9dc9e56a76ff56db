"""Texts, and characters as numbers."""

import json
import logging
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import numpy as np

from recipes.console import UsageError

UNKNOWN = "\ufffd"


class Splits(NamedTuple):
    """A text in three parts that follow one another."""

    train: str
    validation: str
    test: str


def load(
    dataset: str, data_dir: str | None = None, manual_dir: str | None = None
) -> Splits:
    """Gives a text in three parts.

    Args:
        dataset: `"stdlib"`, the English of the standard library's
            `pydoc_data.topics`; `"tiny_shakespeare"`, from
            tensorflow-datasets with its own splits; or the path of a text
            file in UTF-8. What has no splits of its own is cut 90/5/5.
        data_dir: Where tensorflow-datasets keeps what it has prepared.
        manual_dir: A folder that holds the file to be prepared, where there
            is no network to download it from.

    Raises:
        UsageError: if there is no such text, or it cannot be read.
    """
    if dataset == "stdlib":
        return _cut(_stdlib())
    if dataset == "tiny_shakespeare":
        return _from_tfds(dataset, "input.txt", data_dir, manual_dir)
    return _cut(_read(Path(dataset)))


class Vocabulary:
    """The characters a model knows, by number; number 0 is all others.

    Args:
        characters: The known characters, each once.
    """

    def __init__(self, characters: str) -> None:
        self.characters = UNKNOWN + characters
        points = _code_points(characters)
        # One more place than needed, for every code point beyond the last.
        self._numbers = np.zeros(int(points.max(initial=0)) + 2, np.int32)
        self._numbers[points] = np.arange(1, len(points) + 1)

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """The vocabulary of a text, in the order of code points."""
        return cls("".join(sorted(set(text) - {UNKNOWN})))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads what `save` wrote.

        Raises:
            UsageError: if the file is not there, or holds something else.
        """
        try:
            _, *known = json.loads(path.read_text("utf-8"))["characters"]
        except FileNotFoundError:
            raise UsageError(
                f"{path} is not there: it has the model's characters, and "
                "recipes.char_text writes it beside the model"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} holds no vocabulary") from error
        return cls("".join(known))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """Characters to numbers, `(len(text),)`, int32."""
        points = _code_points(text)
        last = len(self._numbers) - 1
        return self._numbers[np.minimum(points, last)]

    def decode(self, numbers: Iterable[int]) -> str:
        """Numbers to characters."""
        return "".join(self.characters[number] for number in numbers)

    def save(self, path: Path) -> None:
        """Writes JSON: `characters`, the place of each being its number."""
        content = {"characters": list(self.characters), "unknown": 0}
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def side_by_side(
    numbers: np.ndarray, rows: int, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lays a text out in rows, and the rows in windows of so many steps.

    Row `b` of a window goes on where row `b` of the window before it ended,
    so that memories can be carried from one to the next.

    Returns:
        inputs and targets (the next character of each), both
        `(windows, rows, steps)`. What does not fill a window is left out.
    """
    windows = (len(numbers) - 1) // (rows * steps)
    length = windows * steps

    def lay(start: int) -> np.ndarray:
        used = numbers[start : start + rows * length]
        return used.reshape(rows, windows, steps).swapaxes(0, 1)

    return lay(0), lay(1)


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _cut(text: str) -> Splits:
    first, second = int(len(text) * 0.9), int(len(text) * 0.95)
    return Splits(text[:first], text[first:second], text[second:])


def _stdlib() -> str:
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def _read(path: Path) -> str:
    if path.is_dir():
        raise UsageError(f"{path} is a directory: --dataset takes a text file")
    if not path.exists():
        raise UsageError(
            f"there is no file {path}: --dataset takes stdlib, "
            "tiny_shakespeare, or the path of a text file in UTF-8"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}; "
            "convert it first, for example with iconv -t UTF-8"
        ) from None
    if not text:
        raise UsageError(f"{path} is empty")
    return text


def _from_tfds(
    name: str, file: str, data_dir: str | None, manual_dir: str | None
) -> Splits:
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import (
        NonMatchingChecksumError,
    )
    from tensorflow_datasets.core.download.util import DownloadError

    # It warns of every folder that does not hold the data yet.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = tfds.builder(name, data_dir=data_dir)
    if not builder.is_prepared():
        _check_source(builder, file, manual_dir)
        tfds.disable_progress_bar()
        config = tfds.download.DownloadConfig(manual_dir=manual_dir)
        try:
            builder.download_and_prepare(download_config=config)
        except NonMatchingChecksumError:
            raise UsageError(
                f"{file} is not the file that tensorflow-datasets knows as "
                f"{name}: its checksum differs"
            ) from None
        except DownloadError as error:
            raise _unreachable(builder, file, error) from None
    return Splits(
        *(_text_of(builder.as_dataset(split=split)) for split in Splits._fields)
    )


def _text_of(dataset: Any) -> str:
    return "".join(
        example["text"].decode() for example in dataset.as_numpy_iterator()
    )


def _check_source(builder: Any, file: str, manual_dir: str | None) -> None:
    """Looks before tensorflow-datasets does: it tries for minutes."""
    if manual_dir is not None:
        if not (Path(manual_dir) / file).is_file():
            raise UsageError(
                f"there is no {file} in {manual_dir}: --manual-dir takes the "
                "folder that holds it"
            )
        return
    for url in builder.url_infos:
        try:
            urlopen(Request(url, method="HEAD"), timeout=5).close()
        except (OSError, HTTPException) as error:
            raise _unreachable(builder, file, error) from None


def _unreachable(builder: Any, file: str, error: Exception) -> UsageError:
    reason = getattr(error, "reason", error)
    return UsageError(
        f"{builder.name} is not in {builder.data_dir_root} and cannot be "
        f"downloaded ({reason}): fetch {file} from "
        f"{' or '.join(builder.url_infos)} elsewhere, and name its folder "
        "with --manual-dir"
    )
