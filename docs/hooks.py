"""Parts of the site that are made while it is built.

`<!-- help: MODULE -->` in a page becomes what `python -m MODULE --help` prints,
and `<!-- quantities -->` tables of the quantities of each cell.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HELP = re.compile(r"<!-- help: (\S+) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the page's comments."""
    markdown = HELP.sub(lambda found: help_of(found[1]), markdown)
    if "<!-- quantities -->" in markdown:
        markdown = markdown.replace("<!-- quantities -->", quantities())
    return markdown


def help_of(module: str) -> str:
    """Return the help of a command, as code."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"```text\n{done.stdout.rstrip()}\n```"


def quantities() -> str:
    """Return a table of each cell's quantities, from its description."""
    import keras_gatelstm as kg

    parts = []
    for cell in (kg.GateLSTMCell, kg.GateGRUCell, kg.GateRNNCell):
        rows = [
            f"| `{it.name}` | {it.symbol} | {it.kind} | "
            f"{'' if it.gate == it.name else it.gate.replace('_', ' ')} | "
            f"{it.meaning} |"
            for it in cell.anatomy.quantities
        ]
        parts += [
            f"## {cell.__name__}\n",
            "| quantity | symbol | kind | computed by | meaning |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    return "\n".join(parts)
