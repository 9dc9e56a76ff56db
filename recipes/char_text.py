"""Trains a character model on a text, and leaves it ready to deploy.

    python -m recipes.char_text
    python -m recipes.char_text --dataset tiny_shakespeare --preset best
    python -m recipes.char_text --dataset novel.txt --minutes 10 --units 512
    python -m recipes.char_text --resume

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

Until it is done, `unfinished/` holds checkpoints: `--resume` goes on with a
training that was stopped or killed. Ctrl-C stops it after the batch, and writes
the best model so far.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recipes import checkpoints, console, options, output_folder
from recipes.characters import settings
from recipes.data import text
from recipes.data.numbers import Numbers, encode, vocabulary_of
from recipes.data.vocabulary import Vocabulary

WRITTEN = [
    "model.keras",
    "vocabulary.json",
    "metrics.json",
    "training.png",
    "litert/char_text.tflite",
    "litert/streaming.tflite",
]
SAMPLE_CHARACTERS = 400
LITERT_STEPS = 64
LITERT_TOLERANCE = 1e-4


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, evaluates, samples and exports, as the arguments say."""
    args = settings.parse(arguments, __doc__)
    output_folder.refuse_replacing(
        Path(args.dataset),
        args.output,
        [*WRITTEN, output_folder.UNFINISHED],
    )
    with output_folder.held(args.output, args.resume) as folder:
        vocabulary, parts = prepare(args, folder)
        # Imported late: TensorFlow takes seconds, mistakes show at once.
        from recipes.characters.training import train

        model, budget = train(parts, vocabulary, args, folder)
        finish(model, budget, vocabulary, parts, args)
        if budget.stopped:
            raise KeyboardInterrupt


def prepare(
    args: argparse.Namespace, folder: Path
) -> tuple[Vocabulary, list[Numbers]]:
    """The text as numbers, in three parts; encoded where that is to be done."""
    paths = [folder / f"{name}.numbers" for name in text.Splits._fields]
    if checkpoints.exist(folder):
        vocabulary = Vocabulary.load(folder / "vocabulary.json")
        parts = [Numbers(path, vocabulary.dtype) for path in paths]
    else:
        splits = text.load(args.dataset, args.data_dir, args.manual_dir)
        vocabulary = vocabulary_of(splits.train)
        vocabulary.save(folder / "vocabulary.json")
        parts = [
            encode(part, vocabulary, path)
            for part, path in zip(splits, paths, strict=True)
        ]
    kept = [part.digest() for part in parts]
    kept.append("".join(vocabulary.characters).encode("utf-8", "surrogatepass"))
    options.check_same_data(args, kept, f"the text in {folder}")
    check(parts, args)
    train, validation, test = map(len, parts)
    print(
        f"{args.dataset}: {train:,} characters to train on, {validation:,} to "
        f"validate, {test:,} to test; {len(vocabulary) - 1} different ones"
    )
    return vocabulary, parts


def check(parts: Sequence[Numbers], args: argparse.Namespace) -> None:
    """Refuses a text too short for its settings."""
    batch = args.batch_size * args.steps + 1
    for name, part in zip(text.Splits._fields, parts, strict=True):
        if len(part) < max(batch, LITERT_STEPS):
            raise console.UsageError(
                f"{args.dataset} is too short: its {name} part has "
                f"{len(part):,} characters; a batch of {args.batch_size} rows "
                f"by {args.steps} steps needs {batch:,}, and the check of the "
                f"export {LITERT_STEPS}; take a longer text, or a smaller "
                "--batch-size or --steps"
            )


def finish(
    model: Any,
    budget: Any,
    vocabulary: Vocabulary,
    parts: Sequence[Numbers],
    args: argparse.Namespace,
) -> None:
    """Evaluates the model, exports it, and reports."""
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes import training
    from recipes.characters import evaluation, models

    losses = evaluation.evaluate(model, parts, vocabulary, args)
    sample = models.sample(model, vocabulary, args, SAMPLE_CHARACTERS)
    print("exporting")
    with stage_in(args.output) as stage:
        budget.plot(stage / "training.png", "nats per character")
        vocabulary.save(stage / "vocabulary.json")
        difference, served = export(
            models.copy_of(model, args),
            vocabulary,
            parts[1][:LITERT_STEPS],
            stage,
            args.output,
        )
        metrics = {
            "settings": options.kept(args),
            "versions": training.versions(),
            "parameters": model.count_params(),
            "training_seconds": budget.seconds,
            "training_batches": len(budget.losses),
            "nats_per_character": losses,
            "bits_per_character": evaluation.bits(losses),
            "loses_to": evaluation.loses_to(losses),
            "litert_largest_difference": difference,
        }
        (stage / "metrics.json").write_text(json.dumps(metrics, indent=2))
        move_into(stage, args.output)
    report(metrics, sample, served, args)


def export(
    model: Any,
    vocabulary: Vocabulary,
    example: np.ndarray,
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
            check_inputs=example[np.newaxis],
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
    from recipes.characters import evaluation

    print(f"\n{evaluation.table(metrics)}\n")
    print(f"{sample}\n")
    print(f"trained {metrics['training_seconds']:.0f} s; written:")
    for path in [args.output / name for name in WRITTEN] + [served]:
        compared = ""
        if path.name == "char_text.tflite":
            difference = metrics["litert_largest_difference"]
            compared = f" (differs from Keras by {difference:.1e})"
        print(f"  {path}{compared}")
    if metrics["loses_to"]:
        print(
            "this model is worse than a guess without it: "
            + ", ".join(metrics["loses_to"])
        )


if __name__ == "__main__":
    sys.exit(console.run("char_text", main))
