"""Keras's own tests of its recurrent layers, from its wheel, run on ours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = ["lstm", "gru", "simple_rnn", "bidirectional", "stacked_rnn_cells"]
# What is otherwise with named gates, and why.
OTHERWISE = {
    "LSTMTest::test_basics": "counts weights: each network has its own",
    "GRUTest::test_basics": "counts weights",
    "StackedRNNTest::test_basics": "counts weights",
    "test_fused_lstm_eligibility": "of a private path of Keras's",
    "test_fused_gru_eligibility": "of a private path of Keras's",
}


@pytest.mark.thorough
def test_they_pass_but_for_what_named_gates_change(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rf"),
            *("-p", "tests.ours_as_kerass", "-p", "no:cacheprovider"),
            *("-c", "/dev/null", "--rootdir", tmp_path, "--pyargs"),
            *(f"keras.src.layers.rnn.{module}_test" for module in MODULES),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^FAILED \S*?::(\S+)", done.stdout, re.MULTILINE)
    assert re.search(r"\d{2} passed", done.stdout), done.stdout
    for test in failed:
        assert any(test.endswith(name) for name in OTHERWISE), test
