"""Forecasts of many series, and their errors."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from keras_gatelstm import GateLSTM, record_gates
from keras_gatelstm.export import export_saved_model
from recipes import score
from recipes.console import UsageError
from recipes.data.columns import ColumnChoice
from recipes.data.file_format import FileFormat
from recipes.forecasting.description import Description
from recipes.scoring import running
from tests.families import randomize

LOOKBACK, HORIZON, ROWS = 8, 4, 30
TIMES = pd.date_range("2026-01-01", periods=ROWS + HORIZON, freq="h")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A forecaster of random weights, with a column known ahead."""
    series = keras.Input((LOOKBACK, 2), dtype="float64", name="series")
    known = keras.Input((LOOKBACK + HORIZON, 1), dtype="float64", name="known")
    layer = GateLSTM(5, dtype="float64", name="recurrent")
    read = keras.layers.Concatenate(dtype="float64")(
        [layer(series), keras.layers.Flatten(dtype="float64")(known)]
    )
    flat = keras.layers.Dense(HORIZON * 2, dtype="float64")(read)
    outputs = keras.layers.Reshape((HORIZON, 2), dtype="float64")(flat)
    model = keras.Model({"series": series, "known": known}, outputs)
    randomize(model)
    model.folder = tmp_path_factory.mktemp("model")
    model.widths = np.linspace(0.5, 2, HORIZON * 2).reshape(HORIZON, 2)
    export_saved_model(model, model.folder / "serving")
    Description(
        columns=["load", "heat"],
        past=[],
        known=["holiday"],
        lookback=LOOKBACK,
        horizon=HORIZON,
        step_seconds=3600.0,
        coverage=0.9,
        half_widths=model.widths,
        file=FileFormat(),
        choice=ColumnChoice(
            target=["load", "heat"], known=["holiday"], only_target=True
        ),
    ).save(model.folder / "series.json")
    return model


