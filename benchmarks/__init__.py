"""Programs that print one table each: ours beside its peers, in one run."""

import os

# One thread: what a phone or a request has. Before TensorFlow starts.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
