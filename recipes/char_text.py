"""Trains a character model on a text, and leaves it ready to deploy.

    python -m recipes.char_text
    python -m recipes.char_text --dataset tiny_shakespeare
    python -m recipes.char_text --dataset novel.txt --minutes 10 --units 512

The model reads a text a character at a time and guesses the next one. It
reads rows of text side by side, each going on where it ended in the batch
before, with the LSTM's memories carried along. It writes

    saved_models/char_text/
        model.keras                 for Keras
        vocabulary.json             its characters, by number
        metrics.json                losses, settings, versions
        training.png                its losses while it trained
        serving/<version>/          for TensorFlow Serving
        litert/char_text.tflite     for LiteRT
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from recipes import console
from recipes.data import text
from recipes.files import staged
from recipes.ngram import witten_bell

SAMPLE_CHARACTERS = 400
SAMPLE_TEMPERATURE = 0.8
LITERT_STEPS = 64
LITERT_TOLERANCE = 1e-4

Losses = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, evaluates, samples and exports, as the arguments say."""
    args = parse(arguments)
    splits = text.load(args.dataset, args.data_dir, args.manual_dir)
    check_length(splits, args)
    vocabulary = text.Vocabulary.of(splits.train)
    train, validation, test = map(vocabulary.encode, splits)
    print(
        f"{args.dataset}: {len(train):,} characters to train on, "
        f"{len(validation):,} to validate, {len(test):,} to test; "
        f"{len(vocabulary) - 1} different ones"
    )
    with staged(args.output) as stage:
        # Imported late: TensorFlow takes seconds, mistakes show at once.
        from recipes import char_model, training

        training.prepare(args.seed)
        model, budget = char_model.train(train, validation, vocabulary, args)
        losses = evaluate(model, train, [validation, test], vocabulary, args)
        sample = char_model.sample(
            char_model.copy_of(model, args, batch_size=1, stateful=True),
            vocabulary,
            SAMPLE_CHARACTERS,
            SAMPLE_TEMPERATURE,
            args.seed,
        )
        metrics = {
            "settings": vars(args) | {"output": str(args.output)},
            "versions": training.versions(),
            "parameters": model.count_params(),
            "training_seconds": budget.seconds,
            "training_batches": len(budget.losses),
            "nats_per_character": losses,
        }
        vocabulary.save(stage / "vocabulary.json")
        budget.plot(stage / "training.png", "nats per character")
        served = export(
            char_model.copy_of(model, args), validation, metrics, args, stage
        )
    report(metrics, sample, served, args)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = console.Parser(
        prog="python -m recipes.char_text",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def add(name: str, default: Any, help: str, **options: Any) -> None:
        shown = "" if default is None else f" (default: {default})"
        parser.add_argument(name, default=default, help=help + shown, **options)

    of_whole = {"type": console.whole_number, "metavar": "N"}
    add(
        "--dataset",
        "stdlib",
        "stdlib: the English of Python's own help texts; tiny_shakespeare: "
        "from tensorflow-datasets; or the path of a text file in UTF-8",
        metavar="TEXT",
    )
    add("--data-dir", None, "where tensorflow-datasets keeps data")
    add("--manual-dir", None, "folder with the data's file, if no network")
    add("--variant", "lesson", "of the LSTM", choices=["lesson", "standard"])
    add("--units", 256, "size of the memories", **of_whole)
    add("--layers", 1, "LSTMs, one on the other", **of_whole)
    add("--embedding", 64, "size of a character's vector", **of_whole)
    add("--batch-size", 64, "rows of text read side by side", **of_whole)
    add("--steps", 32, "characters of a row in a batch", **of_whole)
    add("--learning-rate", 6e-3, "at the start", type=console.positive)
    add("--dropout", 0.0, "part of each LSTM's output", type=console.rate)
    add("--seed", 1, "of weights, dropout and sample", type=int)
    add(
        "--output",
        Path("saved_models/char_text"),
        "folder to write to",
        type=Path,
        metavar="FOLDER",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=console.positive,
        help="minutes to train (default: 1.5)",
    )
    length.add_argument(
        "--epochs",
        type=console.whole_number,
        help="times to read the text, instead of --minutes",
        metavar="N",
    )
    args = parser.parse_args(arguments)
    if args.epochs is None and args.minutes is None:
        args.minutes = 1.5
    return args


def check_length(splits: text.Splits, args: argparse.Namespace) -> None:
    """Refuses a text of which a part does not fill one batch."""
    needed = args.batch_size * args.steps + 1
    for name, part in splits._asdict().items():
        if len(part) < needed:
            raise console.UsageError(
                f"{args.dataset} is too short: its {name} part has "
                f"{len(part):,} characters, and a batch of {args.batch_size} "
                f"rows by {args.steps} steps needs {needed:,}; take a longer "
                "text, or a smaller --batch-size or --steps"
            )


def evaluate(
    model: Any,
    train: np.ndarray,
    held_out: Sequence[np.ndarray],
    vocabulary: text.Vocabulary,
    args: argparse.Namespace,
) -> Losses:
    """Nats per character on validation, test and both, beside baselines."""
    from recipes import char_model

    both = np.concatenate(held_out)
    print(f"evaluating on {len(both):,} characters")
    reader = char_model.copy_of(
        model, args, char_model.streams(both), stateful=True
    )
    costs = {
        f"this model ({args.variant})": char_model.nats(reader, both),
        "5-gram, Witten-Bell": witten_bell(train, both, len(vocabulary))[1:],
        "uniform guess": np.full(len(both) - 1, math.log(len(vocabulary) - 1)),
    }
    # The first character is read, not guessed.
    border = len(held_out[0]) - 1
    return {
        name: {
            "validation": float(cost[:border].mean()),
            "test": float(cost[border:].mean()),
            "both": float(cost.mean()),
        }
        for name, cost in costs.items()
    }


def export(
    model: Any,
    validation: np.ndarray,
    metrics: dict[str, Any],
    args: argparse.Namespace,
    stage: Path,
) -> Path:
    """Writes the model for Keras, LiteRT and TensorFlow Serving."""
    from keras_gatelstm.export import (
        export_litert,
        export_saved_model,
        run_litert,
    )

    model.save(stage / "model.keras")
    path = stage / "litert" / "char_text.tflite"
    export_litert(model, path, time_steps=LITERT_STEPS)
    characters = validation[np.newaxis, :LITERT_STEPS]
    (logits,) = run_litert(path, characters)
    difference = float(np.abs(logits - model(characters)).max())
    if not difference <= LITERT_TOLERANCE:
        raise console.UsageError(
            f"the LiteRT file differs from the Keras model by {difference:.1e}"
            f", more than {LITERT_TOLERANCE:.0e}; nothing was written"
        )
    metrics["litert_largest_difference"] = difference
    (stage / "metrics.json").write_text(json.dumps(metrics, indent=2), "utf-8")
    return export_saved_model(model, args.output / "serving")


def report(
    metrics: dict[str, Any],
    sample: str,
    served: Path,
    args: argparse.Namespace,
) -> None:
    """Prints the losses, a sample of text, and what was written."""
    losses = metrics["nats_per_character"]
    rows = [
        [name, *loss.values(), loss["both"] / math.log(2)]
        for name, loss in losses.items()
    ]
    heads = ["nats per character", "validation", "test", "both", "bits (both)"]
    print(f"\n{tabulate(rows, heads, floatfmt='.3f')}\n")
    print(f"{sample}\n")
    print(f"trained {metrics['training_seconds']:.0f} s; written:")
    names = ["model.keras", "vocabulary.json", "metrics.json", "training.png"]
    for path in [args.output / name for name in names] + [served]:
        print(f"  {path}")
    print(
        f"  {args.output / 'litert' / 'char_text.tflite'} (differs from Keras "
        f"by {metrics['litert_largest_difference']:.1e})"
    )


if __name__ == "__main__":
    sys.exit(console.run("char_text", main))
