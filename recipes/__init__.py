"""Programs that train, evaluate and export models built with the gates."""

import os

# TensorFlow reads this when it is first imported: no notes on its build.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
