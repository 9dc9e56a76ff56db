"""The calendar, as covariates that are known ahead."""

import numpy as np
import pandas as pd

from recipes.data.columns import Covariates

DAY = pd.Timedelta(days=1)
YEAR = 365.25
# Beginning of the names of the calendar's columns.
CALENDAR = "calendar: "


def with_calendar(
    covariates: Covariates, times: pd.DatetimeIndex, time_zone: str | None
) -> Covariates:
    """Return covariates with the calendar of `times` as known ahead.

    Args:
        covariates: Covariates, whose `known` has the index `times`.
        times: The times.
        time_zone: Time zone of the calendar, for times in UTC.
    """
    local = times
    if times.tz is not None and time_zone is not None:
        local = times.tz_convert(time_zone)
    found = calendar(local).set_axis(times)
    before = covariates.known.shape[1]
    each = np.arange(before, before + found.shape[1])
    each = np.tile(each, (len(covariates.known_of), 1))
    return covariates._replace(
        known=pd.concat([covariates.known, found], axis=1),
        known_of=np.concatenate([covariates.known_of, each], axis=1),
    )


def calendar(times: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the time of day, week and year as waves, and the weekend.

    Waves shorter than two steps are left out.
    """
    step = pd.Series(times).diff().median()
    day = (times - times.normalize()) / DAY
    week = times.day_of_week + day
    year = times.day_of_year - 1 + day
    found = {}
    for name, place, length in (
        ("day", day, 1.0),
        ("week", week, 7.0),
        ("year", year, YEAR),
    ):
        if 2 * step < length * DAY:
            angle = 2 * np.pi * np.asarray(place) / length
            found[f"{CALENDAR}{name} sin"] = np.sin(angle)
            found[f"{CALENDAR}{name} cos"] = np.cos(angle)
    if step <= DAY:
        found[f"{CALENDAR}weekend"] = (times.day_of_week >= 5).astype(float)
    return pd.DataFrame(found, times)
