"""The lesson's walk-through runs from top to bottom, as it is written."""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "docs" / "lesson.md"


def text_until(end):
    """The page up to a heading, or the whole if there is no such heading."""
    return LESSON.read_text().partition(f"\n## {end}\n")[0]


def blocks(end):
    """Its code up to a heading: the language, and the lines."""
    return re.findall(r"```(python|sh)\n(.*?)```", text_until(end), re.S)


@pytest.fixture(
    scope="module",
    params=[
        "A model that reads text",
        pytest.param("(the end)", marks=pytest.mark.thorough),
    ],
)
def walked(request, tmp_path_factory):
    """The folder it ran in, and what each block of Python printed."""
    folder = tmp_path_factory.mktemp("lesson")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    names: dict = {}
    printed = []
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(folder)
    for language, code in blocks(request.param):
        if language == "sh":
            code = code.replace("python ", f"{sys.executable} ")
            subprocess.run(code, shell=True, check=True, env=environment)
            continue
        with redirect_stdout(io.StringIO()) as output:
            exec(code, names)
        printed.append((code, output.getvalue().splitlines()))
    monkeypatch.undo()
    return folder, printed, request.param


def test_it_prints_what_it_says(walked):
    _, printed, _ = walked
    promises = 0
    for code, lines in printed:
        promised = re.findall(r"^# (.*)", code, re.MULTILINE)
        promises += len(promised)
        if promised:
            assert lines == promised
    assert promises > 10


def test_its_pictures_are_those_it_draws(walked):
    folder, _, end = walked
    shown = re.findall(r"!\[.*?\]\((.*?)\)", text_until(end))
    drawn = {path.name for path in folder.glob("*.png")}
    assert {Path(it).name for it in shown if "lesson/" in it} == drawn
    for path in shown:
        assert (LESSON.parent / path).is_file(), path


def test_it_has_the_words_of_the_lesson():
    text = LESSON.read_text()
    for gate in ("learn", "forget", "remember", "use"):
        assert f"## The {gate} gate" in text


def test_the_notebook_is_that_of_the_page():
    nbformat = pytest.importorskip("nbformat")
    found = nbformat.read(LESSON.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(found)
    _, *cells = [it.source for it in found.cells if it.cell_type == "code"]
    code = [
        re.sub(r"^!", "", cell, flags=re.MULTILINE).split() for cell in cells
    ]
    assert code == [lines.split() for _, lines in blocks("(the end)")]
    sys.path.insert(0, str(LESSON.parent))
    from notebook import as_notebook

    assert found == as_notebook(LESSON), "run `make docs`"
