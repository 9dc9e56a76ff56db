"""A trace: asked by name, cut, written and read back."""

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from keras_gatelstm import GateLSTM, GateLSTMCell, GateTrace, record_gates
from keras_gatelstm.inspect import LayerTrace

random = np.random.default_rng(0)


def some_trace(tokens=True, mask=True):
    def layer(path, units):
        shape = (2, 5, units)
        values = {
            name: random.normal(size=shape).astype("float32")
            for name in ("forget_factor", "kept")
        }
        there = random.random((2, 5)) > 0.3 if mask else None
        return LayerTrace(path, values, there, GateLSTMCell.anatomy)

    layers = {path: layer(path, 3) for path in ("first", "both/second")}
    words = np.array([list("héllo"), list("a\n b\t")])
    return GateTrace(layers, words if tokens else None)


def assert_equal(one, other):
    one, other = one.to_dict(), other.to_dict()
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])
        assert value.dtype == other[name].dtype


def test_by_name():
    trace = some_trace()
    assert trace["first/kept"] is trace["first"]["kept"]
    assert trace["both/second/kept"] is trace["both/second"]["kept"]
    alone = GateTrace({"first": trace["first"]})
    assert alone["kept"] is trace["first/kept"]


def test_unknown_names_say_what_there_is():
    trace = some_trace()
    with pytest.raises(KeyError, match=r"mean 'kept'. Available: forget_"):
        trace["first/kep"]
    with pytest.raises(KeyError, match="Available: first, both/second"):
        trace["third/kept"]
    with pytest.raises(ValueError, match="several layers: name one"):
        trace.only_layer()


def test_a_part_keeps_its_axes():
    trace = some_trace()
    part = trace.select(batch=1, time=slice(1, 4), units=[2, 0])
    np.testing.assert_array_equal(
        part["first/kept"], trace["first/kept"][1:, 1:4][..., [2, 0]]
    )
    np.testing.assert_array_equal(
        part["first"].mask, trace["first"].mask[1:, 1:4]
    )
    assert part.tokens.tolist() == [["\n", " ", "b"]]
    with pytest.raises(IndexError, match="units must be from 0 to 2"):
        trace.select(units=3)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".hdf5"])
@pytest.mark.parametrize("extras", [True, False])
def test_saved_and_loaded(tmp_path, suffix, extras):
    trace = some_trace(tokens=extras, mask=extras)
    path = trace.save(tmp_path / "new" / f"trace{suffix}")
    assert_equal(GateTrace.load(path), trace)


def test_timestamps_are_kept(tmp_path):
    days = np.arange("2026-01-01", "2026-01-06", dtype="datetime64[D]")
    trace = GateTrace(some_trace().layers, np.stack([days, days]))
    for name in ("t.npz", "t.h5"):
        assert_equal(GateTrace.load(trace.save(tmp_path / name)), trace)


def test_times_with_a_zone_are_kept_as_text(tmp_path):
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    trace = record_gates(GateLSTM(3), np.ones((1, 2, 3)), tokens=times)
    loaded = GateTrace.load(trace.save(tmp_path / "t.npz"))
    assert loaded.tokens.tolist() == [[str(time) for time in times]]


def test_lstmvis_finds_states_words_and_their_numbers(tmp_path):
    import h5py
    import yaml

    trace = some_trace()
    trace.save(tmp_path / "states.h5")
    config = yaml.safe_load((tmp_path / "lstm.yml").read_text("utf-8"))
    lines = (tmp_path / "words.dict").read_text("utf-8").splitlines()
    words = {int(it.split(" ")[1]): it.split(" ")[0] for it in lines}
    files = config["files"]
    with h5py.File(tmp_path / files[config["states"]["file"]]) as file:
        numbers = file[config["word_sequence"]["path"]][()]
        assert "".join(words[it] for it in numbers) == "hélloa⏎␣b⇥"
        for kind in config["states"]["types"]:
            assert file[kind["path"]].shape == (10, 3)
            assert kind["type"] in ("state", "output")
    assert len(config["states"]["types"]) == 4


def test_words_of_white_space_are_words_to_lstmvis(tmp_path):
    spaces = [it for it in map(chr, range(0x3001)) if it.isspace()]
    words = [*spaces, "␣", "a\xa0b", "", "b"]
    layer = LayerTrace("rnn", {"kept": np.zeros((1, len(words), 2))}, None)
    GateTrace({"rnn": layer}, np.array([words])).save(tmp_path / "t.h5")
    lines = (tmp_path / "words.dict").read_text("utf-8").split("\n")[:-1]
    assert len({line.split()[0] for line in lines}) == len(words)
    assert sorted(int(line.split()[1]) for line in lines) == list(
        range(len(words))
    )


