"""Time LSTM layers on a GPU, beside their peers.

    python -m benchmarks.gpu --backend jax --csv gpu.csv
    python -m benchmarks.gpu --backend torch --csv gpu.csv

The model is a layer over sequences of 64 features, the mean of its outputs and
a Dense of one unit; it trains with Adam on the mean squared error. Inputs are
on the GPU before the clock starts, and the clock stops when the loss or the
predictions are on the CPU. Figures are medians of interleaved calls, ms. Rows
are appended to the CSV file as they come.
"""

import argparse
import csv
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from benchmarks.timing import medians

if TYPE_CHECKING:
    import keras
    import torch

    from benchmarks.contenders import Programs

FEATURES = 64
PHASES = ("train", "infer")


@dataclass(frozen=True)
class Size:
    """Size of a layer and of its inputs, and the dtype it computes in."""

    batch: int
    units: int
    steps: int
    dtype: str = "float32"


SIZES = [
    *[
        Size(batch, units, steps)
        for units in (256, 512, 1024)
        for steps in (100, 1000)
        for batch in (64, 256)
    ],
    Size(256, 512, 100, "float16"),
    Size(256, 512, 100, "bfloat16"),
]


@dataclass(frozen=True)
class Figure:
    """Milliseconds of a call."""

    backend: str
    layer: str
    phase: str
    batch: int
    units: int
    steps: int
    dtype: str
    ms: float
    date: str
    machine: str


def main() -> None:
    """Print a table, and write the CSV file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["jax", "torch"], required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args()
    # Keras reads the variable once, when it is first imported.
    os.environ["KERAS_BACKEND"] = arguments.backend
    rows = []
    for size in SIZES:
        figures = measure(arguments.backend, size, arguments.rounds)
        rows += figures
        if arguments.csv:
            append(arguments.csv, figures)
        print(table(figures), flush=True)


def measure(backend: str, size: Size, rounds: int) -> list[Figure]:
    """Measure every layer at one size."""
    programs = {
        name: make(size)
        for name, make in contenders(backend, size.dtype).items()
    }
    common = {
        "backend": backend,
        **asdict(size),
        "date": date.today().isoformat(),
        "machine": machine(backend),
    }
    return [
        Figure(layer=name, phase=phase, ms=seconds * 1e3, **common)
        for phase in PHASES
        for name, seconds in medians(
            {name: getattr(it, phase) for name, it in programs.items()},
            rounds,
        ).items()
    ]


def contenders(
    backend: str, dtype: str
) -> "dict[str, Callable[[Size], Programs]]":
    """Return what makes the programs of each layer."""
    import keras

    from benchmarks.contenders import Programs
    from keras_gatelstm import GateLSTM

    policy = dtype if dtype == "float32" else f"mixed_{dtype}"

    def in_keras(
        layer: "Callable[..., keras.layers.Layer]", size: Size
    ) -> Programs:
        keras.config.set_dtype_policy(policy)
        model = keras.Sequential(
            [
                keras.Input((size.steps, FEATURES)),
                layer(size.units, return_sequences=True),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(1, dtype="float32"),
            ]
        )
        model.compile("adam", "mse")
        given = keras.ops.convert_to_tensor(events(size))
        wanted = keras.ops.zeros((size.batch, 1))
        return Programs(
            lambda: float(model.train_on_batch(given, wanted)),
            lambda: model.predict_on_batch(given),
        )

    found = {
        "GateLSTM, standard": partial(GateLSTM, variant="standard"),
        "GateLSTM, lesson": GateLSTM,
        "keras.layers.LSTM": keras.layers.LSTM,
        "keras.layers.LSTM, use_cudnn=False": partial(
            keras.layers.LSTM, use_cudnn=False
        ),
    }
    result = {name: partial(in_keras, it) for name, it in found.items()}
    if backend == "torch":
        result["torch.nn.LSTM"] = in_torch
    return result


def events(size: Size) -> np.ndarray:
    """Return random sequences, `(batch, steps, features)`."""
    shape = size.batch, size.steps, FEATURES
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def in_torch(size: Size) -> "Programs":
    """Return the programs of `torch.nn.LSTM`, in plain PyTorch."""
    import torch

    from benchmarks.contenders import Programs

    dtype = getattr(torch, size.dtype)
    lstm = torch.nn.LSTM(FEATURES, size.units, batch_first=True).cuda()
    dense = torch.nn.Linear(size.units, 1).cuda()
    adam = torch.optim.Adam([*lstm.parameters(), *dense.parameters()])
    given = torch.from_numpy(events(size)).cuda()
    wanted = torch.zeros(size.batch, 1).cuda()

    def predict() -> "torch.Tensor":
        with torch.autocast("cuda", dtype, dtype != torch.float32):
            return dense(lstm(given)[0].mean(1))

    def train() -> float:
        adam.zero_grad()
        loss = torch.nn.functional.mse_loss(predict().float(), wanted)
        loss.backward()
        adam.step()
        return loss.item()

    def infer() -> np.ndarray:
        with torch.inference_mode():
            return predict().float().cpu().numpy()

    return Programs(train, infer)


def machine(backend: str) -> str:
    """Describe the GPU and the package versions in a line."""
    import keras

    if backend == "jax":
        import jax

        return (
            f"{jax.devices()[0].device_kind}; Keras {keras.__version__}, "
            f"JAX {jax.__version__}"
        )
    import torch

    return (
        f"{torch.cuda.get_device_name()}; Keras {keras.__version__}, "
        f"PyTorch {torch.__version__}"
    )


def append(path: Path, figures: list[Figure]) -> None:
    """Append figures to a CSV file, one per line."""
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, [it.name for it in fields(Figure)])
        if new:
            writer.writeheader()
        writer.writerows(asdict(figure) for figure in figures)


def table(figures: list[Figure]) -> str:
    """Tabulate one size's figures."""
    first = figures[0]
    layers = dict.fromkeys(it.layer for it in figures)
    ms = {(it.layer, it.phase): it.ms for it in figures}
    title = (
        f"{first.backend}, batch {first.batch}, {first.units} units, "
        f"{first.steps} steps, {first.dtype}"
    )
    rows = [
        [name, *[f"{ms[name, phase]:.2f}" for phase in PHASES]]
        for name in layers
    ]
    headers = [title, *[f"{phase}, ms" for phase in PHASES]]
    return tabulate(rows, headers, "github", disable_numparse=True)


if __name__ == "__main__":
    main()
