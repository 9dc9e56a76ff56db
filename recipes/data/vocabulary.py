"""Encoding of characters as numbers."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from recipes.console import UsageError
from recipes.data.typed import check

UNKNOWN = "\ufffd"
CODE_POINTS = 0x110000


class Vocabulary:
    """Numbers of the known characters; all others have number 0.

    Args:
        characters: The known characters, each once.
    """

    def __init__(self, characters: str) -> None:
        self.characters = UNKNOWN + characters
        points = _code_points(characters)
        # The extra last entry encodes all larger code points.
        self._numbers = np.zeros(int(points.max(initial=0)) + 2, np.int32)
        self._numbers[points] = np.arange(1, len(points) + 1)

    @classmethod
    def of(cls, text: str | Iterable[str]) -> "Vocabulary":
        """Return the vocabulary of a text, sorted by code point."""
        seen = np.zeros(CODE_POINTS, bool)
        for piece in [text] if isinstance(text, str) else text:
            seen[_code_points(piece)] = True
        seen[ord(UNKNOWN)] = False
        return cls("".join(map(chr, np.flatnonzero(seen))))

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Load a vocabulary from a file of `save`.

        Raises:
            UsageError: if the file is missing or invalid.
        """
        if not path.is_file():
            raise UsageError(
                f"there is no file {path}: it has the model's characters, and "
                "recipes.char_text writes it beside the model"
            )
        try:
            content = json.loads(path.read_text("utf-8"))
            characters = content["characters"]
            check("characters", characters, list[str])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"{path} holds no vocabulary") from error
        single = all(len(it) == 1 for it in characters)
        if content.get("unknown", 0) != 0:
            raise UsageError(
                f"{path} holds no vocabulary of this program: its unknown "
                "character must be the first, number 0"
            )
        if not single or len(set(characters)) < max(2, len(characters)):
            raise UsageError(
                f"{path} holds no vocabulary: two characters or more, each "
                "once, the first for all that are unknown"
            )
        return cls("".join(characters[1:]))

    def __len__(self) -> int:
        return len(self.characters)

    @property
    def dtype(self) -> np.dtype:
        """Smallest unsigned integer type that holds all numbers."""
        return np.min_scalar_type(len(self) - 1)

    def encode(self, text: str) -> np.ndarray:
        """Convert characters to numbers, `(len(text),)`, int32."""
        return self._numbers.take(_code_points(text), mode="clip")

    def decode(self, numbers: Iterable[int]) -> str:
        """Convert numbers to characters."""
        return "".join(self.characters[number] for number in numbers)

    def save(self, path: Path) -> None:
        """Write a JSON file with the list `characters`, indexed by number."""
        content = {"characters": list(self.characters), "unknown": 0}
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
