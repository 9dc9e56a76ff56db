"""Output folder of a scoring, whose parts appear one by one, each whole."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from keras_gatelstm.core.files import stage_in
from recipes.console import UsageError
from recipes.options import SettingsDict
from recipes.output_folder import lock
from recipes.scoring import gates, parts
from recipes.scoring.parts import Part

# Folder of what is needed to go on.
UNFINISHED = "unfinished-scores"
_PARTS, _SETTINGS = "parts.parquet", "settings.json"
# Files of a complete scoring; the last says that it is one.
DOCUMENTS, ERRORS, GATES = (
    "documents.parquet",
    "errors.parquet",
    "gates.parquet",
)
SUMMARY = "summary.json"
RESULTS = (DOCUMENTS, ERRORS, GATES, SUMMARY)
# Folders for the rows of parts.
CHUNKS, FORECASTS = "chunks", "forecasts"


@dataclass(frozen=True)
class Scored:
    """Rows and sums that a part gave.

    Args:
        rows: Rows for the output.
        sums: Sums of its gates; `None` if they were not asked for.
        summary_rows: Rows to sum up at the end; `None` for those above.
    """

    rows: pa.Table
    sums: gates.LayerSums | None
    summary_rows: pa.Table | None = None


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

    def summary_rows_of(self, part: int) -> Path:
        """Return the path of its rows to sum up at the end."""
        return self.unfinished / f"summary-{part:06}.parquet"

    @property
    def written(self) -> list[Path]:
        """Files and folders that a scoring wrote, or would replace."""
        names = (CHUNKS, FORECASTS, *RESULTS)
        return [it for name in names if (it := self.output / name).exists()]

    def is_done(self, part: int) -> bool:
        """Return whether a part was scored, and written whole."""
        try:
            pq.read_metadata(self.rows_of(part))
        except (OSError, pa.ArrowException):
            return False
        return True

    def write(self, part: int, scored: Scored) -> None:
        """Write what a part gave. Each file appears whole, the rows last."""
        with stage_in(self._writing) as stage:
            if scored.sums is not None:
                gates.save(scored.sums, stage / "sums")
                os.replace(stage / "sums", self.sums_of(part))
            if scored.summary_rows is not None:
                pq.write_table(scored.summary_rows, stage / "summary")
                os.replace(stage / "summary", self.summary_rows_of(part))
            pq.write_table(scored.rows, stage / "rows")
            self.rows_path.mkdir(exist_ok=True)
            os.replace(stage / "rows", self.rows_of(part))
        self._attempts_at(part).unlink(missing_ok=True)

    @property
    def _writing(self) -> Path:
        """Folder of files that are not whole yet."""
        return self.unfinished / "writing"

    def _attempts_at(self, part: int) -> Path:
        return self.unfinished / f"attempts-{part:06}"

    def begin_attempt(self, part: int) -> int:
        """Note that this process begins a part, and return how many have."""
        path = self._attempts_at(part)
        with path.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return len(path.read_text().splitlines())

    def load_parts(self) -> list[Part]:
        """Read the parts that this scoring is of.

        Raises:
            UsageError: if they are not there.
        """
        path = self.unfinished / _PARTS
        if not path.is_file():
            raise UsageError(
                f"there is no {path}: --output must be a folder on a disk that "
                "all workers share"
            )
        return parts.load(path)

    def begin(self, found: list[Part], settings: SettingsDict) -> None:
        """Write the parts and the settings of a new scoring."""
        self._writing.mkdir(parents=True, exist_ok=True)
        with stage_in(self._writing) as stage:
            parts.save(found, stage / _PARTS)
            (stage / _SETTINGS).write_text(json.dumps(settings, indent=2))
            os.replace(stage / _PARTS, self.unfinished / _PARTS)
            # Last: with it, a scoring has begun.
            os.replace(stage / _SETTINGS, self.unfinished / _SETTINGS)

    def begun_with(self) -> SettingsDict | None:
        """Return the settings of an unfinished scoring, or `None`."""
        path = self.unfinished / _SETTINGS
        if not path.is_file():
            return None
        found: SettingsDict = json.loads(path.read_text("utf-8"))
        return found

    def forget_attempts(self) -> None:
        """Delete the notes of workers that began a part."""
        for path in self.unfinished.glob("attempts-*"):
            path.unlink()

    @contextmanager
    def finishing(self) -> Iterator[Path]:
        """Yield a folder to write the results in.

        They are moved out of it at the end, and what was needed to go on is
        deleted.
        """
        with stage_in(self.output) as stage:
            yield stage
            for name in RESULTS:
                if (stage / name).exists():
                    os.replace(stage / name, self.output / name)
        # First: without them, nothing can go on from half of the rest.
        (self.unfinished / _SETTINGS).unlink()
        shutil.rmtree(self.unfinished)


@contextmanager
def open_folder(folder: Folder, resume: bool) -> Iterator[None]:
    """Lock an output folder, and say how to go on if the scoring stops.

    Raises:
        UsageError: if another run is writing to it, if it holds files that
            would be replaced, or if there is no scoring to go on with.
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
        if not begun and folder.written:
            raise UsageError(
                f"{folder.written[0]} is there already: name another --output, "
                "or remove it"
            )
        try:
            yield
        except BaseException:
            if not folder.rows_path.exists():
                # There is nothing to go on with.
                shutil.rmtree(folder.unfinished, ignore_errors=True)
            elif folder.begun_with() is not None:
                print(
                    "\nwhat was scored is kept, for --resume", file=sys.stderr
                )
            raise
