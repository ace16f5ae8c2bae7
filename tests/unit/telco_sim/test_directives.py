"""The habits of operators, against directives that are really leased."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from subid.v1.enforcement_service_pb2 import (
    ACKNOWLEDGEMENT_RESULT_SUPERSEDED,
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_RESTORE,
    DIRECTIVE_KIND_SUSPEND,
    DIRECTIVE_KIND_TERMINATE,
    DirectiveKind,
)
from subid.v1.subscription_pb2 import (
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_SUSPENDED,
    SERVICE_STATE_TERMINATED,
)
from telco_sim.books import Bookkeeper, BookRow
from telco_sim.clock import SimulatedClock
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.journal import Invariant, Journal
from telco_sim.ledger import DirectiveLedger
from telco_sim.networks import Network
from telco_sim.numbering import NumberGenerator
from telco_sim.operators import Operator
from telco_sim.population import draw_population
from telco_sim.signatures import signed_text
from tests.unit.telco_sim.credulous_service import (
    OPERATOR_KEY,
    STARTED_AT,
    Country,
    caller,
    serve,
)

TODAY = date(2026, 11, 21)


def draw_book() -> tuple[BookRow, ...]:
    people = draw_population(30, seed=1, today=TODAY)
    numbers = NumberGenerator(seed=1)
    return Bookkeeper(people, numbers=numbers, seed=1, today=TODAY).draw(["song-hong"])["song-hong"]


@pytest.fixture
def country() -> Country:
    return Country()


@pytest.fixture
def operator(country: Country) -> Iterator[Operator]:
    with serve(country) as channel:
        yield Operator(caller(channel, name="song-hong"), book=draw_book())


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def ledger() -> DirectiveLedger:
    return DirectiveLedger(started_at=STARTED_AT)


def desk_of(
    operator: Operator, habit: Habit, ledger: DirectiveLedger, journal: Journal
) -> DirectiveDesk:
    return DirectiveDesk(
        operator,
        habit=habit,
        network=Network(operator.lines, new_number=lambda: "+84599999999"),
        clock=SimulatedClock(STARTED_AT),
        ledger=ledger,
        journal=journal,
    )


def broken(journal: Journal) -> dict[str, tuple[str, ...]]:
    findings = journal.findings(*Invariant)
    return {each.invariant.name: each.details for each in findings if each.broken_count}


def attempts(ledger: DirectiveLedger, kind: str) -> dict[str, int]:
    counts = next(each for each in ledger.steps() if each.kind == kind).attempt_counts
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (DIRECTIVE_KIND_NOTIFY, SERVICE_STATE_ACTIVE),
        (DIRECTIVE_KIND_BLOCK_OUTGOING, SERVICE_STATE_OUTGOING_BLOCKED),
        (DIRECTIVE_KIND_SUSPEND, SERVICE_STATE_SUSPENDED),
        (DIRECTIVE_KIND_TERMINATE, SERVICE_STATE_TERMINATED),
    ],
)
def test_a_prompt_operator_does_what_is_ordered(
    kind: DirectiveKind,
    state: int,
    country: Country,
    operator: Operator,
    ledger: DirectiveLedger,
    journal: Journal,
) -> None:
    line = next(iter(operator.lines.values()))
    country.order(line.msisdn, kind)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_for_a_day()
    assert line.network_state == state
    assert country.directives == []
    assert broken(journal) == {}


def test_what_an_operator_acknowledges_it_signs(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    country.order(next(iter(operator.lines)), DIRECTIVE_KIND_SUSPEND)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_off()
    (request,) = country.acknowledged
    key = load_pem_private_key(OPERATOR_KEY, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.public_key().verify(request.signature, signed_text(request), ec.ECDSA(SHA256()))


def test_a_clumsy_operator_fails_some_and_does_them_in_the_end(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    lines = list(operator.lines.values())[:20]
    for line in lines:
        country.order(line.msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk_of(operator, Habit.CLUMSY, ledger, journal).work_for_a_day()
    assert {line.network_state for line in lines} == {SERVICE_STATE_OUTGOING_BLOCKED}
    seen = attempts(ledger, "BLOCK_OUTGOING")
    assert seen["executed"] == 20
    assert seen["failed"] > 0
    assert broken(journal) == {}


def test_behind_a_failed_directive_the_next_for_the_same_number_waits(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    line = next(iter(operator.lines.values()))
    for kind in (DIRECTIVE_KIND_NOTIFY, DIRECTIVE_KIND_BLOCK_OUTGOING, DIRECTIVE_KIND_SUSPEND):
        country.order(line.msisdn, kind)
    desk_of(operator, Habit.CLUMSY, ledger, journal).work_for_a_day()
    executed = [each.kind for each in ledger.executed(line.msisdn)]
    assert executed == sorted(executed)
    assert line.network_state == SERVICE_STATE_SUSPENDED


def test_a_late_operator_loses_its_lease_and_gets_everything_again(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    line = next(iter(operator.lines.values()))
    country.order(line.msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk = desk_of(operator, Habit.LATE, ledger, journal)
    for _ in range(4):
        desk.work_for_a_day()
        country.now += timedelta(days=1)
    assert line.network_state == SERVICE_STATE_OUTGOING_BLOCKED
    assert attempts(ledger, "BLOCK_OUTGOING") == {"executed": 1, "lapsed": 1}
    assert broken(journal) == {}


def test_a_directive_lost_with_its_lease_is_noticed(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    country.order(next(iter(operator.lines)), DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk = desk_of(operator, Habit.LATE, ledger, journal)
    for _ in range(3):
        desk.work_for_a_day()
        country.now += timedelta(days=1)
    country.directives.clear()
    desk.work_for_a_day()
    assert broken(journal) == {
        "LAPSED_LEASE_RETURNS": ("1 of 1 lapsed directives did not come back",)
    }


def test_a_superseded_directive_leaves_the_network_alone(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    line = next(iter(operator.lines.values()))
    directive = country.order(line.msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    country.superseded_ids.add(directive.directive_id)
    desk = desk_of(operator, Habit.PROMPT, ledger, journal)
    results = desk.execute(desk.pull())
    assert results == {directive.directive_id: ACKNOWLEDGEMENT_RESULT_SUPERSEDED}
    assert line.network_state == SERVICE_STATE_ACTIVE
    assert attempts(ledger, "BLOCK_OUTGOING") == {"superseded": 1}


def test_a_liar_says_that_it_did_what_it_did_not_of_one_number_in_four_and_once_of_each(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    lines = list(operator.lines.values())[:8]
    desk = desk_of(operator, Habit.LYING, ledger, journal)
    for line in lines:
        country.order(line.msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk.work_for_a_day()
    false = {lines[0].msisdn, lines[4].msisdn}
    assert {line.msisdn for line in lines if line.network_state == SERVICE_STATE_ACTIVE} == false
    assert set(desk.network.differences()) == false
    assert attempts(ledger, "BLOCK_OUTGOING") == {"executed": 6, "lied": 2}
    for line in lines:
        country.order(line.msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk.work_for_a_day()
    assert {line.network_state for line in lines} == {SERVICE_STATE_OUTGOING_BLOCKED}
    assert desk.network.differences() == {}
    assert broken(journal) == {}


def test_a_liar_lies_about_no_notice(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    country.order(next(iter(operator.lines)), DIRECTIVE_KIND_NOTIFY)
    desk_of(operator, Habit.LYING, ledger, journal).work_for_a_day()
    assert attempts(ledger, "NOTIFY") == {"executed": 1}


@pytest.mark.parametrize("habit", [each for each in Habit if each is not Habit.LYING])
def test_nobody_but_the_liar_lies(
    habit: Habit,
    country: Country,
    operator: Operator,
    ledger: DirectiveLedger,
    journal: Journal,
) -> None:
    country.order(next(iter(operator.lines)), DIRECTIVE_KIND_SUSPEND)
    desk = desk_of(operator, habit, ledger, journal)
    desk.work_off()
    assert desk.network.differences() == {}
    assert attempts(ledger, "SUSPEND")["executed"] == 1


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        (DIRECTIVE_KIND_SUSPEND, "way_out"),
        (DIRECTIVE_KIND_SUSPEND, "kept_routes"),
        (DIRECTIVE_KIND_SUSPEND, "citation"),
        (DIRECTIVE_KIND_NOTIFY, "notice"),
        (DIRECTIVE_KIND_NOTIFY, "causes"),
    ],
)
def test_an_order_without_its_reason_words_or_open_routes_is_noticed(
    kind: DirectiveKind,
    lacking: str,
    country: Country,
    operator: Operator,
    ledger: DirectiveLedger,
    journal: Journal,
) -> None:
    country.order(next(iter(operator.lines)), kind).ClearField(lacking)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_off()
    assert list(broken(journal)) == ["ORDERS_EXPLAIN_THEMSELVES"]


def test_a_restore_that_still_names_causes_is_noticed(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    country.order(next(iter(operator.lines)), DIRECTIVE_KIND_RESTORE)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_off()
    assert list(broken(journal)) == ["ORDERS_EXPLAIN_THEMSELVES"]


def test_orders_in_the_wrong_sequence_are_noticed(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    msisdn = next(iter(operator.lines))
    country.order(msisdn, DIRECTIVE_KIND_SUSPEND)
    country.now -= timedelta(hours=1)
    country.order(msisdn, DIRECTIVE_KIND_BLOCK_OUTGOING)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_off()
    assert list(broken(journal)) == ["ORDERS_IN_SEQUENCE"]


def test_an_order_about_a_foreign_number_is_noticed(
    country: Country, operator: Operator, ledger: DirectiveLedger, journal: Journal
) -> None:
    country.order("+84999999999", DIRECTIVE_KIND_SUSPEND)
    desk_of(operator, Habit.PROMPT, ledger, journal).work_off()
    assert list(broken(journal)) == ["OWN_SUBSCRIPTIONS_ONLY"]
