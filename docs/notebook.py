"""Write a page of the documentation as a notebook.

    python docs/notebook.py docs/lesson.md docs/tutorials/*.md

The notebook has the page's texts and its code in cells, in order, and a first
cell that installs the project in Colab. Pictures and links are those of the
repository that `url` in setup.cfg names.
"""

import configparser
import os
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```(python|sh)\n(.*?)```\n?", re.DOTALL)
# Of a picture or a link to a file beside the page.
LINK = re.compile(r"(!?)(\[[^\]]*\]\()(?!https?:|#)([^)]+\))")


def repository() -> str:
    """Return the address of the repository."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["metadata"]["url"]


def installing(url: str) -> str:
    """Return the code of the first cell."""
    folder = url.rpartition("/")[2]
    return (
        f"!git clone --quiet --depth 1 {url}\n"
        f"%cd {folder}\n"
        "%pip install --quiet -e '.[tensorflow,recipes,tensorboard]'\n"
        "import sys\n"
        "sys.path.insert(0, '.')"
    )


def as_notebook(page: Path) -> nbformat.NotebookNode:
    """Convert a page."""
    url = repository()
    text = page.read_text("utf-8")
    cells = [new_code_cell(installing(url))]
    end = 0
    for block in BLOCK.finditer(text):
        cells += _markdown(text[end : block.start()], page, url)
        language, code = block.groups()
        if language == "sh":
            code = re.sub(r"^(?=\S)", "!", code, flags=re.MULTILINE)
        cells.append(new_code_cell(code.rstrip()))
        end = block.end()
    cells += _markdown(text[end:], page, url)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # The same each time.
    kernel = {"name": "python3", "display_name": "Python 3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _markdown(text: str, page: Path, url: str) -> list[nbformat.NotebookNode]:
    def absolute(link: re.Match[str]) -> str:
        is_picture, words, target = link.groups()
        kind = "raw" if is_picture else "blob"
        path = os.path.relpath(page.resolve().parent / target, ROOT)
        return f"{is_picture}{words}{url}/{kind}/main/{path}"

    text = LINK.sub(absolute, text).strip()
    return [new_markdown_cell(text)] if text else []


def main() -> None:
    """Write a notebook beside each page named on the command line."""
    for name in sys.argv[1:]:
        page = Path(name)
        path = page.with_suffix(".ipynb")
        nbformat.write(as_notebook(page), path)
        print(path)


if __name__ == "__main__":
    main()
