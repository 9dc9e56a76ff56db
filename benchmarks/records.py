"""Files of results, which rows are added to."""

import csv
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append a row to a CSV file, with today's date in front."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    row = {"date": today, **row}
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
