"""Which sealing keys there are, and what each of them holds.

Owns the overview for an administrator. Names keys by their numbers; never shows one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from identity.storage.database import UnitOfWork
from identity.storage.sealing_keys import KnownKey


class KeyState(StrEnum):
    """What a key is good for."""

    ACTIVE = "active"
    """Seals new values."""
    STAGED = "staged"
    """Newer than the active one: the next rotation makes it the active one."""
    OLD = "old"
    """Opens what it sealed."""
    LOST = "lost"
    """Not at hand, and values need it."""
    RETIRED = "retired"
    """Not at hand, and nothing needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One key.

    Attributes:
        key_id: Its number.
        state: What it is good for.
        last_active_at: When somebody last said that new values are sealed with it; None for a key
            that the database knows by its values only.
        value_count: Values sealed with it.
        places: How many of them in each column, by `table.column`.
    """

    key_id: int
    state: KeyState
    last_active_at: datetime | None
    value_count: int
    places: Mapping[str, int]


def list_keys(uow: UnitOfWork) -> Sequence[KeyLine]:
    """Every key that is at hand, was ever used, or is named by a value.

    Reads every sealed value.
    """
    known = {key.key_id: key for key in uow.sealing_keys.known()}
    places: dict[int, dict[str, int]] = {}
    for use in uow.sealing_keys.count_values():
        places.setdefault(use.key_id, {})[use.place] = use.value_count
    numbers = sorted({*known, *places, *uow.sealer.key_ids})
    return [_line(uow, number, known.get(number), places.get(number, {})) for number in numbers]


def _line(
    uow: UnitOfWork, key_id: int, known: KnownKey | None, places: Mapping[str, int]
) -> KeyLine:
    return KeyLine(
        key_id=key_id,
        state=_state(uow, key_id, is_used=bool(places)),
        last_active_at=None if known is None else known.last_active_at,
        value_count=sum(places.values()),
        places=places,
    )


def _state(uow: UnitOfWork, key_id: int, *, is_used: bool) -> KeyState:
    if key_id == uow.sealer.active_id:
        return KeyState.ACTIVE
    if key_id in uow.sealer.key_ids:
        return KeyState.STAGED if key_id > uow.sealer.active_id else KeyState.OLD
    return KeyState.LOST if is_used else KeyState.RETIRED
