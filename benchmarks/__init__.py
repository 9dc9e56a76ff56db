"""Programs that print one table each: ours beside its peers, in one run."""

import os

# Tables, not log lines. Before TensorFlow starts.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
