"""Write the results of a training atomically, and report them."""

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

import keras_gatelstm
from keras_gatelstm import export
from keras_gatelstm.core.files import move_into, stage_in
from recipes.console import UsageError
from recipes.options import Settings
from recipes.training.budget import History


class Exported(NamedTuple):
    """Exported files of a model.

    Args:
        differences: Largest difference of each file's outputs from the
            evaluated model's, by file name.
        left_out: Reason for each file that was not written, by file name.
    """

    differences: dict[str, float]
    left_out: dict[str, str]


def versions() -> dict[str, str]:
    """Return the versions of Python and the packages used."""
    return {
        "python": platform.python_version(),
        "keras_gatelstm": keras_gatelstm.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }


@dataclass(frozen=True)
class Result:
    """Result of a training, ready to be written.

    Args:
        metrics: Entries of `metrics.json`.
        summary: Text to print.
        loss: Name of the training loss, for the plot.
        difference: Format string for a file's difference.
        warning: Last line to print; empty if the model beats its references.
        write: Function of a folder and a version number that writes all other
            files.
    """

    metrics: dict[str, Any]
    summary: str
    loss: str
    difference: str
    warning: str
    write: Callable[[Path, int], Exported]


def finish(
    model: keras.Model,
    history: History,
    settings: Settings,
    written: Sequence[str],
    result: Result,
) -> None:
    """Write a result to the output folder, and print it.

    Args:
        model: The trained model.
        history: History of the finished training.
        settings: The recipe's settings.
        written: Names of the files that may be written, in order.
        result: The result.
    """
    output = settings.output
    version = export.next_version(output / "serving")
    metrics = {
        "settings": settings.to_json(),
        "versions": versions(),
        "parameters": model.count_params(),
        "training_seconds": history.seconds,
        "training_batches": len(history.losses),
        **result.metrics,
    }
    print("exporting")
    with stage_in(output) as stage:
        history.plot(stage / "training.png", result.loss)
        exported = result.write(stage, version)
        metrics["exports_differ_by"] = exported.differences
        (stage / "metrics.json").write_text(json.dumps(metrics, indent=2))
        possible = [*written, f"serving/{version}"]
        names = [name for name in possible if (stage / name).exists()]
        move_into(stage, output)
        for name in exported.left_out:
            # A file of an earlier training would be mistaken for this one's.
            (output / name).unlink(missing_ok=True)
    print(f"\n{result.summary}\n")
    print(f"trained {history.seconds:.0f} s; written:")
    for name in names:
        compared = ""
        if name in exported.differences:
            difference = exported.differences[name]
            compared = f" ({result.difference.format(difference)})"
        print(f"  {output / name}{compared}")
    for name, reason in exported.left_out.items():
        print(f"no {name}: {reason}")
    if result.warning:
        print(result.warning)


def export_litert(
    model: keras.Model, path: Path, form: str = "auto", **options: Any
) -> float:
    """Export a model to a LiteRT file.

    Args:
        model: The model.
        path: The file.
        form: As in `keras_gatelstm.export.export_litert`.
        **options: Further arguments of that function.

    Returns:
        The largest difference of the file's outputs from Keras's.

    Raises:
        UsageError: if the model cannot be exported.
    """
    try:
        report = export.export_litert(model, path, form, **options)
    except export.ExportError as error:
        raise UsageError(f"{error} Nothing was written") from error
    return report.largest_error
