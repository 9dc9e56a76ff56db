"""Dataset builder of Electricity Transformer Temperature."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

COLUMNS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")

_URL = (
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/"
    "1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETT{}.csv"
)
_ROWS_A_MONTH = {"h": 30 * 24, "m": 30 * 24 * 4}
# Months of 30 days: the usual split in publications. Later rows are left out.
_MONTHS = {"train": 12, "validation": 4, "test": 4}


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder for transformers 1 and 2, hourly (h) or every 15 minutes (m)."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS: ClassVar[list[tfds.core.BuilderConfig]] = [
        tfds.core.BuilderConfig(
            name=name, description=f"Transformer {name[1]}, {every}."
        )
        for name, every in (
            ("h1", "hourly"),
            ("h2", "hourly"),
            ("m1", "every 15 minutes"),
            ("m2", "every 15 minutes"),
        )
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        columns = {name: tfds.features.Scalar(np.float32) for name in COLUMNS}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {"date": tfds.features.Text(), **columns}
            ),
            homepage="https://github.com/zhouhaoyi/ETDataset",
            # Keeps the rows in the order of time.
            disable_shuffling=True,
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Any]:
        path = dl_manager.download(_URL.format(self.builder_config.name))
        month = _ROWS_A_MONTH[self.builder_config.name[0]]
        splits = {}
        start = 0
        for name, months in _MONTHS.items():
            splits[name] = self._generate_examples(
                path, start, start + months * month
            )
            start += months * month
        return splits

    def _generate_examples(
        self, path: Path, start: int, stop: int
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        with open(path, newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if start <= number < stop:
                    values = {name: float(row[name]) for name in COLUMNS}
                    yield number, {"date": row["date"], **values}
