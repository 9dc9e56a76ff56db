"""The code of README and docs runs, and prints what it says it prints."""

import configparser
import re
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Tests of their own run these; the site's first page has the README's code.
ELSEWHERE = {"docs/lesson.md", "docs/how-to/serving.md", "docs/index.md"}
TUTORIALS = [
    ROOT / "docs/lesson.md",
    *sorted((ROOT / "docs/tutorials").glob("*.md")),
]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
ADDRESS = re.compile(re.escape(SETUP["metadata"]["url"]) + r"/\w+/main/(\S+)")


ON_TORCH = keras.backend.backend() == "torch"


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks_of(page):
    """Its code, block by block."""
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S)


def is_run_here(page):
    """With Keras on PyTorch, what needs PyTorch; on TensorFlow, all."""
    code = "".join(blocks_of(page))
    return (
        code
        and name_of(page) not in ELSEWHERE
        and (not ON_TORCH or "import torch" in code)
    )


@pytest.mark.parametrize(
    "page", [it for it in PAGES if is_run_here(it)], ids=name_of
)
def test_the_code_of_a_page_runs(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.backend.clear_session()  # Names are counted from one again.
    names = {}
    for code in blocks_of(page):
        if "import torch" in code:
            pytest.importorskip("torch", reason="PyTorch is not installed")
        exec(code, names)
        promised = re.findall(r"^# (.*)", code, re.MULTILINE)
        printed = capsys.readouterr().out.splitlines()
        if promised:
            assert printed == promised


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_its_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        address = ADDRESS.match(link)
        if address:
            assert (ROOT / address[1]).exists(), link
        elif not re.match(r"\w+:|#", link):
            assert (page.parent / link.split("#")[0]).exists(), link


@pytest.mark.parametrize("page", TUTORIALS, ids=name_of)
def test_a_tutorial_has_its_notebook(page):
    nbformat = pytest.importorskip("nbformat")
    found = nbformat.read(page.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(found)
    _, *cells = [it.source for it in found.cells if it.cell_type == "code"]
    text = page.read_text("utf-8")
    code = re.findall(r"```(?:python|sh)\n(.*?)```", text, re.S)
    assert [re.sub(r"^!", "", it, flags=re.M).split() for it in cells] == [
        it.split() for it in code
    ]
    sys.path.insert(0, str(ROOT / "docs"))
    from notebook import as_notebook

    assert found == as_notebook(page), "run `make docs`"


def test_the_first_page_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_the_site_begins_with_the_code_of_the_readme():
    readme, index = (
        blocks_of(ROOT / it) for it in ("README.md", "docs/index.md")
    )
    assert index
    assert set(index) <= set(readme)
