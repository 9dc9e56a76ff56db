"""Series, and what can be wrong with them."""

import os

import numpy as np
import pandas as pd
import pytest

from recipes.console import UsageError
from recipes.data import frames
from recipes.data.columns import ColumnChoice
from recipes.data.file_format import FileFormat
from tests.recipes.reading import read


@pytest.fixture
def written(tmp_path):
    """Writes a CSV file of lines."""

    def write(*lines):
        path = tmp_path / "series.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def hours(count, start="2020-01-01"):
    return pd.date_range(start, periods=count, freq="h")


def rows(times, values):
    return [
        f"{time},{value}" for time, value in zip(times, values, strict=True)
    ]


def test_co2_needs_no_download():
    frame = frames.load("co2")
    assert list(frame.values.columns) == ["co2"]
    assert len(frame.values) == 2284
    assert frame.filled == 59
    assert frame.season == 52
    assert not frame.values.isna().any().any()
    assert 0 < frame.validation < frame.test < 2284


def test_columns_are_chosen_by_name(written):
    times = hours(100)
    lines = [f"{time},{i},{i % 7},{-i}" for i, time in enumerate(times)]
    path = written("when,a,b,c", *lines)
    frame = frames.load(
        str(path),
        FileFormat(time_column=["when"]),
        ColumnChoice(target=["c", "a"]),
    )
    assert list(frame.values.columns) == ["c", "a"]
    np.testing.assert_array_equal(frame.values["a"], np.arange(100))
    assert frame.season == 24
    assert (frame.validation, frame.test) == (70, 80)


@pytest.mark.parametrize(
    ("times", "hole"),
    [
        (["2020-01-01 00:00:00", "2020-01-01 00:00:01", "2021-01-01"], 4),
        ([*hours(1000).astype(str)[:-1], "2220-01-01 00:00:00"], 1001),
        # Business days: a calendar, and no step.
        (["2000-01-03", "2000-01-04", "9000-01-06"], 4),
        ([f"{year}-01-01" for year in [*range(1900, 2000), 9999]], 102),
    ],
)
def test_a_wrong_date_is_found_before_holes_are_filled(
    written, monkeypatch, times, hole
):
    monkeypatch.setattr(pd.DataFrame, "asfreq", None)
    path = written("when,a", *rows(times, range(len(times))))
    said = rf"are missing; the longest hole is before row {hole}, from"
    with pytest.raises(UsageError, match=said):
        frames.load(str(path))


def test_what_would_take_minutes_to_read_is_refused_at_once(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(pd, "read_csv", None)
    path = tmp_path / "wide.csv"
    many = ",".join("abcdefghijk" * 1000)
    for names in (many, f'"when\n",{many}', "when," + "a" * 2**20):
        path.write_text(f"{names}\n")
        with pytest.raises(UsageError, match="row 1: too many columns"):
            read(path)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match=r"pipe\.csv is a directory, a pipe"):
        read(pipe)


def test_lines_may_end_in_carriage_returns_alone(tmp_path):
    path = tmp_path / "old.csv"
    lines = ["when,a", *rows(hours(60_000), range(60_000))]
    path.write_bytes("\r".join(lines).encode())
    assert len(read(path).values) == 60_000


def test_a_time_column_that_is_not_the_first(written):
    lines = [f"{i},{time}" for i, time in enumerate(hours(10))]
    frame = frames.load(
        str(written("a,when", *lines)), FileFormat(time_column=["when"])
    )
    assert list(frame.values.columns) == ["a"]


def test_a_missing_value_is_the_one_before(written):
    path = written("t,a", *rows(hours(9), [1, "", "", *range(4, 10)]))
    found, filled = frames.fill_missing(read(path).values, "it")
    assert found["a"].tolist() == [1, 1, 1, *range(4, 10)]
    assert filled == 2


def test_the_hour_that_daylight_saving_skips_is_filled(written):
    local = hours(48, "2021-03-27").delete(26)
    path = written("t,a", *rows(local, range(47)))
    found, filled = frames.fill_missing(read(path).values, "it")
    assert filled == 1
    assert len(found) == 48
    assert found["a"].iloc[26] == 25


def test_times_with_offsets_go_through_daylight_saving(written):
    utc = pd.date_range("2021-10-30", periods=72, freq="h", tz="UTC")
    local = utc.tz_convert("Europe/Berlin")
    path = written("t,a", *rows(map(pd.Timestamp.isoformat, local), range(72)))
    found, filled = frames.fill_missing(read(path).values, "it")
    assert filled == 0
    assert found.index.equals(utc)


@pytest.mark.parametrize(
    "written_as", ["{:%Y-%m-%d %H:%M:%S+02}", "{:%Y-%m-%dT%H:%M+02:00 }"]
)
def test_offsets_may_be_hours_only(written, written_as):
    times = [written_as.format(it) for it in hours(9)]
    found = read(written("t,a", *rows(times, range(9)))).values
    assert found.index[0] == pd.Timestamp("2019-12-31 22:00", tz="UTC")


@pytest.mark.parametrize("calendar", ["MS", "ME", "QS", "YE", "B"])
def test_a_calendar_may_have_holes(calendar):
    times = pd.date_range("2000-01-01", periods=30, freq=calendar)
    frame = pd.DataFrame({"a": np.arange(30.0)}, times).drop(times[7])
    found, filled = frames.fill_missing(frame, "it")
    assert filled == 1
    assert found.index.equals(times)
    assert found["a"].iloc[7] == 6


