"""Forecast the continuation of a series with a trained model.

    python -m recipes.forecast saved_models/time_series/model.keras now.csv
    python -m recipes.forecast saved_models/time_series/serving/1 now.csv
    python -m recipes.forecast MODEL.tflite now.csv --output soon.csv

The file, CSV or Parquet, must have the columns that the model was trained on,
and at least as many rows as the model's look-back; columns that are known ahead
go on for the horizon, with the targets empty. It is read as the file of the
training was. The forecast after the last row is written to `--output`, with an
interval for each number, and plotted in a picture beside it. The description of
the series is read from `series.json`, in the model's folder or a folder above.
A SavedModel can run code: load only files that you trust.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from recipes import console
from recipes.data.file_format import FileFormat, add_file_options
from recipes.forecasting import deployed
from recipes.forecasting.description import Description
from recipes.forecasting.reading import in_zone
from recipes.output_folder import refuse_replacing


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the series, forecast, and write the result."""
    args = parse(arguments)
    if not (args.model.is_file() or args.model.is_dir()):
        raise console.UsageError(f"there is no file or folder {args.model}")
    if (args.model / "model.keras").is_file():
        args.model /= "model.keras"
    deployed.check_form(args.model)
    series = Description.load(console.near(args.model, "series.json"))
    given = FileFormat.taken_from(vars(args))
    seen = deployed.read_series(args.file, given, series)
    seen.check_ahead()
    if seen.filled:
        print(f"{seen.filled:,} missing values filled with the one before")
    # Imported late, so that usage errors do not wait for TensorFlow.
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes.forecasting.pictures import draw_continuation

    known, times = seen.values, seen.times_ahead
    inputs = seen.inputs([len(known)])
    forecast = deployed.forecast(args.model, inputs, series)
    zone = given.or_else(series.file).time_zone
    known.index, times = (in_zone(it, zone) for it in (known.index, times))
    widths = series.half_widths
    with stage_in(args.output.parent) as stage:
        table(known, times, forecast, widths).to_csv(
            stage / args.output.name, index_label="time"
        )
        picture = args.output.with_suffix(".png").name
        draw_continuation(
            known, times, forecast, widths, series.coverage, stage / picture
        )
        move_into(stage, args.output.parent)
    print(
        f"{len(forecast)} steps from {times[0]} to {times[-1]}, with intervals "
        f"of {series.coverage:.0%}; written:"
    )
    print(f"  {args.output}")
    print(f"  {args.output.with_suffix('.png')}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = console.Parser(
        prog="python -m recipes.forecast",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=console.path, metavar="MODEL")
    parser.add_argument("file", type=console.path, metavar="FILE")
    add_file_options(parser)
    parser.add_argument(
        "--output",
        type=console.path,
        default=Path("forecast.csv"),
        help="file to write (default: forecast.csv)",
        metavar="FILE",
    )
    args = parser.parse_args(arguments)
    if args.output.suffix != ".csv":
        raise console.UsageError(
            f"--output takes the name of a .csv file. Received: {args.output}"
        )
    written = [args.output.name, args.output.with_suffix(".png").name]
    refuse_replacing(args.file, args.output.parent, written)
    return args


def table(
    known: pd.DataFrame,
    times: pd.DatetimeIndex,
    forecast: np.ndarray,
    widths: np.ndarray,
) -> pd.DataFrame:
    """Return each column's forecast and the ends of its interval."""
    columns = {}
    for number, name in enumerate(known.columns):
        values, width = forecast[:, number], widths[:, number]
        columns[name] = values
        columns[f"{name}_lower"] = values - width
        columns[f"{name}_upper"] = values + width
    return pd.DataFrame(columns, times)


if __name__ == "__main__":
    sys.exit(console.run("forecast", main))
