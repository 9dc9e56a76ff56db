"""The lesson's walk-through runs from top to bottom, as it is written."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "docs" / "lesson.md"


def blocks():
    """Its code."""
    return re.findall(r"```python\n(.*?)```", LESSON.read_text(), re.S)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder it ran in, and what each block of Python printed."""
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "docs").symlink_to(LESSON.parent)
    names: dict = {}
    printed = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        for code in blocks():
            with redirect_stdout(io.StringIO()) as output:
                exec(code, names)
            printed.append((code, output.getvalue().splitlines()))
    return folder, printed


@pytest.mark.thorough
def test_it_prints_what_it_says(walked):
    _, printed = walked
    promises = 0
    for code, lines in printed:
        promised = re.findall(r"^# (.*)", code, re.MULTILINE)
        promises += len(promised)
        if promised:
            assert lines == promised
    assert promises > 10


@pytest.mark.thorough
def test_its_pictures_are_those_it_draws(walked):
    folder, _ = walked
    shown = re.findall(r"!\[.*?\]\((.*?)\)", LESSON.read_text())
    drawn = {path.name for path in folder.glob("*.png")}
    assert {Path(it).name for it in shown if "lesson/" in it} == drawn
    for path in shown:
        assert (LESSON.parent / path).is_file(), path


def test_it_has_the_words_of_the_lesson():
    text = LESSON.read_text()
    for gate in ("learn", "forget", "remember", "use"):
        assert f"## The {gate} gate" in text
