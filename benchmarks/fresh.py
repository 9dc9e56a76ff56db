"""Measure a layer's first training step and peak memory in a new process.

    python -m benchmarks.fresh "GateLSTM, standard" --units 256 --steps 100

prints JSON: `first_step`, the seconds for building a model and its first
training step, without imports; `peak`, the MB by which three training steps
raise the peak memory of a process with Keras loaded.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

Costs = dict[str, float]


def in_a_fresh_process(name: str, units: int, steps: int) -> Costs:
    """Run this program for a contender, and return its result."""
    command = [sys.executable, "-m", "benchmarks.fresh", name]
    command += ["--units", str(units), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    costs: Costs = json.loads(done.stdout.splitlines()[-1])
    return costs


def main() -> None:
    """Print the costs as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    from benchmarks.contenders import CONTENDERS, Shape

    warm_up()
    before = peak()
    start = time.perf_counter()
    shape = Shape(arguments.units, steps=arguments.steps)
    train = CONTENDERS[arguments.name](shape).train
    train()
    first_step = time.perf_counter() - start
    train()
    train()
    costs = {"first_step": first_step, "peak": peak() - before}
    print(json.dumps(costs))


def warm_up() -> None:
    """Start the backend and load its compiler with a small model."""
    import keras

    from benchmarks.contenders import FEATURES, Shape, in_keras, in_torch

    small = Shape(units=FEATURES, batch=2, steps=2)
    in_keras(keras.layers.Dense, small).train()
    in_torch(small).train()


def peak() -> float:
    """Return the peak memory of this process, MB.

    It is read from `/proc`: the value of `resource` includes the parent's.
    """
    status = Path("/proc/self/status").read_text()
    kilobytes = re.search(r"VmHWM:\s+(\d+)", status)
    return int(kilobytes[1]) / 1e3 if kilobytes else math.nan


if __name__ == "__main__":
    main()
