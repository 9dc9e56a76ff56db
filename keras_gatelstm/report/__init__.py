"""A trace as a page to explore in a browser."""

from keras_gatelstm.report.page import write_report

__all__ = ["write_report"]
