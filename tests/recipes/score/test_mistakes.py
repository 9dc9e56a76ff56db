"""Mistakes in what a scoring is given."""

import shutil

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recipes import score
from recipes.console import UsageError
from recipes.data.vocabulary import Vocabulary
from tests.recipes.score.texts import (
    POEM,
    TEXTS,
    write_texts,
)


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
