"""Files as people have them: read right, or refused in a line that helps."""

import numpy as np
import pandas as pd
import pytest

from recipes.console import UsageError
from recipes.data import csv_file
from recipes.data.columns import ColumnChoice
from recipes.data.frames import fill_missing, load
from tests.recipes.reading import read

JULY = pd.date_range("2024-07-01", periods=3, freq="h")
# As the third day is no month, days come first.
DAYS = pd.date_range("2024-01-12", periods=3, freq="D")
MONTHS = pd.date_range("2023-11-01", periods=3, freq="MS")


def table(times, **columns):
    return pd.DataFrame(
        {k: np.array(v, float) for k, v in columns.items()}, times
    )


READ = {
    "German, from a spreadsheet": (
        "\ufeffZeit;Nord;Süd\r\n"
        "01.07.2024 00:00;1,5;1.234,5\r\n"
        "01.07.2024 01:00;-2,25;1.235\r\n"
        "01.07.2024 02:00;3;\r\n",
        {},
        table(JULY, Nord=[1.5, -2.25, 3], Süd=[1234.5, 1235, np.nan]),
    ),
    "French, with blanks between thousands": (
        "date;valeur\n12/01/2024;1 234,5\n13/01/2024;12\n"
        "14/01/2024;1\u202f000\n",
        {},
        table(DAYS, valeur=[1234.5, 12, 1000]),
    ),
    "American, with quoted thousands": (
        'Date,Sales\n1/12/2024,"1,234.50"\n1/13/2024,"999"\n1/14/2024,2\n',
        {},
        table(DAYS, Sales=[1234.5, 999, 2]),
    ),
    "Swiss, with apostrophes": (
        "t;a\n2024-01-12;1'234.5\n2024-01-13;2'000\n2024-01-14;3\n",
        {},
        table(DAYS, a=[1234.5, 2000, 3]),
    ),
    "twelve hours and a.m.": (
        "t,a\n7/01/2024 12:00 AM,1\n7/01/2024 1:00 AM,2\n7/01/2024 2:00 AM,3\n",
        {"time_format": "%m/%d/%Y %I:%M %p"},
        table(JULY, a=[1, 2, 3]),
    ),
    "tabs": (
        "t\ta\n2024-07-01T00:00\t1\n2024-07-01T01:00\t2\n2024-07-01T02:00\t3\n",
        {},
        table(JULY, a=[1, 2, 3]),
    ),
    "bars, and columns of text": (
        "t|place|a|note\n2024-07-01 00:00|Ulm|1|\n2024-07-01 01:00|Ulm|2|x\n"
        "2024-07-01 02:00|Ulm|3|\n",
        {},
        table(JULY, a=[1, 2, 3]),
    ),
    "dates and times of day apart, and empty columns at the end": (
        "Date;Time;CO(GT);C6H6;;\n01/07/2024;00.00.00;2,6;11,9;;\n"
        "01/07/2024;01.00.00;2;9,4;;\n01/07/2024;02.00.00;2,2;9;;\n;;;;;\n",
        {"time_column": ["Date", "Time"], "time_format": "%d/%m/%Y %H.%M.%S"},
        table(JULY, **{"CO(GT)": [2.6, 2, 2.2], "C6H6": [11.9, 9.4, 9]}),
    ),
    "values missing as people write it": (
        "t,a,b,c,d\n2024-07-01 00:00,1,2,NA,4\n2024-07-01 01:00,-,?,3,4\n"
        "2024-07-01 02:00,3,2,n/a,null\n",
        {},
        table(
            JULY,
            a=[1, np.nan, 3],
            b=[2, np.nan, 2],
            c=[np.nan, 3, np.nan],
            d=[4, 4, np.nan],
        ),
    ),
    "months by name": (
        "month,a\nNov 2023,1\nDec 2023,2\nJan 2024,3\n",
        {},
        table(MONTHS, a=[1, 2, 3]),
    ),
    "seconds since 1970": (
        "ts,a\n1719792000,1\n1719795600,2\n1719799200,3\n",
        {},
        table(JULY.tz_localize("UTC"), a=[1, 2, 3]),
    ),
    "milliseconds since 1970": (
        "ts,a\n1719792000000,1\n1719795600000,2\n1719799200000,3\n",
        {},
        table(JULY.tz_localize("UTC"), a=[1, 2, 3]),
    ),
    "a comma in a quoted name": (
        't;"load, MW"\n2024-01-12;1,5\n2024-01-13;2,5\n2024-01-14;3,5\n',
        {},
        table(DAYS, **{"load, MW": [1.5, 2.5, 3.5]}),
    ),
    "days with offsets, through daylight saving": (
        "t,a\n2024-03-30T00:00+01:00,1\n2024-03-31T00:00+01:00,2\n"
        "2024-04-01T00:00+02:00,3\n",
        {},
        table(pd.date_range("2024-03-30", periods=3), a=[1, 2, 3]),
    ),
    "a minus that is none of ASCII": (
        "t,a\n2024-01-12,\u22121.5\n2024-01-13,2\n2024-01-14,3\n",
        {},
        table(DAYS, a=[-1.5, 2, 3]),
    ),
    "one value of thousands, and a point elsewhere": (
        't,a\n2024-01-12,"1,234"\n2024-01-13,999.5\n2024-01-14,3\n',
        {},
        table(DAYS, a=[1234, 999.5, 3]),
    ),
    "what could be read in two ways, said": (
        "t;a\n01/02/2024;1,234\n01/03/2024;2,345\n01/04/2024;3,456\n",
        {"time_format": "%m/%d/%Y", "decimal": ","},
        table(pd.date_range("2024-01-02", periods=3), a=[1.234, 2.345, 3.456]),
    ),
    "a separator that is said": (
        "t#a\n2024-01-12#1\n2024-01-13#2\n2024-01-14#3\n",
        {"separator": "#"},
        table(DAYS, a=[1, 2, 3]),
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", READ)
def test_files_are_read(name, encoding, tmp_path):
    text, said, expected = READ[name]
    path = tmp_path / "series.csv"
    path.write_bytes(text.removeprefix("\ufeff").encode(encoding))
    if text.startswith("\ufeff") and encoding == "utf-8":
        path.write_bytes(text.encode(encoding))
    pd.testing.assert_frame_equal(
        read(path, **said).values,
        expected,
        check_freq=False,
        check_names=False,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "t,a\n01/02/2024,1\n01/03/2024,2\n",
            r"row 2, column t: '01/02/2024' can be read .* %d/%m/%Y or %m/%d",
        ),
        ("t;a\n2024-01-01;1,234\n2024-01-02;2,345\n", r"'1,234' \(row 2, col"),
        (
            "t;a;b\n2024-01-01;1,5;1.5\n2024-01-02;2;3\n",
            r"'1,5' \(row 2, column a\) has a decimal comma, and '1.5' \(row 2",
        ),
        ("t;a,b\n2024-01-01;1,2\n", r"can be divided at ',' and ';': name"),
        ("2024-01-01,5\n2024-01-02,6\n", "'2024-01-01' is no name: put a row"),
        ("t;Größe\n2024-01-01;1\n", r"is not in UTF-8: save it as CSV UTF-8"),
        ("t,a\n45292.5,1\n45293.5,2\n", r"'45292.5' is no time such as"),
        ("t,a\n01.07.2024,1\nTotal,2\n", r"row 3, column t: 'Total' is no"),
        (
            "t,a\n2024-01-01,12 kW\n2024-01-02,13 kW\n",
            "a: '12 kW' is no",
        ),
        (
            "t,a\n2024-01-01,[kW]\n2024-01-02,13\n2024-01-03,1\n",
            r"row 2, column a: '\[kW\]' is no",
        ),
        ("t,a\n2024-01-01,\n2024-01-02,\n", "column a is empty"),
        ("", "no CSV file"),
        ("PK\x03\x04", "is a workbook or an archive: save it as CSV"),
    ],
)
def test_files_that_cannot_be_told_are_refused(text, said, tmp_path):
    path = tmp_path / "series.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=said) as error:
        load(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_column_of_text_matters_where_it_is_asked_for(tmp_path):
    path = tmp_path / "series.csv"
    path.write_text(READ["bars, and columns of text"][0])
    with pytest.raises(UsageError, match="row 2, column place: 'Ulm' is no"):
        load(str(path), choice=ColumnChoice(target=["place"]))


def local_file(path, zone, start="2024-10-26"):
    """Write local times through a change of daylight saving."""
    utc = pd.date_range(start, periods=72, freq="h", tz=zone).tz_convert("UTC")
    local = utc.tz_convert(zone).strftime("%d.%m.%Y %H:%M")
    lines = [f"{time};{n}" for n, time in enumerate(local)]
    path.write_text("\n".join(["t;a", *lines]))
    return utc


@pytest.mark.parametrize("start", ["2024-10-26", "2024-03-30"])
def test_local_times_go_through_daylight_saving(tmp_path, start):
    path = tmp_path / "series.csv"
    utc = local_file(path, "Europe/Berlin", start)
    found = read(path, time_zone="Europe/Berlin").values
    regular, filled = fill_missing(found, "it")
    assert filled == 0
    assert list(regular.index) == list(utc)


def test_local_times_without_their_zone_are_asked_for_it(tmp_path):
    path = tmp_path / "series.csv"
    local_file(path, "Europe/Berlin")
    with pytest.raises(UsageError, match=r"comes twice; .* their --time-zone"):
        load(str(path))


@pytest.mark.parametrize(
    ("times", "zone", "said"),
    [
        (
            pd.date_range("2024-03-31", periods=5, freq="h"),
            "Europe/Berlin",
            "a time is not one of Europe/Berlin: .* such as Etc/GMT-1",
        ),
        (
            pd.date_range("2024-03-31", periods=5, freq="h", tz="UTC"),
            "Europe/Berlin",
            "with their offset from UTC: leave out --time-zone",
        ),
    ],
)
def test_times_that_do_not_fit_the_zone_are_refused(
    times, zone, said, tmp_path
):
    path = tmp_path / "series.csv"
    pd.DataFrame({"a": 1.0}, times).to_csv(path, index_label="t")
    with pytest.raises(UsageError, match=said):
        read(path, time_zone=zone)


def test_days_of_a_zone_stay_days(tmp_path):
    path = tmp_path / "series.csv"
    text, _, expected = READ["American, with quoted thousands"]
    path.write_text(text)
    found = read(path, time_zone="America/New_York")
    assert list(found.values.index) == list(expected.index)


@pytest.mark.parametrize("missing", [[3], [3, 7], [1, 2, 12]])
def test_ends_of_months_may_have_gaps(missing, tmp_path):
    times = pd.date_range("2020-01-31", periods=36, freq="ME")
    path = tmp_path / "series.csv"
    frame = pd.DataFrame({"a": np.arange(36.0)}, times)
    frame.drop(times[missing]).to_csv(path, index_label="t")
    found = read(path).values
    regular, filled = fill_missing(found, "it")
    assert list(regular.index) == list(times)
    assert filled == len(missing)


def test_mixed_steps_are_refused(tmp_path):
    path = tmp_path / "series.csv"
    hours = pd.date_range("2024-01-01", periods=40, freq="h")
    quarters = pd.date_range("2024-01-02 16:15", periods=20, freq="15min")
    frame = pd.DataFrame({"a": np.arange(60.0)}, hours.append(quarters))
    frame.to_csv(path, index_label="t")
    with pytest.raises(
        UsageError, match=r"row 42: .* not a whole number of st"
    ):
        load(str(path))


@pytest.mark.parametrize("as_index", [True, False])
def test_parquet_is_read(as_index, tmp_path):
    path = tmp_path / "series.parquet"
    times = pd.date_range("2024-07-01", periods=50, freq="h", tz="UTC")
    frame = pd.DataFrame(
        {
            "a": np.arange(50),
            "name": ["x"] * 50,
            "b": np.arange(50, dtype="float32") % 7,
            "flag": [True, False] * 25,
        },
        times.rename("when"),
    )
    if not as_index:
        frame = frame.reset_index()[["a", "when", "b", "name", "flag"]]
    frame.to_parquet(path)
    found = load(str(path))
    assert list(found.values.columns) == ["a", "b"]
    assert set(found.left_out) == {"name", "flag"}
    assert list(found.values.index) == list(times)
    np.testing.assert_array_equal(found.values["a"], np.arange(50))
    with pytest.raises(UsageError, match="column name is of type"):
        load(str(path), choice=ColumnChoice(target=["name"]))
    frame = frame.reset_index() if as_index else frame
    frame.loc[3, "when"] = pd.NaT
    frame.to_parquet(path)
    with pytest.raises(UsageError, match="row 4, column when: the time is mi"):
        load(str(path))
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UsageError, match="is no Parquet file"):
        load(str(path))


def test_the_separator_is_found_in_a_cut_off_start(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "LONGEST_LINE", 100)
    path = tmp_path / "series.csv"
    lines = [f"2024-01-{day:02};{day},5" for day in range(1, 29)]
    path.write_text("\n".join(["t;a", *lines]))
    found = read(path).values
    np.testing.assert_array_equal(found["a"], np.arange(1, 29) + 0.5)
