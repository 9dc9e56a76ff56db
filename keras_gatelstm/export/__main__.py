"""Export a Keras model, and print a report.

    python -m keras_gatelstm.export model.keras --litert model.tflite
    python -m keras_gatelstm.export model.keras --saved-model models/mine

The .keras file may have layers of Keras and of keras_gatelstm.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from keras_gatelstm.export import Report, SavedModel

PROGRAM = "python -m keras_gatelstm.export"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Parser(
        prog=PROGRAM,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.keras", help="what to export")
    serving = parser.add_argument_group("for TensorFlow Serving")
    serving.add_argument(
        "--saved-model",
        type=Path,
        metavar="FOLDER",
        help="folder of all versions; the next one is written",
    )
    serving.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE.json",
        help="a character model's characters, as recipes.char_text writes "
        "them: text in, text out",
    )
    litert = parser.add_argument_group("for LiteRT")
    add = litert.add_argument
    add("--litert", type=Path, metavar="FILE", help="the .tflite file")
    add(
        "--form",
        default="auto",
        choices=["auto", "fused", "looped", "unrolled", "streaming"],
        help="how it runs over time (default: auto, the fastest possible)",
    )
    add("--quantize", choices=["dynamic", "float16", "int8"])
    add(
        "--representative-data",
        type=Path,
        metavar="FILE.npy",
        help="examples of the input, (examples, time, ...), for int8",
    )
    add(
        "--batch-size",
        type=int,
        default=1,
        metavar="N",
        help="sequences at once; 0 for any number (default: 1)",
    )
    add(
        "--steps",
        type=int,
        metavar="T",
        help="length of the sequences (default: any)",
    )
    add(
        "--gates",
        action="store_true",
        help="with --form streaming: give every gate's values, and hold them",
    )
    add("--micro", action="store_true", help="check on microcontrollers' too")
    args = parser.parse_args(arguments)
    if not (args.saved_model or args.litert):
        parser.error("name a --saved-model folder, a --litert file, or both")
    return args


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    args = parse(arguments)
    try:
        for line in run_exports(args):
            print(line, flush=True)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not _is_user_error(error):
            raise
        text = " ".join(str(error).split())
        print(f"{PROGRAM}: error: {text}", file=sys.stderr)
        return 2
    return 0


def run_exports(
    args: argparse.Namespace,
) -> "Iterator[SavedModel | Report]":
    """Export as the arguments say; yield a report of each export."""
    for path in (args.model, args.vocabulary, args.representative_data):
        if path is None:
            continue
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        if args.litert and args.litert.exists() and args.litert.samefile(path):
            raise ValueError(
                f"{path} would be replaced by the file for LiteRT: give "
                "--litert another name"
            )
    # TensorFlow takes seconds to import: report mistakes before.
    import keras
    import numpy as np

    from keras_gatelstm.export import export_litert, export_saved_model

    try:
        model = keras.models.load_model(args.model, compile=False)
    except Exception as error:
        raise ValueError(
            f"{args.model} cannot be loaded by Keras: {error}"
        ) from error
    if args.saved_model:
        vocabulary = None
        if args.vocabulary:
            content = json.loads(args.vocabulary.read_text("utf-8"))
            vocabulary = content["characters"]
        yield export_saved_model(model, args.saved_model, vocabulary=vocabulary)
    if args.litert:
        examples = args.representative_data
        yield export_litert(
            model,
            args.litert,
            args.form,
            args.quantize,
            time_steps=args.steps,
            batch_size=args.batch_size or None,
            representative_data=None if examples is None else np.load(examples),
            target="micro" if args.micro else None,
            gates=args.gates,
        )


def _is_user_error(error: Exception) -> bool:
    """Return whether the user can act on an error, so that a line is enough.

    These are `ExportError` and Python's errors for bad values and files.
    """
    if isinstance(error, ValueError | TypeError | OSError | ImportError):
        return True
    return type(error).__name__ == "ExportError"


if __name__ == "__main__":
    # Clean up on SIGTERM as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
