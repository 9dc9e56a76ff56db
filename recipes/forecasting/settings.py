"""Command-line options of the series recipe, and their defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from recipes import console, options
from recipes.data.columns import ColumnChoice, add_column_options
from recipes.data.file_format import FileFormat, add_file_options
from recipes.memory import check_memory

CELLS = ["lesson", "standard", "gru", "rnn"]
FORMS = ["averaged", "segments", "plain"]

# Default look-back and horizon.
LENGTHS = {"co2": (208, 52), "ett": (720, 96)}
HORIZON, LOOKBACKS = 24, 4

# Steps of a long look-back, at least.
LONG = 480


class TrainingRule(NamedTuple):
    """How a recurrent model is trained, if the user does not say.

    Args:
        units: Number of units.
        batches: Number of batches.
        batch_size: Windows in a batch: of one column, but for the plain form.
        learning_rate: Learning rate at the start.
        loss: `"mae"` or `"mse"`.
        level: What the series is read relative to: its `"last"` value or the
            `"mean"` of the look-back.
    """

    units: int
    batches: int
    batch_size: int
    learning_rate: float
    loss: str
    level: str


def training_rule(
    form: str, lookback: int, horizon: int, period: int
) -> TrainingRule:
    """Return the rule for a series.

    It was found on ETTh1. A long look-back needs few units, and the absolute
    error, which is more robust to outliers; a short one many units, and the
    squared error. With a horizon as long as the long look-back, the last value
    says too little, and training overfits early.
    """
    if form == "plain":
        return TrainingRule(128, 360, 128, 2e-3, "mae", "last")
    if lookback >= LONG:
        if horizon >= lookback:
            return TrainingRule(64, 400, 384, 3e-3, "mae", "mean")
        batches = 1000 if horizon <= 4 * period else 700
        return TrainingRule(64, batches, 512, 3e-3, "mae", "last")
    if horizon > 5 * lookback:
        return TrainingRule(128, 450, 512, 1.5e-3, "mse", "last")
    return TrainingRule(256, 450, 512, 1e-3, "mse", "last")


@dataclass(kw_only=True)
class Settings(options.Settings, FileFormat, ColumnChoice):
    """Settings of the series recipe.

    What is 0 or empty is filled in by `complete`. How a file is written is
    said by the settings of `FileFormat`, and what its columns are for by those
    of `ColumnChoice`.

    Args:
        dataset: Name of the series, or path of a CSV or Parquet file.
        horizon: Steps to forecast; 0 for the series' default.
        lookback: Steps to see; 0 for the series' default.
        period: Steps in a period; 0 for the series' season.
        cell: Name of the recurrent layer in `recipes.cells`.
        form: `"averaged"`, `"segments"` or `"plain"`.
        units: Number of units.
        dropout: Dropout rate of the last memory.
        loss: `"mae"` or `"mse"`.
        level: What the series is read relative to: `"last"` or `"mean"`.
        batches: Batches to train on; `None` for minutes.
        seed: Random seed.
    """

    dataset: str = "co2"
    horizon: int = 0
    lookback: int = 0
    period: int = 0
    preset: str = "rule"
    cell: str = "lesson"
    form: str = ""
    units: int = 0
    batch_size: int = 0
    learning_rate: float = 0.0
    # Series are short, and overfitted within a few epochs without dropout.
    dropout: float = 0.5
    loss: str = ""
    level: str = ""
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

    def complete(self, season: int) -> None:
        """Fill in what depends on the series, by `training_rule`.

        Args:
            season: Steps in the series' season.

        Raises:
            UsageError: if no period fits into the look-back, and the form
                needs one.
        """
        self.period = self.period or season
        fits = 1 < self.period <= self.lookback
        if self.form == "averaged" and not fits:
            raise console.UsageError(
                "--form averaged needs a --period of 2 or more that fits into "
                f"the look-back. Received: {self.period}, and a look-back of "
                f"{self.lookback}"
            )
        self.form = self.form or ("averaged" if fits else "segments")
        helped = self.known or self.calendar or self.series_column
        if self.form == "plain" and (
            helped or (self.target and not self.only_target)
        ):
            raise console.UsageError(
                "--form plain reads what it forecasts, and nothing else: give "
                "--target with --only-target, and no --known, --calendar or "
                "--series-column"
            )
        rule = training_rule(
            self.form, self.lookback, self.horizon, self.period
        )
        self.units = self.units or rule.units
        self.batch_size = self.batch_size or rule.batch_size
        self.learning_rate = self.learning_rate or rule.learning_rate
        self.loss = self.loss or rule.loss
        self.level = self.level or rule.level
        if self.minutes is None:
            self.batches = self.batches or rule.batches
        check_memory(
            units=self.units, outputs=self.horizon, batch_size=self.batch_size
        )


# Settings follow from the series.
PRESETS: dict[str, options.SettingsDict] = {"rule": {}}


def parse(arguments: Sequence[str] | None, description: str) -> Settings:
    """Parse the command line, and complete the settings.

    Raises:
        UsageError: if an argument is invalid, or there is an unfinished
            training without `--resume`, or none with it.
    """
    given = vars(_parser(description).parse_args(arguments))
    settings = options.resolve_settings(Settings, given, PRESETS)
    if settings.form != "plain" and settings.units == 1:
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
        "ett/m1, ett/m2: from tensorflow-datasets; or the path of a CSV or "
        "Parquet file",
        metavar="SERIES",
    )
    add_file_options(parser)
    add_column_options(parser)
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
    add(
        "--period",
        "steps in a period (default: a day, a week or a year)",
        **count,
    )
    add("--cell", "of the recurrent layer", choices=CELLS)
    parser.add_argument(
        "--variant",
        dest="cell",
        choices=["lesson", "standard"],
        help="of the LSTM: another name of --cell",
    )
    add(
        "--form",
        "averaged: a linear map and the segments' model, averaged; segments, "
        "after SegRNN; or plain, the lesson's, step by step (default: averaged "
        "where the period fits into the look-back, else segments)",
        choices=FORMS,
    )
    by_rule = "(default: by look-back, horizon and period)"
    add("--units", f"size of the memories {by_rule}", **count)
    add(
        "--batch-size",
        "windows in a batch, of one column each but in the plain form "
        f"{by_rule}",
        **count,
    )
    add("--learning-rate", f"at the start {by_rule}", type=console.positive)
    add(
        "--dropout",
        "part of the last memory",
        type=console.rate,
        metavar="RATE",
    )
    add("--seed", "of all that is random", type=console.seed, metavar="N")
    parser.add_output()
    options.add_workers(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=console.positive,
        help="minutes to train, in all, instead of --batches",
    )
    length.add_argument(
        "--batches",
        type=console.whole_number,
        help=f"batches to train on {by_rule}",
        metavar="N",
    )
    return parser
