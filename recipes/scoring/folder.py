"""Output folder of a scoring, whose parts appear one by one, each whole."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from keras_gatelstm.core.files import stage_in
from recipes.console import UsageError
from recipes.output_folder import lock
from recipes.scoring import gates, parts
from recipes.scoring.parts import Part

# Folder of what is needed to go on.
UNFINISHED = "unfinished-scores"
_PARTS, _SETTINGS = "parts.parquet", "settings.json"
# Written last: it says that a scoring is complete.
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Scored:
    """Rows and sums that a part gave.

    Args:
        rows: Rows for the output.
        sums: Sums of its gates, if they were asked for.
        more: Rows for the summary; `None` if it needs no others.
    """

    rows: pa.Table
    sums: gates.LayerSums
    more: pa.Table | None = None


@dataclass(frozen=True)
class Folder:
    """Output folder of a scoring.

    Args:
        output: Its path.
        rows: Name of the folder in it for the rows of all parts.
    """

    output: Path
    rows: str

    @property
    def unfinished(self) -> Path:
        """Folder of what is needed to go on."""
        return self.output / UNFINISHED

    @property
    def rows_path(self) -> Path:
        """Folder of the rows."""
        return self.output / self.rows

    def rows_of(self, part: int) -> Path:
        """Return the path of the rows of a part, written last of it."""
        return self.rows_path / f"part-{part:06}.parquet"

    def sums_of(self, part: int) -> Path:
        """Return the path of the sums of its gates."""
        return self.unfinished / f"gates-{part:06}.npz"

    def more_of(self, part: int) -> Path:
        """Return the path of its rows for the summary."""
        return self.unfinished / f"more-{part:06}.parquet"

    def is_done(self, part: int) -> bool:
        """Return whether a part was scored, and written whole."""
        try:
            pq.read_metadata(self.rows_of(part))
        except (OSError, pa.ArrowException):
            return False
        return True

    def write(self, part: int, scored: Scored) -> None:
        """Write what a part gave. Each file appears whole, the rows last."""
        goals = []
        with stage_in(self.unfinished) as stage:
            if scored.sums:
                gates.save(scored.sums, stage / "sums")
                goals.append(("sums", self.sums_of(part)))
            if scored.more is not None:
                pq.write_table(scored.more, stage / "more")
                goals.append(("more", self.more_of(part)))
            pq.write_table(scored.rows, stage / "rows")
            goals.append(("rows", self.rows_of(part)))
            for name, goal in goals:
                goal.parent.mkdir(exist_ok=True)
                os.replace(stage / name, goal)

    def begin_attempt(self, part: int) -> int:
        """Note that this process begins a part, and return how many have."""
        path = self.unfinished / f"attempts-{part:06}"
        with path.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return len(path.read_text().splitlines())

    def load_parts(self) -> list[Part]:
        """Read the parts that this scoring is of."""
        return parts.load(self.unfinished / _PARTS)

    def begin(self, found: list[Part], settings: dict[str, Any]) -> None:
        """Write the parts and the settings of a new scoring."""
        with stage_in(self.unfinished) as stage:
            parts.save(found, stage / _PARTS)
            (stage / _SETTINGS).write_text(json.dumps(settings, indent=2))
            os.replace(stage / _PARTS, self.unfinished / _PARTS)
            # Last: with it, a scoring has begun.
            os.replace(stage / _SETTINGS, self.unfinished / _SETTINGS)

    def begun_with(self) -> dict[str, Any] | None:
        """Return the settings of an unfinished scoring, or `None`."""
        path = self.unfinished / _SETTINGS
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def forget_attempts(self) -> None:
        """Delete the notes of workers that began a part."""
        for path in self.unfinished.glob("attempts-*"):
            path.unlink()

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the summary, and delete what was needed to go on."""
        with stage_in(self.output) as stage:
            (stage / SUMMARY).write_text(json.dumps(summary, indent=2))
            os.replace(stage / SUMMARY, self.output / SUMMARY)
        shutil.rmtree(self.unfinished)


@contextmanager
def open_folder(folder: Folder, resume: bool) -> Iterator[None]:
    """Lock an output folder, which is empty, or holds an unfinished scoring.

    Raises:
        UsageError: if another run is writing to it, if it holds a finished
            scoring or other files, or if there is none to go on with.
    """
    with lock(folder.output):
        begun = folder.begun_with() is not None
        if resume and not begun:
            raise UsageError(
                f"there is no unfinished scoring in {folder.output}: --resume "
                "goes on with one that was stopped"
            )
        if begun and not resume:
            raise UsageError(
                f"{folder.output} holds an unfinished scoring: go on with it "
                "with --resume, or remove that folder to start anew"
            )
        if not begun and folder.rows_path.exists():
            raise UsageError(
                f"{folder.rows_path} is there already: name another --output, "
                "or remove it"
            )
        try:
            yield
        except BaseException:
            if not folder.rows_path.exists():
                # There is nothing to go on with.
                shutil.rmtree(folder.unfinished, ignore_errors=True)
            raise
