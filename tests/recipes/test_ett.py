"""The builder of ETT, as tensorflow-datasets tests its own."""

import pytest
import tensorflow_datasets as tfds

from recipes.data.ett import ett_dataset_builder


@pytest.fixture(autouse=True)
def a_month_of_one_hour(monkeypatch):
    """So that the dummy data, which is made up, can be short."""
    monkeypatch.setattr(ett_dataset_builder, "_ROWS_A_MONTH", {"h": 1, "m": 4})


class HourlyTest(tfds.testing.DatasetBuilderTestCase):
    """Of the hourly series."""

    DATASET_CLASS = ett_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("h1", "h2")
    SPLITS = {"train": 12, "validation": 4, "test": 4}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = "ETTh1.csv"


class QuarterHourlyTest(tfds.testing.DatasetBuilderTestCase):
    """Of those every quarter of an hour."""

    DATASET_CLASS = ett_dataset_builder.Builder
    BUILDER_CONFIG_NAMES_TO_TEST = ("m1", "m2")
    SPLITS = {"train": 48, "validation": 16, "test": 16}  # noqa: RUF012
    DL_DOWNLOAD_RESULT = "ETTm1.csv"
