"""Benchmark programs: each prints a table of this library and its peers."""

import os

# Hides TensorFlow's log lines; it reads the variable when it starts.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
