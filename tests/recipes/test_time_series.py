"""The series recipe and the forecasts made with it, as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from recipes import console, forecast, sample, time_series
from recipes.data import decimals, frames
from recipes.data.file_format import FileFormat
from recipes.data.vocabulary import Vocabulary
from recipes.forecasting import exporting, gate_pictures, settings
from recipes.forecasting.description import Description
from recipes.forecasting.parts import check_series, windows_of
from recipes.training import checkpoints
from tests.recipes.reading import read

ROOT = Path(__file__).parents[2]
WRITTEN = [
    "errors.png",
    "forecasts.png",
    "gates.png",
    "litert/time_series.tflite",
    "metrics.json",
    "model.keras",
    "series.json",
    "serving/1/saved_model.pb",
    "training.png",
]
SMALL_UNIT = 1e-9
SMALL = ["--units", "8", "--batches", "30", "--lookback", "48"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What the recipe printed of a series of two columns, and its folder."""
    folder = tmp_path_factory.mktemp("series")
    times = pd.date_range("2020-01-01", periods=1500, freq="h")
    hour = np.arange(1500)
    random = np.random.default_rng(1)
    values = {
        "north": 100 + 10 * np.sin(hour * np.pi / 12),
        "south": (-5 + np.cos(hour * np.pi / 12)) * SMALL_UNIT,
    }
    noise = random.normal(scale=0.1, size=(1500, 2)) * [1, SMALL_UNIT]
    table = pd.DataFrame(values, times) + noise
    table.to_csv(folder / "load.csv", index_label="when")
    command = [sys.executable, "-m", "recipes.time_series", *SMALL]
    command += ["--dataset", folder / "load.csv", "--output", folder / "out"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done, folder


def test_it_writes_a_model_to_deploy(trained):
    done, folder = trained
    for name in WRITTEN:
        assert (folder / "out" / name).stat().st_size > 0, name
        if "/" not in name:
            assert str(folder / "out" / name) in done.stdout
    names = {path.name for path in (folder / "out").iterdir()}
    assert names == {name.split("/")[0] for name in WRITTEN}
    assert "Traceback" not in done.stderr


def test_it_prints_errors_beside_baselines(trained):
    done, folder = trained
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    errors = metrics["errors"]
    for name, row in errors.items():
        line = next(it for it in done.stdout.splitlines() if name in it)
        printed = [float(number) for number in line[len(name) :].split()[:4]]
        np.testing.assert_allclose(
            printed, list(row.values()), rtol=1e-3, atol=6e-4
        )
    assert errors["linear"]["mse"] < errors["last value"]["mse"]
    assert errors["seasonal naive"]["mse"] < errors["last value"]["mse"]
    assert 0.8 < metrics["intervals"]["covered"] <= 1


def test_it_says_what_each_part_of_the_average_does(trained):
    done, folder = trained
    metrics = json.loads((folder / "out" / "metrics.json").read_text())
    names = ["this model", "lesson alone", "linear", "seasonal naive"]
    assert list(metrics["errors"])[:4] == names
    # Thirty batches are too few for a recurrent model.
    weight = metrics["linear_weight"]
    assert 0.5 < weight <= 1
    said = f"= {weight:.1f} * linear + {1 - weight:.1f} * lesson, chosen on"
    assert said in done.stdout
    assert metrics["settings"]["form"] == "averaged"
    assert set(metrics["exports_differ_by"]) == {
        "model.keras",
        "serving/1",
        "litert/time_series.tflite",
    }
    assert max(metrics["exports_differ_by"].values()) < 1e-4


FORMS = ["model.keras", "serving/1", "litert/time_series.tflite"]


def run(program, *arguments):
    name = program.__name__.split(".")[-1]
    return console.run(name, program.main, [str(it) for it in arguments])


def test_every_form_forecasts_alike(trained, tmp_path):
    _, folder = trained
    tables = []
    for number, form in enumerate(FORMS):
        output = tmp_path / f"{number}.csv"
        options = [folder / "load.csv", "--output", output]
        assert run(forecast, folder / "out" / form, *options) == 0
        assert output.with_suffix(".png").read_bytes()[1:4] == b"PNG"
        tables.append(pd.read_csv(output, index_col="time", parse_dates=True))
    found = tables[0]
    assert len(found) == 24
    assert found.index[0] == pd.Timestamp("2020-03-03 12:00")
    names = ["north", "north_lower", "north_upper"]
    assert list(found.columns)[:3] == names
    assert (found["south_lower"] < found["south"]).all()
    assert found["north"].between(80, 120).all()
    for other in tables[1:]:
        np.testing.assert_allclose(other, found, rtol=1e-4)


def test_a_file_may_be_written_otherwise_than_that_of_the_training(
    trained, tmp_path
):
    _, folder = trained
    model = folder / "out" / "model.keras"
    table = read(folder / "load.csv").values
    table.index = table.index.strftime("%d.%m.%Y %H:%M")
    table["note"] = "text"
    german = tmp_path / "german.csv"
    table.to_csv(german, sep=";", decimal=",", index_label="Zeit")
    table.to_csv(tmp_path / "bars.txt", sep="!", index_label="when")
    tables = []
    for number, options in enumerate(
        (
            [folder / "load.csv"],
            [german],
            [tmp_path / "bars.txt", "--separator", "!"],
        )
    ):
        output = tmp_path / f"{number}.csv"
        assert run(forecast, model, *options, "--output", output) == 0
        tables.append(output.read_text())
    assert tables[0] == tables[1] == tables[2]
    saved = json.loads((folder / "out" / "series.json").read_text())
    assert saved["file"] == vars(FileFormat())


def refused(capsys, program, *arguments):
    assert run(program, *arguments) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.splitlines()[-1]


def test_files_that_the_model_does_not_know_are_refused(
    trained, tmp_path, capsys
):
    _, folder = trained
    model = folder / "out" / "model.keras"
    table = read(folder / "load.csv").values
    wrong = tmp_path / "wrong.csv"
    for change, message in (
        (table[["north"]], "has no column south: the model was trained on"),
        (table.iloc[:40], "has 40 rows: the model sees 48"),
        (table.iloc[::2], "has a row every 7200 s: the model was trained on"),
    ):
        change.to_csv(wrong)
        assert message in refused(capsys, forecast, model, wrong)
    assert "no file" in refused(capsys, forecast, tmp_path / "no.keras", wrong)
    assert "must be a .keras" in refused(
        capsys, forecast, folder / "out" / "metrics.json", folder / "load.csv"
    )
    assert "takes the name of a .csv" in refused(
        capsys, forecast, model, wrong, "--output", "a.txt"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--horizon", "0"], "expected a whole number above zero"),
        (["--horizon", "2000"], "the part to train on has"),
        (["--lookback", "1590"], "needs 1590 to see and 52 to forecast"),
        (["--cell", "lstm"], "invalid choice: 'lstm'"),
        (["--dataset", "nowhere.csv"], "there is no file nowhere.csv"),
        (["--target", "methane"], "has no column methane"),
        (["--resume"], "there is no unfinished training in"),
        (["--separator", "::"], "expected one character, or comma, semicolon"),
        (["--time-zone", "Berlin"], "expected a time zone such as Europe/"),
        (["--form", "averaged", "--period", "300"], "a --period of 2 or more"),
    ],
)
def test_mistakes_end_in_one_line(capsys, tmp_path, arguments, message):
    output = tmp_path / "out"
    said = refused(capsys, time_series, *arguments, "--output", output)
    assert message in said
    assert not output.exists()


