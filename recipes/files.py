"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipes.console import UsageError


@contextmanager
def staged(output: Path) -> Iterator[Path]:
    """Gives a folder to write in, whose files go to `output` at the end.

    If the block ends in an error, `output` is as it was before.

    Raises:
        UsageError: if `output` cannot be a folder to write in.
    """
    try:
        new = not output.exists()
        output.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".writing-", dir=output))
    except OSError as error:
        raise UsageError(
            f"--output {output} is no folder to write in: {error.strerror}"
        ) from None
    try:
        yield stage
        for source in sorted(stage.rglob("*")):
            if source.is_file():
                target = output / source.relative_to(stage)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(source, target)
    finally:
        shutil.rmtree(stage)
        if new and not any(output.iterdir()):
            output.rmdir()
