"""Hold commands and exports to their promises for longer than a test can.

    python -m benchmarks.soak load --minutes 5
    python -m benchmarks.soak conversations
    python -m benchmarks.soak threads
    python -m benchmarks.soak kills --count 50
    python -m benchmarks.soak terminations --count 50
    python -m benchmarks.soak full_disk --count 50
    python -m benchmarks.soak read_only --count 50
    python -m benchmarks.soak two_at_once --count 20
    python -m benchmarks.soak inputs --count 200

All on loopback and in temporary folders, on Linux. Each prints its figures as
a row of `benchmarks/results/soak.csv`, and ends with status 1 if a promise is
broken.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.records import add_row
from benchmarks.trials import Options, Outcome, faults, inputs, load

RESULTS = Path(__file__).parent / "results" / "soak.csv"

TRIALS: dict[str, Callable[[Options], Outcome]] = {
    "load": load.load,
    "conversations": load.conversations,
    "threads": load.threads,
    "kills": faults.kills,
    "terminations": faults.terminations,
    "full_disk": faults.full_disk,
    "read_only": faults.read_only,
    "two_at_once": faults.two_at_once,
    "inputs": inputs.inputs,
}


def main() -> int:
    """Run one of the trials; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trial", choices=TRIALS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--count", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = TRIALS[given.trial](
            Options(Path(folder), given.minutes, given.count)
        )
    row = {
        "trial": given.trial,
        "broken promises": len(outcome.broken),
        "figures": "; ".join(
            f"{name} {it}" for name, it in outcome.figures.items()
        ),
    }
    add_row(RESULTS, row)
    print(json.dumps(row, indent=1))
    for line in outcome.broken:
        print(line, file=sys.stderr)
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