def test_files_that_are_no_traces_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        GateTrace.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match=r"must end in .npz"):
        some_trace().save(tmp_path / "trace.txt")
    for name in ("bad.npz", "bad.h5"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match="cannot be read as a trace"):
            GateTrace.load(tmp_path / name)


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.zeros(3)},
        {"rnn/kept": np.zeros((2, 3))},
        {"rnn/kept": np.zeros((2, 3, 4)), "rnn/f": np.zeros((2, 4, 4))},
        {"rnn/kept": np.zeros((2, 3, 4)), "rnn/mask": np.zeros((2, 3, 4))},
        np.zeros(3),
    ],
    ids=str,
)
def test_arrays_of_something_else_are_refused(tmp_path, arrays):
    path = tmp_path / "trace.npz"
    with path.open("wb") as file:
        if isinstance(arrays, dict):
            np.savez(file, **arrays)
        else:
            np.save(file, arrays)
    with pytest.raises(ValueError, match="cannot be read as a trace"):
        GateTrace.load(path)


@pytest.mark.parametrize("kind", ["external", "virtual", "link", "tokens"])
def test_a_trace_of_another_file_is_refused(tmp_path, kind):
    """As a trace from elsewhere might read what only its reader may."""
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.txt"
    secret.write_bytes(np.arange(6.0).tobytes())
    path = tmp_path / "trace.h5"
    some_trace().save(tmp_path / "other.h5")
    with h5py.File(path, "w") as file:
        group = file.create_group("rnn")
        if kind == "external":
            where = [(str(secret), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset("rnn/kept", (6, 1), "f8", external=where)
        elif kind == "virtual":
            layout = h5py.VirtualLayout((10, 3), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "first/kept", (10, 3))
            file.create_virtual_dataset("rnn/kept", layout)
        elif kind == "link":
            group["kept"] = h5py.ExternalLink("other.h5", "first/kept")
        if kind == "tokens":
            file["rnn/kept"] = np.zeros((6, 1))
            group["kept"].attrs["batch_and_time"] = (2, 3)
            where = [(str(secret), 0, h5py.h5f.UNLIMITED)]
            tokens = file.create_dataset("tokens", (2, 3), "S8", external=where)
            tokens.attrs["dtype"] = "<U8"
        elif kind != "link":
            group["kept"].attrs["batch_and_time"] = (2, len(group["kept"]) // 2)
    with pytest.raises(ValueError, match="cannot be read as a trace"):
        GateTrace.load(path)


@pytest.mark.parametrize(
    "suffix", ["npz", pytest.param("h5", marks=pytest.mark.thorough)]
)
def test_a_full_disk_is_an_error_of_the_system(tmp_path, suffix):
    pytest.importorskip("h5py")
    program = (
        "import resource, sys, numpy as np\n"
        "from keras_gatelstm.inspect import GateTrace, LayerTrace\n"
        "random = np.random.default_rng(1).normal(size=(4, 50, 64))\n"
        "layer = LayerTrace('rnn', {'kept': random}, None)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n"
        "    GateTrace({'rnn': layer}, None).save(sys.argv[1])\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / f"trace.{suffix}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "File too large" in done.stdout, done.stderr
    assert not any(tmp_path.iterdir())


def test_to_xarray():
    pytest.importorskip("xarray")
    trace = some_trace()
    dataset = trace.to_xarray()
    assert dict(dataset.sizes) == {"batch": 2, "time": 5, "unit": 3}
    np.testing.assert_array_equal(
        dataset["first.kept"].isel(batch=1), trace["first/kept"][1]
    )
    assert dataset["token"].values.tolist() == trace.tokens.tolist()


def test_layers_of_unlike_sizes_to_xarray(tmp_path):
    pytest.importorskip("xarray")
    values = random.normal(size=(2, 5, 3))
    first = LayerTrace("first", {"kept": values})
    folded = LayerTrace("in/folded", {"kept": values.reshape(10, 1, 3)})
    dataset = GateTrace({"first": first, "in/folded": folded}).to_xarray()
    assert dataset["in.folded.kept"].shape == (10, 1, 3)
    assert set(dataset.sizes) == {
        "batch_first",
        "time_first",
        "batch_in.folded",
        "time_in.folded",
        "unit",
    }
