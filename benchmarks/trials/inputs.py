"""Malformed inputs, each given to a command in a process of its own."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.trials import Options, Outcome
from benchmarks.trials.processes import megabytes
from tests.fuzz import arguments, artefacts, corpus, running

MOST_SECONDS, MOST_MEGABYTES = 10, 1000


def inputs(options: Options) -> Outcome:
    """Give each malformed input to a command in a process of its own."""
    folder, count = options.folder, options.count
    valid = artefacts.make(folder)
    kinds = [
        (name, of(count, valid, folder)) for name, of in corpus.FILES.items()
    ]
    kinds += [
        (name, corpus.of_arguments(name, count, valid, folder))
        for name in arguments.COMMANDS
    ]
    broken: list[str] = []
    tried, longest, largest = 0, 0.0, 0.0
    for kind, cases in kinds:
        for case in cases:
            if any("\0" in it or "\udcff" in it for it in case.arguments):
                continue  # The operating system does not hand these over.
            running.write(case)
            start = time.monotonic()
            status, said, memory = measured(
                running.command_line(case.command, case.arguments), folder
            )
            taken = time.monotonic() - start
            running.remove(case)
            tried += 1
            longest, largest = max(longest, taken), max(largest, memory)
            try:
                running.check(case, status, said)
            except AssertionError as error:
                broken.append(f"{kind}: {error}")
            if taken > MOST_SECONDS or memory > MOST_MEGABYTES:
                broken.append(
                    f"{kind}: {case.name}: {taken:.0f} s, {memory:.0f} MB"
                )
        print(f"{kind}: {tried} tried, {len(broken)} broken", file=sys.stderr)
    figures = {
        "inputs": tried,
        "longest s": f"{longest:.1f}",
        "largest MB": f"{largest:.0f}",
    }
    return Outcome(figures, broken)


def measured(command: list[str], folder: Path) -> tuple[int, str, float]:
    """Run a command; return its status, its errors and its peak memory."""
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=running.environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, megabytes(process.pid, peak=True))
            time.sleep(0.02)
        errors.seek(0)
        return process.returncode, running.without_logs(errors), peak
