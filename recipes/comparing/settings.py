"""What a comparison can be told, and what it does untold."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import console, options
from recipes.forecasting.settings import fill_lengths

CELLS = ["rnn", "gru", "lesson", "standard", "keras"]

# What is spent alike, and so ends a training.
BUDGETS = {"parameters": "batches", "minutes": "minutes"}

# What only some of the tasks can be told.
OF_TASKS = {
    "lengths": ["copy", "adding"],
    "start": ["copy", "adding"],
    "dataset": ["text", "series"],
    "data_dir": ["text", "series"],
    "manual_dir": ["text", "series"],
    "time_column": ["series"],
    "target": ["series"],
    "lookback": ["series"],
    "horizon": ["series"],
}

PRESETS: dict[str, dict[str, Any]] = {
    "copy": {
        # A plain RNN bridges the first, and not the second.
        "lengths": [30, 50],
        "start": "uniform",
        "units": 128,
        "batch_size": 64,
        # At twice the rate, memories that start to last run away.
        "learning_rate": 1.5e-3,
        "batches": 4000,
        "minutes": 2.0,
    },
    "adding": {
        "lengths": [25, 50, 100],
        "start": "uniform",
        "units": 64,
        "batch_size": 64,
        "learning_rate": 2e-3,
        "batches": 3000,
        "minutes": 2.0,
    },
    "text": {
        "dataset": "stdlib",
        "units": 128,
        "batch_size": 64,
        "steps": 32,
        "learning_rate": 4e-3,
        "batches": 600,
        "minutes": 1.0,
        # As the character recipe's quick preset.
        "layers": 1,
        "embedding": 32,
        "embedding_dropout": 0.0,
        "recurrent_dropout": 0.0,
        "dropout": 0.0,
        "averaging": 0.0,
    },
    "series": {
        "dataset": "co2",
        "units": 64,
        "batch_size": 128,
        "learning_rate": 2e-3,
        "batches": 300,
        "minutes": 1.0,
        "form": "segments",
        "dropout": 0.5,
    },
}

EVERY: dict[str, Any] = {
    "task": "copy",
    "budget": "parameters",
    "cells": CELLS,
    "seeds": [1, 2, 3],
    "data_dir": None,
    "manual_dir": None,
    "time_column": None,
    "target": None,
}


def parse(
    arguments: Sequence[str] | None, description: str
) -> argparse.Namespace:
    """Reads the command line, and fills in what it leaves open.

    Raises:
        UsageError: if there is a mistake in it, or an unfinished comparison
            is in its way, or missing.
    """
    given = vars(_parser(description).parse_args(arguments))
    task = given.get("task", EVERY["task"])
    budget = given.get("budget", EVERY["budget"])
    for name in given.keys() & OF_TASKS.keys():
        if task not in OF_TASKS[name]:
            raise console.UsageError(
                f"{_option(name)} goes with --task "
                f"{' or '.join(OF_TASKS[name])}. Received: --task {task}"
            )
    preset = PRESETS[task]
    for other, length in BUDGETS.items():
        if other != budget:
            if length in given:
                raise console.UsageError(
                    f"{_option(length)} goes with --budget {other}. "
                    f"Received: --budget {budget}"
                )
            preset = preset | {length: None}
    output = Path("saved_models/compare") / task
    every = EVERY | {"preset": task, "output": output}
    # Rows trained for longer than others would not be alike.
    args = options.settled(given, every, {task: preset}, can_be_longer=False)
    if args.task == "series":
        fill_lengths(args)
    if args.task == "adding" and min(args.lengths) < 2:
        raise console.UsageError(
            "--lengths must be 2 or more, for two numbers to add. "
            f"Received: {_written(args.lengths)}"
        )
    return args


def _option(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _parser(description: str) -> console.Parser:
    parser = console.Parser(
        prog="python -m recipes.compare",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )

    def add(name: str, help: str, **more: Any) -> None:
        setting = name.strip("-").replace("-", "_")
        default = EVERY.get(setting)
        if default is None:
            of_tasks = {
                task: preset[setting]
                for task, preset in PRESETS.items()
                if setting in preset
            }
            default = "; ".join(
                f"{task} {_written(it)}" for task, it in of_tasks.items()
            )
        shown = f" (default: {_written(default)})" if default else ""
        parser.add_argument(name, help=help + shown, **more)

    count = {"type": console.whole_number, "metavar": "N"}
    add("--task", "what is learnt", choices=list(PRESETS))
    add(
        "--budget",
        "what is the same for all: parameters, and batches to train on; or "
        "minutes to train, and units",
        choices=list(BUDGETS),
    )
    add("--cells", "recurrent layers to compare", choices=CELLS, nargs="+")
    add(
        "--seeds",
        "one training each",
        type=console.seed,
        nargs="+",
        metavar="N",
    )
    add("--lengths", "steps that memories must last", nargs="+", **count)
    add(
        "--start",
        "of the weights of memories: within 1/√units, as PyTorch starts "
        "them, or orthogonal, as Keras does",
        choices=["uniform", "orthogonal"],
    )
    add("--dataset", "as the recipe of the text or series takes it")
    add("--time-column", "as the series recipe takes it")
    add("--target", "as the series recipe takes it", nargs="+")
    add("--data-dir", "where tensorflow-datasets keeps data")
    add("--manual-dir", "folder with the data's file, if no network")
    add("--lookback", "steps of a series to see", **count)
    add("--horizon", "steps of a series to forecast", **count)
    add("--units", "size of an LSTM's memories", **count)
    add("--batch-size", "rows in a batch", **count)
    add("--learning-rate", "at the start", type=console.positive)
    add("--batches", "with --budget parameters: to train on, each", **count)
    add(
        "--minutes",
        "with --budget minutes: to train, each",
        type=console.positive,
    )
    parser.add_argument(
        "--output",
        help="folder to write to (default: saved_models/compare/TASK)",
        type=Path,
        metavar="FOLDER",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        default=False,
        help="go on with the unfinished comparison in the output folder",
    )
    return parser


def _written(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
