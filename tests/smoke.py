"""Try an installed library, with whatever is installed beside it.

    python tests/smoke.py

needs Keras, NumPy and one backend, chosen by KERAS_BACKEND. TensorFlow, LiteRT,
matplotlib and PyTorch are tried where they are installed. It prints the
versions and what was tried; the first failure is an exception.
"""

import importlib.util
import tempfile
from importlib import metadata
from pathlib import Path

import keras
import numpy as np

import keras_gatelstm as kg

PACKAGES = (
    "keras-gatelstm",
    "keras",
    "numpy",
    "h5py",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "torch",
    "ai-edge-litert",
    "tabulate",
    "matplotlib",
)
EVENTS = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lesson_in_numpy(layer, events):
    """Return the outputs of the lesson's LSTM after each step."""
    weights = {
        weight.path.split("cell/")[-1]: keras.ops.convert_to_numpy(weight)
        for weight in layer.weights
    }
    short = long = np.zeros((len(events), layer.units))
    outputs = []

    def network(name, event):
        return (
            event @ weights[f"{name}/kernel"]
            + short @ weights[f"{name}/recurrent_kernel"]
            + weights[f"{name}/bias"]
        )

    for event in events.swapaxes(0, 1):
        new = np.tanh(network("learn_gate/new_information", event))
        learned = new * sigmoid(network("learn_gate/ignore_factor", event))
        kept = long * sigmoid(network("forget_gate/forget_factor", event))
        useful = np.tanh(
            kept @ weights["use_gate/useful_memory/kernel"]
            + weights["use_gate/useful_memory/bias"]
        )
        short = useful * sigmoid(network("use_gate/use_factor", event))
        long = kept + learned
        outputs.append(short)
    return np.stack(outputs, axis=1)


def build(layer):
    return keras.Sequential([keras.Input((None, 3), name="events"), layer])


def assert_close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(
        *map(keras.ops.convert_to_numpy, (found, expected)),
        atol=tolerance,
        rtol=0,
    )


def try_equations():
    layer = kg.GateLSTM(4, return_sequences=True)
    assert_close(layer(EVENTS), lesson_in_numpy(layer, EVENTS))


def try_training_and_saving():
    layer = kg.GateLSTM(4, name="memory")
    model = build(layer)
    model.compile("adam", "mse")
    before = layer.get_weights()
    model.fit(EVENTS, np.ones((2, 4)), epochs=1, verbose=0)
    after = layer.get_weights()
    assert all((a != b).any() for a, b in zip(after, before, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    assert_close(loaded(EVENTS), model(EVENTS))


def try_keras_layers():
    for kind in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN):
        model = build(kind(4, return_sequences=True))
        with_gates = kg.convert.from_keras(model)
        assert type(with_gates.layers[0]).__name__.startswith("Gate")
        expected = model(EVENTS)
        assert_close(with_gates(EVENTS), expected)
        assert_close(kg.convert.to_keras(with_gates)(EVENTS), expected)


def try_recording():
    model = build(keras.layers.LSTM(4, return_sequences=True, name="lstm"))
    trace = kg.record_gates(model, EVENTS, tokens="hello")
    expected = model(EVENTS)
    assert_close(trace["lstm/short_term_memory"], expected)
    before = trace["lstm/long_term_memory"][:, :-1]
    forget_factor = trace["lstm/forget_factor"][:, 1:]
    assert_close(trace["lstm/kept"][:, 1:], before * forget_factor)
    with tempfile.TemporaryDirectory() as folder:
        trace.save(f"{folder}/trace.h5")
        loaded = kg.GateTrace.load(f"{folder}/trace.h5")
        assert_close(loaded["lstm/kept"], trace["lstm/kept"], 0)
        page = kg.report.write_report(trace, f"{folder}/report.html")
        assert "<script" in page.read_text("utf-8")


def try_pictures():
    trace = kg.record_gates(kg.GateLSTM(4), EVENTS)
    with tempfile.TemporaryDirectory() as folder:
        kg.plots.plot_gates(trace).savefig(f"{folder}/gates.png")


def try_saved_model():
    import tensorflow as tf

    model = build(kg.GateLSTM(4, name="memory"))
    with tempfile.TemporaryDirectory() as folder:
        saved = kg.export.export_saved_model(model, folder)
        assert {"serving_default", "padded", "step"} <= set(saved.signatures)
        serve = tf.saved_model.load(str(saved.path)).signatures
        found = serve["serving_default"](events=tf.constant(EVENTS))
        assert_close(found["memory"], model(EVENTS))


def try_litert():
    for layer in (kg.GateLSTM(4, name="a"), keras.layers.LSTM(4, name="a")):
        model = build(layer)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            report = kg.export.export_litert(model, path, time_steps=5)
            assert report.form in ("unrolled", "fused")
            found = kg.export.run_litert(path, events=EVENTS[:1])
        assert_close(found["a"], model(EVENTS[:1]))


def try_pytorch():
    import torch

    lstm = torch.nn.LSTM(3, 4, batch_first=True)
    outputs, _ = lstm(torch.tensor(EVENTS))
    model = kg.convert.from_torch(lstm)
    assert_close(model(EVENTS), outputs)


# What is tried, and the modules that it needs beside Keras and NumPy.
TRIALS = {
    try_equations: (),
    try_training_and_saving: (),
    try_keras_layers: (),
    try_recording: (),
    try_pictures: ("matplotlib",),
    try_saved_model: ("tensorflow",),
    try_litert: ("tensorflow", "ai_edge_litert"),
    try_pytorch: ("torch",),
}


def main():
    package = Path(kg.__file__).parent
    assert (package / "py.typed").is_file()
    print(package)
    for name in PACKAGES:
        try:
            print(f"  {name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    backend = keras.backend.backend()
    print(f"  backend {backend}")
    for trial, modules in TRIALS.items():
        missing = [it for it in modules if importlib.util.find_spec(it) is None]
        if "tensorflow" in modules and backend != "tensorflow":
            missing = ["TensorFlow as the backend"]
        name = trial.__name__.removeprefix("try_")
        if missing:
            print(f"{name}: not tried, no {' '.join(missing)}", flush=True)
        else:
            trial()
            print(f"{name}: ok", flush=True)


if __name__ == "__main__":
    main()
