"""Characters as numbers."""

import numpy as np
import pytest

from recipes.data.vocabulary import Vocabulary


def test_characters_and_numbers_both_ways():
    content = "héllo wörld 🌍\n"
    vocabulary = Vocabulary.of(content)
    numbers = vocabulary.encode(content)
    assert numbers.dtype == np.int32
    assert numbers.min() == 1
    assert numbers.max() == len(vocabulary) - 1
    assert vocabulary.decode(numbers) == content


@pytest.mark.parametrize("stranger", ["z", "\x00", "🚀", "\ufffd", chr(0xD800)])
def test_characters_it_does_not_know_are_number_zero(stranger):
    vocabulary = Vocabulary.of("abc\ufffd")
    assert vocabulary.encode(f"a{stranger}c").tolist() == [1, 0, 3]
    assert vocabulary.decode([1, 0, 3]) == "a\ufffdc"


def test_a_vocabulary_of_pieces_is_that_of_the_whole():
    pieces = ["hé", "llo wörld", "", " 🌍\ufffd"]
    whole = Vocabulary.of("".join(pieces))
    assert Vocabulary.of(iter(pieces)).characters == whole.characters


@pytest.mark.parametrize(
    ("symbols", "dtype"), [(255, "uint8"), (256, "uint16"), (65_536, "uint32")]
)
def test_numbers_are_kept_in_as_few_bytes_as_do(symbols, dtype):
    characters = "".join(map(chr, range(0x10000, 0x10000 + symbols)))
    vocabulary = Vocabulary(characters)
    assert vocabulary.dtype == dtype
    assert vocabulary.encode(characters)[-1] == symbols
