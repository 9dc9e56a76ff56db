"""Write a page in which a character model runs, to look at its gates.

    python -m recipes.live saved_models/char_text/model.keras
    python -m recipes.live MODEL.keras --text-file play.txt --output page.html
    python -m recipes.live MODEL.keras --folder site
    python -m recipes.live MODEL.keras --serve

In the page, the model reads what is typed, one character at a time: the page
draws the gates of a unit with their values, and holds gates at others. It is
one HTML file that opens from the disk, `live.html` beside the model, or with
`--folder` a folder for a static host. Nothing is fetched from elsewhere.

The characters are those of `vocabulary.json` near the model. Units to point
out are those that go with properties of a text: that of `--text-file`, or one
that the model writes. `make web` builds the page's program, once.
"""

import argparse
import http.server
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipes import console
from recipes.data.vocabulary import Vocabulary
from recipes.live_page import site
from recipes.output_folder import refuse_replacing

if TYPE_CHECKING:
    import keras

    from recipes.live_page.description import Description

# Characters of a text in which notable units are looked for.
LEAST_TEXT, MOST_TEXT = 200, 4000
WRITTEN = 2000
TEMPERATURE = 0.7
STARTING = 80


def main(arguments: Sequence[str] | None = None) -> None:
    """Export the model, and write the page."""
    args = parse(arguments)
    target: Path = args.folder or args.output or args.model.parent / "live.html"
    vocabulary_file = args.vocabulary or console.near(
        args.model, "vocabulary.json"
    )
    check(args, target, vocabulary_file)
    site.check_built()
    vocabulary = Vocabulary.load(vocabulary_file)
    text = read(args.text_file) if args.text_file else ""
    if not args.serve:
        write(args, target, vocabulary, text)
        return
    with bind(target if args.folder else target.parent, args.port) as server:
        write(args, target, vocabulary, text)
        page = "" if args.folder else target.name
        print(f"http://127.0.0.1:{server.server_port}/{page} until Ctrl-C")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def write(
    args: argparse.Namespace, target: Path, vocabulary: Vocabulary, text: str
) -> None:
    """Export the model, and write the page.

    Args:
        args: The arguments.
        target: The file, or the folder, to write.
        vocabulary: The model's characters.
        text: A text to find units with; if empty, the model writes one.
    """
    # Imported late, so that usage errors do not wait for TensorFlow.
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes.look import load

    model = prepared(load(args.model), args.model, vocabulary)
    if not text:
        print("writing a text to find units with")
        text = write_text(args.model, vocabulary)
    print("exporting")
    folder = target if args.folder else target.parent
    with stage_in(folder) as stage:
        description, step = describe_and_export(
            model, vocabulary, args.model, text, stage
        )
        if args.folder:
            site.write_folder(description, step, stage)
        else:
            site.write_file(description, step, stage / target.name)
        step.unlink()
        move_into(stage, folder)
    paths = [target / it for it in site.WRITTEN] if args.folder else [target]
    size = sum(path.stat().st_size for path in paths)
    print(f"written:\n  {target} ({size / 1e6:.1f} MB)")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = console.Parser(
        prog="python -m recipes.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=console.path, metavar="MODEL.keras")
    parser.add_argument(
        "--text-file",
        type=console.path,
        help="a text to find notable units with, and to begin with",
        metavar="FILE",
    )
    parser.add_argument(
        "--vocabulary",
        type=console.path,
        help="the model's characters (default: vocabulary.json near it)",
        metavar="FILE",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--output",
        type=console.path,
        help="the page (default: live.html, beside the model)",
        metavar="FILE.html",
    )
    where.add_argument(
        "--folder",
        type=console.path,
        help="a folder for a static host, in the place of one file",
        metavar="FOLDER",
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        help="show it at http://127.0.0.1 until Ctrl-C",
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=8000,
        help="of --serve (default: 8000)",
        metavar="N",
    )
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    """Parse a port; for `add_argument(type=...)`."""
    number = int(text) if text.isdecimal() else 0
    if not 0 < number < 2**16:
        raise argparse.ArgumentTypeError(
            f"expected a number from 1 to 65535, received {text!r}"
        )
    return number


def check(args: argparse.Namespace, target: Path, vocabulary: Path) -> None:
    """Refuse missing and mistaken files, before TensorFlow is loaded."""
    written = site.WRITTEN if args.folder else [target.name]
    for path in (args.model, args.text_file, args.vocabulary):
        if path is not None and not path.is_file():
            raise console.UsageError(f"there is no file {path}")
    for path in (args.model, args.text_file, vocabulary):
        if path is not None:
            folder = target if args.folder else target.parent
            refuse_replacing(path, folder, written)
    if args.model.suffix != ".keras":
        raise console.UsageError(
            f"MODEL must be a .keras file. Received: {args.model}"
        )
    if args.folder:
        console.check_folder(target, "--folder")
    elif target.is_dir():
        raise console.UsageError(
            f"--output {target} is a folder: name a file, or take --folder"
        )


def read(path: Path) -> str:
    """Read a text file.

    Raises:
        UsageError: if the text is not in UTF-8, or too short.
    """
    try:
        text = path.read_text("utf-8")[:MOST_TEXT]
    except UnicodeDecodeError as error:
        raise console.UsageError(f"{path} is not in UTF-8") from error
    if len(text) < LEAST_TEXT:
        raise console.UsageError(
            f"{path} has {len(text)} characters: to find units that go with "
            f"properties of a text takes {LEAST_TEXT}"
        )
    return text


def prepared(
    model: "keras.Model", path: Path, vocabulary: Vocabulary
) -> "keras.Model":
    """Return a model ready for export.

    Raises:
        UsageError: if it is not a character model of this vocabulary.
    """
    from keras_gatelstm.export.inputs import output_names
    from keras_gatelstm.export.prepare import prepare

    try:
        ready = prepare(model, mixed_precision=False)
    except (ValueError, TypeError) as error:
        first, *_ = str(error).splitlines()
        raise console.UsageError(f"{path}: {first}") from error
    expected = [(None, None)], [(None, None, len(vocabulary))]
    shapes = [tuple(it.shape) for it in ready.inputs]
    outputs = [tuple(it.shape) for it in ready.outputs]
    if (shapes, outputs) != expected or len(output_names(ready)) != 1:
        raise console.UsageError(
            f"{path} takes {shapes} and gives {outputs}: the page runs "
            "character models, from (batch, time) to (batch, time, "
            f"characters), here {len(vocabulary)}"
        )
    some = ready(np.zeros((1, 2), "int32")).numpy()
    if some.min() >= 0 and np.allclose(some.sum(axis=-1), 1, atol=1e-3):
        raise console.UsageError(
            f"{path} gives probabilities: the page needs logits, from a last "
            "layer without softmax"
        )
    return ready


def write_text(path: Path, vocabulary: Vocabulary) -> str:
    """Have the model write a text."""
    from recipes.characters.reading import reader_of
    from recipes.sample import generate

    reader = reader_of(path, len(vocabulary))
    (first,) = vocabulary.encode("\n")
    symbols = generate(reader, reader(int(first)), TEMPERATURE, None, seed=1)
    return vocabulary.decode(islice(symbols, WRITTEN))


def describe_and_export(
    model: "keras.Model",
    vocabulary: Vocabulary,
    path: Path,
    text: str,
    stage: Path,
) -> tuple["Description", Path]:
    """Describe a model, and export its step.

    Raises:
        UsageError: if the model cannot be run step by step.
    """
    from keras_gatelstm.export import ExportError, export_litert
    from recipes.live_page.description import describe

    step = stage / ".step.tflite"
    start = text[:STARTING]
    try:
        report = export_litert(model, step, "streaming", gates=True)
        described = describe(
            model, vocabulary, path.absolute().parent.name, text, start
        )
    except (ValueError, ExportError) as error:
        first, *_ = str(error).splitlines()
        raise console.UsageError(f"{path}: {first}") from error
    print(f"differs from Keras by {report.largest_error:.1e}")
    return described, step


def bind(folder: Path, port: int) -> http.server.HTTPServer:
    """Return a server of a folder on this machine, not yet serving.

    Raises:
        UsageError: if the port is in use.
    """
    handler = partial(
        http.server.SimpleHTTPRequestHandler, directory=str(folder)
    )
    try:
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise console.UsageError(
            f"--port {port}: {error.strerror or error}"
        ) from error


if __name__ == "__main__":
    sys.exit(console.run("live", main))
