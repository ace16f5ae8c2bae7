"""Tables of figures for a terminal, however narrow it is.

Owns how columns are cut into tables. Knows nothing of what they tell.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from rich.console import Console
from rich.table import Table

_LABEL_FRAME = 4
_COLUMN_FRAME = 3
"""What rich draws around a first and a further column: borders and a space on each side."""


def print_side_by_side(title: str, names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    """A column for each name; those that the terminal is too narrow for, in tables below.

    Args:
        title: Stands above the first table.
        names: Heads of the columns, at least one.
        rows: Cells by label, one for each name.
    """
    console = Console()
    width = console.width - _width(rows) - _LABEL_FRAME
    fitting = max(1, width // (_width(chain(names, *rows.values())) + _COLUMN_FRAME))
    for first in range(0, len(names), fitting):
        columns = slice(first, first + fitting)
        table = Table("", title=None if first else title)
        for name in names[columns]:
            table.add_column(name, justify="right")
        for label, cells in rows.items():
            table.add_row(label, *cells[columns])
        console.print(table)


def _width(texts: Iterable[str]) -> int:
    return max(len(line) for text in texts for line in text.splitlines())
