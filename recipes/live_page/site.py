"""The page's files: a folder for a static host, or one HTML file."""

import base64
import json
import shutil
import zlib
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from recipes.console import UsageError

if TYPE_CHECKING:
    from recipes.live_page.description import Description

BUILT = Path(__file__).parents[2] / "web" / "dist"

# With relaxed SIMD, and for browsers without it. One file has one of them.
FAST = "litert_wasm_internal"
COMPATIBLE = "litert_wasm_compat_internal"
FILES = [
    "index.html",
    "page.css",
    "page.js",
    *(
        f"wasm/{it}.{end}"
        for it in (FAST, COMPATIBLE)
        for end in ("js", "wasm")
    ),
]

# In a folder for a host.
WRITTEN = [*FILES, "model.json", "step.tflite"]

POLICY = (
    "default-src 'none'; img-src data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"
)
# The runtime's program is a blob of the page's own.
POLICY_OF_ONE_FILE = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' blob: 'wasm-unsafe-eval'; connect-src blob:"
)


def is_built() -> bool:
    """Return whether the page has been built in this checkout."""
    return all((BUILT / name).is_file() for name in FILES)


def check_built() -> None:
    """Refuse a checkout in which the page has not been built.

    Raises:
        UsageError: if files are missing.
    """
    if not is_built():
        raise UsageError(
            f"the page is not built in {BUILT}: run `make web`, which fetches "
            "its parts from npm, once"
        )


def write_folder(description: "Description", step: Path, folder: Path) -> None:
    """Write the page as a folder for a static host.

    Args:
        description: What the page needs to know of the model.
        step: The streaming LiteRT file with gates.
        folder: Where to write.
    """
    for name in FILES:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(BUILT / name, target)
    shutil.copy(step, folder / "step.tflite")
    (folder / "model.json").write_text(_as_json(description), "utf-8")
    page = _fill(
        description,
        POLICY=POLICY,
        STYLE='<link rel="stylesheet" href="page.css">',
        PROGRAM='<script type="module" src="page.js"></script>',
    )
    (folder / "index.html").write_text(page, "utf-8")


def write_file(description: "Description", step: Path, path: Path) -> None:
    """Write the page as one file, which opens from the disk.

    Args:
        description: What the page needs to know of the model.
        step: The streaming LiteRT file with gates.
        path: Where to write.
    """
    wasm = BUILT / "wasm"
    parts = {
        "runtime.js": (wasm / f"{COMPATIBLE}.js").read_bytes(),
        "runtime.wasm": (wasm / f"{COMPATIBLE}.wasm").read_bytes(),
        "step.tflite": step.read_bytes(),
        "model.json": _as_json(description).encode(),
    }
    packed = "".join(
        f'<script type="text/plain" id="part-{name}">{_pack(part)}</script>\n'
        for name, part in parts.items()
    )
    program = (BUILT / "page.js").read_text("utf-8")
    program = program.replace("</script", "<\\/script")
    page = _fill(
        description,
        POLICY=POLICY_OF_ONE_FILE,
        STYLE=f"<style>{(BUILT / 'page.css').read_text('utf-8')}</style>",
        PROGRAM=f'{packed}<script type="module">{program}</script>',
    )
    path.write_text(page, "utf-8")


def _as_json(description: "Description") -> str:
    return json.dumps(asdict(description), ensure_ascii=False)


def _pack(part: bytes) -> str:
    return base64.b64encode(zlib.compress(part, 9)).decode("ascii")


def _fill(description: "Description", **parts: str) -> str:
    """Fill the gaps of the page, `{{NAME}}`."""
    title = escape(description.title)
    layers = ", ".join(
        f"{it.name} of {it.units} units" for it in description.layers
    )
    footer = (
        f"{title}: {escape(layers)}. Made with keras-gatelstm; runs on LiteRT "
        "(Apache-2.0) and Preact (MIT)."
    )
    filled = (BUILT / "index.html").read_text("utf-8")
    for name, part in {"TITLE": title, "FOOTER": footer, **parts}.items():
        filled = filled.replace(f"{{{{{name}}}}}", part)
    return filled