def test_a_forecast_does_not_replace_what_it_was_made_of(trained, capsys):
    _, folder = trained
    before = (folder / "load.csv").read_bytes()
    said = refused(
        capsys,
        forecast,
        folder / "out",
        folder / "load.csv",
        "--output",
        folder / "load.csv",
    )
    assert "would be lost: this writes to" in said
    assert (folder / "load.csv").read_bytes() == before


def test_forecasts_that_are_not_finite_are_refused(
    trained, tmp_path, capsys, monkeypatch
):
    _, folder = trained
    monkeypatch.setattr(decimals, "LARGEST", 1e40)
    table = read(folder / "load.csv").values
    table.iloc[-1] = 1e37
    table.to_csv(tmp_path / "far.csv")
    said = refused(
        capsys,
        forecast,
        folder / "out" / "litert" / "time_series.tflite",
        tmp_path / "far.csv",
        "--output",
        tmp_path / "out.csv",
    )
    assert "forecasts numbers that are not finite" in said
    assert not (tmp_path / "out.csv").exists()


def test_models_of_something_else_are_refused(trained, tmp_path, capsys):
    _, folder = trained
    description = json.loads((folder / "out" / "series.json").read_text())
    (tmp_path / "series.json").write_text(json.dumps(description))
    model = tmp_path / "other.keras"
    file = folder / "load.csv"
    for steps, units in ((48, 3), (7, 2)):
        inputs = keras.Input((steps, 2))
        other = keras.layers.Dense(units)(inputs)
        keras.Model(inputs, other).save(model)
        said = refused(capsys, forecast, model, file)
        assert "(1, 48, 3), and series.json" in said or "no forecaster" in said
    model.write_bytes(b"PK\x05\x06" + bytes(18))
    assert "no forecaster" in refused(capsys, forecast, model, file)
    for change in ({"lookback": "many"}, {"half_widths": [1.0]}):
        (tmp_path / "series.json").write_text(json.dumps(description | change))
        assert "describes no series" in refused(capsys, forecast, model, file)


