"""Command-line options of the comparison, and their defaults."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from recipes import console, options
from recipes.data.file_format import FileFormat, add_file_options
from recipes.memory import check_memory

CELLS = ["rnn", "gru", "lesson", "standard", "keras"]

# The setting that ends a training, by the kind of budget.
BUDGETS = {"parameters": "batches", "minutes": "minutes"}

# Settings that only some tasks have.
OF_TASKS = {
    "lengths": ["copy", "adding"],
    "start": ["copy", "adding"],
    "symbols": ["copy"],
    "dataset": ["text", "series"],
    "data_dir": ["text", "series"],
    "manual_dir": ["text", "series"],
    **{field.name: ["series"] for field in fields(FileFormat)},
    "target": ["series"],
    "lookback": ["series"],
    "horizon": ["series"],
}

PRESETS: dict[str, options.SettingsDict] = {
    "copy": {
        # Long enough that a plain RNN fails, and short enough for LSTMs: over
        # 75 steps the lesson's has learnt nothing after as many batches.
        "lengths": [50],
        "symbols": 3,
        "start": "uniform",
        "units": 128,
        "batch_size": 64,
        # At 1.5e-3, the LSTMs are not done in time; at 4e-3, layers with long
        # initial memories diverge.
        "learning_rate": 2.5e-3,
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
        "learning_rate": 4e-3,
        "batches": 600,
        "minutes": 1.0,
    },
    "series": {
        "dataset": "co2",
        "units": 64,
        "batch_size": 128,
        "learning_rate": 2e-3,
        "batches": 300,
        "minutes": 1.0,
    },
}


@dataclass(kw_only=True)
class Settings(options.Settings, FileFormat):
    """Settings of a comparison.

    How a file of a series is written is said by those of `FileFormat`.

    Args:
        task: Name of the task.
        budget: Quantity that is equal for all layers: `"parameters"` or
            `"minutes"`.
        cells: Names of the recurrent layers in `recipes.cells`.
        seeds: Seeds of the trainings.
        units: Number of units of Keras's LSTM.
        batches: Batches to train on; `None` for minutes.
        lengths: Steps that the memory must last; copy and adding only.
        start: Initializer of recurrent weights; copy and adding only.
        symbols: Symbols to repeat; copy only.
        dataset: As in the task's recipe; text and series only.
        target: As in `recipes.time_series`; series only.
        lookback: As in `recipes.time_series`; series only.
        horizon: As in `recipes.time_series`; series only.
    """

    units: int
    task: str = "copy"
    budget: str = "parameters"
    cells: list[str] = field(default_factory=lambda: list(CELLS))
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    batches: int | None = None
    lengths: list[int] = field(default_factory=list)
    start: str = ""
    symbols: int = 0
    dataset: str = ""
    target: list[str] | None = None
    lookback: int = 0
    horizon: int = 0


def parse(arguments: Sequence[str] | None, description: str) -> Settings:
    """Parse the command line, and complete the settings.

    Raises:
        UsageError: if an argument is invalid, or there is an unfinished
            comparison without `--resume`, or none with it.
    """
    given = vars(_parser(description).parse_args(arguments))
    task: str = given.get("task", Settings.task)
    budget: str = given.get("budget", Settings.budget)
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
    given.setdefault("output", Path("saved_models/compare") / task)
    # Rows with different training lengths would not be comparable.
    settings = options.resolve_settings(
        Settings,
        given | {"preset": task},
        {task: preset},
        can_be_longer=False,
    )
    for name in ("cells", "seeds", "lengths", "target"):
        values = getattr(settings, name) or []
        if len(set(values)) < len(values):
            raise console.UsageError(
                f"--{name} names one twice: {options.as_given(values)}"
            )
    check_memory(
        units=settings.units,
        outputs=max(1, settings.symbols),
        batch_size=settings.batch_size,
        steps=max(settings.lengths, default=1),
    )
    if settings.task == "adding" and min(settings.lengths) < 2:
        raise console.UsageError(
            "--lengths must be 2 or more, for two numbers to add. "
            f"Received: {options.as_given(settings.lengths)}"
        )
    return settings


def _parser(description: str) -> options.SettingsParser:
    parser = options.SettingsParser(
        "recipes.compare", description, Settings, PRESETS
    )
    add = parser.add_setting
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
    add("--symbols", "symbols to copy", **count)
    add("--dataset", "as the recipe of the text or series takes it")
    add_file_options(parser)
    add("--target", "as the series recipe takes it", nargs="+")
    parser.add_data_folders()
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
    parser.add_output("comparison", " (default: saved_models/compare/TASK)")
    return parser


def _option(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"
