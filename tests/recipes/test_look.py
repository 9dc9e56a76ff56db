"""`recipes.look`, run as its users run it, on models small enough to make."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gatelstm import GateLSTM, GateTrace
from keras_gatelstm.inspect.notable import (
    notable_units,
    units_of_properties,
)
from recipes import console, look, look_pictures
from recipes.data.vocabulary import Vocabulary
from recipes.forecasting import gate_pictures
from tests.report.test_report import parts

TEXT = "To be, or not\nto be.\n  (Exit)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models: one of text, with its vocabulary, one of a series."""
    folder = tmp_path_factory.mktemp("models")
    vocabulary = Vocabulary.of(TEXT)
    vocabulary.save(folder / "vocabulary.json")
    keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(len(vocabulary), 4),
            GateLSTM(6, return_sequences=True, name="lower"),
            keras.layers.LSTM(5, return_sequences=True, name="upper"),
            keras.layers.Dense(len(vocabulary)),
        ]
    ).save(folder / "text.keras")
    keras.Sequential(
        [keras.Input((8, 2)), keras.layers.GRU(3, name="gru")]
    ).save(folder / "series.keras")
    segments = [keras.layers.Reshape((4, 4)), keras.layers.GRU(3, name="gru")]
    keras.Sequential([keras.Input((8, 2)), *segments]).save(
        folder / "segments.keras"
    )
    seen = keras.Input((8, 2))
    by_column = keras.ops.reshape(
        keras.ops.transpose(seen, (0, 2, 1)), (-1, 4, 2)
    )
    keras.Model(seen, keras.layers.GRU(3, name="gru")(by_column)).save(
        folder / "columns.keras"
    )
    dense = [keras.Input((4,)), keras.layers.Dense(1)]
    keras.Sequential(dense).save(folder / "dense.keras")
    rows = [f"2026-01-{day:02},{day / 10},{-day}" for day in range(1, 13)]
    (folder / "series.csv").write_text("\n".join(["date,up,down", *rows]))
    return folder


def run(*arguments):
    return console.run("look", look.main, [str(it) for it in arguments])


def test_a_text(folder, capsys):
    assert run(folder / "text.keras", "--text", TEXT) == 0
    out = capsys.readouterr().out
    written = {path.name for path in (folder / "look").iterdir()}
    assert written == {
        "report.html",
        "trace.npz",
        *(
            f"{name}-{layer}.png"
            for name in ("gates", "memory", "saturation", "cell")
            for layer in ("lower", "upper")
        ),
    }
    trace = GateTrace.load(folder / "look" / "trace.npz")
    assert "".join(trace.tokens[0]) == TEXT
    assert trace["lower/kept"].shape == (1, len(TEXT), 6)
    assert "forget_factor" in out
    assert "goes with" in out
    # The table begins with the units of the pictures.
    for layer in ("lower", "upper"):
        table = re.findall(rf"^{layer} +(\d+) +long_term_memory", out, re.M)
        units = [it.unit for it in units_of_properties(trace, layer)]
        assert [int(it) for it in table] == units[:8]
        assert units[:3] == notable_units(trace, layer)[: len(units)][:3]


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("char_text", "saved_models/other/model.keras", "char_text"),
        ("sequential_3", "saved_models/plays/model.keras", "plays"),
        ("functional", "saved_models/plays/best.keras", "best"),
    ],
)
def test_the_heading_is_a_name_and_not_a_path(name, path, expected):
    model = keras.Sequential(name=name)
    assert look_pictures.name_of(model, Path(path)) == expected


@pytest.mark.thorough
def test_the_page_has_the_name_of_the_model(folder):
    output = folder / "named"
    assert run(folder / "text.keras", "--text", TEXT, "--output", output) == 0
    page = (output / "report.html").read_text("utf-8")
    assert "<h1>text</h1>" in page


