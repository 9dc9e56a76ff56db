"""Files of series, read as the recipes read them."""

from recipes.data.columns import Arranged, ColumnChoice, arrange
from recipes.data.file_format import FileFormat
from recipes.data.series_file import read_table


def read(path, choice=None, **said) -> Arranged:
    """Read a file, with what is said of its format."""
    file_format = FileFormat(**said)
    table = read_table(path, file_format)
    return arrange(
        table, choice or ColumnChoice(), file_format.time_zone, str(path)
    )
