"""Generate text with a character model.

    python -m recipes.sample saved_models/char_text/model.keras
    python -m recipes.sample saved_models/char_text/serving/1 --prompt "KING"
    python -m recipes.sample saved_models/char_text/litert/streaming.tflite

The Keras model, the SavedModel for TensorFlow Serving and the streaming LiteRT
file generate the same text from the same seed. The model's characters are read
from `vocabulary.json`, in its folder or a folder above. A SavedModel can run
code: load only files that you trust.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from recipes import console
from recipes.data.vocabulary import Vocabulary


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the prompt and its continuation by the model."""
    args = parse(arguments)
    if not (args.model.is_file() or args.model.is_dir()):
        raise console.UsageError(f"there is no file or folder {args.model}")
    vocabulary = Vocabulary.load(
        args.vocabulary or console.near(args.model, "vocabulary.json")
    )
    # Imported late, so that usage errors do not wait for TensorFlow.
    from recipes.characters.reading import reader_of

    read = reader_of(args.model, len(vocabulary))
    print(args.prompt, end="", flush=True)
    # Without a prompt, the model begins a new line.
    logits = [read(int(it)) for it in vocabulary.encode(args.prompt or "\n")]
    symbols = generate(
        read, logits[-1], args.temperature, args.top_k, args.seed
    )
    for symbol in islice(symbols, args.length):
        print(vocabulary.characters[symbol], end="", flush=True)
    print()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = console.Parser(
        prog="python -m recipes.sample",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=console.path, metavar="MODEL")
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
        type=console.path,
        help="the model's characters (default: vocabulary.json near it)",
        metavar="FILE",
    )
    return parser.parse_args(arguments)


def generate(
    read: Callable[[int], np.ndarray],
    logits: np.ndarray,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> Iterator[int]:
    """Sample symbols one after the other, without end.

    Args:
        read: Function that reads a symbol and returns the next one's logits.
        logits: Logits of the first symbol.
        temperature: Divisor of the logits, above zero.
        top_k: Number of likeliest symbols to sample from; `None` for all.
        seed: Seed of the samples.
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
    """Sample a symbol from logits, never the unknown character, number 0."""
    known = logits[1:].astype("float64")
    if top_k is not None and top_k < len(known):
        least = np.partition(known, -top_k)[-top_k]
        known = np.where(known < least, -np.inf, known)
    chances = np.exp((known - known.max()) / temperature).cumsum()
    place = np.searchsorted(chances, random.random() * chances[-1], "right")
    return 1 + min(int(place), len(known) - 1)


if __name__ == "__main__":
    sys.exit(console.run("sample", main))
