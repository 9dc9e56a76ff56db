"""Train a character model on a text, and export it.

    python -m recipes.char_text
    python -m recipes.char_text --dataset tiny_shakespeare --preset best
    python -m recipes.char_text --dataset novel.txt --minutes 10 --units 512
    python -m recipes.char_text --resume

The model reads a text character by character and predicts the next one. Each
batch holds several rows of text; every row continues where it ended in the
previous batch, and the LSTM's memories are carried over. The program writes

    saved_models/char_text/
        model.keras                 for Keras
        vocabulary.json             its characters, by number
        metrics.json                losses, settings, versions
        training.png                its losses while it trained
        serving/<version>/          for TensorFlow Serving
        litert/char_text.tflite     for LiteRT, 64 characters at once
        litert/streaming.tflite     for LiteRT, one at a time

`recipes.sample` writes text with it, and `recipes.look` looks into it.

During training, `unfinished/` holds checkpoints: `--resume` continues a
training that was stopped or killed. Ctrl-C stops after the current batch and
writes the best model so far.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes import console, options, output_folder
from recipes.characters.settings import Settings, parse
from recipes.data import text
from recipes.data.numbers import Numbers, encode, vocabulary_of
from recipes.data.vocabulary import Vocabulary
from recipes.memory import check_memory
from recipes.training import checkpoints

if TYPE_CHECKING:
    import keras

    from recipes.finishing import Exported, Result

LITERT = "litert/char_text.tflite"
STREAMING = "litert/streaming.tflite"
WRITTEN = [
    "model.keras",
    "vocabulary.json",
    "metrics.json",
    "training.png",
    LITERT,
    STREAMING,
]
SAMPLE_CHARACTERS = 400
# As much of the text is searched for the word that the sample begins with.
BEGINNING = 100_000
LITERT_STEPS = 64
LITERT_TOLERANCE = 1e-4


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, evaluate, sample and export."""
    settings = parse(arguments, __doc__)
    output_folder.refuse_replacing(
        Path(settings.dataset),
        settings.output,
        [*WRITTEN, output_folder.UNFINISHED],
    )
    with output_folder.lock_folder(settings.output, settings.resume) as folder:
        vocabulary, parts = prepare(settings, folder)
        # Imported late, so that usage errors do not wait for TensorFlow.
        from recipes.characters.training import train
        from recipes.finishing import finish

        model, history = train(parts, vocabulary, settings, folder)
        result = evaluate(model, vocabulary, parts, settings)
        finish(model, history, settings, WRITTEN, result)
        if history.stopped:
            raise KeyboardInterrupt


def prepare(
    settings: Settings, folder: Path
) -> tuple[Vocabulary, list[Numbers]]:
    """Return the vocabulary and the encoded text, in three parts.

    The files of an unfinished training are reused.
    """
    paths = [folder / f"{name}.numbers" for name in text.Splits._fields]
    if checkpoints.exist(folder):
        vocabulary = Vocabulary.load(folder / "vocabulary.json")
        parts = [Numbers(path, vocabulary.dtype) for path in paths]
    else:
        splits = text.load(
            settings.dataset, settings.data_dir, settings.manual_dir
        )
        vocabulary = vocabulary_of(splits.train)
        vocabulary.save(folder / "vocabulary.json")
        parts = [
            encode(part, vocabulary, path)
            for part, path in zip(splits, paths, strict=True)
        ]
    kept = [part.digest() for part in parts]
    kept.append("".join(vocabulary.characters).encode("utf-8", "surrogatepass"))
    options.check_same_data(settings, kept, f"the text in {folder}")
    check(parts, len(vocabulary), settings)
    train, validation, test = map(len, parts)
    print(
        f"{settings.dataset}: {train:,} characters to train on, "
        f"{validation:,} to validate, {test:,} to test; "
        f"{len(vocabulary) - 1} different ones"
    )
    return vocabulary, parts


def check(parts: Sequence[Numbers], symbols: int, settings: Settings) -> None:
    """Refuse a text too short for its settings, and too large a model."""
    batch = settings.batch_size * settings.steps + 1
    for name, part in zip(text.Splits._fields, parts, strict=True):
        if len(part) < max(batch, LITERT_STEPS):
            raise console.UsageError(
                f"{settings.dataset} is too short: its {name} part has "
                f"{len(part):,} characters; a batch of "
                f"{settings.batch_size} rows by {settings.steps} steps needs "
                f"{batch:,}, and the check of the export {LITERT_STEPS}; take "
                "a longer text, or a smaller --batch-size or --steps"
            )
    check_memory(
        units=settings.units,
        layers=settings.layers,
        features=settings.embedding,
        outputs=symbols,
        batch_size=settings.batch_size,
        steps=settings.steps,
    )


def evaluate(
    model: "keras.Sequential",
    vocabulary: Vocabulary,
    parts: Sequence[Numbers],
    settings: Settings,
) -> "Result":
    """Evaluate the model and its references, and sample from it."""
    from recipes.characters import evaluation, models
    from recipes.finishing import Result

    losses = evaluation.evaluate(model, parts, vocabulary, settings)
    better = evaluation.better_than(losses)
    metrics = {
        "nats_per_character": losses,
        "bits_per_character": evaluation.bits(losses),
        "loses_to": better,
    }
    opening = models.common_opening(vocabulary.decode(parts[0][:BEGINNING]))
    sample = models.sample(
        model, vocabulary, settings, SAMPLE_CHARACTERS, opening
    )
    warning = "this model is worse than a guess without it: "
    example = parts[1][:LITERT_STEPS]

    def write(stage: Path, version: int) -> "Exported":
        vocabulary.save(stage / "vocabulary.json")
        copy = models.copy_of(model, settings)
        return export(copy, vocabulary, example, stage, version)

    return Result(
        metrics,
        summary=f"{evaluation.table(losses, better)}\n\n{sample}",
        loss="nats per character",
        difference="differs from Keras by {:.1e}",
        warning=warning + ", ".join(better) if better else "",
        write=write,
    )


def export(
    model: "keras.Sequential",
    vocabulary: Vocabulary,
    example: np.ndarray,
    stage: Path,
    version: int,
) -> "Exported":
    """Write the model for Keras, LiteRT and TensorFlow Serving.

    Args:
        model: The model, with a free batch size.
        vocabulary: Its characters.
        example: Encoded text to check the files on, `(LITERT_STEPS,)`.
        stage: Folder to write to.
        version: Version number of the SavedModel.
    """
    from keras_gatelstm.export import export_saved_model
    from recipes.finishing import Exported, export_litert

    model.save(stage / "model.keras")
    difference = export_litert(
        model,
        stage / LITERT,
        time_steps=LITERT_STEPS,
        check_inputs=example[np.newaxis],
        tolerance=LITERT_TOLERANCE,
    )
    export_litert(
        model, stage / STREAMING, "streaming", tolerance=LITERT_TOLERANCE
    )
    export_saved_model(
        model,
        stage / "serving",
        version,
        vocabulary=list(vocabulary.characters),
        name="char_text",
    )
    return Exported({LITERT: difference}, left_out={})


if __name__ == "__main__":
    sys.exit(console.run("char_text", main))
