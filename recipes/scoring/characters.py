"""Losses of a character model on a corpus, by chunk and by document."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from tabulate import tabulate

from keras_gatelstm.inspect.gate_sums import GateSums
from keras_gatelstm.inspect.statistics import text_properties
from recipes import saved_model
from recipes.console import UsageError, one_line
from recipes.data.vocabulary import Vocabulary
from recipes.scoring import gates
from recipes.scoring.document_sums import write_documents
from recipes.scoring.documents import BATCH, Corpus, Window
from recipes.scoring.folder import CHUNKS, DOCUMENTS, Folder, Scored
from recipes.scoring.gates import LayerSums
from recipes.scoring.parts import Part
from recipes.scoring.task import Summary

# Fewer windows than a batch are read at once, if their logits or quantities
# are more numbers than these.
LOGITS, QUANTITIES = 2**24, 2**25

_CHUNKS = pa.schema(
    {
        "document": pa.string(),
        "start": pa.int64(),
        "characters": pa.int32(),
        "unknown": pa.int32(),
        "nats": pa.float64(),
    }
)


@dataclass(frozen=True)
class TextTask:
    """Scoring of texts by a character model.

    Args:
        model: Folder of the SavedModel.
        vocabulary: Its characters.
        corpus: The texts.
        gates: Whether to sum up the gates' statistics, too.
    """

    model: Path
    vocabulary: Vocabulary
    corpus: Corpus
    gates: bool
    rows: str = CHUNKS

    def parts(self) -> list[Part]:
        return self.corpus.parts()

    def scorer(self) -> "TextScorer":
        return TextScorer(self)

    def summarize(self, folder: Folder, parts: int, stage: Path) -> Summary:
        found = write_documents(folder, parts, stage / DOCUMENTS)
        nats = found.nats / found.characters if found.characters else math.nan
        unknown = found.unknown / max(found.characters, 1)
        entries = {
            "documents": found.documents,
            "chunks": found.chunks,
            "characters": found.characters,
            "unknown": found.unknown,
            "nats_per_character": None if math.isnan(nats) else nats,
        }
        lines = [
            f"documents: {found.documents:,}, chunks: {found.chunks:,}, "
            f"characters: {found.characters:,}",
            f"nats per character: {nats:.4f} (bits: {nats / math.log(2):.4f})",
        ]
        if found.unknown:
            lines.append(
                f"{unknown:.2%} of the characters are not in the model's "
                "vocabulary, and are scored as its unknown one"
            )
        if len(found.extremes) > 1:
            rows = [
                [one_line(name), f"{characters:,}", f"{mean:.3f}"]
                for name, characters, mean in found.extremes.to_numpy()
            ]
            heads = ["document", "characters", "nats per character"]
            aligned = ("left", "right", "right")
            shown = tabulate(
                rows, heads, disable_numparse=True, colalign=aligned
            )
            lines += ["", shown]
        return entries, "\n".join(lines)


class TextScorer:
    """Loaded character model.

    A SavedModel can run code when it is loaded.

    Args:
        task: The task.

    Raises:
        UsageError: if the model does not read characters, or knows others
            than the vocabulary.
    """

    def __init__(self, task: TextTask) -> None:
        self.task = task
        self.loaded = saved_model.load(task.model)
        self.signature = saved_model.signature_of(
            self.loaded, saved_model.DEFAULT, task.model
        )
        specs = self.signature.structured_input_signature[1]
        outputs = self.signature.structured_outputs
        shapes = [it.shape.rank for it in (*specs.values(), *outputs.values())]
        if shapes != [2, 3]:
            raise UsageError(
                f"{task.model} does not read texts: it must be a model that "
                "recipes.char_text exported"
            )
        (self.input,) = specs
        (logits,) = outputs.values()
        if logits.shape[-1] != len(task.vocabulary):
            raise UsageError(
                f"{task.model} knows {logits.shape[-1]} characters, its "
                f"vocabulary {len(task.vocabulary)}: it must be of the same "
                "training"
            )
        if task.gates:
            self.gates = gates.signature_of(self.loaded, task.model)
            quantities = self.gates.structured_outputs.values()
            self.quantities = sum(it.shape[-1] for it in quantities)

    def __call__(self, part: Part) -> Scored:
        windows = list(self.task.corpus.windows(part))
        encode = self.task.vocabulary.encode
        symbols = [encode(it.context + it.text) for it in windows]
        lengths = [len(it) for it in symbols]
        nats = np.zeros(len(windows))
        for places in _batches(lengths, LOGITS // len(self.task.vocabulary)):
            some = [windows[it] for it in places]
            numbers = _padded([symbols[it] for it in places])
            scored = _scored(some, numbers.shape[1])
            nats[places] = self._nats(numbers, scored)
        sums: LayerSums | None = None
        if self.task.gates:
            sums = {}
            for places in _batches(lengths, QUANTITIES // self.quantities):
                some = [windows[it] for it in places]
                numbers = _padded([symbols[it] for it in places])
                sums = self._add_gates(sums, some, numbers)
        return Scored(_chunks(windows, symbols, nats), sums)

    def _nats(self, numbers: np.ndarray, scored: np.ndarray) -> np.ndarray:
        """Return the loss of each row, `-ln P` of its scored characters."""
        import tensorflow as tf

        if numbers.shape[1] < 2:
            return np.zeros(len(numbers))
        read = {self.input: numbers[:, :-1]}
        (logits,) = saved_model.call(self.signature, read).values()
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            numbers[:, 1:], logits
        ).numpy()
        return np.where(scored[:, 1:], losses, 0.0).sum(1, dtype="float64")

    def _add_gates(
        self, sums: LayerSums, some: list[Window], numbers: np.ndarray
    ) -> LayerSums:
        """Return sums, with those of the gates at the chunks' characters."""
        if not numbers.shape[1]:
            return sums
        found = [
            text_properties(it.context + it.text, keep_constant=True)
            for it in some
        ]
        properties = {
            name: _padded([it[name] for it in found]) for name in found[0]
        }
        steps = np.arange(numbers.shape[1])
        first, stop = _borders(some)
        mask = (first <= steps) & (steps < stop)
        outputs = saved_model.call(self.gates, {self.input: numbers})
        more = {
            layer.path: GateSums.of(layer, properties)
            for layer in gates.traces(outputs, mask)
        }
        return gates.add(sums, more)


