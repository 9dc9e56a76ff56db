"""Problems that are made up to need a memory of a given length."""

from collections.abc import Callable

import numpy as np

Batch = tuple[np.ndarray, np.ndarray]
Problem = Callable[[int, int, np.random.Generator], Batch]

# Of the copy problem: so many symbols, of so many kinds; then there are two
# more, "nothing" and "now".
COPIED, KINDS = 5, 8
SYMBOLS = KINDS + 2
NOTHING, NOW = KINDS, KINDS + 1


def copy(rows: int, length: int, random: np.random.Generator) -> Batch:
    """Symbols to say again when it is time to, `length` steps after.

    ```
    seen  3 1 4 1 5 _ _ _ … _ ! _ _ _ _ _
    said                        3 1 4 1 5
    ```

    Half as many as in the papers, so that two cores are enough.

    Args:
        rows: How many.
        length: Steps from the last symbol to the first answer.
        random: Draws the symbols.

    Returns:
        Events, one-hot, `(rows, 5 + length + 5, 10)`; and the symbols,
        `(rows, 5)`.

    References:
        Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; in this
        form, Arjovsky, Shah and Bengio, "Unitary Evolution Recurrent Neural
        Networks", 2016.
    """
    symbols = random.integers(KINDS, size=(rows, COPIED))
    events = np.full((rows, length + 2 * COPIED), NOTHING)
    events[:, :COPIED] = symbols
    events[:, COPIED + length - 1] = NOW
    return np.eye(SYMBOLS, dtype=np.float32)[events], symbols


def adding(rows: int, length: int, random: np.random.Generator) -> Batch:
    """Numbers from 0 to 1, two of them marked: what is their sum?

    One is marked in the first half, and one in the second.

    Args:
        rows: How many.
        length: How many numbers there are.
        random: Draws all of it.

    Returns:
        Events, each a number and its mark, `(rows, length, 2)`; and the sums,
        `(rows, 1)`.

    References:
        As of `copy`.
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
