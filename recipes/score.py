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

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes import console
from recipes.console import UsageError
from recipes.data.file_format import FileFormat, add_file_options
from recipes.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from recipes.scoring.folder import Folder
    from recipes.scoring.task import Task

# Least bytes of a chunk, and of what is read before it: a character has up to
# four.
SMALLEST = 16
CHUNK, CONTEXT = 1024, 128
# Options that may change when a scoring goes on, and those of texts and of
# series alone.
MAY_CHANGE = {"workers", "address", "resume", "output"}
OF_TEXTS = {"chunk", "context", "text_column", "id_column"}
OF_SERIES = {
    "every",
    "series_column",
    "time_column",
    "separator",
    "decimal",
    "time_format",
    "time_zone",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Score all parts, and print the summary."""
    args = parse(arguments)
    # Imported late, so that --help does not wait for pandas.
    from recipes.scoring.folder import Folder, open_folder
    from recipes.scoring.task import find_saved_model

    args.model = find_saved_model(args.model)
    task = task_of(args)
    folder = Folder(args.output.absolute(), task.rows)
    console.check_folder(args.output, "--output")
    refuse_inside(args.output, args.data)
    with open_folder(folder, args.resume):
        settings = settings_of(args)
        if not args.resume:
            folder.begin(task.parts(), settings)
        check_same(settings, folder)
        score(task, folder, args)


def score(task: "Task", folder: "Folder", args: argparse.Namespace) -> None:
    """Score what is left, and write and print the summary."""
    from recipes.scoring import gates
    from recipes.scoring.folder import GATES, SUMMARY
    from recipes.scoring.running import run

    folder.forget_attempts()
    parts = folder.load_parts()
    run(task, folder, parts, args.workers, args.address)
    with folder.finishing() as stage:
        summary, shown = task.summarize(folder, len(parts), stage)
        if args.gates:
            sums = gates.total(map(folder.sums_of, range(len(parts))))
            gates.table_of(sums).to_parquet(stage / GATES)
            shown += f"\n\n{gates.summary_of(sums)}"
        (stage / SUMMARY).write_text(json.dumps(summary, indent=2))
    print(f"\n{shown}\n\nwritten:")
    for path in folder.written:
        print(f"  {args.output / path.name}")


def refuse_inside(output: Path, data: Path) -> None:
    """Refuse an output folder among the data: it would be scored, next time.

    Raises:
        UsageError: if it is.
    """
    if data.resolve() in (output.resolve(), *output.resolve().parents):
        raise UsageError(
            f"--output {output} is in {data}, whose files are scored: name a "
            "folder elsewhere"
        )


def task_of(args: argparse.Namespace) -> "Task":
    """Return what is to do with the model.

    Raises:
        UsageError: if it is of no recipe, or has not the options given.
    """
    if not (args.model / "saved_model.pb").is_file():
        raise UsageError(
            f"{args.model} is no SavedModel: name its folder, such as "
            "saved_models/char_text/serving/1"
        )
    vocabulary = console.near(args.model, "vocabulary.json")
    series = console.near(args.model, "series.json")
    if vocabulary.is_file():
        refuse(args, OF_SERIES, "texts")
        from recipes.scoring.characters import TextTask
        from recipes.scoring.documents import Corpus

        corpus = Corpus(
            args.data.absolute(),
            args.chunk or CHUNK,
            args.context or CONTEXT,
            args.text_column,
            args.id_column,
        )
        return TextTask(
            args.model.absolute(),
            Vocabulary.load(vocabulary),
            corpus,
            args.gates,
        )
    if not series.is_file():
        raise UsageError(
            f"there is neither vocabulary.json nor series.json near "
            f"{args.model}: recipes.char_text and recipes.time_series write "
            "them beside their models"
        )
    refuse(args, OF_TEXTS, "series")
    from recipes.forecasting.description import Description
    from recipes.scoring.forecasts import Fleet, SeriesTask

    description = Description.load(series)
    if args.series_column and description.choice.series_column:
        raise UsageError(
            f"{args.model} forecasts several series at once, those that it was "
            "trained on: leave out --series-column"
        )
    fleet = Fleet(
        args.data.absolute(),
        FileFormat.taken_from(vars(args)),
        args.series_column,
    )
    every = args.every or description.horizon
    return SeriesTask(
        args.model.absolute(), description, fleet, every, args.gates
    )


def refuse(args: argparse.Namespace, options: set[str], kind: str) -> None:
    """Refuse options that are not for a kind of model.

    Raises:
        UsageError: if one was given.
    """
    for name in sorted(options):
        if getattr(args, name) is not None:
            raise UsageError(
                f"{args.model} is a model of {kind}, for which "
                f"--{name.replace('_', '-')} does not exist: leave it out"
            )


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that must not change, as JSON can hold them."""
    settings = {
        name: str(it.absolute()) if isinstance(it, Path) else it
        for name, it in vars(args).items()
        if name not in MAY_CHANGE
    }
    digest = hashlib.sha256()
    described = [
        console.near(args.model, it)
        for it in ("vocabulary.json", "series.json")
    ]
    for path in [*sorted(args.model.rglob("*")), *described]:
        if path.is_file():
            digest.update(path.read_bytes())
    return settings | {"digest": digest.hexdigest()}


def check_same(settings: dict[str, Any], folder: "Folder") -> None:
    """Refuse to go on with other settings, or another model.

    Raises:
        UsageError: if one differs.
    """
    before = folder.begun_with() or {}
    for name, value in settings.items():
        if before.get(name) == value:
            continue
        if name == "digest":
            raise UsageError(
                f"{settings['model']} has changed since the scoring in "
                f"{folder.output} began, or its vocabulary.json or "
                "series.json: name another --output"
            )
        raise UsageError(
            f"{name.replace('_', '-')} was {before.get(name)} when the scoring "
            f"in {folder.output} began, and is {value} now: go on with the same"
        )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = console.Parser(
        prog="python -m recipes.score",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", type=console.path, metavar="MODEL")
    add("data", type=console.path, metavar="DATA")
    add(
        "--workers",
        type=console.whole_number,
        help="processes that score, on Ray (default: this process alone)",
        metavar="N",
    )
    add(
        "--address",
        help="a Ray cluster for the workers, such as auto or 127.0.0.1:6379 "
        "(default: one that is started on this machine)",
    )
    add(
        "--output",
        type=console.path,
        default=Path("scores"),
        help="folder to write to (default: scores)",
        metavar="FOLDER",
    )
    add(
        "--resume",
        action="store_true",
        help="go on with the unfinished scoring in the output folder",
    )
    add(
        "--gates",
        action="store_true",
        help="also sum up the gates' saturation, half-lives, and units that "
        "go with properties of the text",
    )
    texts = parser.add_argument_group("texts")
    texts.add_argument(
        "--chunk",
        type=console.whole_number,
        help=f"bytes of a chunk (default: {CHUNK})",
        metavar="N",
    )
    texts.add_argument(
        "--context",
        type=console.whole_number,
        help="bytes before a chunk that are read, too, to fill the memories "
        f"(default: {CONTEXT})",
        metavar="N",
    )
    texts.add_argument(
        "--text-column",
        help="column of the texts in Parquet files (default: the only one of "
        "strings)",
        metavar="NAME",
    )
    texts.add_argument(
        "--id-column",
        help="column of their names (default: the number of the row)",
        metavar="NAME",
    )
    series = parser.add_argument_group("series")
    series.add_argument(
        "--every",
        type=console.whole_number,
        help="rows from one forecast to the next, of those that errors are "
        "measured on (default: the model's horizon)",
        metavar="N",
    )
    series.add_argument(
        "--series-column",
        help="column of Parquet files that says which series a row belongs "
        "to; its rows lie together (default: a file is a series)",
        metavar="NAME",
    )
    add_file_options(series)
    args = parser.parse_args(arguments)
    for name in ("chunk", "context"):
        given = getattr(args, name)
        if given is not None and given < SMALLEST:
            raise UsageError(
                f"--{name} takes {SMALLEST} bytes at least. Received: {given}"
            )
    if args.address is not None and args.workers is None:
        raise UsageError(
            "--address is for --workers: say how many. "
            f"Received: --address {args.address}"
        )
    return args


if __name__ == "__main__":
    sys.exit(console.run("score", main))
