"""Comparing agencies' records on a real database: answers, records of access, quotas, stops."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from identity.audit.log import AuditEntry, audit_entry, read_about_citizen
from identity.domain.agency import Agency, Purpose, Right
from identity.domain.caller import Role
from identity.domain.errors import (
    MatchingStoppedError,
    PurposeNotAllowedError,
    QuotaExceededError,
)
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.record_match import (
    EXACT_MATCH,
    FieldMatch,
    MatchPolicy,
    PersonMatch,
    RecordClaim,
    RecordMatch,
    unavailable_match,
)
from identity.services.call import Call
from identity.services.data_requests import restrict
from identity.services.match_records import (
    ACTION,
    Answer,
    Row,
    from_fields,
    match_records,
    resume_matching,
    stopping_guessers,
    to_fields,
)
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.record_matching import IndexedRecord, index_record
from tests.databases import within
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_call,
    make_record,
    store_citizen,
)

TOLERANT = MatchPolicy(failed_share_max=0.5, judged_from=4)


def store_matcher(uow: UnitOfWork, *rights: Right, **given: Any) -> Agency:  # noqa: ANN401 - whatever the grant takes
    """An agency that may match, unless other rights are said."""
    usual = {"purpose": Purpose.RECORD_UPKEEP}
    return store_agency(uow, make_grant(*(rights or {Right.RECORD_MATCH}), **usual | given))


def suspend(uow: UnitOfWork, record: PopulationRecord) -> None:
    restrict(uow, make_call(role=Role.CITIZEN_APP), record.personal_id, is_restricted=True)


def call_of(agency: Agency, policy: MatchPolicy = TOLERANT) -> Call:
    call = make_call(agency.name, role=Role.AGENCY)
    return replace(call, rules=replace(call.rules, match=policy))


def claim_of(record: PopulationRecord, **given: object) -> RecordClaim:
    claim = RecordClaim(
        personal_id=record.personal_id, full_name=record.full_name, birth_date=record.birth_date
    )
    return replace(claim, **given)  # type: ignore[arg-type] # whatever the claim takes


def index(uow: UnitOfWork, *claims: RecordClaim) -> list[IndexedRecord]:
    return [index_record(uow.sealer, claim) for claim in claims]


def match(uow: UnitOfWork, agency: Agency, *claims: RecordClaim) -> list[Answer]:
    return match_records(uow, call_of(agency), make_access(agency), index(uow, *claims))


def entries_of(uow: UnitOfWork, record: PopulationRecord) -> Sequence[AuditEntry]:
    return read_about_citizen(uow.connection, citizen_key(uow.sealer, record.personal_id))


def unknown(uow: UnitOfWork, count: int) -> list[IndexedRecord]:
    return index(uow, *(claim_of(make_record()) for _ in range(count)))


def different(score: int) -> RecordMatch:
    return replace(EXACT_MATCH, full_name=FieldMatch.DIFFERENT, full_name_score=score)


def test_a_batch_is_answered_in_its_order_row_by_row(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    known = [store_citizen(uow) for _ in range(4)]
    claims = [
        claim_of(known[0]),
        claim_of(known[1], full_name=PersonName("Trần Quốc Bảo")),
        claim_of(known[2], full_name=None),
        claim_of(make_record()),
        claim_of(known[3], full_name=PersonName(known[3].full_name.value.upper())),
    ]
    first, second, third, fourth, fifth = match(uow, agency, *claims)
    assert first is EXACT_MATCH
    assert isinstance(second, RecordMatch)
    assert (second.full_name, second.birth_date) == (FieldMatch.DIFFERENT, FieldMatch.EXACT)
    assert third == replace(EXACT_MATCH, full_name=FieldMatch.NOT_GIVEN)
    assert isinstance(fourth, RecordMatch)
    assert fourth.personal_id is PersonMatch.UNKNOWN
    assert fifth == EXACT_MATCH


def test_a_batch_says_of_each_row_what_it_says_of_the_row_alone(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    claims = [claim_of(store_citizen(uow)) for _ in range(6)]
    claims[2] = replace(claims[2], full_name=PersonName("Nguyen Thi Hoai Thuong"))
    claims[4] = replace(claims[4], birth_date=None)
    together = match(uow, agency, *claims)
    assert together == [match(uow, agency, claim)[0] for claim in claims]


def test_each_person_has_a_record_of_the_access_with_its_grounds(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    record, nobody = store_citizen(uow), make_record()
    access = make_access(agency, case_id="BHXH-2026/0042")
    claims = index(uow, claim_of(record), claim_of(nobody, birth_date=None))
    match_records(uow, call_of(agency), access, claims)
    (entry,) = entries_of(uow, record)
    assert entry == AuditEntry(
        occurred_at=NOW,
        caller=f"agency:{agency.name}",
        action="match_record",
        outcome="exact",
        citizen_key=citizen_key(uow.sealer, record.personal_id),
        purpose="record_upkeep",
        legal_basis=access.legal_basis,
        case_id="BHXH-2026/0042",
        fields="birth_date,full_name,personal_id",
    )
    (other,) = entries_of(uow, nobody)
    assert (other.outcome, other.fields) == ("unknown", "full_name,personal_id")


def test_of_the_restricted_nothing_is_said_and_the_access_is_on_record(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    records = [store_citizen(uow) for _ in range(2)]
    claims = [claim_of(each) for each in records]
    suspend(uow, records[0])
    assert match(uow, agency, *claims) == [unavailable_match(claims[0]), EXACT_MATCH]
    (entry,) = (each for each in entries_of(uow, records[0]) if each.action == ACTION)
    assert entry.outcome == "not_available"


def test_for_public_safety_the_restricted_are_compared_too(uow: UnitOfWork) -> None:
    agency = store_matcher(uow, purpose=Purpose.PUBLIC_SAFETY)
    record = store_citizen(uow)
    suspend(uow, record)
    access = replace(make_access(agency), purpose=Purpose.PUBLIC_SAFETY)
    rows = index(uow, claim_of(record))
    assert match_records(uow, call_of(agency), access, rows) == [EXACT_MATCH]


def test_without_the_right_nothing_is_looked_up(uow: UnitOfWork) -> None:
    agency = store_matcher(uow, Right.NUMBER)
    record = store_citizen(uow)
    with pytest.raises(PurposeNotAllowedError):
        match(uow, agency, claim_of(record))
    assert entries_of(uow, record) == ()


def test_every_person_counts_against_the_day_and_a_refused_row_does_not(uow: UnitOfWork) -> None:
    agency = store_matcher(uow, people_per_day_max=3)
    claims = index(uow, *(claim_of(store_citizen(uow)) for _ in range(3)))
    rows: list[Row] = ["PERSONAL_ID_MALFORMED", *claims]
    answers = match_records(uow, call_of(agency), make_access(agency), rows)
    assert answers == ["PERSONAL_ID_MALFORMED", *[EXACT_MATCH] * 3]
    with pytest.raises(QuotaExceededError):
        match(uow, agency, claim_of(make_record()))


def test_a_book_with_errors_goes_on(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    good = index(uow, *(claim_of(store_citizen(uow)) for _ in range(4)))
    for _ in range(3):
        rows = [*good, *unknown(uow, 4)]
        with stopping_guessers(within(uow)):
            answers = match_records(uow, call_of(agency), make_access(agency), rows)
        assert answers[:4] == [EXACT_MATCH] * 4


def test_a_guesser_is_stopped_before_the_answer_until_the_regulator_says_so(
    uow: UnitOfWork,
) -> None:
    agency = store_matcher(uow)
    call, access = call_of(agency), make_access(agency)
    victim = store_citizen(uow)
    rows = [*index(uow, claim_of(victim)), *unknown(uow, 4)]

    def ask(rows: Sequence[IndexedRecord]) -> list[Answer]:
        with stopping_guessers(within(uow)):
            return within(uow).run(lambda nested: match_records(nested, call, access, rows))

    with pytest.raises(MatchingStoppedError):
        ask(rows)
    # Nothing was told, and both the look-up and the stop are on record.
    (entry,) = entries_of(uow, victim)
    assert (entry.outcome, entry.fields) == ("withheld", None)
    assert actions(uow.connection, call.caller)[-1] == ("stop_matching", "stopped")
    good = index(uow, *(claim_of(store_citizen(uow)) for _ in range(2)))
    with pytest.raises(MatchingStoppedError):
        ask(good)
    regulator = make_call("mps", role=Role.REGULATOR)
    assert resume_matching(uow, regulator, agency.name) is True
    assert resume_matching(uow, regulator, agency.name) is False
    assert ask(good) == [EXACT_MATCH] * 2
    assert actions(uow.connection, regulator.caller)[-2:] == [
        ("resume_matching", "resumed"),
        ("resume_matching", "not_stopped"),
    ]


def test_guesses_that_are_spread_over_batches_add_up_in_a_day(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    call, access = call_of(agency), make_access(agency)
    for _ in range(3):
        match_records(uow, call, access, unknown(uow, 1))
    with pytest.raises(MatchingStoppedError), stopping_guessers(within(uow)):
        match_records(uow, call, access, unknown(uow, 1))
    tomorrow = replace(access, at=NOW + timedelta(days=1))
    with pytest.raises(MatchingStoppedError):
        match_records(uow, call, tomorrow, unknown(uow, 1))


def test_a_new_day_begins_with_no_failures(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    call, access = call_of(agency), make_access(agency)
    for days in range(3):
        later = replace(access, at=NOW + timedelta(days=days))
        assert len(match_records(uow, call, later, unknown(uow, 3))) == 3


def test_what_is_equal_by_its_digest_is_never_opened(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    record = store_citizen(uow)
    uow.connection.execute(
        text("UPDATE citizen SET record_sealed = '\\x00' WHERE citizen_key = :key"),
        {"key": citizen_key(uow.sealer, record.personal_id)},
    )
    assert match(uow, agency, claim_of(record)) == [EXACT_MATCH]


def test_answers_are_kept_as_they_were() -> None:
    claim = claim_of(make_record(), full_name=None)
    answers: list[Answer] = [
        EXACT_MATCH,
        "FULL_NAME_MALFORMED",
        different(71),
        unavailable_match(claim),
        EXACT_MATCH,
    ]
    kept = to_fields(answers)
    assert from_fields(kept) == answers
    assert set(kept["apart"]) == {"1", "2", "3"}
    assert not from_fields(to_fields([]))


def test_an_access_of_nobody_is_allowed_and_leaves_nothing(uow: UnitOfWork) -> None:
    agency = store_matcher(uow)
    answers = match_records(uow, call_of(agency), make_access(agency), ["VALUE_MISSING"])
    assert answers == ["VALUE_MISSING"]
    query = select(audit_entry.c.entry_id).where(audit_entry.c.caller == f"agency:{agency.name}")
    assert uow.connection.execute(query).all() == []


def test_an_embargo_is_kept_with_each_person(uow: UnitOfWork) -> None:
    agency = store_matcher(uow, Right.RECORD_MATCH, Right.EMBARGO)
    record = store_citizen(uow)
    shown_from = NOW + timedelta(days=3)
    access = make_access(agency, case_id="TAND-1", shown_from=shown_from)
    match_records(uow, call_of(agency), access, index(uow, claim_of(record)))
    (entry,) = entries_of(uow, record)
    assert entry.shown_from == shown_from
