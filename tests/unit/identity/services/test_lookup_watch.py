"""Callers that try out personal IDs or numbers are stopped until the regulator lets them go on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from identity.domain.agency import Agency, Right
from identity.domain.caller import Role
from identity.domain.errors import DomainError, LookupsStoppedError, SubscriptionNotFoundError
from identity.domain.lookup_watch import LookupPolicy
from identity.domain.personal_id import PersonalID
from identity.services.answer_kyc import Part, Question, get_swap
from identity.services.call import Call
from identity.services.get_contacts import Contact, can_notify, get_contacts
from identity.services.lookup_watch import counting_misses, resume_lookups
from identity.services.read_subscriptions import get_subscription
from identity.services.register_subscription import register_subscription
from identity.services.verification_sessions import start_verification
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from tests.databases import within
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import (
    NOW,
    actions,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    make_personal_id,
    make_record,
    rules,
    store_citizen,
    store_number,
)

STRICT = replace(rules(), lookups=LookupPolicy(judged_from=4))


@pytest.fixture
def agency(uow: UnitOfWork) -> Agency:
    return store_agency(uow, make_grant(Right.NUMBER))


@pytest.fixture
def operator() -> Call:
    return make_call(make_operator(), under=STRICT)


def ask(uow: UnitOfWork, agency: Agency, *people: PersonalID) -> list[Contact] | DomainError:
    question = replace(make_question(agency, *people), rules=STRICT)
    (answer,) = get_contacts(uow, [question])
    return answer


def resume(uow: UnitOfWork, caller: str) -> bool:
    return resume_lookups(uow, make_call("r", role=Role.REGULATOR), caller)


def test_an_agency_that_asks_about_nobody_is_told_nothing_more(
    uow: UnitOfWork, agency: Agency
) -> None:
    known = store_citizen(uow).personal_id
    assert isinstance(ask(uow, agency, known, make_personal_id()), list)
    # The batch that gives it away is withheld as well.
    assert isinstance(ask(uow, agency, make_personal_id(), make_personal_id()), LookupsStoppedError)
    assert isinstance(ask(uow, agency, known), LookupsStoppedError)
    (answer,) = can_notify(uow, [replace(make_question(agency, known), rules=STRICT)])
    assert isinstance(answer, LookupsStoppedError)
    caller = make_call(agency.name, role=Role.AGENCY).caller
    assert ("stop_lookups", "stopped") in actions(uow.connection, caller)


def test_the_regulator_lets_it_go_on_with_counts_that_begin_anew(
    uow: UnitOfWork, agency: Agency
) -> None:
    ask(uow, agency, *(make_personal_id() for _ in range(4)))
    caller = f"agency:{agency.name}"
    assert resume(uow, caller)
    assert not resume(uow, caller)
    assert isinstance(ask(uow, agency, make_personal_id()), list)


def test_honest_agencies_are_not_stopped_and_others_are_not_either(
    uow: UnitOfWork, agency: Agency
) -> None:
    people = [store_citizen(uow).personal_id for _ in range(6)]
    assert isinstance(ask(uow, agency, *people, make_personal_id()), list)
    guesser = store_agency(uow, make_grant(Right.NUMBER))
    honest = replace(make_question(agency, *people), rules=STRICT)
    guessing = replace(
        make_question(guesser, *(make_personal_id() for _ in range(5))), rules=STRICT
    )
    answers = get_contacts(uow, [honest, guessing, honest])
    assert [isinstance(each, list) for each in answers] == [True, False, True]


def test_neighbouring_personal_ids_give_away_who_asks_about_known_people_only(
    uow: UnitOfWork, agency: Agency
) -> None:
    first = int(make_personal_id().value)
    people = [
        store_citizen(uow, personal_id=PersonalID(f"{first + n:012d}")).personal_id
        for n in range(5)
    ]
    assert isinstance(ask(uow, agency, *people), LookupsStoppedError)


def test_a_new_day_begins_anew(uow: UnitOfWork, agency: Agency) -> None:
    ask(uow, agency, *(make_personal_id() for _ in range(3)))
    later = make_question(agency, make_personal_id(), at=NOW + timedelta(days=1))
    (answer,) = get_contacts(uow, [replace(later, rules=STRICT)])
    assert isinstance(answer, list)


@pytest.fixture
def statements(uow: UnitOfWork) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)

    event.listen(uow.connection, "before_cursor_execute", hear)
    yield heard
    event.remove(uow.connection, "before_cursor_execute", hear)


def test_known_and_unknown_people_are_asked_about_in_the_same_words(
    uow: UnitOfWork, agency: Agency, statements: list[str]
) -> None:
    known, unknown = store_citizen(uow).personal_id, make_personal_id()
    ask(uow, agency, known, unknown)
    heard = []
    for person in (known, unknown):
        statements.clear()
        ask(uow, agency, person)
        heard.append(list(statements))
    assert heard[0] == heard[1]


def test_an_operator_that_tries_out_numbers_is_stopped_whatever_it_asks(
    uow: UnitOfWork, operator: Call
) -> None:
    own = store_number(uow, store_citizen(uow), operator_id=operator.caller.name)
    assert get_subscription(uow, operator, own.msisdn) is not None
    for _ in range(3):
        assert get_swap(Question(uow, operator, make_msisdn()), Part.SIM) is None
    with pytest.raises(LookupsStoppedError):
        get_subscription(uow, operator, own.msisdn)
    with pytest.raises(LookupsStoppedError):
        get_swap(Question(uow, operator, own.msisdn), Part.SIM)
    with pytest.raises(LookupsStoppedError):
        start_verification(uow, operator, own.msisdn, None)
    claim = make_claim(make_record())
    with pytest.raises(LookupsStoppedError):
        register_subscription(uow, operator, make_msisdn(), claim)
    assert resume(uow, str(operator.caller))
    assert get_subscription(uow, operator, own.msisdn) is not None


def test_registering_for_people_whom_nobody_knows_counts(uow: UnitOfWork, operator: Call) -> None:
    for _ in range(4):
        register_subscription(uow, operator, make_msisdn(), make_claim(make_record()))
    with pytest.raises(LookupsStoppedError):
        register_subscription(uow, operator, make_msisdn(), make_claim(store_citizen(uow)))


def test_a_session_that_is_refused_counts_though_its_transaction_is_undone(
    uow: UnitOfWork, operator: Call
) -> None:
    transactions = within(uow)
    for _ in range(4):
        msisdn = make_msisdn()
        key = msisdn_key(uow.sealer, msisdn)
        with (
            pytest.raises(SubscriptionNotFoundError),
            counting_misses(transactions, operator, key),
        ):
            transactions.run(lambda uow: start_verification(uow, operator, msisdn, None))  # noqa: B023 - run at once
    with pytest.raises(LookupsStoppedError):
        start_verification(uow, operator, make_msisdn(), None)