def _batches(lengths: Sequence[int], most: int) -> Iterator[np.ndarray]:
    """Yield the numbers of windows of about the same length, in batches.

    Args:
        lengths: The windows' lengths.
        most: Characters of a batch, at most, unless one window has more.
    """
    order = np.argsort(lengths, kind="stable")
    stop = len(order)
    while stop:
        size = most // max(lengths[order[stop - 1]], 1)
        start = max(0, stop - min(max(size, 1), BATCH))
        yield order[start:stop]
        stop = start


def _padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return rows of different lengths as an array, with zeros behind them."""
    longest = max(map(len, rows))
    padded = np.zeros((len(rows), longest), rows[0].dtype)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


def _borders(windows: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
    """Return the first step of each chunk, and the step after the last."""
    first = np.array([[len(it.context)] for it in windows])
    return first, first + [[len(it.text)] for it in windows]


def _scored(windows: Sequence[Window], steps: int) -> np.ndarray:
    """Return which characters are scored: all but the first of a document."""
    first, stop = _borders(windows)
    place = np.arange(steps)
    return (np.maximum(first, 1) <= place) & (place < stop)


def _chunks(
    windows: Sequence[Window], symbols: Sequence[np.ndarray], nats: np.ndarray
) -> pa.Table:
    """Return a row for each chunk."""
    scored = [
        numbers[max(len(it.context), 1) :]
        for it, numbers in zip(windows, symbols, strict=True)
    ]
    return pa.table(
        {
            "document": [it.document for it in windows],
            "start": [it.start for it in windows],
            "characters": [len(it) for it in scored],
            "unknown": [np.count_nonzero(it == 0) for it in scored],
            "nats": nats,
        },
        _CHUNKS,
    )
