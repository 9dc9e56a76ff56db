"""Command-line options of the scoring program, and their defaults."""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from recipes import console, options, saved_model
from recipes.console import UsageError
from recipes.data.file_format import FileFormat, add_file_options
from recipes.options import SettingsDict

# Least bytes of a chunk, and of what is read before it: a character has up to
# four.
SMALLEST = 16
CHUNK, CONTEXT = 1024, 128
# Files of the recipes near a model, by which its kind is known.
VOCABULARY, SERIES = "vocabulary.json", "series.json"
# Settings that may change when a scoring goes on.
MAY_CHANGE = {"workers", "address", "resume", "output"}
# Settings of texts alone, and of series alone.
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


@dataclass(kw_only=True)
class Settings(FileFormat):
    """Settings of a scoring. What is `None` has a default of its own.

    Args:
        model: Folder of the SavedModel.
        data: File or folder that is scored.
        workers: Processes that score, on Ray; `None` for this one alone.
        address: Address of a Ray cluster; `None` to start one here.
        output: Folder to write to.
        resume: Whether to go on with an unfinished scoring.
        gates: Whether to sum up the gates' statistics, too.
        chunk: Bytes of a chunk of a text.
        context: Bytes that are read before a chunk.
        text_column: Column of the texts in Parquet files.
        id_column: Column of their names.
        every: Rows of a series from one forecast to the next.
        series_column: Column that says which series a row belongs to.
    """

    model: Path
    data: Path
    workers: int | None
    address: str | None
    output: Path
    resume: bool
    gates: bool
    chunk: int | None
    context: int | None
    text_column: str | None
    id_column: str | None
    every: int | None
    series_column: str | None

    def near(self, name: str) -> Path:
        """Return the path of a file near the model."""
        return console.near(self.model, name)

    def refuse(self, names: set[str], kind: str) -> None:
        """Refuse settings that are not for this kind of model.

        Raises:
            UsageError: if one was given.
        """
        for name in sorted(names):
            if getattr(self, name) is not None:
                raise UsageError(
                    f"{self.model} is a model of {kind}, for which "
                    f"--{name.replace('_', '-')} does not exist: leave it out"
                )

    def to_json(self) -> SettingsDict:
        """Return what must stay when the scoring goes on, as JSON holds it.

        It includes a digest of the model and of the files near it.
        """
        values = {
            name: str(it.absolute()) if isinstance(it, Path) else it
            for name, it in asdict(self).items()
            if name not in MAY_CHANGE
        }
        digest = hashlib.sha256()
        described = [self.near(VOCABULARY), self.near(SERIES)]
        for path in [*sorted(self.model.rglob("*")), *described]:
            if path.is_file():
                digest.update(path.read_bytes())
        return values | {"digest": digest.hexdigest()}

    def check_same(self, before: SettingsDict) -> None:
        """Refuse to go on with other settings, or another model.

        Args:
            before: The `to_json` of when the scoring began.

        Raises:
            UsageError: if one differs.
        """
        for name, value in self.to_json().items():
            if before.get(name) == value:
                continue
            if name == "digest":
                raise UsageError(
                    f"{self.model} has changed since the scoring in "
                    f"{self.output} began, or its {VOCABULARY} or {SERIES}: "
                    "name another --output"
                )
            raise UsageError(
                f"{name.replace('_', '-')} was {before.get(name)} when the "
                f"scoring in {self.output} began, and is {value} now: go on "
                "with the same"
            )


def parse(arguments: Sequence[str] | None, description: str) -> Settings:
    """Parse the command line.

    Args:
        arguments: The arguments; `None` for those of the process.
        description: Text for `--help`.

    Raises:
        UsageError: if an argument is wrong, or there is no such model.
    """
    parser = console.Parser(
        prog="python -m recipes.score",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", type=console.path, metavar="MODEL")
    add("data", type=console.path, metavar="DATA")
    options.add_workers(
        parser, "processes that score, on Ray (default: this process alone)"
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
    settings = Settings(**vars(parser.parse_args(arguments)))
    for option, given in (
        ("--chunk", settings.chunk),
        ("--context", settings.context),
    ):
        if given is not None and given < SMALLEST:
            raise UsageError(
                f"{option} takes {SMALLEST} bytes at least. Received: {given}"
            )
    options.check_address(settings.workers, settings.address)
    console.check_folder(settings.output, "--output")
    _refuse_inside(settings.output, settings.data)
    settings.model = saved_model.newest_in(settings.model)
    if not (settings.model / "saved_model.pb").is_file():
        raise UsageError(
            f"{settings.model} is no SavedModel: name its folder, such as "
            "saved_models/char_text/serving/1"
        )
    return settings


def _refuse_inside(output: Path, data: Path) -> None:
    """Refuse an output folder among the data: it would be scored, next time.

    Raises:
        UsageError: if it is.
    """
    if data.resolve() in (output.resolve(), *output.resolve().parents):
        raise UsageError(
            f"--output {output} is in {data}, whose files are scored: name a "
            "folder elsewhere"
        )
