"""Memory and processor time of another process, as Linux tells them."""

import re
from pathlib import Path


def megabytes(process: int, peak: bool = False) -> float:
    """Return the resident memory of a process; 0 if it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+)", status)
    return int(found[1]) / 1e3 if found else 0.0


def cpu_seconds(process: int) -> float:
    """Return the processor time of a process."""
    times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / 100
