"""Malformed inputs of every kind of file and command, generated anew."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.fuzz import arguments, damage, tables
from tests.fuzz.artefacts import Artefacts, facts_of
from tests.fuzz.damage import Damaged

SEED = 7


class Case(NamedTuple):
    """A malformed input, and the command that is to refuse it.

    Args:
        name: What is wrong with it.
        command: Module of the command, without its package.
        arguments: The command's arguments.
        files: Files to write before, with their contents.
        certain: Whether it must be refused. Else it may still be valid.
        row: Row of a table that the message must name; 0 for none.
    """

    name: str
    command: str
    arguments: list[str]
    files: dict[Path, bytes]
    certain: bool = True
    row: int = 0


Cases = Iterator[Case]


def of_arguments(
    command: str, count: int, valid: Artefacts, folder: Path
) -> Cases:
    """Yield malformed arguments of a command."""
    random = np.random.default_rng(SEED)
    for wrong in arguments.wrong_arguments(command, count, valid, random):
        yield Case(repr(wrong)[:200], command, wrong, {})


def of_tables(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed CSV files, for the recipes that read them."""
    random = np.random.default_rng(SEED)
    file = folder / "table.csv"
    commands = {
        "forecast": [str(valid.series / "model.keras"), str(file)],
        "look": [str(valid.series / "model.keras"), f"--series={file}"],
    }
    names = list(commands)
    for number, wrong in enumerate(tables.wrong_tables(count, random)):
        command = names[number % len(names)]
        name, content, certain = wrong.damaged
        yield Case(
            name,
            command,
            commands[command],
            {file: content},
            certain,
            wrong.row,
        )


