"""Compare agencies' own records with the population records, any number in one transaction.

Owns what a comparison leaves behind: a quota that is used, an access record for each person, and a
watch over how much fails. Somebody who tries out personal IDs is stopped before a single answer of
the batch that gave it away, until the regulator lets the agency go on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from identity.audit.log import AuditEntry, append, append_alike
from identity.domain.agency import Access, Right
from identity.domain.calendar_date import day_of
from identity.domain.contact import why_barred
from identity.domain.errors import MatchingStoppedError
from identity.domain.record_match import (
    EXACT_MATCH,
    FieldMatch,
    PersonMatch,
    RecordMatch,
    compare_record,
    unavailable_match,
)
from identity.services.agency_access import admit
from identity.services.call import Call, score_names
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.match_watch import Matched
from identity.storage.record_matching import IndexedRecord

ACTION = "match_record"
WITHHELD = "withheld"
"""The outcome for people whose comparison was stopped: nothing of them was told."""

_EXACT_END = (EXACT_MATCH.outcome, "birth_date,full_name,personal_id")

Row = IndexedRecord | str
"""A record, or the reason why it could not be read."""

Answer = RecordMatch | str
"""How it compares, or that reason."""


class GuessingFoundError(Exception):
    """So much failed that nothing may be told; see `stopping_guessers`.

    Attributes:
        access: Whose matching it was.
        rows: What was compared.
        matched: What came of it, which was undone with its transaction.
    """

    def __init__(self, access: Access, rows: Sequence[IndexedRecord], matched: Matched) -> None:
        super().__init__("matching fails like guessing")
        self.access = access
        self.rows = rows
        self.matched = matched


def match_records(uow: UnitOfWork, call: Call, access: Access, rows: Sequence[Row]) -> list[Answer]:
    """Compare records, in their order; of those who have had that suspended nothing is said.

    Args:
        uow: The transaction that answers.
        call: The circumstances.
        access: The agency's access; how many people it is about is counted here.
        rows: The records, each personal ID once.

    Raises:
        PurposeNotAllowedError: No grant covers it.
        QuotaExceededError: The day's people are used up.
        MatchingStoppedError: The agency's matching was stopped before.
        GuessingFoundError: It must be stopped now.
    """
    readable = [row for row in rows if isinstance(row, IndexedRecord)]
    admit(uow, replace(access, people_count=len(readable)), Right.RECORD_MATCH)
    if uow.match_watch.is_stopped(access.caller.name):
        raise _stopped()
    apart = _apart(uow, access, readable)
    _watch(uow, call, access, readable, apart)
    ends = [_EXACT_END] * len(readable)
    matches = [EXACT_MATCH] * len(readable)
    for place, match in apart.items():
        ends[place] = (match.outcome, readable[place].claim.given)
        matches[place] = match
    keys = [row.citizen_key for row in readable]
    append_alike(uow.connection, _entry(access, outcome=""), keys, ends)
    found = iter(matches)
    return [row if isinstance(row, str) else next(found) for row in rows]


@contextmanager
def stopping_guessers(transactions: Transactions) -> Iterator[None]:
    """Stop who is found guessing, in a transaction of its own: theirs is undone.

    Raises:
        MatchingStoppedError: Somebody was.
    """
    try:
        yield
    except GuessingFoundError as found:
        transactions.run(partial(_stop, found=found))
        raise _stopped() from None


def resume_matching(uow: UnitOfWork, call: Call, agency: str) -> bool:
    """Let an agency match again; False when it was not stopped."""
    was_stopped = uow.match_watch.resume(agency)
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="resume_matching",
        outcome="resumed" if was_stopped else "not_stopped",
        details={"agency": agency},
    )
    append(uow.connection, [entry])
    return was_stopped


def to_fields(answers: Sequence[Answer]) -> Mapping[str, Any]:
    """Answers to keep for when their batch comes again: those that are not all exact, by place."""
    apart = {
        str(place): answer if isinstance(answer, str) else _kept(answer)
        for place, answer in enumerate(answers)
        if answer is not EXACT_MATCH
    }
    return {"count": len(answers), "apart": apart}


def from_fields(fields: Mapping[str, Any]) -> list[Answer]:
    """Read what `to_fields` made."""
    answers: list[Answer] = [EXACT_MATCH] * fields["count"]
    for place, kept in fields["apart"].items():
        answers[int(place)] = kept if isinstance(kept, str) else _match(*kept)
    return answers


def _kept(match: RecordMatch) -> list[object]:
    return [
        match.personal_id.value,
        match.full_name.value,
        match.full_name_score,
        match.birth_date.value,
    ]


def _match(person: str, full_name: str, score: int | None, birth_date: str) -> RecordMatch:
    return RecordMatch(
        personal_id=PersonMatch(person),
        full_name=FieldMatch(full_name),
        full_name_score=score,
        birth_date=FieldMatch(birth_date),
    )


def _apart(
    uow: UnitOfWork, access: Access, rows: Sequence[IndexedRecord]
) -> Mapping[int, RecordMatch]:
    """By their places the comparisons that are not exact, or not of all fields."""
    apart = {
        place: compare_record(rows[place].claim, record, score_names=score_names)
        for place, record in uow.record_matching.find_apart(rows).items()
    }
    if why_barred(access.purpose, has_objected=False, is_restricted=True):
        suspended = uow.restrictions.suspended_among(row.citizen_key for row in rows)
        for place, row in enumerate(rows) if suspended else ():
            if row.citizen_key in suspended:
                apart[place] = unavailable_match(row.claim)
    return apart


def _watch(
    uow: UnitOfWork,
    call: Call,
    access: Access,
    rows: Sequence[IndexedRecord],
    apart: Mapping[int, RecordMatch],
) -> None:
    matched = Matched(
        people_count=len(rows), failed_count=sum(match.is_failed for match in apart.values())
    )
    today = uow.match_watch.count(access.caller.name, matched, day=day_of(access.at))
    if call.rules.match.is_guessing(
        people_count=today.people_count, failed_count=today.failed_count
    ):
        raise GuessingFoundError(access, rows, matched)


def _stop(uow: UnitOfWork, *, found: GuessingFoundError) -> None:
    """What was looked up is on record, though nothing of it was told."""
    name, at = found.access.caller.name, found.access.at
    today = uow.match_watch.count(name, found.matched, day=day_of(at))
    uow.match_watch.stop(name, at=at)
    like = _entry(found.access, outcome=WITHHELD)
    keys = [row.citizen_key for row in found.rows]
    append_alike(uow.connection, like, keys, [(WITHHELD, None)] * len(keys))
    counts = {"people_count": today.people_count, "failed_count": today.failed_count}
    entry = replace(_entry(found.access, outcome="stopped"), action="stop_matching", details=counts)
    append(uow.connection, [entry])


def _entry(access: Access, *, outcome: str) -> AuditEntry:
    return AuditEntry(
        occurred_at=access.at,
        caller=str(access.caller),
        action=ACTION,
        outcome=outcome,
        purpose=access.purpose.value,
        legal_basis=access.legal_basis,
        case_id=access.case_id or None,
        shown_from=access.shown_from,
    )


def _stopped() -> MatchingStoppedError:
    return MatchingStoppedError("too much of this agency's matching failed: ask the regulator")
