"""Rows of `results/scale.csv`, and what all of its measurements share."""

from pathlib import Path

from benchmarks.records import add_row

RESULTS = Path(__file__).with_name("results") / "scale.csv"

# Units of the models, and numbers of workers that are set beside each other.
UNITS = 192
WORKERS = (1, 2)


def write_row(
    what: str,
    rounds: int,
    one: str,
    two: str = "",
    clock: str = "",
    ratio: str = "",
    largest: str = "",
    difference: str = "",
) -> None:
    """Append a row to the results.

    Args:
        what: What was measured.
        rounds: How often.
        one: The figure of one worker, or the only one.
        two: The figures of two.
        clock: Seconds of the clock, of one worker and of two.
        ratio: Two beside one.
        largest: The largest such ratio.
        difference: Largest difference of the results.
    """
    add_row(
        RESULTS,
        {
            "what": what,
            "rounds": rounds,
            "one": one,
            "two": two,
            "clock": clock,
            "ratio": ratio,
            "largest": largest,
            "difference": difference,
        },
    )
