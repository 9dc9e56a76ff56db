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
        litert/char_text.tflite     for LiteRT, 64 characters at once
        litert/streaming.tflite     for LiteRT, one at a time

`recipes.sample` writes text with it, and `recipes.look` looks into it.
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
from recipes.ngram import witten_bell

SAMPLE_CHARACTERS = 400
SAMPLE_TEMPERATURE = 0.8
LITERT_STEPS = 64
LITERT_TOLERANCE = 1e-4

PARTS = ("validation", "test", "both")

Losses = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, evaluates, samples and exports, as the arguments say."""
    args = parse(arguments)
    splits = text.load(args.dataset, args.data_dir, args.manual_dir)
    check(splits, args)
    vocabulary = text.Vocabulary.of(splits.train)
    train, validation, test = map(vocabulary.encode, splits)
    print(
        f"{args.dataset}: {len(train):,} characters to train on, "
        f"{len(validation):,} to validate, {len(test):,} to test; "
        f"{len(vocabulary) - 1} different ones"
    )
    # Imported late: TensorFlow takes seconds, mistakes show at once.
    from keras_gatelstm.files import move_into, stage_in
    from recipes import char_model, training

    with stage_in(args.output) as stage:
        model, budget = char_model.train(train, validation, vocabulary, args)
        losses = evaluate(model, train, [validation, test], vocabulary, args)
        sample = char_model.sample(
            char_model.copy_of(model, args, batch_size=1, stateful=True),
            vocabulary,
            SAMPLE_CHARACTERS,
            SAMPLE_TEMPERATURE,
            args.seed,
        )
        print("exporting")
        budget.plot(stage / "training.png", "nats per character")
        vocabulary.save(stage / "vocabulary.json")
        difference, served = export(
            char_model.copy_of(model, args),
            vocabulary,
            validation,
            stage,
            args.output,
        )
        metrics = {
            "settings": vars(args) | {"output": str(args.output)},
            "versions": training.versions(),
            "parameters": model.count_params(),
            "training_seconds": budget.seconds,
            "training_batches": len(budget.losses),
            "nats_per_character": losses,
            "litert_largest_difference": difference,
        }
        (stage / "metrics.json").write_text(json.dumps(metrics, indent=2))
        move_into(stage, args.output)
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

    count = {"type": console.whole_number, "metavar": "N"}
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
    add("--units", 256, "size of the memories", **count)
    add("--layers", 1, "LSTMs, one on the other", **count)
    add("--embedding", 32, "size of a character's vector", **count)
    add("--batch-size", 64, "rows of text read side by side", **count)
    add("--steps", 32, "characters of a row in a batch", **count)
    add("--learning-rate", 4e-3, "at the start", type=console.positive)
    add("--dropout", 0.0, "part of each LSTM's output", type=console.rate)
    add("--seed", 1, "of weights and sample", type=console.seed, metavar="N")
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


def check(splits: text.Splits, args: argparse.Namespace) -> None:
    """Refuses a text too short for its settings, and a file as output."""
    batch = args.batch_size * args.steps + 1
    for name, part in splits._asdict().items():
        if len(part) < max(batch, LITERT_STEPS):
            raise console.UsageError(
                f"{args.dataset} is too short: its {name} part has "
                f"{len(part):,} characters; a batch of {args.batch_size} rows "
                f"by {args.steps} steps needs {batch:,}, and the check of the "
                f"export {LITERT_STEPS}; take a longer text, or a smaller "
                "--batch-size or --steps"
            )
    if args.output.exists() and not args.output.is_dir():
        raise console.UsageError(
            f"--output {args.output} is a file: name a folder to write to"
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
            part: float(some.mean())
            for part, some in zip(
                PARTS, (cost[:border], cost[border:], cost), strict=True
            )
        }
        for name, cost in costs.items()
    }


def export(
    model: Any,
    vocabulary: text.Vocabulary,
    validation: np.ndarray,
    stage: Path,
    output: Path,
) -> tuple[float, Path]:
    """Writes the model to `stage`: for Keras, LiteRT and TensorFlow Serving.

    Returns:
        The largest difference between the LiteRT file's logits and Keras's,
        and the folder that the SavedModel will have in `output`.
    """
    from keras_gatelstm import export

    model.save(stage / "model.keras")
    try:
        litert = export.export_litert(
            model,
            stage / "litert" / "char_text.tflite",
            time_steps=LITERT_STEPS,
            check_inputs=validation[np.newaxis, :LITERT_STEPS],
            tolerance=LITERT_TOLERANCE,
        )
        export.export_litert(
            model,
            stage / "litert" / "streaming.tflite",
            "streaming",
            tolerance=LITERT_TOLERANCE,
        )
    except export.ExportError as error:
        raise console.UsageError(f"{error} Nothing was written") from error
    version = export.next_version(output / "serving")
    export.export_saved_model(
        model,
        stage / "serving",
        version,
        vocabulary=list(vocabulary.characters),
        name="char_text",
    )
    return litert.largest_error, output / "serving" / str(version)


def report(
    metrics: dict[str, Any],
    sample: str,
    served: Path,
    args: argparse.Namespace,
) -> None:
    """Prints the losses, a sample of text, and what was written."""
    losses = metrics["nats_per_character"]
    rows = [
        [name, *loss.values(), *(nats / math.log(2) for nats in loss.values())]
        for name, loss in losses.items()
    ]
    heads = [f"{part}\n{unit}" for unit in ("nats", "bits") for part in PARTS]
    heads = ["per character", *heads]
    print(f"\n{tabulate(rows, heads, floatfmt='.3f')}\n")
    print(f"{sample}\n")
    print(f"trained {metrics['training_seconds']:.0f} s; written:")
    names = ["model.keras", "vocabulary.json", "metrics.json", "training.png"]
    for path in [args.output / name for name in names] + [served]:
        print(f"  {path}")
    litert = args.output / "litert"
    print(
        f"  {litert / 'char_text.tflite'} (differs from Keras by "
        f"{metrics['litert_largest_difference']:.1e})"
    )
    print(f"  {litert / 'streaming.tflite'}")


if __name__ == "__main__":
    sys.exit(console.run("char_text", main))
