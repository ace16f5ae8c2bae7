"""What agencies are told of how to reach people, and what is written down of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from identity.audit.log import AuditEntry, read_about_citizen
from identity.domain.agency import Agency, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.contact import AbsenceCause, ContactStatus
from identity.domain.errors import PurposeNotAllowedError, QuotaExceededError
from identity.domain.personal_id import PersonalID
from identity.services.get_contacts import Contact, can_notify, get_contacts
from identity.services.relay_tokens import RELAY_LASTS, resolve_relay
from identity.services.subject_tokens import subject_token
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import (
    LEGAL_BASIS,
    make_agency,
    make_grant,
    make_question,
    store_agency,
)
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
    store_primary,
)
from tests.unit.identity.services.absentees import (
    dead,
    objecting,
    restricted,
    unknown,
    without_number,
)


def contacts(
    uow: UnitOfWork,
    agency: Agency,
    *people: PersonalID,
    **given: Any,  # noqa: ANN401 - whatever the access takes
) -> list[Contact]:
    (answer,) = get_contacts(uow, [make_question(agency, *people, **given)])
    assert isinstance(answer, list), answer
    return answer


def notifiable(
    uow: UnitOfWork,
    agency: Agency,
    *people: PersonalID,
    **given: Any,  # noqa: ANN401 - whatever the access takes
) -> list[bool]:
    (answer,) = can_notify(uow, [make_question(agency, *people, **given)])
    assert isinstance(answer, list), answer
    return answer


def entries_about(uow: UnitOfWork, person: PersonalID) -> tuple[AuditEntry, ...]:
    entries = read_about_citizen(uow.connection, uow.primaries.key_of(person))
    return tuple(each for each in entries if each.caller.startswith("agency:"))


ABSENT = {
    unknown: AbsenceCause.UNKNOWN_PERSON,
    without_number: AbsenceCause.NO_NUMBER,
    dead: AbsenceCause.DECEASED,
    objecting: AbsenceCause.OBJECTED,
    restricted: AbsenceCause.RESTRICTED,
}
Maker = Callable[[UnitOfWork], PersonalID]


def test_contacts_are_answered_in_order_and_each_look_up_is_on_record(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant())
    record, item = store_primary(uow)
    nobody = make_personal_id()
    asked = [(nobody,), (record.personal_id, store_citizen(uow).personal_id)]
    answers = get_contacts(uow, [make_question(agency, *people) for people in asked])
    assert all(isinstance(answer, list) for answer in answers)
    told = [contact for answer in answers if isinstance(answer, list) for contact in answer]
    assert [len(answer) for answer in answers if isinstance(answer, list)] == [1, 2]
    assert [contact.msisdn for contact in told] == [None, item.msisdn.value, None]
    known = told[1]
    assert known.status is ContactStatus.AVAILABLE
    assert (known.set_at, known.verified_at, known.confirmed_at) == (NOW, item.verified_at, NOW)
    assert [
        outcome for _, outcome in actions(uow.connection, Caller(Role.AGENCY, agency.name))
    ] == [
        "not_available",
        "available",
        "not_available",
    ]
    (about_known,), (about_nobody,) = (
        entries_about(uow, person) for person in (record.personal_id, nobody)
    )
    assert (about_known.purpose, about_known.legal_basis) == ("service_delivery", LEGAL_BASIS)
    assert (about_known.fields, about_nobody.fields) == ("number", None)
    assert get_contacts(uow, []) == []


def test_the_grounds_of_a_look_up_are_on_record(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(Right.NUMBER, Right.EMBARGO))
    record, _ = store_primary(uow)
    later = NOW + timedelta(days=30)
    contacts(uow, agency, record.personal_id, case_id="c-7", shown_from=later)
    (entry,) = entries_about(uow, record.personal_id)
    assert (entry.case_id, entry.shown_from) == ("c-7", later)


def test_a_masked_number_is_all_that_some_agencies_get(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(Right.MASKED_NUMBER, Right.RELAY_TOKEN))
    record, item = store_primary(uow)
    (contact,) = contacts(uow, agency, record.personal_id)
    assert (contact.msisdn, contact.relay) == (None, None)
    assert contact.masked_msisdn == f"+84 ••• ••• {item.msisdn.value[-3:]}"
    assert entries_about(uow, record.personal_id)[0].fields == "masked_number"


def test_a_relay_token_reaches_its_citizen_for_its_agency_and_purpose_until_it_ends(
    uow: UnitOfWork,
) -> None:
    agency = store_agency(uow, make_grant(Right.RELAY_TOKEN))
    record, _ = store_primary(uow)
    key = uow.primaries.key_of(record.personal_id)
    (contact,) = contacts(uow, agency, record.personal_id)
    assert (contact.msisdn, contact.masked_msisdn) == (None, None)
    assert contact.relay is not None
    relay = contact.relay
    assert relay.expires_at == NOW + RELAY_LASTS
    last = relay.expires_at - timedelta(microseconds=1)

    def reaches(name: str, purpose: Purpose, token: bytes, at: Any = NOW) -> bytes | None:  # noqa: ANN401 - an instant
        return resolve_relay(uow, name, purpose, token, at=at)

    assert reaches(agency.name, Purpose.SERVICE_DELIVERY, relay.token) == key
    assert reaches(agency.name, Purpose.SERVICE_DELIVERY, relay.token, last) == key
    assert reaches(agency.name, Purpose.SERVICE_DELIVERY, relay.token, relay.expires_at) is None
    assert reaches(agency.name, Purpose.LEGAL_NOTICE, relay.token) is None
    assert reaches("another", Purpose.SERVICE_DELIVERY, relay.token) is None
    assert reaches(agency.name, Purpose.SERVICE_DELIVERY, bytes(16)) is None
    (again,) = contacts(uow, agency, record.personal_id)
    assert again.relay is not None
    assert again.relay.token != relay.token


def test_no_relay_token_is_stored_and_those_that_ended_go(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(Right.RELAY_TOKEN))
    people = [store_primary(uow)[0].personal_id for _ in range(3)]
    tokens = [each.relay.token for each in contacts(uow, agency, *people) if each.relay is not None]
    stored = uow.connection.execute(
        text("SELECT token_digest FROM relay WHERE agency = :name"), {"name": agency.name}
    ).scalars()
    digests = list(stored)
    assert len(digests) == len(tokens) == 3
    assert not set(digests) & set(tokens)
    contacts(uow, agency, people[0], at=NOW + RELAY_LASTS)
    contacts(uow, agency, people[0], at=NOW + RELAY_LASTS)
    left = uow.connection.execute(
        text("SELECT count(*) FROM relay WHERE agency = :name"), {"name": agency.name}
    ).scalar()
    assert left == 2


def test_a_fallback_is_told_as_one(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(), make_grant(purpose=Purpose.LEGAL_NOTICE))
    record, item = store_citizen(uow), None
    item = store_number(uow, record)
    uow.fallbacks.rank(uow.primaries.key_of(record.personal_id), [item], at=NOW)
    for purpose in (Purpose.SERVICE_DELIVERY, Purpose.LEGAL_NOTICE):
        (contact,) = contacts(uow, agency, record.personal_id, purpose=purpose)
        assert (contact.status, contact.msisdn) == (ContactStatus.DEGRADED, item.msisdn.value)
        assert notifiable(uow, agency, record.personal_id, purpose=purpose) == [True]


def test_a_number_that_was_not_confirmed_for_long_is_withheld_from_legal_notice_alone(
    uow: UnitOfWork,
) -> None:
    forms = (Right.NUMBER, Right.RELAY_TOKEN)
    agency = store_agency(
        uow,
        make_grant(*forms[:1], purpose=Purpose.PUBLIC_SAFETY),
        make_grant(*forms[1:], purpose=Purpose.LEGAL_NOTICE),
    )
    record, item = store_primary(uow)
    at = NOW + rules().primary.confirm_within
    (safety,) = contacts(uow, agency, record.personal_id, at=at)
    assert (safety.status, safety.msisdn) == (ContactStatus.AVAILABLE, item.msisdn.value)
    (legal,) = contacts(uow, agency, record.personal_id, at=at, purpose=Purpose.LEGAL_NOTICE)
    assert legal.status is ContactStatus.STALE
    assert (legal.msisdn, legal.masked_msisdn, legal.relay) == (None, None, None)
    assert (legal.confirmed_at, legal.set_at) == (NOW, NOW)
    assert notifiable(uow, agency, record.personal_id, at=at) == [True]
    purpose = Purpose.LEGAL_NOTICE
    assert notifiable(uow, agency, record.personal_id, at=at, purpose=purpose) == [False]


@pytest.mark.parametrize(("make", "cause"), ABSENT.items(), ids=list(ABSENT.values()))
def test_why_somebody_cannot_be_reached_is_told_to_agencies_with_the_right_to_know(
    uow: UnitOfWork, make: Maker, cause: AbsenceCause
) -> None:
    agency = store_agency(uow, make_grant(Right.NUMBER, Right.ABSENCE_CAUSE))
    person = make(uow)
    (contact,) = contacts(uow, agency, person)
    assert (contact.status, contact.cause) == (ContactStatus.NOT_AVAILABLE, cause)
    assert entries_about(uow, person)[-1].fields == "absence_cause"


def test_to_other_agencies_they_are_all_the_same_and_leave_the_same_trace(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(*set(Right) - {Right.ABSENCE_CAUSE}))
    traces = set()
    for make in ABSENT:
        person = make(uow)
        statements, contact = _listened(uow, agency, person)
        token = subject_token(uow.sealer, agency.name, uow.primaries.key_of(person))
        assert contact == Contact(status=ContactStatus.NOT_AVAILABLE, subject_token=token)
        (entry,) = entries_about(uow, person)
        assert notifiable(uow, agency, person) == [False]
        (*_, asked) = entries_about(uow, person)
        masked = tuple(repr(replace(each, citizen_key=None)) for each in (entry, asked))
        traces.add((tuple(statements), masked))
    # The same statements over as many values, and the same rows written.
    assert len(traces) == 1


def _listened(
    uow: UnitOfWork, agency: Agency, person: PersonalID
) -> tuple[list[tuple[str, int]], Contact]:
    """The statements that a look-up takes with how much goes with each, and its answer."""
    seen: list[tuple[str, int]] = []

    def listen(*given: Any) -> None:  # noqa: ANN401 - SQLAlchemy's event
        _, _, statement, parameters, *_ = given
        seen.append((statement, sum(_size(value) for value in parameters.values())))

    event.listen(uow.connection, "before_cursor_execute", listen)
    (contact,) = contacts(uow, agency, person)
    event.remove(uow.connection, "before_cursor_execute", listen)
    return seen, contact


def _size(value: object) -> int:
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str | bytes) else 1


def test_who_objects_to_one_purpose_is_told_for_others_and_who_restricts_only_for_safety(
    uow: UnitOfWork,
) -> None:
    agency = store_agency(uow, *(make_grant(purpose=purpose) for purpose in Purpose))
    told = {
        make: {
            purpose
            for purpose in Purpose
            if contacts(uow, agency, person, purpose=purpose)[0].msisdn is not None
        }
        for make, person in ((each, each(uow)) for each in (objecting, restricted))
    }
    assert told[objecting] == set(Purpose) - {Purpose.SERVICE_DELIVERY}
    assert told[restricted] == {Purpose.PUBLIC_SAFETY}


def test_one_group_may_ask_about_one_person_with_and_without_success(uow: UnitOfWork) -> None:
    person = objecting(uow)
    agency = store_agency(uow, make_grant(), make_grant(purpose=Purpose.PUBLIC_SAFETY))
    purposes = (Purpose.PUBLIC_SAFETY, Purpose.SERVICE_DELIVERY) * 2
    questions = [make_question(agency, person, purpose=purpose) for purpose in purposes]
    found = [
        answer[0].msisdn is not None
        for answer in get_contacts(uow, questions)
        if isinstance(answer, list)
    ]
    assert found == [True, False, True, False]


def test_a_refusal_looks_nobody_up_and_is_on_record_without_a_name(uow: UnitOfWork) -> None:
    agency = store_agency(uow, make_grant(people_per_day_max=2))
    stranger = make_agency(make_grant())
    people = [store_primary(uow)[0].personal_id for _ in range(3)]
    questions = [make_question(agency, *people), make_question(stranger, people[0])]
    first, second = get_contacts(uow, questions)
    assert isinstance(first, QuotaExceededError)
    assert isinstance(second, PurposeNotAllowedError)
    for name, outcome in ((agency.name, first.reason), (stranger.name, second.reason)):
        assert actions(uow.connection, Caller(Role.AGENCY, name)) == [("get_contact", outcome)]
    assert not any(entries_about(uow, person) for person in people)


def test_whether_somebody_can_be_notified_takes_one_of_some_rights(uow: UnitOfWork) -> None:
    record, _ = store_primary(uow)
    for right in Right:
        agency = store_agency(uow, make_grant(right))
        (answer,) = can_notify(uow, [make_question(agency, record.personal_id)])
        may = {
            Right.REACHABILITY,
            Right.NUMBER,
            Right.MASKED_NUMBER,
            Right.RELAY_TOKEN,
        }
        assert isinstance(answer, list) == (right in may), right
    yes, no = entries_about(uow, record.personal_id)[-1], make_personal_id()
    assert (yes.action, yes.outcome, yes.fields) == ("can_notify", "yes", "reachability")
    agency = store_agency(uow, make_grant(Right.REACHABILITY))
    assert notifiable(uow, agency, no, record.personal_id) == [False, True]
    assert entries_about(uow, no)[0].outcome == "no"


def test_two_agencies_know_one_person_by_names_that_do_not_meet(uow: UnitOfWork) -> None:
    record, _ = store_primary(uow)
    agencies = [store_agency(uow, make_grant()) for _ in range(2)]
    tokens = [
        contacts(uow, agency, record.personal_id)[0].subject_token
        for agency in agencies
        for _ in range(2)
    ]
    assert tokens[0] == tokens[1] != tokens[2] == tokens[3]
