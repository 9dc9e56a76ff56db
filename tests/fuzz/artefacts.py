"""Valid models and data, small ones, to make malformed ones of."""

import json
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_gatelstm import GateLSTM, GateRNN, export, record_gates
from recipes import char_text
from recipes.data.columns import ColumnChoice
from recipes.data.file_format import FileFormat
from recipes.data.vocabulary import Vocabulary
from recipes.forecasting.description import Description
from recipes.training import checkpoints
from tests.fuzz import tables
from tests.recipes.killing import KilledError, checkpoints_written

CHARACTERS = "abcdefgh \n"
TEXT = "a bad cab fed a bee\nhad a fag ebb\n" * 40
LOOKBACK, HORIZON = 24, 6


class Artefacts(NamedTuple):
    """Paths of valid files.

    Args:
        characters: Folder of a character model in every form.
        series: Folder of a forecaster in every form.
        table: A CSV file that the forecaster takes.
        text: A text.
        examples: Arrays to quantise the forecaster with.
        unfinished: Output folder of a training that was killed.
        trace: A trace, without suffix: as `.npz` and as `.h5`.
    """

    characters: Path
    series: Path
    table: Path
    text: Path
    examples: Path
    unfinished: Path
    trace: Path


def in_folder(folder: Path) -> Artefacts:
    """Return the paths of the valid models and data of a folder."""
    return Artefacts(
        characters=folder / "characters",
        series=folder / "series",
        table=folder / "now.csv",
        text=folder / "text.txt",
        examples=folder / "examples.npy",
        unfinished=folder / "killed",
        trace=folder / "trace",
    )


def make(folder: Path) -> Artefacts:
    """Write valid models and data into a folder."""
    found = in_folder(folder)
    keras.utils.set_random_seed(1)
    _make_character_model(found.characters)
    _make_forecaster(found.series)
    found.table.write_bytes(tables.valid().encoded())
    found.text.write_text(TEXT)
    np.save(found.examples, np.zeros((4, LOOKBACK, 2), "float32"))
    _make_unfinished(found.text, found.unfinished)
    layer = GateLSTM(2, name="lstm")
    trace = record_gates(layer, np.ones((1, 4, 3)), tokens="abcd")
    for suffix in (".npz", ".h5"):
        trace.save(found.trace.with_suffix(suffix))
    return found


def _make_character_model(folder: Path) -> None:
    folder.mkdir()
    vocabulary = Vocabulary.of(CHARACTERS)
    vocabulary.save(folder / "vocabulary.json")
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(len(vocabulary), 4),
            GateLSTM(4, return_sequences=True, name="lstm"),
            keras.layers.Dense(len(vocabulary), name="logits"),
        ]
    )
    model.save(folder / "model.keras")
    export.export_saved_model(model, folder / "serving")
    export.export_litert(model, folder / "streaming.tflite", "streaming")


def _make_forecaster(folder: Path) -> None:
    folder.mkdir()
    Description(
        columns=["a", "b"],
        past=[],
        known=[],
        lookback=LOOKBACK,
        horizon=HORIZON,
        step_seconds=3600.0,
        coverage=0.9,
        half_widths=np.ones((HORIZON, 2)),
        file=FileFormat(),
        choice=ColumnChoice(),
    ).save(folder / "series.json")
    model = _forecaster(GateLSTM(4, name="lstm"))
    model.save(folder / "model.keras")
    export.export_litert(model, folder / "model.tflite", time_steps=LOOKBACK)
    # The smallest: hundreds of it are loaded.
    small = _forecaster(GateRNN(2, name="rnn"))
    export.export_saved_model(small, folder / "serving")


def _forecaster(layer: keras.Layer) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LOOKBACK, 2), name="series"),
            layer,
            keras.layers.Dense(HORIZON * 2),
            keras.layers.Reshape((HORIZON, 2), name="forecast"),
        ]
    )


def _make_unfinished(text: Path, output: Path) -> None:
    """Write a checkpoint of a training that has spent its budget.

    It was never validated: going on with it ends in a usage error.
    """
    arguments = f"--dataset {text} --output {output} --epochs 1 --units 4"
    arguments += " --embedding 2 --batch-size 2 --steps 8"
    try:
        with checkpoints_written(killed_after=2):
            char_text.main(arguments.split())
    except KilledError:
        pass
    folder = output / "unfinished"
    checkpoint = checkpoints.load(folder)
    assert checkpoint is not None
    spent = [1.0] * 1000
    checkpoints.remove(folder)
    checkpoints.save(
        folder, checkpoint._replace(facts=checkpoint.facts | {"losses": spent})
    )


def facts_of(checkpoint: Path) -> dict[str, object]:
    """Return the facts of a checkpoint's file."""
    with np.load(checkpoint) as members:
        return json.loads(str(members["facts"]))