def test_a_training_goes_on_with_its_own_series_only(tmp_path, capsys):
    args = settings.parse(["--output", str(tmp_path)], "")
    frame = frames.load("co2")
    check_series(frame, args, "co2")
    check_series(frame, args, "co2")
    values = frame.values
    other_value = values.copy()
    other_value.iloc[-1] += 1e-9
    for changed in (
        other_value,
        values.rename(columns={"co2": "methane"}),
        values.shift(freq="7D"),
        values.iloc[:-1],
    ):
        with pytest.raises(console.UsageError, match="co2 has changed since"):
            check_series(frame._replace(values=changed), args, "co2")


@pytest.mark.parametrize(
    ("unit", "last", "said"),
    [
        (1e-40, 1e-40, "column co2 varies by less than 1e-36, too little"),
        (1e-25, 1e17, r"1e\+17 at 2001.*, column co2, is too far from the"),
    ],
)
def test_what_float32_cannot_hold_is_refused_before_training(
    tmp_path, unit, last, said
):
    args = settings.parse(["--output", str(tmp_path)], "")
    frame = frames.load("co2")
    values = frame.values * unit
    values.iloc[-1] = last
    with pytest.raises(console.UsageError, match=said):
        windows_of(frame._replace(values=values), args)


def test_pipes_in_the_place_of_files_are_refused(trained, tmp_path, capsys):
    _, folder = trained
    pipe = tmp_path / "model.keras"
    os.mkfifo(pipe)
    said = refused(capsys, forecast, pipe, folder / "load.csv")
    assert f"there is no file or folder {pipe}" in said
    assert f"no file or folder {pipe}" in refused(capsys, sample, pipe)
    with pytest.raises(console.UsageError, match=f"there is no file {pipe}"):
        Description.load(pipe)
    with pytest.raises(console.UsageError, match=f"there is no file {pipe}"):
        Vocabulary.load(pipe)


def test_a_training_of_another_recipe_is_not_gone_on_with(tmp_path, capsys):
    folder = tmp_path / "unfinished"
    folder.mkdir()
    of_text = {"settings": {"dataset": "stdlib", "epochs": 3}}
    checkpoints.save(folder, checkpoints.Checkpoint({}, of_text))
    said = refused(capsys, time_series, "--resume", "--output", tmp_path)
    assert "training of another recipe" in said


@pytest.fixture
def short(tmp_path, monkeypatch, capsys):
    """What was printed with a short look-back, and the metrics."""
    output = tmp_path / "out"
    refused = exporting.Exported({}, {exporting.LITERT: "float32 loses it"})
    monkeypatch.setattr(exporting, "export", lambda *_: refused)
    monkeypatch.setattr(gate_pictures, "draw_gates", lambda *_: None)
    old = output / "litert" / "time_series.tflite"
    old.parent.mkdir(parents=True)
    old.write_text("of a training before")
    few = ["--units", "4", "--batches", "2", "--lookback", "26"]
    assert run(time_series, *few, "--output", output) == 0
    assert not old.exists()
    metrics = json.loads((output / "metrics.json").read_text())
    return capsys.readouterr().out, metrics


@pytest.mark.thorough
def test_a_short_look_back_and_no_file_for_litert(short):
    """Two batches are too few, and no period fits into the look-back."""
    printed, metrics = short
    assert f"no {exporting.LITERT}: float32 loses it" in printed
    assert "last 26 steps repeated" in metrics["errors"]
    assert "seasonal naive" not in metrics["errors"]
    assert metrics["settings"]["form"] == "segments"
    assert metrics["linear_weight"] == 0
    assert metrics["loses_to"]["linear"] == ["mse", "mae"]
    lines = printed.splitlines()
    row = next(line for line in lines if line.startswith("linear"))
    assert row.endswith("MSE, MAE")
    assert lines[-1].startswith("this model is worse than linear (MSE, MAE)")
