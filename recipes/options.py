"""Settings: those given, those of a preset, and those of a training before."""

import argparse
import hashlib
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

from recipes import checkpoints
from recipes.console import UsageError
from recipes.output_folder import UNFINISHED, refuse_if_in_use

Settings = dict[str, Any]

# What says how long to train; one of them does.
LENGTHS = {"minutes", "epochs", "batches"}

# What a training that is gone on with may have otherwise than at its start.
FREE = {"data_dir", "manual_dir", "output", "logs", "resume"}


def settled(
    given: Settings,
    every: Settings,
    presets: dict[str, Settings],
    can_be_longer: bool = True,
) -> argparse.Namespace:
    """Fills in what the command line leaves open.

    Args:
        given: What it gives, and nothing else.
        every: What is so unless it is given.
        presets: What is so unless it is given, by the preset.
        can_be_longer: Whether a training that is gone on with may be told
            another length.

    Raises:
        UsageError: if an unfinished training is in its way, or missing, or
            another run writes to the output folder.
    """
    output: Path = given.get("output") or every["output"]
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"--output {output} is a file: name a folder to write to"
        )
    refuse_if_in_use(output)
    folder = output / UNFINISHED
    if given["resume"]:
        before = _before(folder, every)
        if can_be_longer and given.keys() & LENGTHS:
            lengths = before.keys() & LENGTHS
            before |= dict.fromkeys(lengths) | _some(given, lengths)
        return argparse.Namespace(**_as_before(folder, given, every, before))
    if checkpoints.exist(folder):
        raise UsageError(
            f"{folder} holds an unfinished training: go on with it with "
            "--resume, or remove that folder to start anew"
        )
    name: str = given.get("preset") or every["preset"]
    preset = presets[name]
    if given.keys() & LENGTHS:
        preset = preset | dict.fromkeys(preset.keys() & LENGTHS)
    return argparse.Namespace(**(every | preset | given))


def kept(args: argparse.Namespace) -> Settings:
    """The settings as JSON, to be gone on with."""
    return vars(args) | {"output": str(args.output)}


def check_same_data(
    args: argparse.Namespace, data: Iterable[bytes], name: str
) -> None:
    """Refuses to go on with other data than a training began with.

    Args:
        args: The recipe's settings; the digest of the data is kept there.
        data: What is to be the same.
        name: What an error calls it.

    Raises:
        UsageError: if it is not.
    """
    found = hashlib.sha256()
    for part in data:
        found.update(part)
    digest = found.hexdigest()
    if getattr(args, "digest", digest) != digest:
        raise UsageError(
            f"{name} has changed since the training in "
            f"{args.output / UNFINISHED} began: bring it back, or remove that "
            "folder to start anew"
        )
    args.digest = digest


def _before(folder: Path, every: Settings) -> Settings:
    """The settings that an unfinished training began with."""
    checkpoint = checkpoints.load(folder)
    if checkpoint is None:
        raise UsageError(
            f"there is no unfinished training in {folder}: --resume goes on "
            "with one that was stopped after its first checkpoint"
        )
    before: Settings = checkpoint.facts["settings"]
    if not every.keys() <= before.keys():
        raise UsageError(
            f"{folder} holds the unfinished training of another recipe: name "
            "another --output"
        )
    return before


def _as_before(
    folder: Path, given: Settings, every: Settings, before: Settings
) -> Settings:
    """The settings to go on with."""
    for name, value in given.items():
        if name not in FREE and before[name] != value:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} was {before[name]} when the training in {folder} "
                f"began, and is {value} now: leave it out to go on, or remove "
                "that folder to start anew"
            )
    return before | _some(dict.fromkeys(FREE) | every | given, FREE)


def _some(settings: Settings, names: Set[str]) -> Settings:
    return {name: settings[name] for name in settings.keys() & names}
