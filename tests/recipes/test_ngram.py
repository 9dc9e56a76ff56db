"""The n-gram beside the model."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from recipes.characters.ngram import witten_bell


def by_counting(train, held_out, symbols, order):
    """Witten-Bell by dictionaries, a character at a time."""
    counts = defaultdict(Counter)
    for place in range(len(train)):
        for size in range(min(order, place + 1)):
            counts[tuple(train[place - size : place])][train[place]] += 1

    def probability(context, character):
        below = probability(context[1:], character) if context else 1 / symbols
        seen = counts.get(context)
        if not seen:
            return below
        return (seen[character] + len(seen) * below) / (
            seen.total() + len(seen)
        )

    whole = train + held_out
    return [
        -math.log(
            probability(tuple(whole[place - order + 1 : place]), whole[place])
        )
        for place in range(len(train), len(whole))
    ]


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_ngram_counts_as_by_hand(order):
    random = np.random.default_rng(1)
    train, held_out = random.integers(0, 5, 200), random.integers(0, 6, 50)
    found = witten_bell(train, held_out, symbols=6, order=order)
    expected = by_counting(train.tolist(), held_out.tolist(), 6, order)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
