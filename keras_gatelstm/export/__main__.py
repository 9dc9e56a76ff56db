"""Export a Keras model, and print a report.

    python -m keras_gatelstm.export model.keras --litert model.tflite
    python -m keras_gatelstm.export model.keras --saved-model models/mine

The .keras file may have layers of Keras and of keras_gatelstm.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import numpy as np

    from keras_gatelstm.export import Report, SavedModel

PROGRAM = "python -m keras_gatelstm.export"


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        for it in sys.argv[1:] if args is None else args:
            # argparse takes its value for the end of the options.
            if it.startswith("-") and it.endswith("=--"):
                self.error(f"argument {it.removesuffix('=--')}: received '--'")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print the message and exit."""
        self.exit(2, f"{self.prog}: error: {one_line(message)}\n")


def one_line(message: object) -> str:
    """Return a message in one line that a terminal can show."""
    text = " ".join(str(message).split())
    return text.encode("utf-8", "backslashreplace").decode()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = Parser(
        prog=PROGRAM,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", type=path, metavar="MODEL.keras", help="what to export")
    serving = parser.add_argument_group("for TensorFlow Serving")
    serving.add_argument(
        "--saved-model",
        type=path,
        metavar="FOLDER",
        help="folder of all versions; the next one is written",
    )
    serving.add_argument(
        "--vocabulary",
        type=path,
        metavar="FILE.json",
        help="a character model's characters, as recipes.char_text writes "
        "them: text in, text out",
    )
    litert = parser.add_argument_group("for LiteRT")
    add = litert.add_argument
    add("--litert", type=path, metavar="FILE", help="the .tflite file")
    add(
        "--form",
        default="auto",
        choices=["auto", "fused", "looped", "unrolled", "streaming"],
        help="how it runs over time (default: auto, the fastest possible)",
    )
    add("--quantize", choices=["dynamic", "float16", "int8"])
    add(
        "--representative-data",
        type=path,
        metavar="FILE.npy",
        help="examples of the input, (examples, time, ...), for int8",
    )
    add(
        "--batch-size",
        type=whole_number,
        default=1,
        metavar="N",
        help="sequences at once; 0 for any number (default: 1)",
    )
    add(
        "--steps",
        type=positive,
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


def path(text: str) -> Path:
    """Parse a path; for `add_argument(type=...)`."""
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"expected a path, received {text!r}")
    return Path(text)


def whole_number(text: str) -> int:
    """Parse a whole number; for `add_argument(type=...)`."""
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(
            f"expected a whole number up to 999999999, received {text!r:.40}"
        )
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number above zero; for `add_argument(type=...)`."""
    number = whole_number(text)
    if number == 0:
        raise argparse.ArgumentTypeError("expected a number above zero")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    args = parse(arguments)
    try:
        _require_tensorflow()
        for line in run_exports(args):
            print(line, flush=True)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if not _is_user_error(error):
            raise
        text = one_line(error) or "not enough memory"
        print(f"{PROGRAM}: error: {text}", file=sys.stderr)
        return 2
    return 0


def _require_tensorflow() -> None:
    """Refuse another Keras backend, before Keras imports it."""
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise ValueError(
            "models are exported with TensorFlow, also those that were trained "
            f"with another backend: unset KERAS_BACKEND. Received: {backend}"
        )


def run_exports(
    args: argparse.Namespace,
) -> "Iterator[SavedModel | Report]":
    """Export as the arguments say; yield a report of each export."""
    # TensorFlow takes seconds to import: report mistakes before.
    check_paths(args)
    vocabulary = args.vocabulary and read_vocabulary(args.vocabulary)
    examples = args.representative_data and read_array(args.representative_data)
    from keras_gatelstm.core.model_file import load_model
    from keras_gatelstm.export import export_litert, export_saved_model

    model = load_model(args.model)
    if args.saved_model:
        yield export_saved_model(model, args.saved_model, vocabulary=vocabulary)
    if args.litert:
        yield export_litert(
            model,
            args.litert,
            args.form,
            args.quantize,
            time_steps=args.steps,
            batch_size=args.batch_size or None,
            representative_data=examples,
            target="micro" if args.micro else None,
            gates=args.gates,
        )


def check_paths(args: argparse.Namespace) -> None:
    """Refuse files that are not there, and places that cannot be written."""
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
    for option, folder in (
        ("--litert", args.litert and args.litert.parent),
        ("--saved-model", args.saved_model),
    ):
        for place in (folder, *folder.parents) if folder else ():
            if place.exists() and not place.is_dir():
                raise ValueError(f"{option}: {place} is a file, not a folder")


def read_vocabulary(path: Path) -> list[str]:
    """Read a model's characters from a JSON file."""
    try:
        characters = json.loads(path.read_text("utf-8"))["characters"]
        single = [isinstance(it, str) and len(it) == 1 for it in characters]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} holds no vocabulary: recipes.char_text writes one"
        ) from error
    if not isinstance(characters, list) or not all(single):
        raise ValueError(
            f'"characters" in {path} must be a list of single characters'
        )
    return characters


def read_array(path: Path) -> "np.ndarray":
    """Read an array from NumPy's file."""
    import numpy as np

    try:
        array = np.lib.format.open_memmap(path, mode="r")
    # Damaged headers raise errors of many types: NumPy parses them as Python.
    except Exception as error:
        raise ValueError(
            f"{path} holds no array: write it with numpy.save"
        ) from error
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        raise ValueError(
            f"{path} must hold finite numbers. Received: {array.dtype}, shape "
            f"{array.shape}"
        )
    return array


def _is_user_error(error: Exception) -> bool:
    """Return whether the user can act on an error, so that a line is enough.

    These are `ExportError` and Python's errors for bad values and files.
    """
    kinds = (ValueError, TypeError, OSError, ImportError, MemoryError)
    if isinstance(error, kinds):
        return True
    return type(error).__name__ == "ExportError"


if __name__ == "__main__":
    # Clean up on SIGTERM as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