def of_parquet(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed Parquet files."""
    import pandas as pd

    random = np.random.default_rng(SEED)
    file, right = folder / "table.parquet", folder / "right.parquet"
    pd.read_csv(valid.table, parse_dates=["time"]).to_parquet(right)
    given = [str(valid.series / "model.keras"), str(file)]
    for wrong in damage.damaged_bytes(right.read_bytes(), count, random):
        yield Case(
            wrong.name, "forecast", given, {file: wrong.content}, wrong.certain
        )


def of_texts(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield texts that are too short, or not in UTF-8."""
    random = np.random.default_rng(SEED)
    file = folder / "wrong.txt"
    right = valid.text.read_bytes()
    commands = {
        "char_text": ["--dataset", str(file)],
        "look": [
            str(valid.characters / "model.keras"),
            f"--text-file={file}",
        ],
        "live": [
            str(valid.characters / "model.keras"),
            f"--text-file={file}",
        ],
    }
    for number in range(count):
        content = bytearray(right * 10)
        for place in random.integers(0, len(content), 3):
            content[place] = random.integers(0x80, 0xC0)
        wrong = Damaged("not UTF-8", bytes(content), certain=True)
        command = list(commands)[number % 3]
        if command == "char_text" and number % 2:
            short = right[: random.integers(0, len(right))]
            wrong = Damaged(f"{len(short)} bytes", short, certain=True)
        yield Case(
            wrong.name, command, commands[command], {file: wrong.content}
        )


def of_vocabularies(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed `vocabulary.json` files."""
    random = np.random.default_rng(SEED)
    file = folder / "vocabulary.json"
    right = valid.characters / "vocabulary.json"
    model = str(valid.characters / "model.keras")
    option = f"--vocabulary={file}"
    commands = {
        "sample": [
            str(valid.characters / "streaming.tflite"),
            option,
            "--length=1",
        ],
        "live": [model, option, f"--output={folder}/live.html"],
        "export": [model, option, f"--saved-model={folder}/saved"],
    }
    wrong_ones = [
        *damage.other_files(),
        *damage.deep_json(),
        *damage.wrong_json(json.loads(right.read_bytes()), count, random),
    ]
    for number, wrong in enumerate(wrong_ones[:count]):
        # What may be valid is tried where that is quick.
        command = list(commands)[number % 3] if wrong.certain else "sample"
        yield Case(
            wrong.name,
            command,
            commands[command],
            {file: wrong.content},
            wrong.certain,
        )


def of_descriptions(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed `series.json` files."""
    random = np.random.default_rng(SEED)
    model = folder / "described" / "model.tflite"
    file = model.with_name("series.json")
    right = valid.series / "series.json"
    given = [str(model), str(valid.table), f"--output={folder}/forecast.csv"]
    wrong_ones = [
        *damage.other_files(),
        *damage.deep_json(),
        *damage.wrong_json(json.loads(right.read_bytes()), count, random),
    ]
    files = {model: (valid.series / "model.tflite").read_bytes()}
    for wrong in wrong_ones[:count]:
        yield Case(
            wrong.name,
            "forecast",
            given,
            files | {file: wrong.content},
            wrong.certain,
        )


def of_keras_files(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed `.keras` files."""
    random = np.random.default_rng(SEED)
    model = folder / "broken" / "model.keras"
    right = (valid.series / "model.keras").read_bytes()
    series = (valid.series / "series.json").read_bytes()
    forecast = [str(model), str(valid.table)]
    others = {
        "sample": [str(model), f"--vocabulary={valid.characters}"],
        "look": [str(model), f"--series={valid.table}"],
        "export": [str(model), f"--saved-model={folder}/saved"],
    }
    others["sample"][1] += "/vocabulary.json"
    wrong_ones = _wrong_keras_files(right, count, random)
    for number, wrong in enumerate(wrong_ones):
        command, given = "forecast", forecast
        if wrong.certain and number % 4:
            command = list(others)[number % 4 - 1]
            given = others[command]
        yield Case(
            wrong.name,
            command,
            [*given, f"--output={folder}/forecast.csv"]
            if command == "forecast"
            else given,
            {model: wrong.content, model.with_name("series.json"): series},
            wrong.certain,
        )


def _wrong_keras_files(
    right: bytes, count: int, random: np.random.Generator
) -> Iterator[Damaged]:
    config = json.loads(damage.member(right, "config.json"))

    def with_config(name: str, content: bytes, certain: bool) -> Damaged:
        changed = damage.rezipped(right, {"config.json": content})
        return Damaged(f"config: {name}", changed, certain)

    found = list(damage.other_files())
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        left_out = damage.rezipped(right, {name: None})
        certain = name != "metadata.json"
        found.append(Damaged(f"without {name}", left_out, certain))
    found += [with_config(*it) for it in damage.deep_json()]
    for layer, option, value in (
        ("GateLSTM", "units", 10**9),
        ("GateLSTM", "units", 10**5),
        ("Dense", "units", 10**9),
        ("InputLayer", "batch_shape", [None, 24, 10**9]),
        ("InputLayer", "batch_shape", [10**9, 24, 2]),
        ("Reshape", "target_shape", [10**9, 10**9]),
    ):
        large = json.loads(json.dumps(config))
        for it in large["config"]["layers"]:
            if it["class_name"] == layer:
                it["config"][option] = value
        # A fixed batch of another size is valid, and unused.
        certain = value != [10**9, 24, 2]
        name = f"{layer}.{option} = {value}"
        found.append(with_config(name, json.dumps(large).encode(), certain))
    code = json.loads(json.dumps(config))
    code["config"]["layers"][2] = {
        "module": "os",
        "class_name": "system",
        "config": {"command": "touch /tmp/owned"},
        "registered_name": None,
    }
    found.append(with_config("a call", json.dumps(code).encode(), True))
    code["config"]["layers"][2] = {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "code", "function": {"class_name": "__lambda__"}},
    }
    found.append(with_config("a lambda", json.dumps(code).encode(), True))
    weights = damage.member(right, "model.weights.h5")
    each = (count - len(found)) // 3
    for wrong in damage.damaged_bytes(weights, each, random):
        content = damage.rezipped(right, {"model.weights.h5": wrong.content})
        found.append(Damaged(f"weights: {wrong.name}", content, wrong.certain))
    found += [
        with_config(*it) for it in damage.wrong_json(config, each, random)
    ]
    found += damage.damaged_bytes(right, 12 + count - len(found), random)
    yield from found[:count]


def of_saved_models(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield SavedModels with a damaged file."""
    random = np.random.default_rng(SEED)
    source = valid.series / "serving" / "1"
    names = (
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    )
    right = {name: (source / name).read_bytes() for name in names}
    target = folder / "saved" / "1"
    series = (valid.series / "series.json").read_bytes()
    for number in range(count):
        name = names[number % len(names)]
        ways = list(damage.damaged_bytes(right[name], 14, random))
        wrong = ways[random.integers(len(ways))]
        certain = wrong.certain and "variables.data" not in name
        yield Case(
            f"{name}: {wrong.name}",
            "forecast",
            [str(target), str(valid.table), f"--output={folder}/forecast.csv"],
            {
                **{target / it: content for it, content in right.items()},
                target / name: wrong.content,
                target.parent / "series.json": series,
            },
            certain,
        )


def of_litert_files(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed `.tflite` files."""
    random = np.random.default_rng(SEED)
    file = folder / "litert" / "model.tflite"
    series = (valid.series / "series.json").read_bytes()
    right = (valid.series / "model.tflite").read_bytes()
    for wrong in damage.damaged_bytes(right, count, random):
        yield Case(
            wrong.name,
            "forecast",
            [str(file), str(valid.table), f"--output={folder}/forecast.csv"],
            {file: wrong.content, file.with_name("series.json"): series},
            wrong.certain,
        )


def of_arrays(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield malformed `.npy` files to quantise with."""
    random = np.random.default_rng(SEED)
    file = folder / "examples.npy"
    given = [
        str(valid.series / "model.keras"),
        f"--litert={folder}/x.tflite",
        "--quantize=int8",
        "--steps=24",
        f"--representative-data={file}",
    ]
    header = valid.examples.read_bytes()[:128]
    wrong_ones = list(damage.other_files())
    while len(wrong_ones) < count:
        # A damaged number is another number.
        damaged = damage.changed(header, random)
        wrong_ones.append(
            damaged if len(wrong_ones) % 2 else damage.cut(header, random)
        )
    for wrong in wrong_ones:
        yield Case(
            wrong.name, "export", given, {file: wrong.content}, wrong.certain
        )


def of_checkpoints(count: int, valid: Artefacts, folder: Path) -> Cases:
    """Yield unfinished trainings with a damaged checkpoint."""
    random = np.random.default_rng(SEED)
    source = valid.unfinished / "unfinished"
    output = folder / "killed"
    right = {
        output / "unfinished" / path.name: path.read_bytes()
        for path in source.iterdir()
    }
    checkpoint = output / "unfinished" / "checkpoint.npz"
    content = right[checkpoint]
    facts = facts_of(source / "checkpoint.npz")
    wrong_ones = [*damage.other_files(), *damage.deep_json()]
    for wrong in damage.wrong_json(facts, count // 2, random):
        array = _npy(np.array(wrong.content.decode()))
        changed = damage.rezipped(content, {"facts.npy": array})
        wrong_ones.append(Damaged(f"facts: {wrong.name}", changed, False))
    for array in (np.zeros(3), np.array(["text"]), np.array({}, object)):
        for member in ("facts.npy", "model/0.npy", "optimizer/0.npy"):
            changed = damage.rezipped(content, {member: _npy(array)})
            name = f"{member} is {array!r}"
            wrong_ones.append(Damaged(name, changed, True))
    wrong_ones += damage.damaged_bytes(
        content, count - len(wrong_ones) + 12, random
    )
    for number, wrong in enumerate(wrong_ones[:count]):
        # Going on with this one is refused in any case: it has no model yet.
        command = ("char_text", "time_series", "compare")[
            max(0, number % 9 - 6)
        ]
        arguments = ["--resume", f"--output={output}"]
        yield Case(
            wrong.name,
            command,
            arguments,
            right | {checkpoint: wrong.content},
        )


def _npy(array: np.ndarray) -> bytes:
    import io

    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


FILES: dict[str, Callable[[int, Artefacts, Path], Cases]] = {
    "tables": of_tables,
    "Parquet files": of_parquet,
    "texts": of_texts,
    "vocabulary.json": of_vocabularies,
    "series.json": of_descriptions,
    ".keras files": of_keras_files,
    "SavedModels": of_saved_models,
    ".tflite files": of_litert_files,
    ".npy files": of_arrays,
    "checkpoints": of_checkpoints,
}
