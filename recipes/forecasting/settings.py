"""What the series recipe can be told, and what it does untold."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import console, options

PRESETS: dict[str, dict[str, Any]] = {
    # A few minutes on two cores.
    "quick": {"units": 128, "batches": 360},
    # Up to twenty.
    "best": {"units": 256, "batches": 360},
}

EVERY: dict[str, Any] = {
    "dataset": "co2",
    "time_column": None,
    "target": None,
    "data_dir": None,
    "manual_dir": None,
    "preset": "quick",
    "cell": "lesson",
    "form": "segments",
    "batch_size": 128,
    "learning_rate": 2e-3,
    # A part of the last memory is hidden from the forecast: series are short,
    # and learnt by heart within a few epochs.
    "dropout": 0.3,
    "seed": 1,
    "output": Path("saved_models/time_series"),
    "minutes": None,
}

CELLS = ["lesson", "standard", "gru", "rnn"]

# Steps to see and to forecast, where they are not given.
LENGTHS = {"co2": (208, 52), "ett": (720, 96)}
HORIZON, LOOKBACKS = 24, 4


def parse(
    arguments: Sequence[str] | None, description: str
) -> argparse.Namespace:
    """Reads the command line, and fills in what it leaves open.

    Raises:
        UsageError: if there is a mistake in it, or an unfinished training is
            in its way, or missing.
    """
    given = vars(_parser(description).parse_args(arguments))
    args = options.settled(given, EVERY, PRESETS)
    fill_lengths(args)
    if args.form == "segments" and args.units < 2:
        raise console.UsageError(
            "--units must be 2 or more: a half says which column, a half "
            f"which segment. Received: {args.units}"
        )
    return args


def fill_lengths(args: argparse.Namespace) -> None:
    """Sets the steps to see and to forecast, where they are not given."""
    family = args.dataset.split("/")[0]
    if Path(args.dataset).is_file():
        family = "file"
    lookback, horizon = LENGTHS.get(family, (None, HORIZON))
    args.horizon = getattr(args, "horizon", horizon)
    if not hasattr(args, "lookback"):
        args.lookback = lookback or LOOKBACKS * args.horizon


def _parser(description: str) -> console.Parser:
    parser = console.Parser(
        prog="python -m recipes.time_series",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )

    def add(name: str, help: str, **more: Any) -> None:
        setting = name.strip("-").replace("-", "_")
        default = EVERY.get(setting)
        if default is None and setting in PRESETS["quick"]:
            default = "; ".join(
                f"{preset} {settings[setting]}"
                for preset, settings in PRESETS.items()
            )
        shown = "" if default is None else f" (default: {default})"
        parser.add_argument(name, help=help + shown, **more)

    count = {"type": console.whole_number, "metavar": "N"}
    add(
        "--dataset",
        "co2: statsmodels' weekly carbon dioxide of Mauna Loa; ett/h1, ett/h2, "
        "ett/m1, ett/m2: from tensorflow-datasets; or the path of a CSV file",
        metavar="SERIES",
    )
    add("--time-column", "a CSV file's times (default: its first column)")
    add("--target", "columns to forecast (default: all)", nargs="+")
    add("--data-dir", "where tensorflow-datasets keeps data")
    add("--manual-dir", "folder with the data's file, if no network")
    add("--horizon", "steps to forecast (default: co2 52, ett 96)", **count)
    add(
        "--lookback",
        "steps to see (default: co2 208, ett 720, else 4 horizons)",
        **count,
    )
    add("--preset", "settings that go together", choices=list(PRESETS))
    add("--cell", "of the recurrent layer", choices=CELLS)
    parser.add_argument(
        "--variant",
        dest="cell",
        choices=["lesson", "standard"],
        help="of the LSTM: another name of --cell",
    )
    add(
        "--form",
        "segments, after SegRNN; or plain, the lesson's, step by step",
        choices=["segments", "plain"],
    )
    add("--units", "size of the memories", **count)
    add("--batch-size", "windows in a batch", **count)
    add("--learning-rate", "at the start", type=console.positive)
    add(
        "--dropout",
        "part of the last memory",
        type=console.rate,
        metavar="RATE",
    )
    add("--seed", "of all that is random", type=console.seed, metavar="N")
    add("--output", "folder to write to", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--resume",
        action="store_true",
        default=False,
        help="go on with the unfinished training in the output folder",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=console.positive,
        help="minutes to train, in all, instead of --batches",
    )
    length.add_argument(
        "--batches",
        type=console.whole_number,
        help="batches to train on (default: quick "
        f"{PRESETS['quick']['batches']}; best {PRESETS['best']['batches']})",
        metavar="N",
    )
    return parser
