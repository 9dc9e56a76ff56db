"""Writes text with a character model, a character at a time.

    python -m recipes.sample saved_models/char_text/model.keras
    python -m recipes.sample saved_models/char_text/serving/1 --prompt "KING"
    python -m recipes.sample saved_models/char_text/litert/streaming.tflite

From the model for Keras, the SavedModel for TensorFlow Serving and the
streaming file for LiteRT alike: the same seed writes the same text. The model's
characters are read from `vocabulary.json`, beside it or in a folder above. A
SavedModel may run code: load those of people you trust.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from recipes import console
from recipes.data.vocabulary import Vocabulary


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the prompt, and after it what the model writes."""
    args = parse(arguments)
    if not (args.model.is_file() or args.model.is_dir()):
        raise console.UsageError(f"there is no file or folder {args.model}")
    vocabulary = Vocabulary.load(
        args.vocabulary or console.near(args.model, "vocabulary.json")
    )
    # Imported late: TensorFlow takes seconds, mistakes show at once.
    from recipes.characters.reading import reader_of

    read = reader_of(args.model, len(vocabulary))
    print(args.prompt, end="", flush=True)
    # Without a prompt, the model starts a line.
    logits = [read(int(it)) for it in vocabulary.encode(args.prompt or "\n")]
    symbols = written(read, logits[-1], args.temperature, args.top_k, args.seed)
    for symbol in islice(symbols, args.length):
        print(vocabulary.characters[symbol], end="", flush=True)
    print()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = console.Parser(
        prog="python -m recipes.sample",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--prompt", default="", help="what to go on from")
    parser.add_argument(
        "--length",
        type=console.whole_number,
        default=500,
        help="characters to write (default: 500)",
        metavar="N",
    )
    parser.add_argument(
        "--temperature",
        type=console.positive,
        default=0.8,
        help="the lower, the surer the guesses (default: 0.8)",
    )
    parser.add_argument(
        "--top-k",
        type=console.whole_number,
        help="draw from so many likeliest characters (default: all)",
        metavar="N",
    )
    parser.add_argument(
        "--seed",
        type=console.seed,
        default=1,
        help="the same writes the same (default: 1)",
        metavar="N",
    )
    parser.add_argument(
        "--vocabulary",
        type=Path,
        help="the model's characters (default: vocabulary.json near it)",
        metavar="FILE",
    )
    return parser.parse_args(arguments)


def written(
    read: Callable[[int], np.ndarray],
    logits: np.ndarray,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> Iterator[int]:
    """Draws symbol after symbol, each from the guess after the last one.

    Args:
        read: Reads a symbol, and gives the logits of the next.
        logits: Those of the first.
        temperature: Above zero; the lower, the surer the guesses.
        top_k: Draw from so many likeliest; `None`: from all.
        seed: The same draws the same.
    """
    random = np.random.default_rng(seed)
    while True:
        symbol = draw(logits, temperature, top_k, random)
        yield symbol
        logits = read(symbol)


def draw(
    logits: np.ndarray,
    temperature: float,
    top_k: int | None,
    random: np.random.Generator,
) -> int:
    """A symbol, drawn from a guess; never the unknown character, number 0."""
    known = logits[1:].astype("float64")
    if top_k is not None and top_k < len(known):
        least = np.partition(known, -top_k)[-top_k]
        known = np.where(known < least, -np.inf, known)
    chances = np.exp((known - known.max()) / temperature).cumsum()
    place = np.searchsorted(chances, random.random() * chances[-1], "right")
    return 1 + min(int(place), len(known) - 1)


if __name__ == "__main__":
    sys.exit(console.run("sample", main))
