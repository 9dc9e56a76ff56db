"""Scoring of texts, chunk by chunk."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gatelstm import record_gates, statistics
from recipes.scoring import documents, parts
from recipes.scoring.documents import Corpus
from tests.recipes.score.texts import (
    POEM,
    TEXTS,
    nats_of,
    windows_of,
    write_texts,
)


def test_chunks_and_documents_have_the_losses_of_keras(
    model, score_texts, tmp_path, capsys
):
    output = score_texts(write_texts(tmp_path / "texts"))
    documents = pd.read_parquet(output / "documents.parquet")
    chunks = pd.read_parquet(output / "chunks")
    assert documents["document"].tolist() == list(TEXTS)
    assert documents["chunks"].sum() == len(chunks)
    for document in documents.itertuples():
        text = TEXTS[document.document]
        mine = chunks[chunks["document"] == document.document]
        windows = list(windows_of(text))
        for chunk, window in zip(mine.itertuples(), windows, strict=True):
            nats, characters = nats_of(model, *window)
            assert chunk.characters == characters
            assert chunk.nats == pytest.approx(nats, rel=1e-5)
        assert document.characters == max(len(text) - 1, 0)
        assert document.nats == pytest.approx(mine["nats"].sum(), rel=1e-12)
        unknown = np.count_nonzero(model.vocabulary.encode(text)[1:] == 0)
        assert document.unknown == mine["unknown"].sum() == unknown
    told = json.loads((output / "summary.json").read_text())
    assert told["documents"] == len(TEXTS)
    mean = documents["nats"].sum() / documents["characters"].sum()
    assert told["nats_per_character"] == pytest.approx(mean, rel=1e-12)
    assert f"nats per character: {mean:.4f}" in capsys.readouterr().out
    assert not (output / "unfinished-scores").exists()


def test_rows_of_parquet_are_documents(model, score_texts, tmp_path):
    texts = [POEM, None, "Warte nur, balde\n" * 5]
    table = pa.table({"id": ["p", "q", "r"], "text": texts})
    pq.write_table(table, tmp_path / "poems.parquet", row_group_size=2)
    output = score_texts(
        tmp_path / "poems.parquet",
        *("--id-column", "id", "--text-column", "text"),
    )
    documents = pd.read_parquet(output / "documents.parquet")
    assert documents["document"].tolist() == ["p", "q", "r"]
    for document, text in zip(documents.itertuples(), texts, strict=True):
        expected = [nats_of(model, *it) for it in windows_of(text or "")]
        nats = sum(it for it, _ in expected)
        assert document.nats == pytest.approx(nats, rel=1e-5)


@given(
    text=st.text(st.characters(codec="utf-8"), max_size=300),
    chunk=st.integers(16, 40),
    context=st.integers(16, 40),
    size=st.integers(1, 3),
    marked=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_every_character_is_in_one_chunk(
    tmp_path_factory, text, chunk, context, size, marked
):
    folder = tmp_path_factory.mktemp("text")
    code = b"\xef\xbb\xbf" * marked + text.encode()
    (folder / "a").write_bytes(code)
    corpus = Corpus(folder, chunk, context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "LEAST_BYTES", size)
        patch.setattr(documents, "LEAST_BYTES", size)
        found = corpus.parts()
    windows = [it for part in found for it in corpus.windows(part)]
    assert len(windows) == max(1, -(-len(code) // chunk))
    assert len({it.start for it in windows}) == len(windows)
    if text.startswith("\ufeff") and not marked:
        text = text[1:]
    assert "".join(it.text for it in windows) == text
    for place, it in enumerate(windows[1:], 1):
        before = "".join(one.text for one in windows[:place])
        assert before.endswith(it.context)


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=60)
def test_bytes_that_are_no_text_are_scored_once(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a").write_bytes(content)
    corpus = Corpus(folder, 16, 16)
    windows = [it for part in corpus.parts() for it in corpus.windows(part)]
    assert len(windows) == max(1, -(-len(content) // 16))
    starts = [it.start for it in windows]
    for place, start in enumerate(starts):
        assert 16 * place <= start <= 16 * place + 3
    for it, start, stop in zip(
        windows, starts, [*starts[1:], None], strict=True
    ):
        assert it.text == content[start:stop].decode(errors="replace")


def test_gates_are_summed_up_over_all_chunks(
    model, score_texts, tmp_path, capsys
):
    output = score_texts(write_texts(tmp_path / "texts"), "--gates")
    table = pd.read_parquet(output / "gates.parquet").set_index("layer")
    windows = [it for text in TEXTS.values() for it in windows_of(text)]
    traces, read, first = [], [], []
    for context, text in windows:
        if text:
            read.append(context + text)
            symbols = model.vocabulary.encode(read[-1])[np.newaxis]
            traces.append(record_gates(model, symbols))
            first.append(len(context))
    for layer, factor in (
        ("lower", "forget_factor"),
        ("upper", "update_factor"),
    ):
        mine = table.loc[layer].reset_index()
        memory = {"lower": "long_term_memory", "upper": "memory"}[layer]

        def steps(quantity, layer=layer):
            return np.concatenate(
                [
                    trace[layer][quantity][0, start:]
                    for trace, start in zip(traces, first, strict=True)
                ]
            )

        assert (mine["memory"] == memory).all()
        assert (mine["steps"] == sum(map(len, TEXTS.values()))).all()
        kept = steps(factor)
        low, high = (kept < 0.1).mean(0), (kept > 0.9).mean(0)
        np.testing.assert_allclose(mine[f"{factor}_low"], low, atol=1e-12)
        np.testing.assert_allclose(mine[f"{factor}_high"], high, atol=1e-12)
        half_life = np.log(0.5) / np.log(kept.astype(float)).mean(0)
        np.testing.assert_allclose(mine["half_life"], half_life, rtol=1e-4)
        upper = np.concatenate(
            [
                statistics.text_properties(it, True)["upper_case"][start:]
                for it, start in zip(read, first, strict=True)
            ]
        )
        found = [np.corrcoef(it, upper)[0, 1] for it in steps(memory).T]
        np.testing.assert_allclose(mine["upper_case"], found, atol=1e-4)
    shown = capsys.readouterr().out
    assert re.search(r"lower +forget_factor", shown)
    assert "half of a memory is gone in" in shown


@pytest.mark.parametrize("kind", ["dictionary", "large", "not UTF-8", "many"])
def test_texts_of_parquet_are_read_whatever_their_type(
    model, score_texts, tmp_path, kind
):
    texts = pa.array([POEM, None, "Warte nur"])
    expected = [POEM, "", "Warte nur"]
    if kind == "dictionary":
        texts = texts.dictionary_encode()
    elif kind == "large":
        texts = texts.cast(pa.large_string())
    elif kind == "many":
        texts = pa.array([POEM] * 3000)
        expected = [POEM] * 3000
    else:
        texts = pa.array([b"\xff\xfe", None, b"a\xffb"]).view(pa.string())
        expected = ["\ufffd\ufffd", "", "a\ufffdb"]
    data = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts}), data, row_group_size=1000)
    output = score_texts(data)
    found = pd.read_parquet(output / "documents.parquet")
    assert found["document"].tolist() == list(map(str, range(len(expected))))
    counts = [max(len(text) - 1, 0) for text in expected]
    assert found["characters"].tolist() == counts
    # However well it is packed in the file.
    if kind == "many":
        assert len(list((output / "chunks").iterdir())) > 1
