"""Command-line options of the series recipe, and their defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes import console, options

CELLS = ["lesson", "standard", "gru", "rnn"]

# Default look-back and horizon.
LENGTHS = {"co2": (208, 52), "ett": (720, 96)}
HORIZON, LOOKBACKS = 24, 4


@dataclass(kw_only=True)
class Settings(options.Settings):
    """Settings of the series recipe.

    Args:
        dataset: Name of the series, or path of a CSV file.
        time_column: Column of a CSV file's times; `None` for the first.
        target: Columns to forecast; `None` for all.
        horizon: Steps to forecast; 0 for the series' default.
        lookback: Steps to see; 0 for the series' default.
        cell: Name of the recurrent layer in `recipes.cells`.
        form: `"segments"` or `"plain"`.
        units: Number of units.
        dropout: Dropout rate of the last memory.
        batches: Batches to train on; `None` for minutes.
        seed: Random seed.
    """

    units: int
    dataset: str = "co2"
    time_column: str | None = None
    target: list[str] | None = None
    horizon: int = 0
    lookback: int = 0
    preset: str = "quick"
    cell: str = "lesson"
    form: str = "segments"
    batch_size: int = 128
    learning_rate: float = 2e-3
    # Series are short, and overfitted within a few epochs without dropout.
    dropout: float = 0.3
    batches: int | None = None
    seed: int = 1
    output: Path = Path("saved_models/time_series")

    def __post_init__(self) -> None:
        family = self.dataset.split("/")[0]
        if Path(self.dataset).is_file():
            family = "file"
        lookback, horizon = LENGTHS.get(family, (0, HORIZON))
        self.horizon = self.horizon or horizon
        self.lookback = self.lookback or lookback or LOOKBACKS * self.horizon


PRESETS: dict[str, options.SettingsDict] = {
    # A few minutes on two cores.
    "quick": {"units": 128, "batches": 360},
    # Up to twenty minutes.
    "best": {"units": 256, "batches": 360},
}


def parse(arguments: Sequence[str] | None, description: str) -> Settings:
    """Parse the command line, and complete the settings.

    Raises:
        UsageError: if an argument is invalid, or there is an unfinished
            training without `--resume`, or none with it.
    """
    given = vars(_parser(description).parse_args(arguments))
    settings = options.resolve_settings(Settings, given, PRESETS)
    if settings.form == "segments" and settings.units < 2:
        raise console.UsageError(
            "--units must be 2 or more: a half says which column, a half "
            f"which segment. Received: {settings.units}"
        )
    return settings


def _parser(description: str) -> options.SettingsParser:
    parser = options.SettingsParser(
        "recipes.time_series", description, Settings, PRESETS
    )
    add = parser.add_setting
    count = {"type": console.whole_number, "metavar": "N"}
    add(
        "--dataset",
        "co2: statsmodels' weekly carbon dioxide of Mauna Loa; ett/h1, ett/h2, "
        "ett/m1, ett/m2: from tensorflow-datasets; or the path of a CSV file",
        metavar="SERIES",
    )
    add("--time-column", "a CSV file's times (default: its first column)")
    add("--target", "columns to forecast (default: all)", nargs="+")
    parser.add_data_folders()
    add(
        "--horizon",
        "steps to forecast (default: co2 52, ett 96, else 24)",
        **count,
    )
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
    parser.add_output()
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
