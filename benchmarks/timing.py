"""Times side by side, in turns, on a machine that is never quiet."""

import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np


def medians(
    programs: Mapping[str, Callable[[], object]], rounds: int, calls: int = 1
) -> dict[str, float]:
    """Median seconds of a call of each, all taking turns.

    Args:
        programs: What to time, by name.
        rounds: How many turns each gets.
        calls: How often it is called in a turn.
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
    """What a table was measured on, in a line."""
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
