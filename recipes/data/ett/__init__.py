"""Electricity Transformer Temperature, for tensorflow-datasets."""

from recipes.data.ett.ett_dataset_builder import Builder as Builder
