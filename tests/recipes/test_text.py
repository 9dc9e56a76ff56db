"""Texts, characters as numbers, and the n-gram beside the model."""

import math
import time
from collections import Counter, defaultdict
from http.client import BadStatusLine
from urllib.error import URLError

import numpy as np
import pytest

from recipes.console import UsageError
from recipes.data import text
from recipes.ngram import witten_bell


def test_the_standard_librarys_text_needs_no_download():
    splits = text.load("stdlib")
    assert len(splits.train) > 300_000
    assert "assert" in splits.train
    assert len(splits.validation) == pytest.approx(len(splits.test), abs=1)


def test_a_file_is_cut_in_order(tmp_path):
    content = "".join(chr(0x4E00 + i) for i in range(100))
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + content.encode())
    splits = text.load(str(tmp_path / "a.txt"))
    assert "".join(splits) == content
    assert list(map(len, splits)) == [90, 5, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"caf\xe9 au lait", "is not UTF-8: .* at byte 3"),
        (None, "there is no file"),
    ],
)
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        text.load(str(path))


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is a directory"):
        text.load(str(tmp_path))


@pytest.mark.parametrize(
    "error",
    [
        URLError("no route to host"),
        ConnectionResetError("no route to host"),
        BadStatusLine("no route to host"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_downloaded_is_said(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(text, "urlopen", fail)
    with pytest.raises(UsageError, match=r"no route to host.*--manual-dir"):
        text.load("tiny_shakespeare", str(tmp_path))


def test_no_network_is_noticed_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(UsageError, match="--manual-dir"):
        text.load("tiny_shakespeare", str(tmp_path))
    assert time.monotonic() - start < 20


def test_a_manual_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"there is no input.txt in"):
        text.load("tiny_shakespeare", str(tmp_path), str(tmp_path))


def test_another_file_than_the_one_expected_is_refused(tmp_path):
    (tmp_path / "input.txt").write_text("To be, or not to be")
    with pytest.raises(UsageError, match="checksum differs"):
        text.load("tiny_shakespeare", str(tmp_path / "data"), str(tmp_path))


def test_tiny_shakespeare_has_the_splits_of_tensorflow_datasets(
    tmp_path, tiny_shakespeare
):
    splits = text.load("tiny_shakespeare", str(tmp_path), tiny_shakespeare)
    assert list(map(len, splits)) == [1_003_854, 55_770, 55_770]
    assert splits.train.startswith("First Citizen:\nBefore we proceed")


def test_characters_and_numbers_both_ways():
    content = "héllo wörld 🌍\n"
    vocabulary = text.Vocabulary.of(content)
    numbers = vocabulary.encode(content)
    assert numbers.dtype == np.int32
    assert numbers.min() == 1
    assert numbers.max() == len(vocabulary) - 1
    assert vocabulary.decode(numbers) == content


@pytest.mark.parametrize("stranger", ["z", "\x00", "🚀", "\ufffd", chr(0xD800)])
def test_characters_it_does_not_know_are_number_zero(stranger):
    vocabulary = text.Vocabulary.of("abc\ufffd")
    assert vocabulary.encode(f"a{stranger}c").tolist() == [1, 0, 3]
    assert vocabulary.decode([1, 0, 3]) == "a\ufffdc"


def test_rows_go_on_where_they_ended():
    numbers = np.arange(32)
    inputs, targets = text.side_by_side(numbers, rows=3, steps=2)
    assert inputs.shape == targets.shape == (5, 3, 2)
    np.testing.assert_array_equal(targets, inputs + 1)
    np.testing.assert_array_equal(
        inputs.swapaxes(0, 1).reshape(3, -1), np.arange(30).reshape(3, 10)
    )


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
