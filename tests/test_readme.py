"""The README's examples of layers run, and print what it says they print."""

import re
from pathlib import Path

import keras
import pytest

README = Path(__file__).parents[1] / "README.md"


def examples():
    for section in ("As a layer", "Bring your model", "See inside"):
        text = README.read_text().split(f"\n## {section}\n")[1]
        text = text.split("\n## ")[0]
        yield from re.findall(r"```python\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(
    "example",
    list(examples()),
    ids=["as a layer", "keras", "torch", "see inside"],
)
def test_the_examples_run(example, capsys):
    if "import torch" in example:
        pytest.importorskip("torch", reason="PyTorch is not installed")
    keras.backend.clear_session()  # Names are counted from one again.
    exec(example, {})
    promised = re.findall(r"^# (.*)", example, re.MULTILINE)
    assert promised
    assert capsys.readouterr().out.splitlines() == promised
