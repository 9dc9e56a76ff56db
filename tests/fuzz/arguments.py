"""Malformed arguments of each command."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tests.fuzz.artefacts import Artefacts

NO_NUMBERS = (
    "",
    " ",
    "abc",
    "1,5",
    "0x10",
    "nan",
    "1e",
    "--",
    "½",
    "\n",
    "1 2",
    "None",
)
NO_COUNTS = (*NO_NUMBERS, "-1", "0", "1.5", "inf", "1e3", "-0", "9" * 25)
NO_COUNTS += ("9" * 5000,)
NO_AMOUNTS = (*NO_NUMBERS, "-1", "0", "inf", "-inf", "1e999")
NO_RATES = (*NO_NUMBERS, "-1", "-0.1", "1", "1.5", "inf", "1e999")
NO_SEEDS = (*NO_NUMBERS, "-1", "1.5", "4294967296", "9" * 25, "9" * 5000)
NO_CHOICES = ("", " ", "abc", "LESSON", "0", "\n", "lesson ", "--", "é")
NO_FILES = (
    "",
    ".",
    "missing",
    "missing/deeper",
    "/dev/null",
    "/proc",
    "a\nb",
    "a\0b",
    "x" * 300,
    "/" + "x/" * 3000,
    "\udcff",
)
# Folders that cannot be made.
NO_FOLDERS = ("", "/proc/x", "/dev/null", "/dev/null/x", "a\0b", "x" * 300)
NO_ZONES = ("", "Mars/Olympus", "../../etc/passwd", "/", "Europe", "\0", "a\nb")
NO_MARKS = ("", "abc", ",,", "commas")
STRAYS = (
    ["--no-such-option"],
    ["--no-such-option=1"],
    ["-x"],
    ["stray"],
    ["--"],
    ["--help="],
    ["--\n"],
    ["-"],
)

WRONG: dict[str, tuple[str, ...]] = {
    "count": NO_COUNTS,
    "amount": NO_AMOUNTS,
    "rate": NO_RATES,
    "seed": NO_SEEDS,
    "choice": NO_CHOICES,
    "file": NO_FILES,
    "folder": NO_FOLDERS,
    "zone": NO_ZONES,
    "mark": NO_MARKS,
}


class Command(NamedTuple):
    """A command and its options.

    Args:
        valid: Arguments that are right, with paths of files that exist.
        options: The kind of value that each option takes.
        conflicts: Arguments that are wrong together.
    """

    valid: Callable[[Artefacts], list[str]]
    options: dict[str, str]
    conflicts: tuple[str, ...]


FILE_OPTIONS = {
    "--separator": "mark",
    "--decimal": "mark",
    "--time-zone": "zone",
}
TRAINED = {
    "--output": "folder",
    "--seed": "seed",
    "--units": "count",
    "--batch-size": "count",
    "--learning-rate": "amount",
    "--minutes": "amount",
}

COMMANDS: dict[str, Command] = {
    "char_text": Command(
        lambda it: ["--dataset", str(it.text)],
        {
            **TRAINED,
            "--dataset": "file",
            "--preset": "choice",
            "--variant": "choice",
            "--layers": "count",
            "--embedding": "count",
            "--steps": "count",
            "--epochs": "count",
            "--embedding-dropout": "rate",
            "--recurrent-dropout": "rate",
            "--dropout": "rate",
            "--averaging": "rate",
            "--logs": "folder",
            "--workers": "count",
        },
        (
            "--minutes 1 --epochs 1",
            "--resume",
            "--dataset tiny_shakespeare --manual-dir missing --data-dir .",
            "--batch-size 100000",
            "--steps 100000",
            "--units 1000000",
            "--units 2000000000",
            "--embedding 1000000000",
            "--layers 1000000",
            "--workers 7",
            "--workers 100000 --batch-size 100000",
            "--workers 2 --address 127.0.0.1:1",
            "--workers 2 --address ray://127.0.0.1:1",
            "--workers 2 --address nothing",
            "--address auto",
            "--output {text}",
            "--output {text}/deeper",
            "--logs {text}",
            "--logs {text}/deeper",
            "--output {killed}",
            "--resume --output {killed} --units 5",
            "--resume --output {killed} --dataset stdlib",
            "--dataset {table} --batch-size 64 --steps 512",
            "--dataset {characters}",
            "--dataset {characters}/model.keras",
        ),
    ),
    "time_series": Command(
        lambda it: ["--dataset", str(it.table)],
        {
            **TRAINED,
            **FILE_OPTIONS,
            "--dataset": "file",
            "--workers": "count",
            "--horizon": "count",
            "--lookback": "count",
            "--period": "count",
            "--batches": "count",
            "--cell": "choice",
            "--variant": "choice",
            "--form": "choice",
            "--dropout": "rate",
        },
        (
            "--target a a --horizon 2",
            "--target c --horizon 2",
            "--target a --known a --horizon 2",
            "--known c --horizon 2",
            "--target time --horizon 2",
            "--time-column a --horizon 2",
            "--time-column missing --horizon 2",
            "--time-format %Q --horizon 2",
            "--time-format %Y --horizon 2",
            "--time-format % --horizon 2",
            "--series-column missing --horizon 2",
            "--series-column a --horizon 2",
            "--units 1 --horizon 2",
            "--form plain --calendar --horizon 2",
            "--form averaged --period 1 --horizon 2",
            "--minutes 1 --batches 1",
            "--horizon 100000",
            "--lookback 100000",
            "--units 1000000 --horizon 2",
            "--units 2000000000 --horizon 2",
            "--resume",
            "--resume --output {killed}",
            "--output {killed}",
            "--output {table}",
            "--dataset ett/h3",
            "--dataset ett/",
            "--dataset ett/h1 --manual-dir missing --data-dir .",
            "--dataset {characters}",
            "--dataset {text}",
            "--dataset {characters}/model.keras",
            "--separator ; --horizon 2",
            "--time-zone Europe/Berlin --separator | --horizon 2",
        ),
    ),
    "compare": Command(
        lambda it: ["--task", "copy"],
        {
            **TRAINED,
            "--task": "choice",
            "--budget": "choice",
            "--cells": "choice",
            "--seeds": "seed",
            "--lengths": "count",
            "--start": "choice",
            "--symbols": "count",
            "--batches": "count",
        },
        (
            "--task text --lengths 5",
            "--task adding --symbols 4",
            "--task adding --lengths 1",
            "--dataset {text}",
            "--task text --dataset missing",
            "--task text --dataset {text} --batch-size 100000",
            "--task series --dataset {text}",
            "--task series --dataset {table} --target c",
            "--task series --dataset {table} --target a a",
            "--task series --dataset {table} --horizon 100000",
            "--minutes 1",
            "--budget minutes --batches 5",
            "--resume",
            "--resume --output {killed}",
            "--output {killed}",
            "--units 1000000",
            "--lengths 1000000000",
            "--symbols 1000000000",
            "--batch-size 1000000000",
            "--cells rnn rnn",
            "--seeds 1 1",
            "--lengths 5 5",
        ),
    ),
    "sample": Command(
        lambda it: [str(it.characters / "model.keras")],
        {
            "MODEL": "file",
            "--length": "count",
            "--temperature": "amount",
            "--top-k": "count",
            "--seed": "seed",
            "--vocabulary": "file",
        },
        (
            "{characters}/vocabulary.json",
            "{text}",
            "{series}/model.keras --vocabulary {characters}/vocabulary.json",
            "{series}/serving/1 --vocabulary {characters}/vocabulary.json",
            "{series}/model.tflite --vocabulary {characters}/vocabulary.json",
            "{characters} --vocabulary {characters}/vocabulary.json",
            "{characters}/serving",
            "{characters}/model.keras --vocabulary {series}/series.json",
            "{characters}/model.keras --vocabulary {text}",
            "{characters}/model.keras {text}",
        ),
    ),
    "forecast": Command(
        lambda it: [str(it.series / "model.keras"), str(it.table)],
        {"MODEL": "file", "FILE": "file", "--output": "file", **FILE_OPTIONS},
        (
            "{series}/series.json {table}",
            "{series}/model.keras {text}",
            "{series}/model.keras",
            "{characters}/model.keras {table}",
            "{series} {characters}",
            "{series}/model.keras {table} --output x.txt",
            "{series}/model.keras {table} --output {table}",
            "{series}/model.keras {table} --output {table}/x.csv",
            "{series}/model.keras {table} --time-column a",
            "{series}/model.keras {table} --time-format %Y",
            "{series}/model.keras {table} --separator ;",
            "{series}/model.keras {table} --time-zone Europe",
            "{series}/serving {table}",
            "{characters}/serving/1 {table}",
        ),
    ),
    "look": Command(
        lambda it: [str(it.characters / "model.keras"), "--text", "abc"],
        {
            "MODEL": "file",
            "--vocabulary": "file",
            "--output": "folder",
            **FILE_OPTIONS,
        },
        (
            "{characters}/model.keras",
            "{characters}/model.keras --text abc --series {table}",
            "{characters}/model.keras --text-file missing",
            "{characters}/model.keras --text-file {characters}",
            "{characters}/model.keras --text-file {characters}/model.keras",
            "{characters}/model.keras --text=",
            "{characters}/model.keras --series {table}",
            "{series}/model.keras --text abc",
            "{series}/model.keras --series {text}",
            "{series}/model.keras --series missing",
            "{characters}/serving/1 --text abc",
            "{characters}/streaming.tflite --text abc",
            "{characters}/model.keras --text abc --output {text}",
            "{characters}/model.keras --text abc --vocabulary {text}",
        ),
    ),
    "live": Command(
        lambda it: [str(it.characters / "model.keras")],
        {
            "MODEL": "file",
            "--text-file": "file",
            "--vocabulary": "file",
            "--port": "count",
        },
        (
            "{series}/model.keras",
            "{series}/model.keras --vocabulary {characters}/vocabulary.json",
            "{characters}/model.keras --text-file {table}/x",
            "{characters}/model.keras --text-file {characters}/model.keras",
            "{characters}/model.keras --output {characters}",
            "{characters}/model.keras --folder {text}",
            "{characters}/model.keras --output x.html --folder x",
            "{characters}/model.keras --output {characters}/model.keras",
            "{characters}/model.keras --port 65536",
            "{characters}/streaming.tflite",
            "{characters}/serving/1",
        ),
    ),
    "export": Command(
        lambda it: [str(it.series / "model.keras"), "--litert", "x.tflite"],
        {
            "MODEL": "file",
            "--litert": "folder",
            "--saved-model": "folder",
            "--vocabulary": "file",
            "--representative-data": "file",
            "--form": "choice",
            "--quantize": "choice",
            "--steps": "count",
        },
        (
            "{series}/model.keras",
            "{series}/model.keras --litert x.foo",
            "{series}/model.keras --litert /dev/null",
            "{series}/model.keras --litert {series}",
            "{series}/model.keras --litert {text}/x.tflite",
            "{series}/model.keras --litert {series}/model.keras",
            "{series}/model.keras --saved-model {text}",
            "{series}/model.keras --saved-model x --vocabulary {text}",
            "{series}/model.keras --litert x.tflite --batch-size -1",
            "{series}/model.keras --litert x.tflite --batch-size x",
            "{series}/model.keras --litert x.tflite --form unrolled --gates",
            "{series}/model.keras --litert x.tflite --gates",
            "{series}/model.keras --litert x.tflite --form fused",
            "{series}/model.keras --litert x.tflite --quantize int8",
            "{series}/model.keras --litert x.tflite --quantize int8 "
            "--representative-data {text}",
            "{series}/series.json --litert x.tflite",
            "{series}/model.tflite --litert x.tflite",
            "{characters}/serving --litert x.tflite",
        ),
    ),
}
POSITIONS = {"MODEL": 0, "FILE": 1}


def wrong_arguments(
    command: str, count: int, valid: Artefacts, random: np.random.Generator
) -> Iterator[list[str]]:
    """Yield so many malformed lists of a command's arguments."""
    right, options, conflicts = COMMANDS[command]
    arguments = right(valid)
    names = {
        "text": valid.text,
        "table": valid.table,
        "characters": valid.characters,
        "series": valid.series,
        "killed": valid.unfinished,
    }
    found = []
    for conflict in conflicts:
        given = conflict.format(**names).split(" ")
        # Those that begin with a file are whole.
        whole = not given[0].startswith("--") or "--dataset" in given
        found.append(given if whole else [*arguments, *given])
    found += [[*arguments, *stray] for stray in STRAYS if stray != ["--"]]
    found += [[*arguments, option] for option in options if option[0] == "-"]
    for option, kind in options.items():
        for value in WRONG[kind]:
            found.append(_with(arguments, option, value))
    yield from found[:count]
    for _ in range(count - len(found)):
        # Two mistakes at once.
        one = list(options)[random.integers(len(options))]
        other = list(options)[random.integers(len(options))]
        wrong = arguments
        for option in (one, other):
            values = WRONG[options[option]]
            value = values[random.integers(len(values))]
            wrong = _with(wrong, option, value)
        yield wrong


def _with(arguments: list[str], option: str, value: str) -> list[str]:
    if option in POSITIONS:
        place = POSITIONS[option]
        return [*arguments[:place], value, *arguments[place + 1 :]]
    return [*arguments, f"{option}={value}"]
