"""Columns that help, and many series in one file."""

import json

import numpy as np
import pandas as pd
import pytest

from recipes import console, forecast, time_series
from recipes.console import UsageError
from recipes.data.calendar import calendar
from recipes.data.columns import ColumnChoice
from recipes.data.frames import load
from recipes.data.windows import ColumnWindows, Features, Windows
from recipes.forecasting import models, training
from recipes.forecasting.parts import windows_of
from recipes.forecasting.settings import Settings
from tests.recipes.reading import read

HOURS = pd.date_range("2024-01-01", periods=30, freq="h")


@pytest.fixture
def shops(tmp_path):
    """Two shops' sales, whose rows are mixed; the second opens later."""
    parts = []
    for shop, start in (("north", 0), ("south", 6)):
        times = HOURS[start:]
        hour = np.arange(start, 30.0)
        parts.append(
            pd.DataFrame(
                {
                    "time": times,
                    "shop": shop,
                    "sales": hour + 100 * (shop == "south"),
                    "visits": -hour,
                    "holiday": hour % 5 == 0,
                }
            )
        )
    table = pd.concat(parts).sort_values(["time", "shop"])
    table["holiday"] = table["holiday"].astype(int)
    # What is known of three more hours.
    table.loc[table["time"] >= HOURS[27], ["sales", "visits"]] = np.nan
    path = tmp_path / "shops.csv"
    table.to_csv(path, index=False)
    return path


CHOICE = ColumnChoice(target=["sales"], known=["holiday"], series_column="shop")


def test_columns_are_arranged_by_series_and_by_what_they_are_for(shops):
    found = read(shops, CHOICE)
    assert list(found.values) == ["north", "south"]
    past, known, past_of, known_of = found.covariates
    assert list(past) == ["north visits", "south visits"]
    assert list(known) == ["north holiday", "south holiday"]
    assert past_of.tolist() == known_of.tolist() == [[0], [1]]
    # The time that both share; what is known ahead goes on.
    assert list(found.values.index) == list(HOURS[6:27])
    assert list(past.index) == list(HOURS[6:27])
    assert list(known.index) == list(HOURS[6:])
    np.testing.assert_array_equal(found.values["south"], np.arange(106, 127))
    np.testing.assert_array_equal(past["south visits"], -np.arange(6.0, 27))
    np.testing.assert_array_equal(
        known["north holiday"], np.arange(6, 30) % 5 == 0
    )


def test_several_targets_of_several_series(shops):
    choice = ColumnChoice(
        target=["sales", "visits"], known=["holiday"], series_column="shop"
    )
    found = read(shops, choice)
    names = ["north sales", "north visits", "south sales", "south visits"]
    assert list(found.values) == names
    assert found.covariates.known_of.tolist() == [[0], [0], [1], [1]]
    assert found.covariates.past.shape[1] == 0


def test_other_columns_help_only_beside_a_target(shops):
    table = pd.read_csv(shops)
    path = shops.with_name("north.csv")
    table[table["shop"] == "north"].to_csv(path, index=False)
    found = read(path, ColumnChoice(target=["sales"]))
    assert list(found.covariates.past) == ["visits", "holiday"]
    assert found.left_out == ("shop",)
    found = read(path, ColumnChoice(target=["sales"], only_target=True))
    assert found.covariates.past.shape[1] == 0
    assert set(found.left_out) == {"shop", "visits", "holiday"}
    found = read(path)
    assert list(found.values) == ["sales", "visits", "holiday"]
    assert found.covariates.past.shape[1] == 0


def test_series_may_be_told_by_numbers(shops):
    table = pd.read_csv(shops)
    table["shop"] = table["shop"].map({"north": 1, "south": 22})
    table.to_csv(shops, index=False)
    assert list(read(shops, CHOICE).values) == ["1", "22"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="shop"), "has no column shop: --series-col"),
        (
            lambda t: t.assign(shop=t["shop"].where(t.index > 2)),
            "row 2: column shop does not say which series",
        ),
        (
            lambda t: pd.concat([t, t.iloc[[-1]]]),
            "series south, row .*: the time .* comes twice",
        ),
        (
            lambda t: t[(t["shop"] == "north") | (t["time"] > str(HOURS[20]))],
            "share too little of their time; south is there from .* only",
        ),
    ],
)
def test_series_that_do_not_fit_together_are_refused(shops, change, said):
    change(pd.read_csv(shops)).to_csv(shops, index=False)
    with pytest.raises(UsageError, match=said):
        read(shops, CHOICE)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (ColumnChoice(known=["rain"]), "has no column rain: --known takes"),
        (ColumnChoice(known=["shop"]), "'north' is no number"),
        (
            ColumnChoice(target=["sales"], known=["sales"]),
            "column sales is in --target, and in --known",
        ),
        (ColumnChoice(target=["sales"]), "their --series-column"),
    ],
)
def test_columns_that_do_not_fit_are_refused(shops, choice, said):
    with pytest.raises(UsageError, match=said):
        read(shops, choice)


