"""Settings from the command line, a preset, or an unfinished training."""

import argparse
import hashlib
from collections.abc import Iterable, Set
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from recipes import console
from recipes.console import UsageError
from recipes.output_folder import UNFINISHED, refuse_if_in_use
from recipes.training import checkpoints

# Settings by name: of the command line or of a preset.
SettingsDict = dict[str, Any]

# Settings of the training length; exactly one of them is used.
LENGTHS = {"minutes", "epochs", "batches"}

# Settings that may change when a training is resumed.
MAY_CHANGE = {
    "data_dir",
    "manual_dir",
    "output",
    "logs",
    "resume",
    "workers",
    "address",
}


@dataclass(kw_only=True)
class Settings:
    """Settings common to all recipes that train.

    Args:
        preset: Name of the preset.
        output: Folder to write to.
        batch_size: Rows in a batch.
        learning_rate: Learning rate at the start.
        minutes: Minutes to train; `None` for a number of batches.
        data_dir: Folder of tensorflow-datasets; `None` for its default.
        manual_dir: Folder with the data file; `None` to download it.
        resume: Whether to resume an unfinished training.
        workers: Processes that train, on Ray; `None` to train in this one.
        address: Address of a Ray cluster; `None` to start one here.
        digest: SHA-256 of the data; `None` until they are read.
    """

    preset: str
    output: Path
    batch_size: int
    learning_rate: float
    minutes: float | None = None
    data_dir: str | None = None
    manual_dir: str | None = None
    resume: bool = False
    workers: int | None = None
    address: str | None = None
    digest: str | None = None

    def to_json(self) -> SettingsDict:
        """Return the settings as values that JSON can hold."""
        return asdict(self) | {"output": str(self.output)}


Kind = TypeVar("Kind", bound=Settings)


def defaults_of(kind: type[Settings]) -> SettingsDict:
    """Return the default values of settings, by name."""
    found = {}
    for field in fields(kind):
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
    return found


class SettingsParser(console.Parser):
    """Argument parser that returns only the settings given by the user.

    Args:
        program: Module of the program.
        description: Text for `--help`.
        kind: Class of the settings.
        presets: Settings of each preset, by its name.
    """

    def __init__(
        self,
        program: str,
        description: str,
        kind: type[Settings],
        presets: dict[str, SettingsDict],
    ) -> None:
        super().__init__(
            prog=f"python -m {program}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
        )
        self.defaults = defaults_of(kind)
        self.presets = presets

    def add_setting(self, option: str, help: str, **more: Any) -> None:
        """Add an option, with its default at the end of its help."""
        name = option.strip("-").replace("-", "_")
        default = self.defaults.get(name)
        shown = as_given(default) if default else ""
        if not shown:
            shown = "; ".join(
                f"{preset} {as_given(settings[name])}"
                for preset, settings in self.presets.items()
                if name in settings
            )
        ending = f" (default: {shown})" if shown else ""
        self.add_argument(option, help=help + ending, **more)

    def add_data_folders(self) -> None:
        """Add the options for the folders of data."""
        self.add_setting("--data-dir", "where tensorflow-datasets keeps data")
        self.add_setting(
            "--manual-dir", "folder with the data's file, if no network"
        )

    def add_output(self, what: str = "training", default: str = "") -> None:
        """Add `--output` and `--resume`."""
        self.add_setting(
            "--output",
            "folder to write to" + default,
            type=console.path,
            metavar="FOLDER",
        )
        self.add_argument(
            "--resume",
            action="store_true",
            default=False,
            help=f"go on with the unfinished {what} in the output folder",
        )


def add_workers(
    parser: argparse.ArgumentParser,
    what: str = "processes that train together, with Ray and JAX (default: "
    "this process alone, with TensorFlow)",
) -> None:
    """Add the options for several workers.

    Args:
        parser: The parser.
        what: Text for `--help`: what they do, and what is done without them.
    """
    parser.add_argument(
        "--workers", type=console.whole_number, help=what, metavar="N"
    )
    parser.add_argument(
        "--address",
        help="a Ray cluster for the workers, such as auto or 127.0.0.1:6379 "
        "(default: one that is started on this machine)",
    )


def check_address(workers: int | None, address: str | None) -> None:
    """Refuse an address without workers.

    Raises:
        UsageError: if there is one.
    """
    if workers is None and address is not None:
        raise UsageError(
            f"--address is for --workers: say how many. Received: --address "
            f"{address}"
        )


