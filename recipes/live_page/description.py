"""Description of a character model, for the page in which it runs."""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_gatelstm import (
    GateGRUCell,
    GateLSTMCell,
    GateRNNCell,
    record_gates,
    statistics,
)
from keras_gatelstm.core.anatomy import Kind
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.export.litert.gates import gate_cells
from keras_gatelstm.inspect.colors import strongest
from keras_gatelstm.inspect.holding import holdable
from keras_gatelstm.inspect.interventions import cells_by_path
from keras_gatelstm.inspect.trace import LayerTrace
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary

# Units to point out in each layer, at most one for a property.
NOTABLE = 6


@dataclass(frozen=True)
class NotableUnit:
    """A unit whose memory goes with a property of the text.

    Args:
        unit: Its number.
        property: The property, in words.
        correlation: Pearson's.
    """

    unit: int
    property: str
    correlation: float


@dataclass(frozen=True)
class ShownQuantity:
    """A quantity of a layer, and how large it gets.

    Args:
        name: Its name.
        symbol: Its symbol in the equations.
        kind: `"factor"`, `"memory"` or `"value"`.
        gate: The gate that computes it.
        scale: The absolute value with the strongest colour; few are larger.
    """

    name: str
    symbol: str
    kind: Kind
    gate: str
    scale: float


@dataclass(frozen=True)
class Layer:
    """A recurrent layer, or one of the cells stacked in one.

    Args:
        name: The first part of the names of its quantities in the file.
        kind: `"lesson"`, `"standard"`, `"gru"` or `"rnn"`.
        units: The number of its units.
        memory: The memory that lasts longest.
        quantities: Its quantities, in order.
        holdable: Names of the quantities that can be held.
        notable: Units to point out, the best first.
    """

    name: str
    kind: str
    units: int
    memory: str
    quantities: list[ShownQuantity]
    holdable: list[str]
    notable: list[NotableUnit]


@dataclass(frozen=True)
class Description:
    """Description of a model, for the page.

    Args:
        title: Its name.
        characters: The characters, by number.
        unknown: The number of all other characters.
        input: The name of the input for a character.
        input_dtype: Its type, `"int32"` or `"float32"`.
        output: The name of the output with the logits.
        start: The text that the page begins with.
        layers: The recurrent layers, from the first to the last.
    """

    title: str
    characters: list[str]
    unknown: int
    input: str
    input_dtype: str
    output: str
    start: str
    layers: list[Layer]


def describe(
    model: keras.Model,
    vocabulary: Vocabulary,
    title: str,
    text: str,
    start: str,
) -> Description:
    """Describe a model.

    Args:
        model: A model that `prepare` returned.
        vocabulary: Its characters.
        title: Its name.
        text: A text to find notable units with.
        start: The text that the page begins with.

    Raises:
        UsageError: if a cell is of a kind that the page does not draw.
    """
    from keras_gatelstm.export.inputs import output_names

    (output,) = output_names(model)
    return Description(
        title=title,
        characters=list(vocabulary.characters),
        unknown=0,
        input=model.inputs[0].name,
        input_dtype=model.inputs[0].dtype,
        output=output,
        start=start,
        layers=list(_layers(model, vocabulary.encode(text), text)),
    )


def _layers(
    model: keras.Model, symbols: np.ndarray, text: str
) -> Iterator[Layer]:
    kinds = {name: _kind(name, it) for name, it in gate_cells(model).items()}
    trace = record_gates(model, symbols[np.newaxis])
    paths = {id(cell): path for path, cell in cells_by_path(model).items()}
    for name, cell in gate_cells(model).items():
        memory = cell.anatomy.main_memory
        assert memory is not None
        yield Layer(
            name=name,
            kind=kinds[name],
            units=cell.units,
            memory=memory.name,
            quantities=list(_quantities(cell, trace[paths[id(cell)]])),
            holdable=list(holdable(cell)),
            notable=list(_notable(trace[paths[id(cell)]], text)),
        )


def _kind(name: str, cell: GateCell) -> str:
    if type(cell) is GateLSTMCell:
        return cell.variant
    kinds = {GateGRUCell: "gru", GateRNNCell: "rnn"}
    if type(cell) not in kinds:
        raise UsageError(
            f"{name} is made of {type(cell).__name__}s: the page draws LSTMs, "
            "GRUs and plain RNNs"
        )
    return kinds[type(cell)]


def _quantities(cell: GateCell, layer: LayerTrace) -> Iterator[ShownQuantity]:
    for it in cell.anatomy.quantities:
        scale = round(strongest(layer[it.name]), 3) or 1.0
        yield ShownQuantity(it.name, it.symbol, it.kind, it.gate, scale)


def _notable(layer: LayerTrace, text: str) -> Iterator[NotableUnit]:
    """Yield the best unit of each property of the text, the best first."""
    properties = statistics.text_properties(text)
    everything = len(properties) * layer.shape[-1]
    seen: set[str] = set()
    for it in statistics.characterful_units(layer, properties, top=everything):
        if it.property in seen or not it.correlation:
            continue
        seen.add(it.property)
        words = it.property.replace("_", " ")
        yield NotableUnit(it.unit, words, round(it.correlation, 2))
        if len(seen) == NOTABLE:
            return
