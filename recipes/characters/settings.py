"""What the character recipe can be told, and what it does untold."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import console, options

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


def parse(
    arguments: Sequence[str] | None, description: str
) -> argparse.Namespace:
    """Reads the command line, and fills in what it leaves open.

    Raises:
        UsageError: if there is a mistake in it, or an unfinished training is
            in its way, or missing.
    """
    given = vars(_parser(description).parse_args(arguments))
    return options.settled(given, EVERY, PRESETS)


def _parser(description: str) -> console.Parser:
    parser = console.Parser(
        prog="python -m recipes.char_text",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )

    def add(name: str, help: str, **more: Any) -> None:
        setting = name.strip("-").replace("-", "_")
        default = EVERY.get(setting)
        if default is None and setting in PRESETS["quick"]:
            default = "; ".join(
                f"{preset} {settings.get(setting, 'by epochs')}"
                for preset, settings in PRESETS.items()
            )
        shown = "" if default is None else f" (default: {default})"
        parser.add_argument(name, help=help + shown, **more)

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
        help="minutes to train, in all (default: quick 1.5)",
    )
    length.add_argument(
        "--epochs",
        type=console.whole_number,
        help="times to read the text, instead of --minutes (default: best "
        f"{PRESETS['best']['epochs']})",
        metavar="N",
    )
    return parser
