"""Keras model -> versioned SavedModel, for TensorFlow Serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import keras
import tensorflow as tf

from keras_gatelstm.core.files import move_into, stage_in
from keras_gatelstm.export.errors import (
    FormError,
    as_system_errors,
    name_file_in_errors,
)
from keras_gatelstm.export.prepare import prepare
from keras_gatelstm.export.serving import signatures
from keras_gatelstm.export.serving.scaling import Scaling
from keras_gatelstm.export.serving.signature_checks import (
    check_padded,
    check_step,
    sample_requests,
)
from keras_gatelstm.export.serving.signatures import Served
from keras_gatelstm.export.serving.text import TextModel
from keras_gatelstm.export.serving.warmup import write_configs, write_warm_up


@dataclass(frozen=True)
class SavedModel:
    """Path and signatures of an exported SavedModel.

    Attributes:
        path: The folder of the version.
        signatures: Signature -> its inputs and outputs.
        left_out: Signature that the model does not support -> the reason.
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
    """Write `<base_path>/<version>/`, a SavedModel for TensorFlow Serving.

    Exports are atomic: a server that polls `base_path` never sees part of a
    version. Versions are never overwritten. The SavedModel loads without Keras
    and `keras_gatelstm`, runs on any CPU, and keeps free batch and time axes.
    Keras's recurrent layers are converted by `convert.from_keras` first;
    stateful ones start with empty memories. `padded` and `step` are tested;
    signatures that fail are left out:

    - `serving_default`: from the model's inputs to its outputs, by name.
    - `padded`: for rows padded to one length, with an input `lengths`, int32,
      `(batch,)`, or `<input>_lengths` for each of several sequences. A row's
      outputs are those of the row alone.
    - `step`: one step, with memories in and out; start with zeros. Inputs
      have no time axis. Memories are named `<layer>_short_term_memory` and
      `<layer>_long_term_memory`, or `<layer>_memory` of a GRU or plain RNN.
    - `gates`: from the model's inputs to every quantity of every recurrent
      layer, `<layer>_<quantity>`, `(batch, time, units)`.
    - `generate`, with a vocabulary: from `text`, `(batch,)`, to the text that
      the model writes after it. `length`, `temperature` (0 picks the most
      likely character) and `seed` are scalars, optional over gRPC; they
      default to 200, 0.8 and 0.
    - `score`, with a vocabulary: from `text` to `nats_per_character`, without
      the first character. An empty text is read as a line break.

    In Python, `tf.saved_model.load(path)` has them in `.signatures`, where
    every input is required, and has `serving_default` as `.serve(*inputs)`.

    Also written are server settings to start from, `models.config` and
    `batching.config` in `base_path`, unless they exist; and in each version a
    warm-up request for each signature.

    Args:
        model: A built Sequential or functional model.
        base_path: The folder of all versions; made if it is missing.
        version: Positive integer. Default: one above the highest version.
        vocabulary: For a model from symbols, `(batch, time)`, to logits,
            `(batch, time, symbols)`: a character for each symbol, in order.
            The first stands for all unknown characters and is never written.
            Default `None`.
        scaling: For a forecaster: the scaling between the client's units and
            those of its training. Default `None`.
        name: The model's name in the server's settings. Default: the name of
            `base_path`.

    Returns:
        Path and signatures; printed, a table.

    Raises:
        TypeError: if `model` is not a Sequential or functional model.
        ValueError: if the model is not built, `version` exists or is not a
            positive integer, or the vocabulary does not fit the model.
        OSError: if a file cannot be written.

    Example:

    >>> model = keras.Sequential([keras.Input((None, 3)), GateLSTM(2)])
    >>> saved = export_saved_model(model, getfixture("tmp_path"))
    >>> saved.path.name, list(saved.signatures)
    ('1', ['serving_default', 'padded', 'step', 'gates'])
    """
    ready = prepare(model)
    base = Path(base_path)
    target = base / str(_check_version(base, version))
    served = Served(ready, scaling or Scaling())
    text = TextModel(served, vocabulary) if vocabulary else None
    functions, left_out = _make_signatures(served, text)
    with stage_in(base) as stage, name_file_in_errors(target):
        folder = stage / target.name
        _write(ready, functions, text, folder)
        name = name or base.resolve().name
        write_warm_up(folder, name, sample_requests(ready, functions))
        write_configs(stage / "settings", base, name)
        move_into(stage / "settings", base)
        # Last: a server loads a version as soon as its folder exists.
        folder.rename(target)
    described = {name: _describe(functions[name]) for name in functions}
    return SavedModel(target, described, left_out)


def next_version(base_path: str | Path) -> int:
    """Return one above the highest version in a folder, at least 1."""
    return max(_versions(Path(base_path)), default=0) + 1


def _make_signatures(
    served: Served, text: TextModel | None
) -> tuple[
    dict[str, tf.types.experimental.PolymorphicFunction], dict[str, str]
]:
    """Return the signatures that work, and why others are left out."""
    left_out = {}
    alone = signatures.serving_default(served)
    functions = {"serving_default": alone}
    try:
        padded = signatures.padded(served)
        check_padded(served.model, alone, padded)
        functions["padded"] = padded
    except FormError as error:
        left_out["padded"] = str(error)
    try:
        step = signatures.step(served)
        check_step(served.model, alone, step)
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
    functions: dict[str, tf.types.experimental.PolymorphicFunction],
    text: TextModel | None,
    folder: Path,
) -> None:
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.table = text.table if text else None
    module.serve = functions["serving_default"]
    with as_system_errors():
        tf.saved_model.save(module, str(folder), signatures=functions)


def _describe(function: tf.types.experimental.PolymorphicFunction) -> str:
    """Return the names of a signature's inputs and outputs, in a line."""
    concrete = function.get_concrete_function()
    inputs = keras.tree.flatten(concrete.structured_input_signature)
    names = [spec.name for spec in inputs if isinstance(spec, tf.TensorSpec)]
    outputs = list(concrete.structured_outputs)
    shown = outputs if len(outputs) < 6 else [*outputs[:3], "..."]
    return f"{', '.join(names)} -> {', '.join(shown)}"


def _versions(base: Path) -> list[int]:
    names = [path.name for path in base.iterdir()] if base.is_dir() else []
    return [int(name) for name in names if name.isdecimal()]


def _check_version(base: Path, version: int | None) -> int:
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
