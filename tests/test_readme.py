"""The README's first example runs, and prints what it says it prints."""

import re
from pathlib import Path

import keras

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs(capsys):
    keras.backend.clear_session()  # Names are counted from one again.
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(example[1], {})
    printed = capsys.readouterr().out
    assert f"# {printed.strip()}" == example[1].splitlines()[-1]
