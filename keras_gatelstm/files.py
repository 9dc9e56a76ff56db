"""Files that appear whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def stage_in(folder: Path) -> Iterator[Path]:
    """Gives a new, hidden folder inside `folder` to write in.

    It is gone at the end, with all that was not moved out of it; and so are
    `folder` and its parents, where they were made for it and stayed empty.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        yield stage
    finally:
        shutil.rmtree(stage)
        for path in made:
            if not any(path.iterdir()):
                path.rmdir()


def move_into(folder: Path, target: Path) -> None:
    """Moves what is in a folder into another, over what is there.

    A file, or a folder that `target` does not have yet, appears whole.
    """
    for source in sorted(folder.iterdir()):
        goal = target / source.name
        if source.is_dir() and goal.is_dir():
            move_into(source, goal)
        else:
            os.replace(source, goal)
