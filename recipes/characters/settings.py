"""What the character recipe can be told, and what it does untold."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import checkpoints, console

# Where unfinished trainings are kept, in the output folder.
UNFINISHED = "unfinished"

PRESETS: dict[str, dict[str, Any]] = {
    # A minute and a half on two cores: one layer of a size that they can
    # take through Tiny Shakespeare two or three times.
    "quick": {
        "variant": "lesson",
        "units": 256,
        "layers": 1,
        "embedding": 32,
        # Many short windows: memories are carried on from one to the next
        # anyway, and the loop over time is what takes the time.
        "batch_size": 64,
        "steps": 32,
        "learning_rate": 4e-3,
        # So short a training does not overfit.
        "embedding_dropout": 0.0,
        "recurrent_dropout": 0.0,
        "dropout": 0.0,
        "averaging": 0.0,
        "minutes": 1.5,
    },
    # Under an hour on two cores.
    "best": {
        # One product fewer a step, and the better losses of the two.
        "variant": "standard",
        # Dropout makes up for what so large a memory could learn by heart.
        "units": 512,
        "layers": 1,
        # Room for a character's company, not only its name.
        "embedding": 128,
        "batch_size": 64,
        # Longer windows: gradients reach a few lines back.
        "steps": 100,
        "learning_rate": 3e-3,
        # Now and then a feature of all characters is missing, so none is
        # relied on alone.
        "embedding_dropout": 0.1,
        # The same units are deaf to the memory for a whole window.
        "recurrent_dropout": 0.25,
        "dropout": 0.4,
        # The mean of the last few hundred batches' weights, their noise out.
        "averaging": 0.995,
        "epochs": 32,
    },
}

EVERY: dict[str, Any] = {
    "dataset": "stdlib",
    "data_dir": None,
    "manual_dir": None,
    "preset": "quick",
    "seed": 1,
    "output": Path("saved_models/char_text"),
    "logs": None,
    "minutes": None,
    "epochs": None,
}

# What a training that is gone on with may have otherwise than at its start.
FREE = {"data_dir", "manual_dir", "output", "logs", "resume"}


def parse(
    arguments: Sequence[str] | None, description: str
) -> argparse.Namespace:
    """Reads the command line, and fills in what it leaves open.

    Raises:
        UsageError: if there is a mistake in it, or an unfinished training is
            in its way, or missing.
    """
    given = vars(_parser(description).parse_args(arguments))
    output = given.get("output", EVERY["output"])
    if output.exists() and not output.is_dir():
        raise console.UsageError(
            f"--output {output} is a file: name a folder to write to"
        )
    folder = output / UNFINISHED
    if given["resume"]:
        return argparse.Namespace(**_as_before(folder, given))
    if checkpoints.exist(folder):
        raise console.UsageError(
            f"{folder} holds an unfinished training: go on with it with "
            "--resume, or remove that folder to start anew"
        )
    preset = PRESETS[given.get("preset", EVERY["preset"])]
    if "minutes" in given or "epochs" in given:
        preset = preset | {"minutes": None, "epochs": None}
    return argparse.Namespace(**(EVERY | preset | given))


def kept(args: argparse.Namespace) -> dict[str, Any]:
    """The settings as JSON, to be gone on with."""
    return vars(args) | {"output": str(args.output)}


def _as_before(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of an unfinished training."""
    checkpoint = checkpoints.load(folder)
    if checkpoint is None:
        raise console.UsageError(
            f"there is no unfinished training in {folder}: --resume goes on "
            "with one that was stopped after its first checkpoint"
        )
    before = checkpoint.facts["settings"]
    for name, value in given.items():
        if name not in FREE and before[name] != value:
            option = name.replace("_", "-")
            raise console.UsageError(
                f"--{option} was {before[name]} when the training in {folder} "
                f"began, and is {value} now: leave it out to go on, or remove "
                "that folder to start anew"
            )
    free = dict.fromkeys(FREE) | EVERY | given
    return before | {name: free[name] for name in FREE}


def _parser(description: str) -> console.Parser:
    parser = console.Parser(
        prog="python -m recipes.char_text",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )

    def add(name: str, help: str, **options: Any) -> None:
        setting = name.strip("-").replace("-", "_")
        default = EVERY.get(setting)
        if default is None and setting in PRESETS["quick"]:
            default = "; ".join(
                f"{preset} {settings.get(setting, 'by epochs')}"
                for preset, settings in PRESETS.items()
            )
        shown = "" if default is None else f" (default: {default})"
        parser.add_argument(name, help=help + shown, **options)

    count = {"type": console.whole_number, "metavar": "N"}
    share = {"type": console.rate, "metavar": "RATE"}
    add(
        "--dataset",
        "stdlib: the English of Python's own help texts; tiny_shakespeare: "
        "from tensorflow-datasets; or the path of a text file in UTF-8",
        metavar="TEXT",
    )
    add("--data-dir", "where tensorflow-datasets keeps data")
    add("--manual-dir", "folder with the data's file, if no network")
    add(
        "--preset",
        "settings that go together: a minute and a half, or under an hour",
        choices=list(PRESETS),
    )
    add("--variant", "of the LSTM", choices=["lesson", "standard"])
    add("--units", "size of the memories", **count)
    add("--layers", "LSTMs, one on the other", **count)
    add("--embedding", "size of a character's vector", **count)
    add("--batch-size", "rows of text read side by side", **count)
    add("--steps", "characters of a row in a batch", **count)
    add("--learning-rate", "at the start", type=console.positive)
    add("--embedding-dropout", "part of the characters' vectors", **share)
    add("--recurrent-dropout", "part of the short-term memory", **share)
    add("--dropout", "part of each LSTM's output", **share)
    add(
        "--averaging",
        "how much of the mean of the weights before stays in the mean, each "
        "batch; 0: no mean is taken",
        **share,
    )
    add("--seed", "of weights and sample", type=console.seed, metavar="N")
    add("--output", "folder to write to", type=Path, metavar="FOLDER")
    add("--logs", "folder for TensorBoard to watch", metavar="FOLDER")
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
        help="minutes to train (default: quick 1.5)",
    )
    length.add_argument(
        "--epochs",
        type=console.whole_number,
        help="times to read the text, instead of --minutes (default: best "
        f"{PRESETS['best']['epochs']})",
        metavar="N",
    )
    return parser
