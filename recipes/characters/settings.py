"""Command-line options of the character recipe, and their defaults."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes import console, options

# Keras takes minutes to build deeper models.
MOST_LAYERS = 100


@dataclass(kw_only=True)
class Settings(options.Settings):
    """Settings of the character recipe.

    Args:
        dataset: Name of the text, or path of a text file.
        variant: Name of the recurrent layer in `recipes.cells`.
        units: Number of units.
        layers: Number of stacked recurrent layers.
        embedding: Size of the character embedding.
        steps: Characters per row of a batch.
        embedding_dropout: Dropout rate of the embedding.
        recurrent_dropout: Dropout rate of the short-term memory.
        dropout: Dropout rate of each layer's output.
        averaging: Momentum of the moving average of the weights, per batch; 0
            for no averaging.
        epochs: Epochs to train; `None` for minutes.
        seed: Seed of the weights and the sample.
        logs: Folder for TensorBoard; empty for none.
    """

    variant: str
    units: int
    layers: int
    embedding: int
    steps: int
    embedding_dropout: float
    recurrent_dropout: float
    dropout: float
    averaging: float
    dataset: str = "stdlib"
    preset: str = "quick"
    output: Path = Path("saved_models/char_text")
    epochs: int | None = None
    seed: int = 1
    logs: str = ""


PRESETS: dict[str, options.SettingsDict] = {
    # A minute and a half on two cores, enough for two or three epochs of Tiny
    # Shakespeare with one layer of this size.
    "quick": {
        # The lesson's reaches 1.27 nats per character where this one reaches
        # 1.19: it has a product more for each step, and its use gate its own.
        "variant": "standard",
        "units": 256,
        "layers": 1,
        "embedding": 32,
        # Short windows, since the loop over time dominates the cost, and
        # memories are carried from one window to the next.
        "batch_size": 64,
        "steps": 32,
        "learning_rate": 4e-3,
        # Such a short training does not overfit.
        "embedding_dropout": 0.0,
        "recurrent_dropout": 0.0,
        "dropout": 0.0,
        "averaging": 0.0,
        "minutes": 1.5,
    },
    # Under an hour on two cores.
    "best": {
        # One matrix product fewer per step, and lower losses.
        "variant": "standard",
        # Dropout keeps so large a layer from overfitting.
        "units": 512,
        "layers": 1,
        # Large enough to encode similarities between characters.
        "embedding": 128,
        "batch_size": 64,
        # Longer windows: gradients reach a few lines back.
        "steps": 100,
        "learning_rate": 3e-3,
        # Drops a feature of all characters, so that none is relied on alone.
        "embedding_dropout": 0.1,
        # Drops the same units of the memory for a whole window.
        "recurrent_dropout": 0.25,
        "dropout": 0.4,
        # Averages the noise of a few hundred batches out of the weights.
        "averaging": 0.995,
        "epochs": 32,
    },
}


def parse(arguments: Sequence[str] | None, description: str) -> Settings:
    """Parse the command line, and complete the settings.

    Raises:
        UsageError: if an argument is invalid, or there is an unfinished
            training without `--resume`, or none with it.
    """
    given = vars(_parser(description).parse_args(arguments))
    settings = options.resolve_settings(Settings, given, PRESETS)
    if settings.layers > MOST_LAYERS:
        raise console.UsageError(
            f"--layers must be at most {MOST_LAYERS}. "
            f"Received: {settings.layers}"
        )
    if settings.logs:
        console.check_folder(Path(settings.logs), "--logs")
        settings.logs = str(Path(settings.logs).absolute())
    return settings


def _parser(description: str) -> options.SettingsParser:
    parser = options.SettingsParser(
        "recipes.char_text", description, Settings, PRESETS
    )
    add = parser.add_setting
    count = {"type": console.whole_number, "metavar": "N"}
    share = {"type": console.rate, "metavar": "RATE"}
    add(
        "--dataset",
        "stdlib: the English of Python's own help texts; tiny_shakespeare: "
        "from tensorflow-datasets; or the path of a text file in UTF-8",
        metavar="TEXT",
    )
    parser.add_data_folders()
    add(
        "--preset",
        "settings that go together: a minute and a half, or under an hour",
        choices=list(PRESETS),
    )
    add(
        "--variant",
        "of the LSTM; keras: keras.layers.LSTM itself, to compare",
        choices=["lesson", "standard", "keras"],
    )
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
    parser.add_output()
    options.add_workers(parser)
    add("--logs", "folder for TensorBoard to watch", metavar="FOLDER")
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
