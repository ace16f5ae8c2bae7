"""The list of photographs to compare: who is mated with whom, and to which groups they belong.

Owns the CSV form, its errors and the question which photographs show one person. Refuses to open
photographs.
"""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

PAIRS_BYTES_MAX = 512 * 1024 * 1024
"""Half a gibibyte: some five million pairs."""

COLUMNS = ("path_a", "path_b", "mated")
"""What a list must have. Every other column divides the pairs into groups, except these two:"""

IDENTITY_COLUMNS = ("identity_a", "identity_b")
"""Who is shown, when the list says so. Otherwise mated pairs and folders tell."""

AGE_COLUMN = "portrait_age_years"
"""The age of the document's portrait, a number: it is put into bands, which are the groups."""

AGE_BANDS = ((5, "00-04"), (10, "05-09"), (15, "10-14"))
"""Below so many years, the band; the last one is open."""

AGE_YEARS_MAX = 120

GROUP_VALUES_MAX = 200
"""A column with more values is no division into groups, but a name or a number."""

_MATED = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class PairsError(ValueError):
    """The list of pairs cannot be used; the message says which line and why."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One comparison trial.

    Attributes:
        path_a: The first photograph, relative to a root, as the list writes it.
        path_b: The second.
        is_mated: Whether both show one person.
        groups: Column to value.
    """

    path_a: str
    path_b: str
    is_mated: bool
    groups: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PairList:
    """All trials of one evaluation.

    Attributes:
        pairs: In the order of the list.
        group_columns: The columns that divide the pairs into groups.
        identities: Photograph to the person it shows, as a number from 0.
        digest: SHA-256 of the list.
    """

    pairs: tuple[Pair, ...]
    group_columns: tuple[str, ...]
    identities: Mapping[str, int]
    digest: str

    @property
    def paths(self) -> tuple[str, ...]:
        """Every photograph once, sorted."""
        return tuple(sorted(self.identities))