def test_a_series(folder, tmp_path):
    series = folder / "series.csv"
    output = tmp_path / "out"
    model = folder / "series.keras"
    assert run(model, "--series", series, "--output", output) == 0
    trace = GateTrace.load(output / "trace.npz")
    assert trace.tokens[0, 0] == "2026-01-05"  # The model takes the last 8.
    model = keras.saving.load_model(model)
    values = np.genfromtxt(series, delimiter=",", skip_header=1)[-8:, 1:]
    np.testing.assert_allclose(
        trace["gru/memory"][:, -1],
        model.predict_on_batch(values[None].astype("float32")),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("name", "columns", "size"),
    [
        ("series", ["up", "down"], 1),
        ("segments", ["up", "down"], 2),
        ("columns", ["down"], 2),
    ],
)
def test_the_report_of_a_series_shows_it(
    folder, tmp_path, monkeypatch, name, columns, size
):
    drawn = []

    def draw(layer, seen, size, names):
        kinds = [layer.anatomy[it].kind for it in layer]
        drawn.append((seen, size, names, len(layer) - kinds.count("value")))
        return gate_pictures.plot_reading(layer, seen, size, names)

    monkeypatch.setattr(look_pictures, "plot_reading", draw)
    series, output = folder / "series.csv", tmp_path / "out"
    model = folder / f"{name}.keras"
    assert run(model, "--series", series, "--output", output) == 0
    data, levels = parts((output / "report.html").read_text("utf-8"))
    days = [f"2026-01-{day:02}" for day in range(5, 13)]
    both = {
        "up": [it / 10 for it in range(5, 13)],
        "down": [*range(-5, -13, -1)],
    }
    assert data["series"] == {
        "names": columns,
        "times": days,
        "size": size,
        "columns": [both[column] for column in columns],
    }
    assert data["tokens"] == days[::size]
    # The page and the picture are of the last row, that of the last column.
    trace = GateTrace.load(output / "trace.npz")["gru"]
    first = data["layers"][0]["quantities"][0]
    step = (first["high"] - first["low"]) / (data["levels"] - 1)
    found = first["low"] + step * levels[: 3 * trace.shape[1]].reshape(3, -1)
    np.testing.assert_allclose(
        found, trace[first["name"]][-1].T, atol=step / 2 + 1e-6
    )
    [(seen, drawn_size, names, quantities)] = drawn
    assert (seen.name, drawn_size, len(names)) == ("down", size, quantities)
    assert seen.tolist() == both["down"]


BROKEN = {
    "broken.keras": "no model",
    "short.csv": "date,up,down\n"
    + "".join(f"2026-01-0{day},{day},2\n" for day in (1, 2, 3)),
    "bad.csv": "date,up,down\n2026-01-01,1,2\n2026-01-02,3,x\n",
    "empty.csv": "date,up,down\n",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.keras", "--text", "a"], "there is no file"),
        (["text.keras", "--text", ""], "--text is empty"),
        (["text.keras"], "one of the arguments --text"),
        (["series.csv", "--text", "a"], "must be a .keras file"),
        (["broken.keras", "--text", "a"], "cannot be loaded by Keras"),
        (["dense.keras", "--text", "a"], "has no gates to record"),
        (["series.keras", "--text", "a"], "give it a --series"),
        (["text.keras", "--text", "a", "--output", "{series.csv}"], "a file"),
        (["text.keras", "--series", "{series.csv}"], "has 2 columns"),
        (["series.keras", "--series", "{short.csv}"], "has 3 rows"),
        (["series.keras", "--series", "{bad.csv}"], "row 3, column down: 'x'"),
        (["series.keras", "--series", "{empty.csv}"], "has no rows"),
        (
            ["text.keras", "--text", "a", "--vocabulary", "{bad.csv}"],
            "holds no vocabulary",
        ),
    ],
)
def test_mistakes_are_one_line_and_status_2(folder, capsys, arguments, message):
    for name, content in BROKEN.items():
        (folder / name).write_text(content)
    model, *rest = arguments
    rest = [folder / it[1:-1] if it.startswith("{") else it for it in rest]
    assert run(folder / model, *rest) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