@pytest.mark.parametrize(
    ("frequency", "names"),
    [
        ("h", ["day sin", "day cos", "week sin", "week cos", "weekend"]),
        ("D", ["week sin", "week cos", "weekend"]),
        ("MS", []),
        ("YS", None),
    ],
)
def test_the_calendar_has_what_the_steps_can_tell(frequency, names):
    times = pd.date_range("2024-01-01", periods=40, freq=frequency)
    found = calendar(times)
    year = [] if names is None else ["year sin", "year cos"]
    expected = {f"calendar: {it}" for it in [*(names or []), *year]}
    assert set(found) == expected
    if frequency == "h":
        # Six in the morning of a Monday.
        row = found.iloc[6]
        assert row["calendar: day sin"] == pytest.approx(1)
        assert row["calendar: week sin"] == pytest.approx(
            np.sin(2 * np.pi * 0.25 / 7)
        )
        assert found["calendar: weekend"].sum() == 0


def test_a_covariate_that_float32_cannot_hold_is_refused(shops):
    table = pd.read_csv(shops)
    table = table[table["shop"] == "north"]
    table["visits"] *= 1e-25
    table.loc[table["time"] > str(HOURS[24]), "visits"] = 1e17
    path = shops.with_name("north.csv")
    table.to_csv(path, index=False)
    args = Settings(dataset=str(path), target=["sales"], lookback=3, horizon=1)
    frame = load(str(path), args, args)
    args.complete(1)
    with pytest.raises(UsageError, match="column visits, is too far from"):
        windows_of(frame, args)


def features(rows):
    """Two columns, each helped by one of `past`, and both by one of `known`."""
    time = np.arange(rows, dtype="float32")
    return Features(
        np.stack([time + 0.1, time + 0.2], 1),
        time[:, np.newaxis] + 0.5,
        np.array([[0], [1]]),
        np.array([[0], [0]]),
    )


def test_windows_have_the_covariates_of_their_rows():
    rows = np.arange(20, dtype="float32")
    series = np.stack([rows, -rows], 1)
    windows = Windows(series, 8, 20, 4, 3, features(20))
    inputs, targets = windows.take(slice(2, 3))
    np.testing.assert_array_equal(inputs["series"][0, :, 0], [6, 7, 8, 9])
    np.testing.assert_array_equal(targets[0, :, 0], [10, 11, 12])
    np.testing.assert_allclose(inputs["past"][0, :, 1], rows[6:10] + 0.2)
    np.testing.assert_allclose(inputs["known"][0, :, 0], rows[6:13] + 0.5)
    # Window 2 of column 1.
    inputs, targets = ColumnWindows(windows).take(np.array([5]))
    np.testing.assert_array_equal(inputs["series"], [[-6, -7, -8, -9]])
    np.testing.assert_array_equal(targets, [[-10, -11, -12]])
    np.testing.assert_allclose(inputs["past"][0, :, 0], rows[6:10] + 0.2)
    np.testing.assert_allclose(inputs["known"][0, :, 0], rows[6:13] + 0.5)


def settings(**given):
    plain = {"lookback": 10, "horizon": 5, "period": 5, "units": 16}
    args = Settings(**plain | {"batch_size": 64, "batches": 200} | given)
    args.complete(5)
    args.learning_rate = 1e-2
    return args