def as_given(value: object) -> str:
    """Format a setting as on the command line."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def resolve_settings(
    kind: type[Kind],
    given: SettingsDict,
    presets: dict[str, SettingsDict],
    can_be_longer: bool = True,
) -> Kind:
    """Complete the settings from a preset or an unfinished training.

    Args:
        kind: Class of the settings.
        given: Settings from the command line only.
        presets: Settings of each preset, by its name.
        can_be_longer: Whether a resumed training may have another length and
            learning rate.

    Raises:
        UsageError: if the output folder is in use, or holds an unfinished
            training without `--resume`, or none with it.
    """
    defaults = defaults_of(kind)
    output: Path = given.get("output") or defaults["output"]
    console.check_folder(output, "--output")
    refuse_if_in_use(output)
    folder = output / UNFINISHED
    if given["resume"]:
        before = _load_settings(folder, kind)
        if can_be_longer and given.keys() & LENGTHS:
            lengths = before.keys() & LENGTHS
            before |= dict.fromkeys(lengths) | _pick(given, lengths)
        if can_be_longer:
            # A smaller one, after a training that diverged.
            before |= _pick(given, {"learning_rate"})
        merged = _merge_settings(folder, given, defaults, before)
        return _check_workers(kind(**merged))
    if checkpoints.exist(folder):
        raise UsageError(
            f"{folder} holds an unfinished training: go on with it with "
            "--resume, or remove that folder to start anew"
        )
    preset = presets[given.get("preset") or defaults["preset"]]
    if given.keys() & LENGTHS:
        preset = preset | dict.fromkeys(preset.keys() & LENGTHS)
    return _check_workers(kind(**(defaults | preset | given)))


def _check_workers(settings: Kind) -> Kind:
    """Refuse workers that cannot share a batch.

    Raises:
        UsageError: if their rows would differ in number, or if there is an
            address without workers.
    """
    check_address(settings.workers, settings.address)
    if settings.workers and settings.batch_size % settings.workers:
        raise UsageError(
            f"--batch-size {settings.batch_size} must be a multiple of "
            f"--workers {settings.workers}: each takes as many rows"
        )
    return settings


def check_same_data(
    settings: Settings, data: Iterable[bytes], name: str
) -> None:
    """Refuse to resume a training with different data.

    Args:
        settings: The recipe's settings; their `digest` is checked and set.
        data: The data, in parts.
        name: Name of the data in error messages.

    Raises:
        UsageError: if the digest differs.
    """
    found = hashlib.sha256()
    for part in data:
        found.update(part)
    digest = found.hexdigest()
    if settings.digest not in (None, digest):
        raise UsageError(
            f"{name} has changed since the training in "
            f"{settings.output / UNFINISHED} began: bring it back, or remove "
            "that folder to start anew"
        )
    settings.digest = digest


def _load_settings(folder: Path, kind: type[Settings]) -> SettingsDict:
    """Load the settings of an unfinished training."""
    checkpoint = checkpoints.load(folder)
    if checkpoint is None:
        raise UsageError(
            f"there is no unfinished training in {folder}: --resume goes on "
            "with one that was stopped after its first checkpoint"
        )
    # Checkpoints of earlier versions lack some.
    before: SettingsDict = (
        _pick(defaults_of(kind), MAY_CHANGE) | checkpoint.facts["settings"]
    )
    if before.keys() != {field.name for field in fields(kind)}:
        raise UsageError(
            f"{folder} holds the unfinished training of another recipe: name "
            "another --output"
        )
    return before


def _merge_settings(
    folder: Path,
    given: SettingsDict,
    defaults: SettingsDict,
    before: SettingsDict,
) -> SettingsDict:
    """Merge the given settings into those of an unfinished training.

    Raises:
        UsageError: if a setting differs that cannot change.
    """
    for name, value in given.items():
        if name not in MAY_CHANGE and before[name] != value:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} was {before[name]} when the training in {folder} "
                f"began, and is {value} now: leave it out to go on, or remove "
                "that folder to start anew"
            )
    return before | _pick(defaults | given, MAY_CHANGE)


def _pick(settings: SettingsDict, names: Set[str]) -> SettingsDict:
    return {name: settings[name] for name in settings.keys() & names}
