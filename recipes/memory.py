"""Memory that a training takes: an estimate, and the error for too little."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from recipes.console import UsageError

# Bytes of a float32.
FLOAT = 4
# Copies of each weight: itself, its gradient, and two moments of Adam.
COPIES = 4
# Networks of an LSTM.
NETWORKS = 4


def check_memory(
    *,
    units: int,
    layers: int = 1,
    features: int = 1,
    outputs: int = 1,
    batch_size: int = 1,
    steps: int = 1,
) -> None:
    """Refuse a training that this machine's memory cannot hold.

    Only what is there in any case is counted: weights, and the memories of
    all steps, which the gradient needs. To find out by trying would make the
    machine swap, and the system kill other programs.

    Args:
        units: Number of units of a layer.
        layers: Number of stacked layers.
        features: Size of an event.
        outputs: Numbers that the model gives at each step.
        batch_size: Rows in a batch.
        steps: Steps of a row.

    Raises:
        UsageError: if it takes more than the machine has.
    """
    weights = NETWORKS * units * (units + features) * layers + units * outputs
    values = batch_size * steps * (units * layers + outputs)
    needed = FLOAT * (COPIES * weights + values)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise UsageError(
            f"such a training takes {needed / 2**30:,.0f} GiB at least, and "
            f"this machine has {there / 2**30:,.0f}: take fewer units, or "
            "smaller batches"
        )


@contextmanager
def raise_memory_error() -> Iterator[None]:
    """Turn the backend's error for too little memory into `MemoryError`.

    Raises:
        MemoryError: if TensorFlow or JAX runs out of memory.
    """
    try:
        yield
    # They have no common class, and only one of them need be installed.
    except Exception as error:
        of_tensorflow = type(error).__name__ == "ResourceExhaustedError"
        if of_tensorflow or "RESOURCE_EXHAUSTED" in str(error):
            raise MemoryError from error
        raise
