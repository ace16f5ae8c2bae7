"""Operators' questions on a real database: whose numbers, what is said, what stays on record."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from identity.audit.log import read_about_citizen
from identity.domain.caller import Role
from identity.domain.errors import RateLimitedError
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.kyc import IdentityClaim
from identity.domain.link import FieldResult, LinkState
from identity.domain.person_name import PersonName
from identity.domain.personal_id import Sex
from identity.domain.subscription import Subscription
from identity.services.answer_kyc import (
    Part,
    Question,
    Said,
    check_recycling,
    check_swap,
    check_tenure,
    get_swap,
    match_identity,
)
from identity.services.call import Call
from identity.services.data_requests import restrict
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.makers import (
    NOW,
    OTHER_NAME,
    actions,
    find,
    make_call,
    make_claim,
    make_link,
    make_msisdn,
    make_operator,
    store_citizen,
    store_number,
)

WRONG = IdentityClaim(full_name=PersonName(OTHER_NAME))


def own(uow: UnitOfWork, **given: object) -> tuple[Call, PopulationRecord, Subscription]:
    call = make_call(make_operator())
    record = store_citizen(uow)
    return call, record, store_number(uow, record, operator_id=call.caller.name, **given)


def full_claim(record: PopulationRecord) -> IdentityClaim:
    return IdentityClaim(
        personal_id=record.personal_id,
        full_name=record.full_name,
        birth_date=record.birth_date,
        sex=record.sex,
    )


def results(question: Question, claim: IdentityClaim) -> dict[str, FieldResult] | None:
    outcomes = match_identity(question, claim)
    return None if outcomes is None else {name: each.result for name, each in outcomes.items()}


def test_the_holder_matches_and_the_question_is_on_record(uow: UnitOfWork) -> None:
    call, record, item = own(uow)
    question = Question(uow, call, item.msisdn)
    assert results(question, full_claim(record)) == dict.fromkeys(
        ("personal_id", "full_name", "birth_date", "sex"), FieldResult.MATCH
    )
    (entry,) = read_about_citizen(uow.connection, citizen_key(uow.sealer, record.personal_id))
    assert (entry.action, entry.outcome) == ("kyc_match", "match")
    assert entry.fields == "birth_date,full_name,personal_id,sex"
    assert entry.caller == str(call.caller)


def test_a_false_attribute_is_told_alone(uow: UnitOfWork) -> None:
    call, record, item = own(uow)
    claim = replace(full_claim(record), sex=Sex.MALE, birth_date=date(1980, 1, 1))
    found = results(Question(uow, call, item.msisdn), claim)
    assert found == {
        "personal_id": FieldResult.MATCH,
        "full_name": FieldResult.MATCH,
        "birth_date": FieldResult.MISMATCH,
        "sex": FieldResult.MISMATCH,
    }
    assert actions(uow.connection, call.caller) == [("kyc_match", "mismatch")]


@pytest.mark.parametrize(
    "state", [LinkState.MISMATCHED, LinkState.NOT_FOUND, LinkState.DECEASED], ids=str
)
def test_where_the_register_confirms_no_holder_nothing_is_available(
    uow: UnitOfWork, state: LinkState
) -> None:
    call, record, item = own(uow, link=make_link(state), verified_at=None)
    found = results(Question(uow, call, item.msisdn), full_claim(record))
    assert found is not None
    assert set(found.values()) == {FieldResult.NOT_AVAILABLE}


def test_of_a_restricted_holder_nothing_is_available(uow: UnitOfWork) -> None:
    call, record, item = own(uow)
    restrict(uow, make_call(role=Role.CITIZEN_APP), record.personal_id, is_restricted=True)
    found = results(Question(uow, call, item.msisdn), full_claim(record))
    assert found is not None
    assert set(found.values()) == {FieldResult.NOT_AVAILABLE}


def test_anothers_number_and_none_at_all_look_and_are_recorded_alike(uow: UnitOfWork) -> None:
    call, record, _ = own(uow)
    foreign = store_number(uow, record)
    for msisdn in (foreign.msisdn, make_msisdn()):
        question = Question(uow, call, msisdn)
        assert match_identity(question, WRONG) is None
        assert check_swap(question, Part.SIM, max_age=timedelta(hours=1)) is None
        assert get_swap(question, Part.DEVICE) is None
        assert check_recycling(question, date(2020, 1, 1)) is None
        assert check_tenure(question, date(2020, 1, 1)) is None
    told = actions(uow.connection, call.caller)
    assert told[:5] == told[5:]
    assert {outcome for _, outcome in told} == {"not_found"}
    assert read_about_citizen(uow.connection, citizen_key(uow.sealer, record.personal_id)) == ()


def test_guessing_at_a_number_ends_for_the_day(uow: UnitOfWork) -> None:
    call, record, item = own(uow)
    most = call.rules.kyc.false_per_day_max
    question = Question(uow, call, item.msisdn)
    for _ in range(most):
        assert results(question, WRONG) == {"full_name": FieldResult.MISMATCH}
    with pytest.raises(RateLimitedError) as caught:
        match_identity(question, full_claim(record))
    # 09:30 UTC is 16:30 in Viet Nam.
    assert caught.value.retry_after_s == 7.5 * 3_600
    tomorrow = Question(uow, replace(call, at=NOW + timedelta(days=1)), item.msisdn)
    assert results(tomorrow, WRONG) == {"full_name": FieldResult.MISMATCH}


def test_true_and_unavailable_answers_are_no_guesses(uow: UnitOfWork) -> None:
    call, record, item = own(uow)
    question = Question(uow, call, item.msisdn)
    for _ in range(call.rules.kyc.false_per_day_max + 1):
        found = results(question, full_claim(record))
        assert found is not None
        assert set(found.values()) == {FieldResult.MATCH}


def test_a_reported_change_of_sim_or_device_is_told(uow: UnitOfWork) -> None:
    call, _, item = own(uow, activated_on=None)
    question = Question(uow, call, item.msisdn)
    an_hour_ago, two_hours = NOW - timedelta(hours=1), timedelta(hours=2)
    for part, kind in ((Part.SIM, EventKind.SIM_SWAP), (Part.DEVICE, EventKind.DEVICE_CHANGE)):
        assert check_swap(question, part, max_age=two_hours) == Said(value=False)
        assert get_swap(question, part) == Said(value=None)
        event = SubscriptionEvent(msisdn=item.msisdn, kind=kind, occurred_at=an_hour_ago)
        assert report_events(uow, call, [event]) == [""]
        assert check_swap(question, part, max_age=two_hours) == Said(value=True)
        assert check_swap(question, part, max_age=timedelta(minutes=30)) == Said(value=False)
        assert get_swap(question, part) == Said(value=an_hour_ago)


def test_a_change_told_of_late_does_not_hide_a_later_one(uow: UnitOfWork) -> None:
    call, _, item = own(uow)
    for hours in (1, 5):
        at = NOW - timedelta(hours=hours)
        event = SubscriptionEvent(msisdn=item.msisdn, kind=EventKind.DEVICE_CHANGE, occurred_at=at)
        assert report_events(uow, call, [event]) == [""]
    assert find(uow, item).device_changed_at == NOW - timedelta(hours=1)


def test_what_the_registry_does_not_know_is_neither_yes_nor_no(uow: UnitOfWork) -> None:
    call, record, item = own(uow, activated_on=None, created_at=NOW - timedelta(hours=10))
    question = Question(uow, call, item.msisdn)
    nothing = Said(value=None)
    assert check_swap(question, Part.SIM, max_age=timedelta(hours=11)) == nothing
    assert check_recycling(question, date(2024, 1, 1)) == nothing
    assert check_tenure(question, date(2024, 1, 1)) == nothing
    outcomes = [outcome for _, outcome in actions(uow.connection, call.caller)]
    assert outcomes == ["not_available"] * 3
    entries = read_about_citizen(uow.connection, citizen_key(uow.sealer, record.personal_id))
    assert [entry.action for entry in entries] == ["kyc_sim_swap", "kyc_recycling", "kyc_tenure"]


def test_a_number_of_two_people_is_recycled_since_the_first_left(uow: UnitOfWork) -> None:
    call, _, item = own(uow, activated_on=None)
    before, today = date(2026, 4, 30), date(2026, 5, 2)
    question = Question(uow, call, item.msisdn)
    assert check_recycling(question, before) == Said(value=False)
    claim: HolderClaim = make_claim(store_citizen(uow))
    event = SubscriptionEvent(
        msisdn=item.msisdn, kind=EventKind.TRANSFER, occurred_at=NOW, claim=claim
    )
    assert report_events(uow, call, [event]) == [""]
    assert check_recycling(question, before) == Said(value=True)
    assert check_recycling(question, today) == Said(value=False)
    assert check_tenure(question, before) == Said(value=False)
    assert check_tenure(question, today) == Said(value=True)


def test_a_number_that_was_ported_to_its_holder_keeps_its_tenure(uow: UnitOfWork) -> None:
    first, record, item = own(uow, activated_on=date(2019, 2, 28))
    out = SubscriptionEvent(msisdn=item.msisdn, kind=EventKind.PORT_OUT, occurred_at=NOW)
    assert report_events(uow, first, [out]) == [""]
    second = make_call(make_operator())
    into = SubscriptionEvent(
        msisdn=item.msisdn, kind=EventKind.PORT_IN, occurred_at=NOW, claim=make_claim(record)
    )
    assert report_events(uow, second, [into]) == [""]
    question = Question(uow, second, item.msisdn)
    assert check_tenure(question, date(2020, 1, 1)) == Said(value=True)
    assert check_recycling(question, date(2020, 1, 1)) == Said(value=False)
    assert check_tenure(Question(uow, first, item.msisdn), date(2020, 1, 1)) is None
