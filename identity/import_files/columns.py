"""Which columns an import has, and which column of a file each of them is.

Owns the names, those of the contract's fields, and the refusal of a file that does not have them.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from identity.import_files.faults import FileFault, ImportFileError

REJECT_PREFIX = "reject_"
"""Columns that a file of rejects has besides the original ones; they are not read back."""

TEXT = "VARCHAR"
DAY = "DATE"
"""Types of DuckDB. A CSV file has text only."""


class Target(StrEnum):
    """What the rows of a file are sent for."""

    POPULATION = "population"
    SUBSCRIPTIONS = "subscriptions"
    MATCH = "match"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of an import.

    Attributes:
        name: As the field of the contract is called.
        is_required: A file without it is refused.
        is_date: Its values are days, YYYY-MM-DD.
    """

    name: str
    is_required: bool = False
    is_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileColumn:
    """A column of a file.

    Attributes:
        name: As the file has it.
        type: DuckDB's name of its type.
    """

    name: str
    type: str = TEXT


COLUMNS: Mapping[Target, tuple[Column, ...]] = {
    Target.POPULATION: (
        Column(name="personal_id", is_required=True),
        Column(name="full_name", is_required=True),
        Column(name="birth_date", is_required=True, is_date=True),
        Column(name="sex"),
        Column(name="deceased_on", is_date=True),
        Column(name="card_issued_on", is_date=True),
    ),
    Target.SUBSCRIPTIONS: (
        Column(name="msisdn", is_required=True),
        Column(name="personal_id", is_required=True),
        Column(name="full_name", is_required=True),
        Column(name="birth_date", is_required=True, is_date=True),
        Column(name="activated_on", is_date=True),
        Column(name="point_of_sale"),
        Column(name="province_code"),
    ),
    # An agency's own records: nothing of them is stored.
    Target.MATCH: (
        Column(name="personal_id", is_required=True),
        Column(name="full_name"),
        Column(name="birth_date", is_date=True),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Where the columns of an import are in a file.

    Attributes:
        columns: The columns of the import.
        places: For each of them its place in the file, from 0; None where the file has none.
    """

    columns: tuple[Column, ...]
    places: tuple[int | None, ...]

    def date_places(self) -> tuple[tuple[str, int], ...]:
        """Name and place of each column of days that the file has."""
        pairs = zip(self.columns, self.places, strict=True)
        return tuple((c.name, place) for c, place in pairs if c.is_date and place is not None)

    def names_in(self, found: Sequence[FileColumn]) -> Mapping[str, str]:
        """For each field of the contract what the file calls its column."""
        pairs = zip(self.columns, self.places, strict=True)
        names = {c.name: found[place].name for c, place in pairs if place is not None}
        # A row of the contract has the holder's claim as a message of its own.
        return names | {f"holder.{field}": name for field, name in names.items()}


def select(
    found: Sequence[FileColumn],
    target: Target,
    *,
    renamed: Mapping[str, str],
    ignored: AbstractSet[str],
) -> Selection:
    """Find an import's columns in a file.

    Args:
        found: The columns of the file, in their order.
        target: What is imported.
        renamed: Names of columns of the file, and what the import calls them.
        ignored: Names of columns of the file that are not wanted.

    Raises:
        ImportFileError: A column is missing, unknown, there twice, or of another type.
    """
    columns = COLUMNS[target]
    _refuse_strange_names({*renamed, *ignored}, set(renamed.values()), found, columns)
    places: dict[str, int] = {}
    for place, column in enumerate(found):
        if column.name in ignored or column.name.startswith(REJECT_PREFIX):
            continue
        name = renamed.get(column.name, column.name)
        if name in places:
            raise ImportFileError(FileFault.COLUMN_TWICE, f"{name} is there twice")
        places[name] = place
    _refuse_differences(places, columns)
    selection = Selection(columns=columns, places=tuple(places.get(c.name) for c in columns))
    _refuse_types(selection, found)
    return selection


def _refuse_strange_names(
    theirs: AbstractSet[str],
    ours: AbstractSet[str],
    found: Sequence[FileColumn],
    columns: Sequence[Column],
) -> None:
    for name in sorted(theirs - {column.name for column in found}):
        raise ImportFileError(FileFault.COLUMN_MISSING, f"the file has no column {name!r}")
    for name in sorted(ours - {column.name for column in columns}):
        raise ImportFileError(
            FileFault.COLUMN_UNKNOWN, f"the import has no column {name!r}, only {_names(columns)}"
        )


def _refuse_differences(places: Mapping[str, int], columns: Sequence[Column]) -> None:
    missing = [
        column.name for column in columns if column.is_required and column.name not in places
    ]
    unknown = [name for name in places if name not in {column.name for column in columns}]
    seen = f"; it has {_quoted(unknown)}: say --map theirs=ours" if unknown else ""
    if missing:
        # What spreadsheets write where the comma is the decimal mark, as in Viet Nam.
        if len(places) == 1 and any(mark in next(iter(places)) for mark in ";\t|"):
            seen = ": its first line has no comma; columns are separated by commas"
        raise ImportFileError(
            FileFault.COLUMN_MISSING, f"the file has no column {', '.join(missing)}{seen}"
        )
    if unknown:
        raise ImportFileError(
            FileFault.COLUMN_UNKNOWN,
            f"{_quoted(unknown)}: the import has {_names(columns)}; say --map theirs=ours, "
            "or --ignore",
        )


def _refuse_types(selection: Selection, found: Sequence[FileColumn]) -> None:
    for column, place in zip(selection.columns, selection.places, strict=True):
        if place is None:
            continue
        allowed = {TEXT, DAY} if column.is_date else {TEXT}
        if found[place].type not in allowed:
            raise ImportFileError(
                FileFault.COLUMN_ILL_TYPED,
                f"{column.name} is {found[place].type}; it must be text"
                + (" or a date" if column.is_date else ", or leading zeros are lost"),
            )


_NAMES_SHOWN = 20
_NAME_CHARACTERS_SHOWN = 40


def _quoted(names: Sequence[str]) -> str:
    """Names from a file, which may be many, long, and hold anything."""
    shown = [repr(name[:_NAME_CHARACTERS_SHOWN]) for name in names[:_NAMES_SHOWN]]
    return ", ".join(shown) + (", …" if len(names) > _NAMES_SHOWN else "")


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)
