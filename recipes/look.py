"""Inspect a trained model: record and plot its gates at every step.

    python -m recipes.look saved_models/char_text/model.keras --text "To be,"
    python -m recipes.look MODEL.keras --text-file play.txt
    python -m recipes.look MODEL.keras --series readings.csv

The model reads the text or the series once. A text is encoded with
`vocabulary.json` beside the model; a series is a CSV file with a line of names,
and a line for each step: its time, and a number for each column. The program
writes, beside the model or to `--output`,

    look/
        report.html       all of it to explore, in a browser
        gates.png         the gates and memories of twelve units over the last
                          steps, with the series above
        memory.png        what three of them keep and learn
        saturation.png    how often each gate is open or shut
        cell.png          the last step of the first of them, in the lesson's
                          diagram
        trace.npz         the numbers: `GateTrace.load`

The pictures show the units whose memory goes with a property of the text, such
as the position in the line, or those that vary most; the report has all of
them.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes import console
from recipes.data.columns import ColumnChoice, arrange
from recipes.data.file_format import FileFormat, add_file_options
from recipes.data.frames import regular
from recipes.data.series_file import read_table
from recipes.data.vocabulary import Vocabulary
from recipes.data.windows import Inputs, series_of
from recipes.forecasting import deployed
from recipes.forecasting.description import Description
from recipes.forecasting.reading import Reading, in_zone
from recipes.output_folder import refuse_replacing

if TYPE_CHECKING:
    import keras

    from keras_gatelstm import GateTrace


def main(arguments: Sequence[str] | None = None) -> None:
    """Record the model's gates, and write the pictures and the report."""
    args = parse(arguments)
    check(args)
    # Imported late, so that usage errors do not wait for TensorFlow.
    from keras_gatelstm import record_gates
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes.look_pictures import draw, name_of, write_page

    model = load(args.model)
    inputs: Inputs
    series, text = None, None
    if args.series is None:
        inputs, text = read_text(model, args)
    else:
        inputs, series = read_series(model, args)
    try:
        trace = record_gates(model, inputs, tokens=text)
    except ValueError as error:
        raise console.UsageError(str(error).replace("\n", " ")) from error
    if series is not None:
        trace = series.with_times(trace)
    print(f"recorded {series_of(inputs).shape[1]:,} steps")
    folder = args.output or args.model.parent / "look"
    with stage_in(folder) as stage:
        draw(trace, stage, series)
        title = name_of(model, args.model)
        write_page(trace, stage / "report.html", title, series)
        trace.save(stage / "trace.npz")
        names = sorted(path.name for path in stage.iterdir())
        for given in (args.model, args.text_file, args.series):
            if given is not None:
                refuse_replacing(given, folder, names)
        move_into(stage, folder)
    report(trace, text)
    print("written:")
    for name in names:
        print(f"  {folder / name}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = console.Parser(
        prog="python -m recipes.look",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=console.path, metavar="MODEL.keras")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--text", help="a text to read")
    given.add_argument(
        "--text-file", type=console.path, help="a file of text", metavar="FILE"
    )
    given.add_argument(
        "--series",
        type=console.path,
        help="a CSV or Parquet file to read",
        metavar="FILE",
    )
    add_file_options(parser)
    parser.add_argument(
        "--vocabulary",
        type=console.path,
        help="the model's characters (default: vocabulary.json beside it)",
        metavar="FILE",
    )
    parser.add_argument(
        "--output",
        type=console.path,
        help="folder to write to (default: look, beside the model)",
        metavar="FOLDER",
    )
    return parser.parse_args(arguments)


def check(args: argparse.Namespace) -> None:
    """Refuse missing files, before TensorFlow is loaded."""
    for path in (args.model, args.text_file, args.series):
        if path is not None and not path.is_file():
            raise console.UsageError(f"there is no file {path}")
    if args.model.suffix != ".keras":
        raise console.UsageError(
            f"MODEL must be a .keras file. Received: {args.model}"
        )
    if args.text == "":
        raise console.UsageError("--text is empty")
    if args.output:
        console.check_folder(args.output, "--output")


def load(path: Path) -> "keras.Model":
    """Load a Keras model from a file."""
    from keras_gatelstm.core.model_file import load_model

    try:
        return load_model(path)
    except ValueError as error:
        raise console.UsageError(str(error)) from error


def read_text(
    model: "keras.Model", args: argparse.Namespace
) -> tuple[np.ndarray, str]:
    """Return the encoded text as a batch of one row, and the text."""
    path = args.vocabulary or console.near(args.model, "vocabulary.json")
    vocabulary = Vocabulary.load(path)
    text = args.text
    if text is None:
        try:
            text = args.text_file.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise console.UsageError(
                f"{args.text_file} is not in UTF-8"
            ) from error
    if len(model.input_shape) != 2:
        raise console.UsageError(
            f"{args.model} takes {model.input_shape}, not the numbers of "
            "characters, (batch, time): give it a --series"
        )
    return vocabulary.encode(text)[np.newaxis], text


def read_series(
    model: "keras.Model", args: argparse.Namespace
) -> tuple[Inputs, Reading]:
    """Return the series as a batch of one row, and as it is read."""
    path, horizon = args.series, None
    given = FileFormat.taken_from(vars(args))
    trained_on = console.near(args.model, "series.json")
    if trained_on.is_file():
        described = Description.load(trained_on)
        series = deployed.read_series(path, given, described)
        series.check_ahead()
        found = series.values
        inputs = series.inputs([len(found)])
        given, horizon = given.or_else(described.file), described.horizon
        found.index = in_zone(found.index, given.time_zone)
        if isinstance(inputs, dict):
            last = found.iloc[-described.lookback :]
            return inputs, Reading(last, horizon)
    else:
        table = read_table(path, given)
        arranged = arrange(table, ColumnChoice(), given.time_zone, str(path))
        found, *_ = regular(arranged, str(path))
        found.index = in_zone(found.index, given.time_zone)
    features = model.input_shape[-1]
    if len(model.input_shape) != 3 or features != len(found.columns):
        raise console.UsageError(
            f"{path} has {len(found.columns)} columns of numbers, "
            f"{', '.join(found.columns)}; the model takes "
            f"{model.input_shape}, (batch, time, features)"
        )
    steps = model.input_shape[1] or len(found)
    if len(found) < steps:
        raise console.UsageError(
            f"{path} has {len(found)} rows; the model takes {steps}"
        )
    last = found.iloc[-steps:]
    return last.to_numpy()[np.newaxis], Reading(last, horizon)


def report(trace: "GateTrace", text: str | None) -> None:
    """Print gate saturation, memory half-lives and correlated units."""
    from keras_gatelstm.inspect.gate_sums import GateSums
    from keras_gatelstm.inspect.statistics import text_properties
    from recipes.gate_summary import summary_of

    properties = {} if text is None else text_properties(text)
    sums = {
        path: GateSums.of(layer, properties) for path, layer in trace.items()
    }
    print(f"\n{summary_of(sums)}\n")


if __name__ == "__main__":
    sys.exit(console.run("look", main))