def read_pairs(data: bytes) -> PairList:
    """The pairs of a CSV file in UTF-8 with a header line.

    The columns `path_a`, `path_b` and `mated` (1 or 0) are needed. `identity_a` and `identity_b`
    say who is shown. Every other column is a division into groups; an empty cell is in no group.
    `portrait_age_years` is a number and divided into bands.

    Raises:
        PairsError: The list is too large, not UTF-8, not CSV, lacks a column or has none but a
            header; a line is short, long or has another value than 1 or 0; a pair is a photograph
            with itself or occurs twice; or the lines contradict each other about who is shown.
    """
    if len(data) > PAIRS_BYTES_MAX:
        raise PairsError(f"the list has more than {PAIRS_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PairsError(f"the list is not UTF-8: byte {error.start}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(reader.fieldnames)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise PairsError(f"line {reader.line_num}: {error}") from error
    if not rows:
        raise PairsError("the list has no pairs")
    pairs = tuple(_pair(line, row, columns) for line, row in rows)
    _refuse_repeated(pairs)
    for column in columns:
        _refuse_many_values(column, {pair.groups.get(column, "") for pair in pairs})
    return PairList(
        pairs=pairs,
        group_columns=columns,
        identities=_identities(pairs, [row for _, row in rows]),
        digest=hashlib.sha256(data).hexdigest(),
    )


def _columns(names: Sequence[str] | None) -> tuple[str, ...]:
    """The group columns, after the header was checked."""
    missing = [column for column in COLUMNS if column not in (names or ())]
    if names is None or missing:
        raise PairsError(f"the header lacks the columns {', '.join(missing)}")
    if len(set(names)) != len(names) or "" in names:
        raise PairsError("a column of the header occurs twice or has no name")
    if len(set(IDENTITY_COLUMNS) & set(names)) == 1:
        raise PairsError("identity_a and identity_b come together or not at all")
    return tuple(name for name in names if name not in {*COLUMNS, *IDENTITY_COLUMNS})


def _pair(line: int, row: Mapping[str | None, str | None], columns: tuple[str, ...]) -> Pair:
    if None in row or None in row.values():
        raise PairsError(f"line {line}: more or fewer cells than the header has")
    cells = {str(name): str(cell).strip() for name, cell in row.items()}
    mated = _MATED.get(cells["mated"].lower())
    if mated is None:
        raise PairsError(f"line {line}: mated is 1 or 0, not {cells['mated']!r}")
    for name in ("path_a", "path_b"):
        _check_path(line, name, cells[name])
    if cells["path_a"] == cells["path_b"]:
        raise PairsError(f"line {line}: a photograph compared with itself says nothing")
    return Pair(
        path_a=cells["path_a"],
        path_b=cells["path_b"],
        is_mated=mated,
        groups={
            column: _age_band(line, cells[column]) if column == AGE_COLUMN else cells[column]
            for column in columns
            if cells[column]
        },
    )


def _age_band(line: int, cell: str) -> str:
    try:
        years = float(cell)
    except ValueError:
        years = -1.0
    if not 0 <= years < AGE_YEARS_MAX:
        raise PairsError(f"line {line}: {AGE_COLUMN} is a number of years, not {cell!r}")
    return next((band for below, band in AGE_BANDS if years < below), "15+")


def _check_path(line: int, name: str, path: str) -> None:
    # A list from elsewhere must not make the tool read, and show as thumbnails, any file at all.
    if not path or "\0" in path or "\\" in path:
        raise PairsError(f"line {line}: {name} is not a path")
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise PairsError(f"line {line}: {name} must lie below the root, without `..`")


def _refuse_repeated(pairs: Iterable[Pair]) -> None:
    seen: set[frozenset[str]] = set()
    for pair in pairs:
        key = frozenset((pair.path_a, pair.path_b))
        if key in seen:
            raise PairsError(f"{pair.path_a} and {pair.path_b} are compared twice")
        seen.add(key)


def _refuse_many_values(column: str, values: set[str]) -> None:
    if len(values) > GROUP_VALUES_MAX:
        raise PairsError(
            f"column {column} has more than {GROUP_VALUES_MAX} values: it is no division into "
            "groups; make bands of it or leave it out"
        )


class _People:
    """Photographs joined into people (union-find)."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._parent = {path: path for path in paths}

    def join(self, one: str, other: str) -> None:
        self._parent[self.find(one)] = self.find(other)

    def find(self, path: str) -> str:
        while self._parent[path] != path:
            self._parent[path] = self._parent[self._parent[path]]
            path = self._parent[path]
        return path

    def contradiction(self, pairs: Iterable[Pair]) -> Pair | None:
        """A pair of different people whose photographs were joined."""
        return next(
            (p for p in pairs if not p.is_mated and self.find(p.path_a) == self.find(p.path_b)),
            None,
        )


def _identities(
    pairs: Sequence[Pair], rows: Sequence[Mapping[str | None, str | None]]
) -> dict[str, int]:
    paths = sorted({path for pair in pairs for path in (pair.path_a, pair.path_b)})
    if IDENTITY_COLUMNS[0] in rows[0]:
        people = _named_people(paths, pairs, rows)
    else:
        people = _people_by_folder(paths, pairs)
    numbers: dict[str, int] = {}
    return {path: numbers.setdefault(people.find(path), len(numbers)) for path in paths}


def _named_people(
    paths: Iterable[str], pairs: Sequence[Pair], rows: Sequence[Mapping[str | None, str | None]]
) -> _People:
    first: dict[str, str] = {}
    names: dict[str, str] = {}
    people = _People(paths)
    for pair, row in zip(pairs, rows, strict=True):
        for path, column in ((pair.path_a, "identity_a"), (pair.path_b, "identity_b")):
            name = str(row[column]).strip()
            if not name or names.setdefault(path, name) != name:
                raise PairsError(f"{path} has no identity or several")
            people.join(path, first.setdefault(name, path))
        if pair.is_mated != (names[pair.path_a] == names[pair.path_b]):
            raise PairsError(f"{pair.path_a}, {pair.path_b}: mated contradicts the identities")
    return people


def _people_by_folder(paths: Sequence[str], pairs: Sequence[Pair]) -> _People:
    """Who is who where no column says it.

    Mated pairs show one person. So do the photographs of one folder, the usual layout of a data
    set, unless a pair of different people lies in the folder. Where that assumption contradicts the
    list, mated pairs alone decide: the folders are then something else.
    """
    people = _joined_by_mated_pairs(paths, pairs)
    mixed = {_folder(p.path_a) for p in pairs if not p.is_mated} & {
        _folder(p.path_b)
        for p in pairs
        if not p.is_mated and _folder(p.path_a) == _folder(p.path_b)
    }
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[_folder(path)].append(path)
    for folder, members in folders.items():
        if folder not in mixed | {"."}:
            for member in members[1:]:
                people.join(members[0], member)
    if people.contradiction(pairs) is not None:
        people = _joined_by_mated_pairs(paths, pairs)
    contradiction = people.contradiction(pairs)
    if contradiction is not None:
        raise PairsError(
            f"{contradiction.path_a} and {contradiction.path_b} are said to show different people, "
            "and other lines say they show one"
        )
    return people


def _joined_by_mated_pairs(paths: Iterable[str], pairs: Iterable[Pair]) -> _People:
    people = _People(paths)
    for pair in pairs:
        if pair.is_mated:
            people.join(pair.path_a, pair.path_b)
    return people


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent)
