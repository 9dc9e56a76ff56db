"""Draw the pictures of docs/gallery.md, and write its tables.

    python -m docs.gallery

They are those of `recipes.look`, for the small model beside this file that has
read Shakespeare. The model reads the last lines of Tiny Shakespeare, of
`input.txt` in the folder that TINY_SHAKESPEARE_DIR names; or else as many of
the standard library's English. The picture of the report needs Chromium.
"""

import io
import os
import re
import shutil
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from recipes import look
from recipes.data.text import load

DOCS = Path(__file__).parent
MODEL = DOCS / "shakespeare" / "model.keras"
PICTURES = ("cell.png", "gates.png", "memory.png", "saturation.png")
# At most so many characters, in whole lines.
LENGTH = 2000
# The tables, as `recipes.look` prints them.
TABLES = re.compile(r"(?<=```\n)layer .*?(?=```\n)", re.DOTALL)


def read_text() -> str:
    """Return the text that the model reads."""
    folder = os.environ.get("TINY_SHAKESPEARE_DIR")
    if folder:
        text = (Path(folder) / "input.txt").read_text("utf-8")
    else:
        text = str(load("stdlib").test)
    return text[-LENGTH:].partition("\n")[2]


def take_picture(report: Path, path: Path) -> None:
    """Take a picture of the report, if there is a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print(f"left as it is, without Chromium: {path}")
        return
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--window-size=1200,1400",
        # Time for the page to be drawn.
        "--virtual-time-budget=10000",
        f"--user-data-dir={report.parent / 'profile'}",
        f"--screenshot={path}",
    ]
    subprocess.run(
        [chromium, *options, report.as_uri()], check=True, capture_output=True
    )
    print(path)


def draw(text: str, folder: Path) -> str:
    """Write the pictures to a folder; return the tables."""
    with TemporaryDirectory() as scratch:
        scene, output = Path(scratch) / "scene.txt", Path(scratch) / "look"
        scene.write_text(text, "utf-8")
        arguments = [str(MODEL), "--text-file", str(scene)]
        with redirect_stdout(io.StringIO()) as printed:
            look.main([*arguments, "--output", str(output)])
        for name in PICTURES:
            print(shutil.copy(output / name, folder / name))
        take_picture(output / "report.html", folder / "report.png")
    _, _, tables = printed.getvalue().partition("\n\n")
    return tables.partition("written:")[0].strip() + "\n"


def main() -> None:
    """Write the pictures and the tables."""
    tables = draw(read_text(), DOCS / "gallery")
    page = DOCS / "gallery.md"
    written = TABLES.sub(lambda _: tables, page.read_text("utf-8"))
    page.write_text(written, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
