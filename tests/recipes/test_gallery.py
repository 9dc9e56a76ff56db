"""docs/gallery.md: its pictures and tables are those of its one command."""

import os
import re
from pathlib import Path

import pytest

from docs import gallery

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "gallery.md"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder with the pictures, and the tables."""
    folder = tmp_path_factory.mktemp("gallery")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(gallery, "take_picture", lambda *_: None)
        return folder, gallery.draw(gallery.read_text(), folder)


@pytest.mark.thorough
def test_its_pictures_are_those_that_are_drawn(drawn):
    folder, _ = drawn
    written = {path.name for path in folder.iterdir()}
    assert written == set(gallery.PICTURES)
    shown = set(re.findall(r"\(gallery/(.*?)\)", PAGE.read_text("utf-8")))
    assert shown == written | {"report.png"}
    assert shown == {path.name for path in (DOCS / "gallery").iterdir()}


@pytest.mark.thorough
def test_its_tables_are_those_that_are_printed(drawn):
    _, tables = drawn
    assert tables.count("layer ") == 2
    assert "correlation" in tables
    [written] = gallery.TABLES.findall(PAGE.read_text("utf-8"))
    if "TINY_SHAKESPEARE_DIR" in os.environ:
        assert written == tables, "run `python -m docs.gallery`"


def test_without_the_play_it_reads_english(monkeypatch):
    monkeypatch.delenv("TINY_SHAKESPEARE_DIR", raising=False)
    text = gallery.read_text()
    assert 1900 < len(text) < gallery.LENGTH
    assert " the " in text


def test_without_a_browser_the_report_stays(monkeypatch, capsys):
    monkeypatch.setattr(gallery.shutil, "which", lambda _: None)
    gallery.take_picture(Path("report.html"), Path("report.png"))
    assert "left as it is" in capsys.readouterr().out
