"""Generators of synthetic problems that need a memory of a given length."""

from collections.abc import Callable

import numpy as np

Batch = tuple[np.ndarray, np.ndarray]
Problem = Callable[[int, int, np.random.Generator], Batch]

# Symbols to copy, and their kinds; the alphabet also has "nothing" and "now".
COPIED, KINDS = 5, 8
SYMBOLS = KINDS + 2
NOTHING, NOW = KINDS, KINDS + 1


def copy(
    rows: int,
    length: int,
    random: np.random.Generator,
    copied: int = COPIED,
) -> Batch:
    """Generate the copy problem: repeat symbols `length` steps later.

    ```
    seen  3 1 4 1 5 _ _ _ … _ ! _ _ _ _ _
    said                        3 1 4 1 5
    ```

    The papers use ten symbols; three to five can be trained on two cores.

    Args:
        rows: Number of rows.
        length: Steps from the last symbol to the first answer.
        random: Generator of the symbols.
        copied: Number of symbols to repeat.

    Returns:
        One-hot events, `(rows, copied + length + copied, 10)`; and the
        symbols, `(rows, copied)`.

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; in this
        form, Arjovsky, Shah and Bengio, "Unitary Evolution Recurrent Neural
        Networks", 2016.
    """
    symbols = random.integers(KINDS, size=(rows, copied))
    events = np.full((rows, length + 2 * copied), NOTHING)
    events[:, :copied] = symbols
    events[:, copied + length - 1] = NOW
    return np.eye(SYMBOLS, dtype=np.float32)[events], symbols


def adding(rows: int, length: int, random: np.random.Generator) -> Batch:
    """Generate the adding problem: the sum of two marked numbers.

    The numbers are uniform from 0 to 1. One is marked in the first half, and
    one in the second.

    Args:
        rows: Number of rows.
        length: Numbers per row.
        random: Generator of numbers and marks.

    Returns:
        Events, each a number and its mark, `(rows, length, 2)`; and the sums,
        `(rows, 1)`.

    References:
        The papers of `copy`.
    """
    numbers = random.uniform(size=(rows, length))
    marks = np.zeros_like(numbers)
    each = np.arange(rows)
    half = length // 2
    marks[each, random.integers(half, size=rows)] = 1
    marks[each, half + random.integers(length - half, size=rows)] = 1
    events = np.stack([numbers, marks], axis=-1)
    sums = np.sum(numbers * marks, axis=1, keepdims=True)
    return events.astype(np.float32), sums.astype(np.float32)