def series_of(seed, rows=ROWS, ahead=True):
    """A series, in the last rows of which only what is known ahead is."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        random.normal(size=(rows + HORIZON, 2)), columns=["load", "heat"]
    )
    frame.insert(0, "time", TIMES[: rows + HORIZON])
    frame["holiday"] = random.integers(0, 2, len(frame)).astype(float)
    frame.loc[rows:, ["load", "heat"]] = np.nan
    return frame if ahead else frame[:rows]


def forecast_of(model, frame, first):
    """Forecast of the rows from a first one on, by Keras."""
    known = frame[["holiday"]].to_numpy()[first - LOOKBACK : first + HORIZON]
    seen = frame[["load", "heat"]].to_numpy()[first - LOOKBACK : first]
    inputs = {"series": seen[np.newaxis], "known": known[np.newaxis]}
    return np.asarray(model(inputs))[0]


def run(model, data, output, *options):
    given = [model.folder / "serving", data, "--output", output]
    score.main([*map(str, given), *options])
    return pd.read_parquet(output / "errors.parquet")


@pytest.mark.parametrize("every", [None, 3])
def test_errors_and_forecasts_are_those_of_keras(
    model, tmp_path, capsys, every
):
    data = tmp_path / "meters"
    data.mkdir()
    frames = {f"{it}.csv": series_of(it) for it in range(3)}
    for name, frame in frames.items():
        frame.to_csv(data / name, index=False)
    options = ["--every", str(every)] if every else []
    errors = run(model, data, tmp_path / "scores", *options)
    errors = errors.set_index(["series", "column"])
    forecasts = pd.read_parquet(tmp_path / "scores" / "forecasts")
    assert len(forecasts) == 3 * HORIZON * 2
    firsts = range(LOOKBACK, ROWS - HORIZON + 1, every or HORIZON)
    for name, frame in frames.items():
        expected = forecast_of(model, frame, ROWS)
        for number, column in enumerate(["load", "heat"]):
            mine = forecasts[
                (forecasts["series"] == name) & (forecasts["column"] == column)
            ]
            assert mine["time"].tolist() == TIMES[ROWS:].tolist()
            np.testing.assert_allclose(mine["forecast"], expected[:, number])
            width = model.widths[:, number]
            np.testing.assert_allclose(mine["upper"] - mine["forecast"], width)
            np.testing.assert_allclose(mine["forecast"] - mine["lower"], width)
            values = frame[column].to_numpy()
            away = np.array(
                [
                    forecast_of(model, frame, it)[:, number]
                    - values[it : it + HORIZON]
                    for it in firsts
                ]
            )
            last = np.array(
                [values[it - 1] - values[it : it + HORIZON] for it in firsts]
            )
            row = errors.loc[name, column]
            assert (row["rows"], row["windows"]) == (ROWS, len(firsts))
            assert row["mse"] == pytest.approx((away**2).mean())
            assert row["mae"] == pytest.approx(np.abs(away).mean())
            assert row["mae_of_last_value"] == pytest.approx(
                np.abs(last).mean()
            )
            inside = (np.abs(away) <= width).mean()
            assert row["coverage"] == pytest.approx(inside)
            assert pd.isna(row["problem"])
    assert (
        "series: 3, of which refused: 0, not forecast: 0"
        in capsys.readouterr().out
    )


def test_series_of_one_file_are_told_apart(model, tmp_path):
    frames = {f"m{it}": series_of(it) for it in range(3)}
    joined = pd.concat([it.assign(meter=name) for name, it in frames.items()])
    joined.to_parquet(tmp_path / "all.parquet", row_group_size=40)
    options = ["--series-column", "meter"]
    alone = tmp_path / "apart"
    alone.mkdir()
    for name, frame in frames.items():
        frame.to_parquet(alone / f"{name}.parquet")
    errors = run(model, tmp_path / "all.parquet", tmp_path / "a", *options)
    expected = run(model, alone, tmp_path / "b")
    assert errors["series"].tolist() == ["m0", "m0", "m1", "m1", "m2", "m2"]
    pd.testing.assert_frame_equal(
        errors.drop(columns="series"), expected.drop(columns="series")
    )
    mixed = joined.sort_values("time", kind="stable")
    mixed.to_parquet(tmp_path / "mixed.parquet")
    with pytest.raises(UsageError, match="series m0 goes on after others: so"):
        run(model, tmp_path / "mixed.parquet", tmp_path / "c", *options)
    with pytest.raises(UsageError, match="has no column no: --series-column"):
        run(
            model,
            tmp_path / "all.parquet",
            tmp_path / "c",
            *("--series-column", "no"),
        )


def test_series_that_do_not_fit_say_why(model, tmp_path, capsys):
    data = tmp_path / "meters"
    data.mkdir()
    series_of(1).to_csv(data / "good.csv", index=False)
    series_of(2, ahead=False).to_csv(data / "past.csv", index=False)
    series_of(3, rows=5).to_csv(data / "short.csv", index=False)
    series_of(4, rows=9).to_csv(data / "young.csv", index=False)
    series_of(5).drop(columns="heat").to_csv(data / "thin.csv", index=False)
    (data / "words.csv").write_text("time,load\nnow,much\n")
    errors = run(model, data, tmp_path / "scores").set_index("series")
    problems = {
        "past.csv": "does not say holiday at",
        "short.csv": "the model sees 8 before it forecasts",
        "thin.csv": "has no column heat",
        "words.csv": "row 2, column load: 'much' is no number",
    }
    for name in sorted(it.name for it in data.iterdir()):
        problem = errors.loc[[name], "problem"].iloc[0]
        if name in problems:
            assert problems[name] in problem
        else:
            assert pd.isna(problem)
    assert (errors.loc["past.csv", "windows"] == 5).all()
    assert errors.loc["past.csv", "mae"].notna().all()
    assert (errors.loc["young.csv", "windows"] == 0).all()
    assert errors.loc["young.csv", "mae"].isna().all()
    forecasts = pd.read_parquet(tmp_path / "scores" / "forecasts")
    assert set(forecasts["series"]) == {"good.csv", "young.csv"}
    told = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert (told["series"], told["refused"]) == (6, 3)
    # Of two series, five each.
    assert (told["not_forecast"], told["windows"]) == (4, 10)
    assert "refused: 3, not forecast: 4" in capsys.readouterr().out


def test_gates_are_those_of_all_windows(model, tmp_path):
    frame = series_of(1)
    frame.to_csv(tmp_path / "a.csv", index=False)
    run(model, tmp_path / "a.csv", tmp_path / "scores", "--gates")
    table = pd.read_parquet(tmp_path / "scores" / "gates.parquet")
    firsts = [*range(LOOKBACK, ROWS - HORIZON + 1, HORIZON), ROWS]
    values = frame[["load", "heat"]].to_numpy()
    known = frame[["holiday"]].to_numpy()
    inputs = {
        "series": np.stack([values[it - LOOKBACK : it] for it in firsts]),
        "known": np.stack(
            [known[it - LOOKBACK : it + HORIZON] for it in firsts]
        ),
    }
    trace = record_gates(model, inputs)
    kept = trace["forget_factor"].reshape(-1, 5)
    assert (table["steps"] == len(kept)).all()
    half_life = np.log(0.5) / np.log(kept.astype(float)).mean(0)
    np.testing.assert_allclose(table["half_life"], half_life, rtol=1e-6)


def test_options_of_texts_are_refused(model, tmp_path):
    series_of(1).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(UsageError, match="is a model of series, for which --c"):
        run(model, tmp_path / "a.csv", tmp_path / "scores", "--chunk", "99")


def test_rows_are_numbered_as_in_the_file(model, tmp_path):
    frames = [series_of(it).assign(meter=f"m{it}") for it in range(2)]
    frames[1]["time"] = frames[1]["time"].astype(str)
    frames[1].loc[2, "time"] = "soon"
    frames[0]["time"] = frames[0]["time"].astype(str)
    joined = pd.concat(frames).set_index(["meter", "time"])
    joined.to_parquet(tmp_path / "all.parquet")
    errors = run(
        model,
        tmp_path / "all.parquet",
        tmp_path / "scores",
        *("--series-column", "meter"),
    ).set_index("series")
    assert pd.isna(errors.loc["m0", "problem"]).all()
    assert f"row {ROWS + HORIZON + 3}" in errors.loc["m1", "problem"]


def test_no_file_stops_the_others(model, tmp_path, monkeypatch):
    data = tmp_path / "meters"
    data.mkdir()
    for number in range(3):
        series_of(number).to_csv(data / f"{number}.csv", index=False)
    pd.DataFrame().to_parquet(data / "empty.parquet")
    score_one = running.Worker.score

    def change(worker, part):
        (data / "0.csv").unlink()
        (data / "1.csv").write_text("changed")
        return score_one(worker, part)

    monkeypatch.setattr(running.Worker, "score", change)
    errors = run(model, data, tmp_path / "scores").set_index("series")
    for name in ("0.csv", "1.csv"):
        assert "is not the file any more" in errors.loc[name, "problem"]
    assert pd.isna(errors.loc["2.csv", "problem"]).all()
    assert "cannot be read" in errors.loc["empty.parquet", "problem"]


def test_forecasts_that_are_not_finite_are_not_written(model, tmp_path):
    frame = series_of(1)
    frame["heat"] *= 1e300
    frame.to_csv(tmp_path / "a.csv", index=False)
    errors = run(model, tmp_path / "a.csv", tmp_path / "scores")
    assert errors["problem"].notna().all()
    assert not len(pd.read_parquet(tmp_path / "scores" / "forecasts"))


def test_a_file_of_no_rows_is_no_series(model, tmp_path):
    series_of(1).assign(meter="a")[:0].to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="there is no series in"):
        run(
            model,
            tmp_path / "a.parquet",
            tmp_path / "scores",
            *("--series-column", "meter"),
        )
