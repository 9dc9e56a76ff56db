"""Texts as numbers in files, and how they are read."""

import tracemalloc

import numpy as np
import pytest

from recipes.data import numbers
from recipes.data.numbers import Reading, encode, vocabulary_of
from recipes.data.text import Text


def test_a_text_and_its_numbers_in_a_file(tmp_path):
    content = "héllo wörld 🌍\n" * 100
    text = Text(content.encode())
    vocabulary = vocabulary_of(text)
    written = encode(text, vocabulary, tmp_path / "text.numbers")
    assert len(written) == len(content)
    assert written[:].dtype == np.int32
    assert vocabulary.decode(written[:]) == content
    assert vocabulary.decode(written[3:9]) == content[3:9]
    assert written[len(content) :].size == 0


@pytest.mark.parametrize("block", [1, 2, 64])
def test_rows_go_on_where_they_ended(monkeypatch, block):
    monkeypatch.setattr(numbers, "BLOCK", block)
    reading = Reading(np.arange(32), rows=3, steps=2)
    inputs, targets = map(np.array, zip(*reading.batches(), strict=True))
    assert len(reading) == 5
    assert inputs.shape == targets.shape == (5, 3, 2)
    np.testing.assert_array_equal(targets, inputs + 1)
    np.testing.assert_array_equal(
        inputs.swapaxes(0, 1).reshape(3, -1), np.arange(30).reshape(3, 10)
    )


@pytest.mark.parametrize("first", [0, 1, 3, 4])
def test_an_epoch_can_be_gone_on_with(first):
    reading = Reading(np.arange(100), rows=4, steps=5, seed=7)
    whole = list(reading.batches(epoch=2))
    assert len(whole) == len(reading) == 3
    rest = list(reading.batches(epoch=2, first=first))
    np.testing.assert_array_equal(rest, whole[first:])


def test_epochs_start_at_places_of_their_own():
    reading = Reading(np.arange(1000), rows=4, steps=5, seed=7)
    starts = {next(reading.batches(epoch))[0][0, 0] for epoch in range(20)}
    assert len(starts) > 10
    for epoch in range(20):
        *_, (_, targets) = reading.batches(epoch)
        assert targets.max() < 1000


def test_memory_does_not_grow_with_the_text(tmp_path):
    def peak(size):
        text = Text(tmp_path / f"{size}.txt")
        tracemalloc.start()
        vocabulary = vocabulary_of(text)
        written = encode(text, vocabulary, tmp_path / "text.numbers")
        for _ in Reading(written, rows=8, steps=100, seed=1).batches():
            pass
        _, found = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return found

    for size in (3_000_000, 12_000_000):
        (tmp_path / f"{size}.txt").write_bytes(b"to be or not" * (size // 12))
    assert peak(12_000_000) < 1.1 * peak(3_000_000)
