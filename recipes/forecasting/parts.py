"""Windows of a series to train, validate and test on, in standard units."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from recipes import console, options
from recipes.data.frames import Frame
from recipes.data.scaling import Scaling
from recipes.data.windows import Features, Windows
from recipes.forecasting.settings import Settings

# The inverse of a smaller deviation overflows float32.
SMALLEST = 1e-36


class Parts(NamedTuple):
    """Windows of a scaled series to train, validate and test on.

    Args:
        train: Windows to train on.
        validation: Windows to validate on.
        test: Windows to test on.
        scalings: Scaling of each input, `series`, `past` and `known`, fitted
            to the training part.
    """

    train: Windows
    validation: Windows
    test: Windows
    scalings: dict[str, Scaling]


def check_series(frame: Frame, settings: options.Settings, name: str) -> None:
    """Refuse to resume a training with a different series."""
    values = frame.values
    data = [values.index.asi8.tobytes()]
    for it in (values, frame.covariates.past, frame.covariates.known):
        data += [
            "\n".join(it.columns).encode("utf-8", "surrogatepass"),
            it.to_numpy().tobytes(),
        ]
    options.check_same_data(settings, data, name)


def windows_of(frame: Frame, settings: Settings) -> Parts:
    """Scale a series by its training part, and cut it into windows.

    Raises:
        UsageError: if a part is too short for a window, or a column does not
            fit float32.
    """
    past, known, *columns_of = frame.covariates
    scalings = {
        "series": Scaling.of(_to_train(frame.values, frame)),
        "past": Scaling.of(_to_train(past, frame)),
        "known": Scaling.of(_to_train(known, frame)),
    }
    values, past, known = (
        _scaled(part, scaling, settings.dataset)
        for part, scaling in zip(
            (frame.values, past, known), scalings.values(), strict=True
        )
    )
    features = None
    if past.size or known.size:
        features = Features(past, known, *columns_of)
    borders = [0, frame.validation, frame.test, len(values)]
    lengths = settings.lookback, settings.horizon
    train, validation, test = (
        Windows(values, start, stop, *lengths, features)
        for start, stop in pairwise(borders)
    )
    for name, part, (start, stop) in zip(
        ("train on", "validate on", "test on"),
        (train, validation, test),
        pairwise(borders),
        strict=True,
    ):
        if not len(part):
            raise console.UsageError(
                f"{settings.dataset} is too short: the part to {name} has "
                f"{stop - start:,} steps, and a window needs "
                f"{settings.lookback} to see and {settings.horizon} to "
                "forecast; take a longer series, or a smaller --lookback or "
                "--horizon"
            )
    return Parts(train, validation, test, scalings)


def _to_train(part: pd.DataFrame, frame: Frame) -> np.ndarray:
    return part.to_numpy()[: frame.validation]


def _scaled(part: pd.DataFrame, scaling: Scaling, name: str) -> np.ndarray:
    """Return columns in standard units, float32.

    Raises:
        UsageError: if a column does not fit float32.
    """
    small = scaling.deviation < SMALLEST
    if small.any():
        raise console.UsageError(
            f"{name}: column {part.columns[small.argmax()]} varies by less "
            f"than {SMALLEST:g}, too little for float32: write it in smaller "
            "units"
        )
    values = part.to_numpy()
    with np.errstate(over="ignore"):
        scaled = scaling.standard(values)
    if not np.isfinite(scaled).all():
        row, place = np.argwhere(~np.isfinite(scaled))[0]
        raise console.UsageError(
            f"{name}: {values[row, place]:g} at {part.index[row]}, column "
            f"{part.columns[place]}, is too far from the part to train on for "
            "float32"
        )
    return scaled
