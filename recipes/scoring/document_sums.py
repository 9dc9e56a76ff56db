"""Sums over the chunks of documents."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from recipes.scoring.folder import Folder

# Documents with the lowest losses that are kept, and with the highest.
SHOWN = 5

_DOCUMENTS = pa.schema(
    {
        "document": pa.string(),
        "chunks": pa.int64(),
        "characters": pa.int64(),
        "unknown": pa.int64(),
        "nats": pa.float64(),
        "nats_per_character": pa.float64(),
    }
)
# Columns that are summed up over the chunks of a document.
_SUMMED = ["chunks", "characters", "unknown", "nats"]
# Number of a document in a part, if it began in an earlier part.
_CONTINUED = 0


@dataclass
class Totals:
    """Sums over all documents.

    Args:
        documents: Number of documents.
        chunks: Number of chunks.
        characters: Number of characters that were scored.
        unknown: Number of unknown ones among them.
        nats: Sum of their losses.
        extremes: Rows of the documents with the lowest and the highest losses.
    """

    documents: int
    chunks: int
    characters: int
    unknown: int
    nats: float
    extremes: pd.DataFrame


def write_documents(folder: Folder, parts: int, path: Path) -> Totals:
    """Sum up the chunks of all parts in order, and write a row per document.

    No more than a part is in memory, and what a document has so far.

    Args:
        folder: The folder of the chunks.
        parts: The number of parts.
        path: The file to write.
    """
    totals = Totals(0, 0, 0, 0, 0.0, pd.DataFrame())
    with pq.ParquetWriter(path, _DOCUMENTS) as writer:
        for done in _documents(folder, parts):
            writer.write_table(
                pa.Table.from_pandas(done, _DOCUMENTS, preserve_index=False)
            )
            totals.documents += len(done)
            totals.chunks += int(done["chunks"].sum())
            totals.characters += int(done["characters"].sum())
            totals.unknown += int(done["unknown"].sum())
            # One after the other, so that the sum does not depend on parts.
            for nats in done["nats"]:
                totals.nats += nats
            totals.extremes = _extremes(pd.concat([totals.extremes, done]))
    return totals


def _documents(folder: Folder, parts: int) -> Iterator[pd.DataFrame]:
    """Yield rows of documents, each as soon as it is complete."""
    left = pd.DataFrame()
    for part in tqdm(range(parts), "summing up", delay=1, leave=False):
        found = _sums_by_document(folder.rows_of(part))
        if found.index[0] == _CONTINUED:
            found.loc[_CONTINUED, _SUMMED] += left.iloc[0][_SUMMED]
            left = left[:0]
        done = pd.concat([left, found[:-1]])
        if len(done):
            yield _with_means(done)
        left = found[-1:]
    yield _with_means(left)


def _sums_by_document(path: Path) -> pd.DataFrame:
    """Sum up the chunks of each document of a part.

    The chunks of one that began in an earlier part have the number 0.
    """
    chunks = pq.read_table(path).to_pandas().assign(chunks=1)
    begins = chunks["start"] <= len(codecs.BOM_UTF8)
    documents = chunks.groupby(begins.cumsum())
    sums = documents[_SUMMED].sum()
    sums.insert(0, "document", documents["document"].first())
    return sums


def _with_means(documents: pd.DataFrame) -> pd.DataFrame:
    counts = documents["characters"]
    means = documents["nats"] / counts.where(counts > 0)
    return documents.assign(nats_per_character=means)


def _extremes(documents: pd.DataFrame) -> pd.DataFrame:
    """Return the documents with the lowest and the highest losses."""
    columns = ["document", "characters", "nats_per_character"]
    ordered = (
        documents[columns]
        .dropna()
        .sort_values("nats_per_character", kind="stable")
    )
    if len(ordered) <= 2 * SHOWN:
        return ordered
    return pd.concat([ordered[:SHOWN], ordered[-SHOWN:]])
