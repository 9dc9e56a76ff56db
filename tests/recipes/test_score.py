"""Scoring of texts and of series, part by part."""

import json
import os
import re
import shutil
import signal
from contextlib import suppress
from threading import Event, Thread

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gatelstm import GateGRU, GateLSTM, record_gates, statistics
from keras_gatelstm.export import export_saved_model
from recipes import score
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from recipes.scoring import documents, folder, parts, running
from recipes.scoring.documents import Corpus
from tests.families import randomize

POEM = "Über allen Gipfeln\nIst Ruh',\nIn allen Wipfeln\n"
CHUNK, CONTEXT = 32, 16


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A character model of random weights, and its SavedModel."""
    vocabulary = Vocabulary.of(POEM)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            keras.layers.Embedding(len(vocabulary), 6),
            GateLSTM(5, return_sequences=True, name="lower"),
            GateGRU(4, return_sequences=True, name="upper"),
            keras.layers.Dense(len(vocabulary), name="logits"),
        ]
    )
    randomize(model)
    model.folder = tmp_path_factory.mktemp("model")
    vocabulary.save(model.folder / "vocabulary.json")
    model.vocabulary = vocabulary
    export_saved_model(
        model, model.folder / "serving", vocabulary=vocabulary.characters
    )
    return model


@pytest.fixture
def score_texts(model, tmp_path):
    """Scores texts in small chunks, and returns the output folder."""

    def run(data, *options, name="scores"):
        output = tmp_path / name
        score.main(
            [
                *map(str, (model.folder / "serving", data)),
                *("--output", str(output)),
                *("--chunk", str(CHUNK), "--context", str(CONTEXT)),
                *options,
            ]
        )
        return output

    return run


def windows_of(text, chunk=CHUNK, context=CONTEXT):
    """Context and text of each chunk, from the first byte of each character."""
    first = np.cumsum([0, *(len(it.encode()) for it in text)])[:-1]
    for start in range(0, max(len(text.encode()), 1), chunk):
        before = [start - context <= it < start for it in first]
        inside = [start <= it < start + chunk for it in first]
        yield tuple(
            "".join(it for it, taken in zip(text, which, strict=True) if taken)
            for which in (before, inside)
        )


def nats_of(model, context, text):
    """Sum of the losses of a text's characters, and their number."""
    symbols = model.vocabulary.encode(context + text)[np.newaxis]
    if symbols.shape[1] < 2:
        return 0.0, 0
    losses = keras.losses.sparse_categorical_crossentropy(
        symbols[:, 1:],
        model.predict_on_batch(symbols[:, :-1]),
        from_logits=True,
    )
    of_text = np.asarray(losses)[0, max(len(context), 1) - 1 :]
    return of_text.sum(), len(of_text)


TEXTS = {
    "a.txt": POEM * 9,
    "b.txt": "",
    "c.txt": "x",
    "more/d.txt": "?!" + POEM,
}


def write_texts(folder):
    """A folder of texts."""
    (folder / "more").mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    (folder / ".hidden").write_text(POEM)
    return folder


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
    assert "half of a memory is gone" in shown


