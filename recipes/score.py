"""Score a corpus, or forecast many series, with an exported model.

    python -m recipes.score saved_models/char_text/serving books --workers 2
    python -m recipes.score saved_models/char_text/serving a.parquet --gates
    python -m recipes.score saved_models/time_series/serving meters --workers 2

MODEL is a SavedModel that a recipe exported, or the folder of its versions, of
which the last is taken. With one of recipes.char_text, DATA is a text, a folder
of texts, or Parquet files with a text in each row; the losses of each chunk and
of each document are written. With one of recipes.time_series, DATA is a CSV or
Parquet file, or a folder of them, a file for each series; the forecast after
each series is written, and the errors of forecasts within it.

The output folder gets Parquet files and `summary.json`, which is written last.
A run that was stopped goes on with `--resume`. A SavedModel can run code: load
only files that you trust.
"""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipes import console
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from recipes.scoring.settings import (
    CHUNK,
    CONTEXT,
    OF_SERIES,
    OF_TEXTS,
    SERIES,
    VOCABULARY,
    Settings,
    parse,
)

if TYPE_CHECKING:
    from recipes.scoring.folder import Folder
    from recipes.scoring.task import Task


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all parts, and print the summary."""
    settings = parse(arguments, __doc__)
    task = task_of(settings)
    # Imported late, so that usage errors do not wait for Keras.
    from recipes.scoring.folder import Folder, open_folder

    folder = Folder(settings.output.absolute(), task.rows)
    with open_folder(folder, settings.resume):
        if not settings.resume:
            folder.begin(task.parts(), settings.to_json())
        settings.check_same(folder.begun_with() or {})
        score(task, folder, settings)


def score(task: "Task", folder: "Folder", settings: Settings) -> None:
    """Score what is left, and write and print the summary."""
    from recipes.gate_summary import summary_of
    from recipes.scoring import gates
    from recipes.scoring.folder import GATES, SUMMARY
    from recipes.scoring.running import run

    folder.forget_attempts()
    parts = folder.load_parts()
    run(task, folder, parts, settings.workers, settings.address)
    with folder.finishing() as stage:
        summary, shown = task.summarize(folder, len(parts), stage)
        if settings.gates:
            sums = gates.total(map(folder.sums_of, range(len(parts))))
            gates.table_of(sums).to_parquet(stage / GATES)
            shown += f"\n\n{summary_of(sums)}"
        (stage / SUMMARY).write_text(json.dumps(summary, indent=2))
    print(f"\n{shown}\n\nwritten:")
    for path in folder.written:
        print(f"  {settings.output / path.name}")


def task_of(settings: Settings) -> "Task":
    """Return what is to do with the model.

    Raises:
        UsageError: if it is of no recipe, or has not the options given.
    """
    if settings.near(VOCABULARY).is_file():
        return text_task(settings)
    if settings.near(SERIES).is_file():
        return series_task(settings)
    raise UsageError(
        f"there is neither {VOCABULARY} nor {SERIES} near {settings.model}: "
        "recipes.char_text and recipes.time_series write them beside their "
        "models"
    )


def text_task(settings: Settings) -> "Task":
    """Return the scoring of texts by a character model."""
    settings.refuse(OF_SERIES, "texts")
    vocabulary = Vocabulary.load(settings.near(VOCABULARY))
    from recipes.scoring.characters import TextTask
    from recipes.scoring.documents import Corpus

    corpus = Corpus(
        settings.data.absolute(),
        settings.chunk or CHUNK,
        settings.context or CONTEXT,
        settings.text_column,
        settings.id_column,
    )
    return TextTask(
        settings.model.absolute(), vocabulary, corpus, settings.gates
    )


def series_task(settings: Settings) -> "Task":
    """Return the forecasts of series by a forecaster."""
    settings.refuse(OF_TEXTS, "series")
    from recipes.forecasting.description import Description
    from recipes.scoring.forecasts import SeriesTask
    from recipes.scoring.series import Fleet

    description = Description.load(settings.near(SERIES))
    if settings.series_column and description.choice.series_column:
        raise UsageError(
            f"{settings.model} forecasts several series at once, those that it "
            "was trained on: leave out --series-column"
        )
    fleet = Fleet(
        settings.data.absolute(),
        settings.file_format(),
        settings.series_column,
    )
    return SeriesTask(
        settings.model.absolute(),
        description,
        fleet,
        settings.every or description.horizon,
        settings.gates,
    )


if __name__ == "__main__":
    sys.exit(console.run("score", main))
