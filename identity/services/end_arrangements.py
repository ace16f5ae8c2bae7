"""End what two sides have arranged when its day has come, or one of them is gone.

Owns what ends by itself: by the clock, slice by slice, and by a death in the transaction that
enters it. Also what all use cases of arrangements ask of records and write of them. Which day it
is, is the domain's (`identity.domain.arrangement`); that a number which is gone ends its line is
the storage's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from identity.audit.log import AuditEntry, append
from identity.domain.arrangement import ArrangementState, EndCause, birthday
from identity.domain.calendar_date import day_of
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.domain.settlement import Change
from identity.services.call import Call
from identity.services.settle_subscriptions import settle_subscriptions
from identity.storage.arrangements import Closed, KeptArrangement
from identity.storage.database import UnitOfWork

SLICE_ARRANGEMENTS = 2_000
"""Arrangements closed in one transaction: their children's records are opened one by one."""

FIRST_DAY = date(2026, 1, 1)
"""Nothing was arranged before: where a clock that has never run begins."""


def close_due(uow: UnitOfWork, call: Call, *, limit: int = SLICE_ARRANGEMENTS) -> int:
    """Let proposals lapse, and end guardianships of those who are of age.

    Returns:
        How many were looked at, 0 at the end of them.
    """
    lapsed = uow.arrangements.lapse_due(at=call.at, limit=limit)
    append(uow.connection, [_lapse(call, each, key) for each in lapsed for key in each.people])
    due = uow.arrangements.list_of_age(_days(uow, call), limit=limit)
    known = birth_dates(uow, due)
    ended: list[KeptArrangement] = []
    moved: list[tuple[KeptArrangement, date]] = []
    for kept in due:
        birth_date = known.get(kept.parties.personal_id)
        now = kept.arrangement.as_of(birth_date, call.rules.arrangements, at=call.at)
        if now.state is ArrangementState.ENDED:
            ended.append(replace(kept, arrangement=now))
        elif birth_date is not None:  # corrected since
            moved.append((kept, birthday(birth_date, call.rules.arrangements.majority_age)))
    uow.arrangements.end_many(ended)
    uow.arrangements.move_days(moved)
    note_arrangements(uow, call, ended, "close_arrangement")
    return len(lapsed) + len(due)


def end_of_gone(uow: UnitOfWork, call: Call, keys: Collection[bytes]) -> None:
    """End what holds between anybody and citizens who have died or whose ID is retired.

    Args:
        uow: The transaction; their records were changed in it.
        call: The circumstances.
        keys: Whose.
    """
    if not keys:
        return
    found = uow.arrangements.list_of_people(keys)
    # In the order that everybody keeps: subscriptions before what hangs on them.
    uow.subscriptions.lock([each.line.reference for each in found if each.line is not None])
    ended = [
        replace(
            kept,
            arrangement=replace(
                kept.arrangement,
                state=ArrangementState.ENDED,
                closed_at=call.at,
                end_cause=EndCause.PERSON_GONE,
            ),
        )
        for kept in uow.arrangements.list_of_people(keys, lock=True)
    ]
    uow.arrangements.end_many(ended)
    release_lines(uow, call, ended)
    note_arrangements(uow, call, ended, "close_arrangement")


def release_lines(uow: UnitOfWork, call: Call, kept: Sequence[KeptArrangement]) -> None:
    """Let the numbers of company lines that end be their users' own, as their books have them."""
    references = [each.line.reference for each in kept if each.line is not None]
    items = uow.subscriptions.find_by_reference(references, lock=True)
    freed = [
        item.used_for_company(is_company_line=False, at=call.at)
        for item in items
        if item.is_in_service and item.is_company_line
    ]
    changes = {item.subscription_id: Change(before=item.service_state) for item in freed}
    settle_subscriptions(uow, call, freed, changes)


def known_birth_date(record: PopulationRecord | None) -> date | None:
    """The birth date of somebody who lives under this personal ID; None without anybody."""
    if record is None or record.deceased_on is not None or record.merged_into is not None:
        return None
    return record.birth_date


def birth_dates(uow: UnitOfWork, kept: Sequence[KeptArrangement]) -> Mapping[PersonalID, date]:
    """Birth dates of the children whose guardianships hold as far as is stored."""
    children = {
        each.parties.personal_id
        for each in kept
        if each.arrangement.is_guardianship and each.arrangement.state is ArrangementState.AGREED
    }
    records = uow.citizens.find_many(children) if children else {}
    return {personal_id: record.birth_date for personal_id, record in records.items()}


def note_arrangements(
    uow: UnitOfWork, call: Call, kept: Sequence[KeptArrangement], action: str
) -> None:
    """Put on record what was done with arrangements, for each citizen among their sides."""
    append(
        uow.connection,
        [
            AuditEntry(
                occurred_at=call.at,
                caller=str(call.caller),
                action=action,
                outcome=each.arrangement.state.value,
                citizen_key=key,
                msisdn_key=None if each.line is None else each.line.msisdn_key,
                details={
                    "arrangement": str(each.arrangement.arrangement_id),
                    "kind": each.arrangement.kind.value,
                },
            )
            for each in kept
            for key in _people(each)
        ],
    )


def _people(kept: KeptArrangement) -> Sequence[bytes]:
    if kept.arrangement.is_guardianship:
        return (kept.citizen_key, kept.proposer_key)
    return (kept.citizen_key,)


def _lapse(call: Call, closed: Closed, key: bytes) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="close_arrangement",
        outcome=ArrangementState.LAPSED.value,
        citizen_key=key,
        details={"arrangement": str(closed.arrangement_id), "kind": closed.kind.value},
    )


def _days(uow: UnitOfWork, call: Call) -> Sequence[date]:
    """The days that no run has ended guardianships of yet."""
    since = uow.cases.ran_until()
    first, last = FIRST_DAY if since is None else day_of(since), day_of(call.at)
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]
