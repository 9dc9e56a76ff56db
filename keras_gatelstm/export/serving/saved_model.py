"""Keras model -> versioned SavedModel, for TensorFlow Serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import keras
import tensorflow as tf

from keras_gatelstm.core.files import move_into, stage_in
from keras_gatelstm.export.errors import FormError, errors_of_system, writing
from keras_gatelstm.export.prepare import prepare
from keras_gatelstm.export.serving import signatures
from keras_gatelstm.export.serving.scaling import Scaling
from keras_gatelstm.export.serving.signature_checks import (
    lengths_work,
    requests,
    steps_work,
)
from keras_gatelstm.export.serving.signatures import Served
from keras_gatelstm.export.serving.text import TextModel
from keras_gatelstm.export.serving.warmup import write_configs, write_warm_up


@dataclass(frozen=True)
class SavedModel:
    """What was written.

    Attributes:
        path: The folder of the version.
        signatures: Signature -> its inputs and outputs.
        left_out: What the model cannot be asked for, and why.
    """

    path: Path
    signatures: dict[str, str]
    left_out: dict[str, str]

    def __str__(self) -> str:
        from tabulate import tabulate

        rows = [["SavedModel", str(self.path)], *self.signatures.items()]
        rows += [[f"no {name}", why] for name, why in self.left_out.items()]
        wrapped = [[name, fill(text, 60)] for name, text in rows]
        return tabulate(wrapped, tablefmt="plain", disable_numparse=True)


def export_saved_model(
    model: keras.Model,
    base_path: str | Path,
    version: int | None = None,
    *,
    vocabulary: Sequence[str] | None = None,
    scaling: Scaling | None = None,
    name: str | None = None,
) -> SavedModel:
    """Writes `<base_path>/<version>/`, whole or not at all.

    A server polls `base_path` and loads any version it finds there, so the
    files are written beside it and then renamed. A version that exists is
    never overwritten. It loads without Keras and without `keras_gatelstm`,
    runs on any CPU, and keeps the model's free batch and time. Keras's own
    recurrent layers are taken as they are, through `convert.from_keras`;
    stateful ones start with empty memories. Its signatures:

    - `serving_default`: the model's inputs to its outputs, by their names.
    - `padded`: the same for rows of unlike lengths, padded to one, and
      `lengths`, int32, `(batch,)`; `<input>_lengths` for each sequence of a
      model that takes several. A row gives what it would give alone.
    - `step`: one event and the memories, zeros to start with, to the outputs
      and the memories after. An event is an input without its axis of time;
      memories are named `<layer>_short_term_memory`,
      `<layer>_long_term_memory`, and `<layer>_memory` of a GRU or plain RNN.
    - `gates`: the model's inputs to every quantity of every recurrent layer,
      `<layer>_<quantity>`, `(batch, time, units)`.
    - with a vocabulary, `generate`: `text`, `(batch,)`, to what the model
      writes after it; `length`, `temperature` (at 0 the likeliest is taken)
      and `seed` are one for all, and may be left out over gRPC: they are 200,
      0.8 and 0 then. And `score`: `text` to `nats_per_character`, of those
      after the first. An empty text is read as a line break.

    In Python, `tf.saved_model.load(path)` has them in `.signatures`, where
    every input must be given, and has `.serve(*inputs)`, the model as it is.

    Beside the versions it writes `models.config` and `batching.config`, a
    server's settings to start from, where there are none; and in each version
    a request per signature for the server to warm up with.

    Args:
        model: A built Sequential or functional model.
        base_path: The folder of all versions, made if it is not there.
        version: Positive integer. Default: the highest one there, plus one.
        vocabulary: Of a model of symbols, `(batch, time)`, to logits,
            `(batch, time, symbols)`: a character for each symbol, in order.
            The first stands for all other characters: those in a text are
            read as it, and it is never written. Default `None`.
        scaling: Of a forecaster: between the units of those who ask and
            those that it was trained with. Default `None`.
        name: What a server is to call the model, in its settings. Default:
            the name of `base_path`.

    Returns:
        What was written; printed, it is a table.

    Raises:
        TypeError: if `model` is no Sequential or functional model.
        ValueError: if it is not built, `version` is not a positive integer
            or is there already, or the vocabulary is not the model's.
        OSError: if it cannot be written.

    Example:

    >>> model = keras.Sequential([keras.Input((None, 3)), GateLSTM(2)])
    >>> saved = export_saved_model(model, getfixture("tmp_path"))
    >>> saved.path.name, list(saved.signatures)
    ('1', ['serving_default', 'padded', 'step', 'gates'])
    """
    ready = prepare(model)
    base = Path(base_path)
    target = base / str(_version(base, version))
    served = Served(ready, scaling or Scaling())
    text = TextModel(served, vocabulary) if vocabulary else None
    functions, left_out = _functions(served, text)
    with stage_in(base) as stage, writing(target):
        folder = stage / target.name
        _write(ready, functions, text, folder)
        name = name or base.resolve().name
        write_warm_up(folder, name, requests(ready, functions))
        write_configs(stage / "settings", base, name)
        move_into(stage / "settings", base)
        # Last: a server takes a version for whole as soon as it is there.
        folder.rename(target)
    told = {name: _told(functions[name]) for name in functions}
    return SavedModel(target, told, left_out)


def next_version(base_path: str | Path) -> int:
    """The number above all versions in a folder; 1 where there are none."""
    return max(_versions(Path(base_path)), default=0) + 1


def _functions(
    served: Served, text: TextModel | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The signatures; and those left out, with the reason."""
    left_out = {}
    alone = signatures.serving_default(served)
    functions = {"serving_default": alone}
    try:
        padded = signatures.padded(served)
        lengths_work(served.model, alone, padded)
        functions["padded"] = padded
    except FormError as error:
        left_out["padded"] = str(error)
    try:
        step = signatures.step(served)
        steps_work(served.model, alone, step)
        functions["step"] = step
    except FormError as error:
        left_out["step"] = str(error)
    try:
        functions["gates"] = signatures.gates(served)
    except FormError as error:
        left_out["gates"] = str(error)
    if text and "step" in functions:
        functions |= {"generate": text.generate(), "score": text.score()}
    return functions, left_out


def _write(
    model: keras.Model,
    functions: dict[str, Any],
    text: TextModel | None,
    folder: Path,
) -> None:
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.table = text.table if text else None
    module.serve = functions["serving_default"]
    with errors_of_system():
        tf.saved_model.save(module, str(folder), signatures=functions)


def _told(function: Any) -> str:
    """A signature's inputs and outputs, in a line."""
    concrete = function.get_concrete_function()
    inputs = keras.tree.flatten(concrete.structured_input_signature)
    names = [spec.name for spec in inputs if isinstance(spec, tf.TensorSpec)]
    outputs = list(concrete.structured_outputs)
    shown = outputs if len(outputs) < 6 else [*outputs[:3], "..."]
    return f"{', '.join(names)} -> {', '.join(shown)}"


def _versions(base: Path) -> list[int]:
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    return [int(name) for name in names if name.isdecimal()]


def _version(base: Path, version: int | None) -> int:
    if version is None:
        return next_version(base)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(
            f"version must be a positive integer. Received: {version!r}"
        )
    if version in _versions(base):
        raise ValueError(
            f"version {version} is already in {base}: versions are never "
            "overwritten; take another number, or None for the next"
        )
    return version
