"""Download of data with tensorflow-datasets."""

import logging
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from recipes.console import UsageError

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder


def prepare(
    name: str,
    file: str,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> "DatasetBuilder":
    """Return a builder of a prepared dataset; download it if needed.

    Args:
        name: Name of the dataset, as in `tfds.builder`.
        file: Name of the downloaded file.
        data_dir: Folder of tensorflow-datasets; `None` for its default.
        manual_dir: Folder that holds the file; `None` to download it.

    Raises:
        UsageError: if the file is missing, has the wrong checksum, or cannot
            be downloaded.
    """
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import (
        NonMatchingChecksumError,
    )
    from tensorflow_datasets.core.download.util import DownloadError

    # tensorflow-datasets warns about each folder without the data.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder = tfds.builder(name, data_dir=data_dir)
    if not builder.is_prepared():
        _check_source(builder, file, manual_dir)
        tfds.disable_progress_bar()
        config = tfds.download.DownloadConfig(manual_dir=manual_dir)
        try:
            builder.download_and_prepare(download_config=config)
        except NonMatchingChecksumError:
            raise UsageError(
                f"{file} is not the file that tensorflow-datasets knows as "
                f"{name}: its checksum differs"
            ) from None
        except DownloadError as error:
            raise _download_error(builder, file, error) from None
    return builder


def _check_source(
    builder: "DatasetBuilder", file: str, manual_dir: str | None
) -> None:
    """Refuse a missing source early, before tensorflow-datasets retries."""
    if manual_dir is not None:
        if not (Path(manual_dir) / file).is_file():
            raise UsageError(
                f"there is no {file} in {manual_dir}: --manual-dir takes the "
                "folder that holds it"
            )
        return
    for url in builder.url_infos:
        try:
            urlopen(Request(url, method="HEAD"), timeout=5).close()
        except (OSError, HTTPException) as error:
            raise _download_error(builder, file, error) from None


def _download_error(
    builder: "DatasetBuilder", file: str, error: Exception
) -> UsageError:
    reason = getattr(error, "reason", error)
    return UsageError(
        f"{builder.name} is not in {builder.data_dir_root} and cannot be "
        f"downloaded ({reason}): fetch {file} from "
        f"{' or '.join(builder.url_infos)} elsewhere, and name its folder "
        "with --manual-dir"
    )
