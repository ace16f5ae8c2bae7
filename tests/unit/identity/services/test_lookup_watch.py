"""Callers that try out personal IDs or numbers are stopped until the regulator lets them go on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, event

from identity.domain.agency import Agency, Right
from identity.domain.caller import Role
from identity.domain.errors import (
    DisputeExistsError,
    DisputeInvalidError,
    DomainError,
    LookupsStoppedError,
    NumberInServiceElsewhereError,
    SubscriptionNotFoundError,
)
from identity.domain.holder import HolderClaim
from identity.domain.lookup_watch import LookupPolicy
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import Subscription
from identity.services.answer_kyc import Part, Question, get_swap
from identity.services.arrangements import attest_guardianship
from identity.services.call import Call
from identity.services.directives import pull_directives
from identity.services.disputes import open_dispute
from identity.services.explain_subscription import explain_subscription
from identity.services.get_contacts import Contact, can_notify, get_contacts
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchResult
from identity.services.lookup_watch import counting_misses, counting_unknown, resume_lookups
from identity.services.read_subscriptions import get_subscription, list_of_operator
from identity.services.register_subscription import register_subscription
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.services.verification_sessions import start_verification
from identity.storage.arrangements import Parties
from identity.storage.book import BookRow, index_row
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import citizen
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
from tests.unit.identity.services.households import PAPERS, Household

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
    known = store_citizen(uow)
    for _ in range(4):
        register_subscription(uow, operator, make_msisdn(), make_claim(make_record()))
    with pytest.raises(LookupsStoppedError):
        register_subscription(uow, operator, make_msisdn(), make_claim(known))


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


# Whom operators name.


def own_number(uow: UnitOfWork, operator: Call) -> Subscription:
    return store_number(uow, store_citizen(uow), operator_id=operator.caller.name)


def naming(kind: EventKind, msisdn: MSISDN, claim: HolderClaim | None = None) -> SubscriptionEvent:
    return SubscriptionEvent(
        msisdn=msisdn, kind=kind, occurred_at=NOW, claim=claim or make_claim(make_record())
    )


def send_book(uow: UnitOfWork, operator: Call, *rows: BookRow) -> BatchResult:
    return import_subscriptions(uow, operator, [index_row(uow.sealer, row) for row in rows])


def nobodys_row() -> BookRow:
    return BookRow(msisdn=make_msisdn(), claim=make_claim(make_record()))


def is_stopped(uow: UnitOfWork, operator: Call) -> bool:
    return uow.lookup_watch.is_stopped(str(operator.caller))


def claim_once(uow: UnitOfWork, operator: Call, msisdn: MSISDN, person: PersonalID) -> str:
    """How a dispute is refused, as the method does it."""
    transactions = within(uow)
    with (
        pytest.raises((DisputeExistsError, DisputeInvalidError, LookupsStoppedError)) as caught,
        counting_unknown(transactions, operator, citizen_key(uow.sealer, person)),
    ):
        transactions.run(lambda uow: open_dispute(uow, operator, msisdn, person))
    return str(caught.value.reason)


def test_of_a_number_in_dispute_nobody_learns_who_exists(
    uow: UnitOfWork, operator: Call, statements: list[str]
) -> None:
    item = own_number(uow, operator)
    open_dispute(uow, operator, item.msisdn, store_citizen(uow).personal_id)
    known, unknown = store_citizen(uow).personal_id, make_personal_id()
    told, heard = [], []
    for person in (known, unknown, item.claim.personal_id):
        statements.clear()
        with pytest.raises(DisputeExistsError) as caught:
            open_dispute(uow, operator, item.msisdn, person)
        told.append(str(caught.value))
        heard.append(list(statements))
    assert told == [told[0]] * 3
    assert heard == [heard[0]] * 3


def test_who_tries_out_people_in_disputes_is_stopped(uow: UnitOfWork, operator: Call) -> None:
    item = own_number(uow, operator)
    told = {claim_once(uow, operator, item.msisdn, make_personal_id()) for _ in range(4)}
    assert told == {"DISPUTE_INVALID"}
    claimant = store_citizen(uow).personal_id
    assert claim_once(uow, operator, item.msisdn, claimant) == "LOOKUPS_STOPPED"
    assert resume(uow, str(operator.caller))
    opened = open_dispute(uow, operator, item.msisdn, claimant)
    assert opened.dispute.opener == str(operator.caller)


def test_refusals_that_cost_nothing_do_not_hide_guesses(uow: UnitOfWork, operator: Call) -> None:
    item = own_number(uow, operator)
    for _ in range(4):
        holder = item.claim.personal_id
        assert claim_once(uow, operator, item.msisdn, holder) == "DISPUTE_INVALID"
        assert get_subscription(uow, operator, item.msisdn) is not None
        claim_once(uow, operator, item.msisdn, make_personal_id())
    with pytest.raises(LookupsStoppedError):
        get_subscription(uow, operator, item.msisdn)


def attest(uow: UnitOfWork, counter: Call, child: PersonalID) -> None:
    home = Household(uow, guardian=store_citizen(uow), child=make_record())
    proposed = home.propose(child).arrangement.arrangement_id
    parties = Parties(personal_id=child, guardian=home.guardian.personal_id)
    attest_guardianship(uow, counter, proposed, parties, document_digest=PAPERS)


def test_who_tries_out_children_by_papers_is_stopped(uow: UnitOfWork, operator: Call) -> None:
    for _ in range(4):
        attest(uow, operator, make_personal_id())
    with pytest.raises(LookupsStoppedError):
        attest(uow, operator, store_citizen(uow).personal_id)
    assert resume(uow, str(operator.caller))
    attest(uow, operator, store_citizen(uow).personal_id)


def test_the_regulator_opens_disputes_about_numbers_of_who_was_stopped(
    uow: UnitOfWork, operator: Call
) -> None:
    item = own_number(uow, operator)
    send_book(uow, operator, *(nobodys_row() for _ in range(4)))
    assert is_stopped(uow, operator)
    regulator = make_call("r", role=Role.REGULATOR, under=STRICT)
    view = open_dispute(uow, regulator, item.msisdn, store_citizen(uow).personal_id)
    assert view.dispute.opener == str(regulator.caller)


def test_questions_about_own_numbers_do_not_hide_guesses(uow: UnitOfWork, operator: Call) -> None:
    item = own_number(uow, operator)
    for _ in range(4):
        for _ in range(3):
            assert get_subscription(uow, operator, item.msisdn) is not None
        register_subscription(uow, operator, make_msisdn(), make_claim(make_record()))
    assert is_stopped(uow, operator)


def test_of_a_number_that_is_taken_nobody_learns_who_exists(
    uow: UnitOfWork, operator: Call, statements: list[str]
) -> None:
    taken = own_number(uow, make_call(make_operator()))
    heard = []
    for record in (store_citizen(uow), make_record()):
        statements.clear()
        with pytest.raises(NumberInServiceElsewhereError):
            register_subscription(uow, operator, taken.msisdn, make_claim(record))
        heard.append(list(statements))
    assert heard[0] == heard[1]
    assert not any("FROM citizen" in statement for statement in heard[0])


def test_a_book_of_nobody_stops_the_naming_of_new_holders_row_by_row(
    uow: UnitOfWork, operator: Call
) -> None:
    item = own_number(uow, operator)
    own = BookRow(msisdn=item.msisdn, claim=item.claim)
    assert send_book(uow, operator, *(nobodys_row() for _ in range(4))).created_count == 4
    assert is_stopped(uow, operator)

    fresh = BookRow(msisdn=make_msisdn(), claim=make_claim(store_citizen(uow)))
    other = replace(own, claim=make_claim(store_citizen(uow)))
    for row in (fresh, other, nobodys_row()):
        result = send_book(uow, operator, row)
        (error,) = result.row_errors
        assert (error.field, error.reason) == ("holder.personal_id", "LOOKUPS_STOPPED")
        assert sum(result.link_counts.values()) == 0
    assert send_book(uow, operator, own).row_errors == ()
    assert send_book(uow, operator, replace(own, province_code="79")).changed_count == 1


def test_an_honest_book_goes_on_however_many_of_its_holders_are_nobody(
    uow: UnitOfWork, operator: Call
) -> None:
    rows = [
        BookRow(msisdn=make_msisdn(), claim=make_claim(store_citizen(uow))) for _ in range(12)
    ] + [nobodys_row() for _ in range(6)]
    for at in range(0, 18, 6):
        assert send_book(uow, operator, *rows[at : at + 6]).row_errors == ()
    # The same book once more names nobody anew, and neither does a correction.
    corrected = [replace(row, province_code="01") for row in rows[12:]]
    assert send_book(uow, operator, *rows[:12], *corrected).row_errors == ()
    assert not is_stopped(uow, operator)


def test_a_book_that_comes_before_the_register_learns_nothing_and_goes_on(
    uow: UnitOfWork, operator: Call
) -> None:
    uow.connection.execute(delete(citizen))
    rows = [nobodys_row() for _ in range(6)]
    assert send_book(uow, operator, *rows).row_errors == ()
    assert not is_stopped(uow, operator)


@pytest.mark.parametrize("kind", [EventKind.TRANSFER, EventKind.PORT_IN])
def test_who_tries_out_people_by_events_is_stopped(
    uow: UnitOfWork, operator: Call, kind: EventKind
) -> None:
    store_citizen(uow)
    is_transfer = kind is EventKind.TRANSFER
    numbers = [own_number(uow, operator).msisdn if is_transfer else make_msisdn() for _ in range(5)]
    guesses = [naming(kind, number) for number in numbers]
    assert report_events(uow, operator, guesses[:4]) == [""] * 4
    assert is_stopped(uow, operator)
    assert report_events(uow, operator, guesses[4:]) == ["LOOKUPS_STOPPED"]


def test_an_operator_that_was_stopped_goes_on_with_what_it_must_do(
    uow: UnitOfWork, operator: Call
) -> None:
    item, released = own_number(uow, operator), own_number(uow, operator)
    send_book(uow, operator, *(nobodys_row() for _ in range(4)))
    with pytest.raises(LookupsStoppedError):
        list_of_operator(uow, operator, after=None, limit=9, link_states=())
    with pytest.raises(LookupsStoppedError):
        explain_subscription(uow, operator, item.msisdn, None)
    events = [
        replace(naming(EventKind.DEVICE_CHANGE, item.msisdn), claim=None),
        replace(naming(EventKind.RELEASE, released.msisdn), claim=None),
    ]
    assert report_events(uow, operator, events) == ["", ""]
    lease = pull_directives(uow, operator, duration=timedelta(minutes=5), limit=9)
    assert item.msisdn in {each.msisdn for each in lease.directives}


def test_events_that_are_refused_look_nobody_up(
    uow: UnitOfWork, operator: Call, statements: list[str]
) -> None:
    taken = own_number(uow, make_call(make_operator()))
    heard = []
    for record in (store_citizen(uow), make_record()):
        statements.clear()
        guess = naming(EventKind.PORT_IN, taken.msisdn, make_claim(record))
        assert report_events(uow, operator, [guess]) == ["NUMBER_IN_SERVICE_ELSEWHERE"]
        heard.append(list(statements))
    assert heard[0] == heard[1]