def test_all_columns_are_helped_by_their_own():
    args = settings(form="segments")
    random = np.random.default_rng(1)
    series = random.normal(size=(40, 2)).astype("float32")
    windows = Windows(series, 10, 40, 10, 5, features(40))
    trained = training.compiled(args, windows.layout)
    whole = training.whole(trained, args, windows.layout)
    inputs, _ = windows.take(slice(None))
    forecast = models.forecast_of(whole)(inputs)
    each, _ = ColumnWindows(windows).take(np.arange(2 * len(windows)))
    expected = trained(each).numpy().reshape(len(windows), 2, 5)
    np.testing.assert_allclose(
        forecast, expected.swapaxes(1, 2), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("kind", ["known", "past"])
def test_what_helps_is_used(kind, tmp_path):
    """A series of what was another's ten steps before, or is known ahead."""
    random = np.random.default_rng(1)
    cause = random.normal(size=(1200, 1)).astype("float32")
    none = np.empty((1200, 0), "float32")
    series = cause if kind == "known" else np.roll(cause, 10, 0)
    one, no = np.array([[0]]), np.empty((1, 0), int)
    helped = {
        "known": Features(none, cause, no, one),
        "past": Features(cause, none, one, no),
    }[kind]
    args = settings(form="averaged", dropout=0.0, cell="rnn")

    parts = [
        Windows(series, *part, 10, 5, helped)
        for part in ((0, 800), (800, 1000), (1000, 1200))
    ]
    found, _ = training.train(*parts[:2], args, tmp_path)
    inputs, targets = parts[2].take(slice(None))
    with_help = models.forecast_of(found.model)(inputs)
    assert np.mean((with_help - targets) ** 2) < 0.5
    # Of its own past, nothing can be said of it.
    assert np.mean((found.linear(inputs) - targets) ** 2) > 0.9


@pytest.mark.thorough
def test_a_model_of_many_series_is_deployed_with_what_is_known(
    tmp_path, capsys
):
    random = np.random.default_rng(1)
    times = pd.date_range("2024-01-01", periods=600, freq="h")
    day = np.sin(np.arange(600) * np.pi / 12)
    tables = [
        pd.DataFrame(
            {
                "time": times.strftime("%d.%m.%Y %H:%M"),
                "shop": shop,
                "sales": level + day + random.normal(scale=0.1, size=600),
                "holiday": random.integers(0, 2, 600),
            }
        )
        for shop, level in (("north", 10), ("south", 1000))
    ]
    table = pd.concat(tables).sort_index(kind="stable")
    path, output = tmp_path / "shops.csv", tmp_path / "out"
    table.to_csv(path, index=False, sep=";", decimal=",")

    def run(program, *arguments):
        name = program.__name__.split(".")[-1]
        given = [str(it) for it in arguments]
        return console.run(name, program.main, given), capsys.readouterr()

    options = ["--dataset", path, "--output", output, "--target", "sales"]
    options += ["--series-column", "shop", "--known", "holiday", "--calendar"]
    lengths = ["--horizon", "12", "--lookback", "48"]
    small = ["--units", "4", "--batches", "5"]
    status, said = run(time_series, *options, *lengths, *small)
    assert status == 0, said.err
    assert "these help the recurrent part: north holiday" in said.out
    metrics = json.loads((output / "metrics.json").read_text())
    assert set(metrics["mae_by_column"]) == {"north", "south"}
    assert "MAE, own units" in said.out
    assert max(metrics["exports_differ_by"].values()) < 1e-3

    model = output / "model.keras"
    status, said = run(forecast, model, path, "--output", tmp_path / "no.csv")
    assert status == 2
    assert "does not say north holiday at 2024-01-26 00:00:00" in said.err
    # Rows of the last day give what is known; their sales are not there yet.
    last = table["time"].str.startswith("25.01")
    table.loc[last, "sales"] = np.nan
    table.to_csv(path, index=False, sep=";", decimal=",")
    tables = []
    for number, form in enumerate(metrics["exports_differ_by"]):
        soon = tmp_path / f"{number}.csv"
        status, said = run(forecast, output / form, path, "--output", soon)
        assert status == 0, said.err
        tables.append(pd.read_csv(soon, index_col="time", parse_dates=True))
    assert len(tables) == 3
    assert tables[0].index[0] == pd.Timestamp("2024-01-25")
    assert tables[0]["north"].between(5, 15).all()
    assert tables[0]["south"].between(995, 1005).all()
    for other in tables[1:]:
        np.testing.assert_allclose(other, tables[0], rtol=1e-4)
