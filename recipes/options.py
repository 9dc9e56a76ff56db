"""Settings: those given, those of a preset, and those of a training before."""

import argparse
from pathlib import Path
from typing import Any

from recipes import checkpoints
from recipes.console import UsageError

Settings = dict[str, Any]

# Where unfinished trainings are kept, in the output folder.
UNFINISHED = "unfinished"

# What says how long to train; one of them does.
LENGTHS = {"minutes", "epochs", "batches"}

# What a training that is gone on with may have otherwise than at its start.
FREE = {"data_dir", "manual_dir", "output", "logs", "resume"}


def settled(
    given: Settings, every: Settings, presets: dict[str, Settings]
) -> argparse.Namespace:
    """Fills in what the command line leaves open.

    Args:
        given: What it gives, and nothing else.
        every: What is so unless it is given.
        presets: What is so unless it is given, by the preset.

    Raises:
        UsageError: if an unfinished training is in its way, or missing.
    """
    output: Path = given.get("output") or every["output"]
    if output.exists() and not output.is_dir():
        raise UsageError(
            f"--output {output} is a file: name a folder to write to"
        )
    folder = output / UNFINISHED
    if given["resume"]:
        return argparse.Namespace(**_as_before(folder, given, every))
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


def _as_before(folder: Path, given: Settings, every: Settings) -> Settings:
    """The settings of an unfinished training."""
    checkpoint = checkpoints.load(folder)
    if checkpoint is None:
        raise UsageError(
            f"there is no unfinished training in {folder}: --resume goes on "
            "with one that was stopped after its first checkpoint"
        )
    before = checkpoint.facts["settings"]
    if not every.keys() <= before.keys():
        raise UsageError(
            f"{folder} holds the unfinished training of another recipe: name "
            "another --output"
        )
    for name, value in given.items():
        if name not in FREE and before[name] != value:
            option = name.replace("_", "-")
            raise UsageError(
                f"--{option} was {before[name]} when the training in {folder} "
                f"began, and is {value} now: leave it out to go on, or remove "
                "that folder to start anew"
            )
    free = dict.fromkeys(FREE) | every | given
    return before | {name: free[name] for name in FREE}
