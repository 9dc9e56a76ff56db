"""What counting gets: a character n-gram model to stand beside a network."""

import numpy as np


def witten_bell(
    train: np.ndarray, held_out: np.ndarray, symbols: int, order: int = 5
) -> np.ndarray:
    """Nats that an interpolated n-gram model pays for each character.

    ```
    P(c | h) = (count(h, c) + kinds(h) · P(c | h')) / (count(h) + kinds(h))
    ```

    where `kinds(h)` is how many different characters followed the context
    `h` in training, `h'` is `h` without its oldest character, and the
    empty context falls back on `1/symbols`.

    Args:
        train: Characters to count, as numbers from 0, `(n,)`.
        held_out: Characters to predict, which follow those, `(m,)`.
        symbols: How many different characters there are.
        order: Characters counted together: the context has one fewer.

    Returns:
        `-ln P` of each held-out character, `(m,)`.

    References:
        Witten and Bell, "The Zero-Frequency Problem", 1991, method C;
        Chen and Goodman, "An Empirical Study of Smoothing Techniques for
        Language Modeling", 1998, section 2.5.
    """
    text = np.concatenate([train, held_out]).astype(np.int64)
    counted, predicted = slice(0, len(train)), slice(len(train), None)
    context = np.zeros_like(text)
    probability = np.full(len(held_out), 1 / symbols)
    for _ in range(order):
        pairs, pair = np.unique(context * symbols + text, return_inverse=True)
        pair_count = np.bincount(pair[counted], minlength=len(pairs))
        contexts = int(context.max()) + 1
        count = np.bincount(context[counted], minlength=contexts)
        seen = pairs[pair_count > 0] // symbols
        kinds = np.bincount(seen, minlength=contexts)

        now = context[predicted]
        total = count[now] + kinds[now]
        mixed = pair_count[pair[predicted]] + kinds[now] * probability
        probability = np.where(
            total > 0, mixed / np.maximum(total, 1), probability
        )
        # A character and its context are the next one's longer context; the
        # first character of all has none, and gets a number of its own.
        context = np.concatenate([[len(pairs)], pair[:-1]])
    return -np.log(probability)
