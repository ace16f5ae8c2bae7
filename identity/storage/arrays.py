"""Conditions on many values at once.

Owns the ways to ask for rows by a list: a single parameter each. A list spelled out would change
the statement with its length (so that no plan is kept) and end at 65,535 parameters.
"""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import ARRAY, Column, ColumnElement, Integer, LargeBinary, bindparam, func, select

from identity.storage.sealing import INDEX_BYTES

_Value = TypeVar("_Value")


def any_of(column: Column[_Value], values: Iterable[_Value]) -> ColumnElement[bool]:
    """`column = ANY (values)`."""
    array = bindparam(None, list(values), type_=ARRAY(column.type))
    return column == func.any(array)


def any_key(column: Column[bytes], keys: Iterable[bytes]) -> ColumnElement[bool]:
    """`column IN (keys)` for thousands of blind indexes.

    They go as one value and are cut apart by the server, which then looks each up in the one
    partition that can have it. As an array, each is looked for in every partition, and the driver
    takes longer to write it down than the server to find it: 95 ms against 35 for 5,000 keys among
    400,000 (PostgreSQL 18, 8 partitions).
    """
    packed = b"".join(keys)
    place = func.generate_series(0, len(packed) // INDEX_BYTES - 1, type_=Integer)
    series = place.column_valued("place")
    key = func.substr(
        bindparam(None, packed, type_=LargeBinary), series * INDEX_BYTES + 1, INDEX_BYTES
    )
    return column.in_(select(key))
