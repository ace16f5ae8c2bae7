"""Apply births, deaths, corrections, new cards and merged records, and relink whom they touch.

Owns the use case: all changes of a request or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from identity.audit.log import AuditEntry, append
from identity.domain.errors import (
    CitizenExistsError,
    CitizenNotFoundError,
    PersonalIDRetiredError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.end_arrangements import end_of_gone
from identity.services.relink_citizens import relink_citizens
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Birth:
    """A person is entered for the first time."""

    record: PopulationRecord


@dataclass(frozen=True, slots=True)
class Correction:
    """A record was wrong."""

    record: PopulationRecord


@dataclass(frozen=True, slots=True)
class Death:
    """A person has died."""

    personal_id: PersonalID
    deceased_on: date


@dataclass(frozen=True, slots=True)
class NewCard:
    """A person got a new card; older ones are superseded."""

    personal_id: PersonalID
    issued_on: date


@dataclass(frozen=True, slots=True)
class MergedRecords:
    """Two records were one person's; the one that is retired proves nothing any more."""

    retired_personal_id: PersonalID
    surviving_personal_id: PersonalID


PopulationChange = Birth | Correction | Death | NewCard | MergedRecords


def apply_population_changes(
    uow: UnitOfWork, call: Call, changes: Sequence[PopulationChange]
) -> int:
    """Apply changes in their order; returns how many subscriptions were relinked.

    Raises:
        CitizenExistsError: A birth for a personal ID that has a record.
        CitizenNotFoundError: Any other change for one that has none.
        PersonalIDRetiredError: Any other change for one that was merged into another.
    """
    # In one order for all requests, so that two of them can only wait for each other.
    whom = (personal_id for change in changes for personal_id in _personal_ids(change))
    uow.citizens.find_many(whom, lock=True)
    touched = {_apply(uow, call, change) for change in changes}
    keys = [citizen_key(uow.sealer, personal_id) for personal_id in touched]
    return relink_citizens(uow, call, keys, action="apply_population_changes")


def _apply(uow: UnitOfWork, call: Call, change: PopulationChange) -> PersonalID:
    record = _enter(uow, call, change) if isinstance(change, Birth) else _change(uow, call, change)
    entries = [
        AuditEntry(
            occurred_at=call.at,
            caller=str(call.caller),
            action="apply_population_change",
            outcome=type(change).__name__.lower(),
            citizen_key=citizen_key(uow.sealer, personal_id),
        )
        for personal_id in _personal_ids(change)
    ]
    append(uow.connection, entries)
    return record.personal_id


def _enter(uow: UnitOfWork, call: Call, birth: Birth) -> PopulationRecord:
    if not uow.citizens.add(birth.record, at=call.at):
        raise CitizenExistsError("a birth was reported for a personal ID that has a record")
    return birth.record


def _change(
    uow: UnitOfWork, call: Call, change: Correction | Death | NewCard | MergedRecords
) -> PopulationRecord:
    record = _changed(uow, change)
    saved = uow.citizens.save_many([record], at=call.at)
    end_of_gone(uow, call, saved.gone)
    return record


def _changed(
    uow: UnitOfWork, change: Correction | Death | NewCard | MergedRecords
) -> PopulationRecord:
    if isinstance(change, Correction):
        _known(uow, change.record.personal_id)
        return change.record
    if isinstance(change, MergedRecords):
        surviving = _known(uow, change.surviving_personal_id)
        return replace(_known(uow, change.retired_personal_id), merged_into=surviving.personal_id)
    known = _known(uow, change.personal_id)
    if isinstance(change, Death):
        return replace(known, deceased_on=change.deceased_on)
    return replace(known, card_issued_on=change.issued_on)


def _personal_ids(change: PopulationChange) -> tuple[PersonalID, ...]:
    """Whom a change concerns: whose record it changes comes first."""
    if isinstance(change, Birth | Correction):
        return (change.record.personal_id,)
    if isinstance(change, MergedRecords):
        return (change.retired_personal_id, change.surviving_personal_id)
    return (change.personal_id,)


def _known(uow: UnitOfWork, personal_id: PersonalID) -> PopulationRecord:
    # Locked: what one change leaves as it is, another may be changing now.
    record = uow.citizens.find(personal_id, lock=True)
    if record is None:
        raise CitizenNotFoundError("no population record has this personal ID")
    if record.merged_into is not None:
        raise PersonalIDRetiredError("the records of this personal ID stand under another")
    return record