def test_a_scoring_that_was_stopped_goes_on(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    monkeypatch.setattr(parts, "LEAST_BYTES", CHUNK)
    monkeypatch.setattr(documents, "LEAST_BYTES", CHUNK)
    whole = score_texts(data, "--gates", name="whole")
    scored = []
    score_one = running.Worker.score

    def stop_soon(worker, part):
        scored.append(part)
        if len(scored) == 5:
            raise KeyboardInterrupt
        return score_one(worker, part)

    with monkeypatch.context() as patch:
        patch.setattr(running.Worker, "score", stop_soon)
        with pytest.raises(KeyboardInterrupt):
            score_texts(data, "--gates")
    output = tmp_path / "scores"
    assert len(list((output / "chunks").iterdir())) == 4
    for options, message in (
        ([], "holds an unfinished scoring: go on with it with --resume"),
        (["--resume"], "gates was True when the scoring in"),
    ):
        with pytest.raises(UsageError, match=message):
            score_texts(data, *options)
    # As if it had been killed while it wrote.
    damaged = output / "chunks" / "part-000002.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    scored.clear()
    with monkeypatch.context() as patch:
        patch.setattr(
            running.Worker,
            "score",
            lambda worker, part: scored.append(part) or score_one(worker, part),
        )
        score_texts(data, "--gates", "--resume")
    assert scored == [2, *range(4, len(list((whole / "chunks").iterdir())))]
    assert_same_files(output, whole)
    with pytest.raises(UsageError, match="is there already: name another"):
        score_texts(data)
    with pytest.raises(UsageError, match="there is no unfinished scoring"):
        score_texts(data, "--resume")


def assert_same_files(one, other):
    """Two scorings gave the same, to the last bit."""
    names = sorted(str(it.relative_to(other)) for it in other.rglob("*.*"))
    assert "summary.json" in names
    assert sorted(str(it.relative_to(one)) for it in one.rglob("*.*")) == names
    for name in names:
        if name.endswith(".parquet"):
            found = pd.read_parquet(one / name)
            pd.testing.assert_frame_equal(
                found, pd.read_parquet(other / name), check_exact=True
            )
        else:
            assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_file_that_changed_meanwhile_is_refused(
    model, score_texts, tmp_path, monkeypatch
):
    data = write_texts(tmp_path / "texts")

    def change(worker, part):
        (data / "a.txt").write_text(POEM)
        return score_one(worker, part)

    score_one = running.Worker.score
    monkeypatch.setattr(running.Worker, "score", change)
    with pytest.raises(UsageError, match=r"a\.txt is not the file any more"):
        score_texts(data)
    monkeypatch.undo()
    # There was nothing to go on with.
    score_texts(data)


def test_a_part_that_ends_its_workers_is_given_up(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "deadly.txt"
    data.write_text(POEM)
    begin = folder.Folder.begin_attempt
    monkeypatch.setattr(
        folder.Folder,
        "begin_attempt",
        lambda it, part: [begin(it, part) for _ in range(6)][-1],
    )
    with pytest.raises(UsageError, match="5 workers died while they scored"):
        score_texts(data)


def test_a_stop_at_the_very_end_is_made_up_for(
    model, score_texts, tmp_path, monkeypatch
):
    data = write_texts(tmp_path / "texts")
    whole = score_texts(data, "--gates", name="whole")

    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder.Path, "unlink", stop)
    with pytest.raises(KeyboardInterrupt):
        score_texts(data, "--gates")
    monkeypatch.undo()
    score_texts(data, "--gates", "--resume")
    assert_same_files(tmp_path / "scores", whole)


def test_another_vocabulary_is_refused(
    model, score_texts, tmp_path, monkeypatch
):
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    score_one = running.Worker.score

    def stop_soon(worker, part):
        if part:
            raise KeyboardInterrupt
        return score_one(worker, part)

    for module in (parts, documents):
        monkeypatch.setattr(module, "LEAST_BYTES", CHUNK)
    monkeypatch.setattr(running.Worker, "score", stop_soon)
    with pytest.raises(KeyboardInterrupt):
        score_texts(data)
    path = model.folder / "vocabulary.json"
    before = path.read_text()
    try:
        Vocabulary(model.vocabulary.characters[:0:-1]).save(path)
        with pytest.raises(UsageError, match=r"has changed .* vocabulary"):
            score_texts(data, "--resume")
    finally:
        path.write_text(before)


def test_nothing_of_the_user_is_overwritten_or_scored_by_accident(
    score_texts, tmp_path
):
    data = tmp_path / "scores" / "documents.parquet"
    data.parent.mkdir()
    pq.write_table(pa.table({"text": [POEM]}), data)
    content = data.read_bytes()
    with pytest.raises(UsageError, match=r"parquet is there already"):
        score_texts(data)
    assert data.read_bytes() == content
    with pytest.raises(UsageError, match="whose files are scored: name a fol"):
        score_texts(tmp_path, name="more/scores")
    assert not (tmp_path / "more").exists()


def test_links_are_followed_once(model, score_texts, tmp_path):
    data = write_texts(tmp_path / "texts")
    (data / "loop").symlink_to(data)
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "e.txt").write_text(POEM)
    (data / "linked").symlink_to(tmp_path / "else")
    output = score_texts(data)
    found = pd.read_parquet(output / "documents.parquet")["document"]
    assert sorted(found) == sorted([*TEXTS, "linked/e.txt"])
    (data / "broken").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="broken is a link to nothing"):
        score_texts(data, name="again")
    (data / "broken").unlink()
    (data / "\n.txt").write_text(POEM)
    with pytest.raises(UsageError, match="cannot be printed: rename it"):
        score_texts(data, name="again")


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--chunk", "8"], "--chunk takes 16 bytes at least"),
        (["--every", "2"], "is a model of texts, for which --every does not"),
        (["--address", "auto"], "--address is for --workers"),
        (
            ["--text-column", "no"],
            "has no such columns called no: --text",
        ),
        (
            ["--id-column", "no"],
            "has no such columns called no: --id",
        ),
        (["--resume"], "there is no unfinished scoring"),
    ],
)
def test_wrong_options_are_refused(score_texts, tmp_path, options, message):
    pq.write_table(pa.table({"text": [POEM]}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match=message):
        score_texts(tmp_path / "a.parquet", *options)
    assert not (tmp_path / "scores").exists()


def test_wrong_data_and_models_are_refused(model, score_texts, tmp_path):
    with pytest.raises(UsageError, match="there is no file or folder"):
        score_texts(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="there is no file in"):
        score_texts(tmp_path / "empty")
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(UsageError, match="is no Parquet file"):
        score_texts(tmp_path / "a.parquet")
    two = pa.table({"a": ["x"], "b": ["y"]})
    pq.write_table(two, tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="several columns that could be meant"):
        score_texts(tmp_path / "a.parquet")
    (tmp_path / "a.txt").write_text(POEM)
    options = ["--output", str(tmp_path / "scores")]
    with pytest.raises(UsageError, match="is no SavedModel: name its folder"):
        score.main([str(tmp_path), str(tmp_path / "a.txt"), *options])
    strange = tmp_path / "model"
    shutil.copytree(model.folder / "serving" / "1", strange)
    with pytest.raises(UsageError, match=r"neither vocabulary\.json nor ser"):
        score.main([str(strange), str(tmp_path / "a.txt"), *options])
    Vocabulary("abc").save(strange / "vocabulary.json")
    with pytest.raises(UsageError, match="knows 23 characters, its vocabul"):
        score.main([str(strange), str(tmp_path / "a.txt"), *options])


def test_workers_of_which_one_is_killed_give_what_one_process_gives(
    model, score_texts, tmp_path, monkeypatch
):
    pytest.importorskip("ray")
    data = tmp_path / "long.txt"
    data.write_text(POEM * 20)
    for module in (parts, documents):
        monkeypatch.setattr(module, "LEAST_BYTES", CHUNK)
    whole = score_texts(data, "--gates", name="whole")
    output = tmp_path / "scores"
    killed = []
    ended = Event()

    def kill():
        """Kill a worker at a part, once some have been scored."""
        while not (killed or ended.wait(0.01)):
            if len(list(output.glob("chunks/*"))) < 4:
                continue
            for path in output.glob("unfinished-scores/attempts-*"):
                with suppress(OSError, ValueError):
                    pid = int(path.read_text())
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    break

    Thread(target=kill, daemon=True).start()
    try:
        score_texts(data, "--gates", "--workers", "2")
    finally:
        ended.set()
    assert killed
    assert_same_files(output, whole)
    chunks = pd.read_parquet(output / "chunks")
    assert len(chunks) == -(-len(data.read_bytes()) // CHUNK)
    assert chunks["start"].is_unique


def test_lost_workers_are_told_of(score_texts, tmp_path, monkeypatch, capsys):
    def lose_one(task, folder, left, *_):
        for part in left:
            outcome = running.Worker(task, folder).score(part)
            yield outcome._replace(attempts=2)

    monkeypatch.setattr(running, "_on_ray", lose_one)
    (tmp_path / "a.txt").write_text(POEM)
    score_texts(tmp_path / "a.txt", "--workers", "1")
    told = "a worker was lost: going on with part 0"
    assert told in capsys.readouterr().out


def test_workers_need_ray(score_texts, tmp_path, monkeypatch):
    monkeypatch.setattr("recipes.training.cluster.find_spec", lambda _: None)
    (tmp_path / "a.txt").write_text(POEM)
    with pytest.raises(UsageError, match="--workers need Ray and JAX, and ray"):
        score_texts(tmp_path / "a.txt", "--workers", "1")
    assert not (tmp_path / "scores").exists()
