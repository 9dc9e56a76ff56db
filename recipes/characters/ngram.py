"""Character n-gram model, as a baseline."""

import numpy as np


def witten_bell(
    train: np.ndarray, held_out: np.ndarray, symbols: int, order: int = 5
) -> np.ndarray:
    """Compute an interpolated n-gram model's loss of each character, in nats.

    ```
    P(c | h) = (count(h, c) + kinds(h) · P(c | h')) / (count(h) + kinds(h))
    ```

    where `kinds(h)` is the number of different characters that followed the
    context `h` in training, `h'` is `h` without its oldest character, and the
    empty context falls back to `1/symbols`.

    Args:
        train: Characters to count, as numbers from 0, `(n,)`.
        held_out: Characters to predict, which follow `train`, `(m,)`.
        symbols: Number of different characters.
        order: Length of the n-grams: the context has one character fewer.

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
        # Each pair is the next character's longer context. The very first
        # character has no context, and gets a number of its own.
        context = np.concatenate([[len(pairs)], pair[:-1]])
    return -np.log(probability)