def test_weeks_with_holes_are_no_business_days():
    times = pd.date_range("2000-01-03", periods=30, freq="7D")
    frame = pd.DataFrame({"a": np.arange(30.0)}, times).drop(times[7])
    found, filled = frames.fill_missing(frame, "it")
    assert (len(found), filled) == (30, 1)


def test_a_step_that_few_rows_keep_is_refused_before_it_fills_the_memory():
    later = hours(50).append(pd.DatetimeIndex(["2020-06-01 00:00:00.001"]))
    times = later.insert(50, later[50] - pd.Timedelta(milliseconds=1))
    steps = pd.DatetimeIndex(np.cumsum(np.diff(times.asi8) + np.arange(51)))
    frame = pd.DataFrame({"a": np.arange(51.0)}, steps)
    with pytest.raises(UsageError, match="of its rows are missing"):
        frames.fill_missing(frame, "it")


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a", "a_lower"], ["time"], ["b", "b_upper"]]
)
def test_names_that_a_forecast_would_have_twice_are_refused(written, names):
    columns = sorted(set(names))
    path = written(
        ",".join(["t", *columns]),
        *(",".join([str(time), *["1"] * len(columns)]) for time in hours(9)),
    )
    with pytest.raises(UsageError, match="would have two columns named"):
        frames.load(str(path), choice=ColumnChoice(target=names))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["t,a"], "has no rows under its line of names"),
        (["t,a", "2020-01-01,1", "2020-01-02,x"], "row 3, column a: 'x' is no"),
        (["t,a", "2020-01-01,1", "2020-01-02,inf"], "row 3, column a: 'inf'"),
        (["t,a", "2020-01-01,1", "soon,2"], "row 3, column t: 'soon' is no"),
        (["t,a", "2020-01-01,1", ",2"], "row 3, column t"),
        (["t,a", "2020-01-01,1,2", "2020-01-02,1,2"], "row 2: it has 3 cells"),
        (["t,a", "2020-01-01,1,", "2020-01-02,1,"], "row 2: it has 3 cells"),
        (["t,a", "2020-01-01,1", "", "2020-01-03,x"], "row 4, column a"),
        (["", "", "t,a", "2020-01-01,1", "2020-01-02,1,2"], "row 5: it has 3"),
        (["", "t,,a", "2020-01-01,1,2"], "row 2: column 2 has no name"),
        (["t,a", "2020-01-01,1", "2020-01-02,1e300"], "row 3, column a: '1e3"),
        (["t,a,a", "2020-01-01,1,2"], "two columns are named a"),
        (["t,,a", "2020-01-01,1,2"], "row 1: column 2 has no name"),
        (
            ["t,a", "2020-01-01 00:00,1", "2020-01-01 01:00+01,2"],
            "row 3, column t: .* with their offset",
        ),
        (["t", "2020-01-01"], "has no column of numbers"),
    ],
)
def test_cells_that_cannot_be_read_are_named(written, lines, message):
    with pytest.raises(UsageError, match=message):
        frames.load(str(written(*lines)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.delete(5).insert(5, t[5] + pd.Timedelta(minutes=7)),
            "the time .* is not a whole number of steps",
        ),
        (lambda t: t[:2], "is too short: it has 2 rows"),
        (
            lambda t: t[:10].append(t[10:] + pd.Timedelta(days=300)),
            "of its rows are missing",
        ),
    ],
)
def test_times_that_are_no_steps_are_refused(change, message):
    times = change(hours(40))
    frame = pd.DataFrame({"a": np.arange(float(len(times)))}, times)
    with pytest.raises(UsageError, match=message):
        frames.fill_missing(frame, "it")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.delete(5).insert(5, t[4]), "row 7: .* comes twice"),
        (lambda t: t.delete(5).insert(9, t[5]), "row 11: .* is before the"),
    ],
)
def test_times_that_do_not_increase_are_refused(written, change, message):
    times = change(hours(40))
    with pytest.raises(UsageError, match=message):
        frames.load(str(written("t,a", *rows(times, range(len(times))))))


def test_a_first_value_that_is_missing_is_refused():
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [np.nan, 2, 3]}, hours(3))
    with pytest.raises(UsageError, match="column b: the first value"):
        frames.fill_missing(frame, "it")


def test_a_constant_column_is_refused(written):
    lines = [f"{time},{i},7" for i, time in enumerate(hours(50))]
    with pytest.raises(UsageError, match="column b is the same all along"):
        frames.load(str(written("t,a,b", *lines)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"choice": ColumnChoice(target=["z"])},
            "has no column z: --target takes some of a",
        ),
        (
            {"file_format": FileFormat(time_column=["z"])},
            "has no column z: --time-column takes one of",
        ),
    ],
)
def test_columns_that_are_not_there_are_refused(written, options, message):
    path = written("t,a", *rows(hours(9), range(9)))
    with pytest.raises(UsageError, match=message):
        frames.load(str(path), **options)


@pytest.mark.parametrize("name", ["nowhere.csv", "ett/h3"])
def test_series_that_are_not_there_are_refused(name):
    with pytest.raises(UsageError, match="there is no"):
        frames.load(name)


@pytest.mark.parametrize(
    ("frequency", "season"),
    [("15min", 96), ("h", 24), ("D", 7), ("W", 52), ("MS", 12), ("YS", 1)],
)
def test_a_season_is_a_day_a_week_or_a_year(frequency, season):
    times = pd.date_range("2000-01-01", periods=50, freq=frequency)
    assert frames.season_of(times) == season
