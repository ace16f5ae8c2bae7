"""Conditions on many values at once.

Owns the one way to ask for rows by a list: a single array parameter. A list spelled out would
change the statement with its length (so that no plan is kept) and end at 65,535 parameters.
"""

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import ARRAY, Column, ColumnElement, bindparam, func

_Value = TypeVar("_Value")


def any_of(column: Column[_Value], values: Iterable[_Value]) -> ColumnElement[bool]:
    """`column = ANY (values)`."""
    array = bindparam(None, list(values), type_=ARRAY(column.type))
    return column == func.any(array)
