"""Sections of docstrings that the site's reader of docstrings does not know.

What follows `Example:` becomes code, and what follows `Call arguments:` a list.
"""

import re
from typing import Any

import griffe

ITEM = re.compile(r"^( {4})(\w+): ", re.MULTILINE)
EXAMPLE = re.compile(
    r"^Example:\n\n((?:(?![A-Z][a-z ]+:$).*\n)+)", re.MULTILINE
)
CALL = re.compile(r"^Call arguments:\n((?: {4}.*\n|\n)+)", re.MULTILINE)


class Sections(griffe.Extension):
    """Rewrites the docstrings before they are parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one."""
        if obj.docstring:
            text = CALL.sub(_as_list, obj.docstring.value + "\n")
            obj.docstring.value = EXAMPLE.sub(_as_code, text)


def _as_list(section: re.Match[str]) -> str:
    return "**Call arguments:**\n\n" + ITEM.sub(r"- `\2`: ", section[1])


def _as_code(section: re.Match[str]) -> str:
    return f"**Example:**\n\n```pycon\n{section[1].rstrip()}\n```\n\n"
