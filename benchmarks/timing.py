"""Timing by interleaved calls, robust against other load on the machine."""

import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np


def medians(
    programs: Mapping[str, Callable[[], object]], rounds: int, calls: int = 1
) -> dict[str, float]:
    """Measure the median seconds per call of programs that take turns.

    Args:
        programs: Functions to time, by name.
        rounds: Number of turns of each.
        calls: Calls per turn.
    """
    times: dict[str, list[float]] = {name: [] for name in programs}
    for program in programs.values():
        program()
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.perf_counter()
            for _ in range(calls):
                program()
            times[name].append((time.perf_counter() - start) / calls)
    return {name: float(np.median(taken)) for name, taken in times.items()}


def machine(*packages: str) -> str:
    """Describe the processor and the package versions in a line."""
    try:
        with open("/proc/cpuinfo") as lines:
            names = [it.split(":")[1] for it in lines if "model name" in it]
    except OSError:
        names = []
    processor = names[0].strip() if names else platform.processor()
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{max(1, len(names))} cores of {processor}; "
        f"Python {platform.python_version()}, {versions}"
    )
