"""Invariants that the database holds by itself, whoever writes to it and however.

Every statement here goes around the repositories on purpose.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from identity.domain.enforcement import CaseState, open_case
from identity.domain.link import LinkState
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState, Subscription
from identity.storage.choice_tables import citizen_choice
from identity.storage.database import UnitOfWork
from identity.storage.tables import (
    directive,
    enforcement_case,
    enforcement_clock,
    holding,
    primary_number,
    registry,
    subscription,
    verification,
)
from tests.unit.identity.makers import (
    NOW,
    make_link,
    make_session,
    store_citizen,
    store_number,
    store_primary,
    track_for,
)

HELD_BY_A_PRIMARY = 'table "holding_p.*foreign key constraint .* on table "primary_number'
"""PostgreSQL before 18 names the foreign keys of a partition itself."""


def citizen_key(uow: UnitOfWork, item: Subscription) -> bytes:
    return uow.sealer.blind_index("personal_id", item.claim.personal_id.value)


def primary_row(uow: UnitOfWork, item: Subscription, **given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any column
    usual = {
        "citizen_key": citizen_key(uow, item),
        "subscription_id": item.subscription_id,
        "msisdn_sealed": b"sealed",
        "verified_at": NOW,
        "set_at": NOW,
        "confirmed_at": NOW,
    }
    row = usual | given
    has_chosen = insert(citizen_choice).values(citizen_key=row["citizen_key"])
    uow.connection.execute(has_chosen.on_conflict_do_nothing())
    return row


def assert_refused(uow: UnitOfWork, statement: Any, constraint: str) -> None:  # noqa: ANN401 - any statement
    with pytest.raises(IntegrityError, match=constraint), uow.connection.begin_nested():
        uow.connection.execute(statement)


def test_the_row_of_an_eligible_number_is_taken(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    uow.connection.execute(insert(primary_number).values(primary_row(uow, item)))
    assert uow.primaries.held_by([item.subscription_id]) == {item.subscription_id}


def test_a_second_primary_of_one_citizen_is_refused(uow: UnitOfWork) -> None:
    record, _ = store_primary(uow)
    other = store_number(uow, record)
    assert_refused(
        uow, insert(primary_number).values(primary_row(uow, other)), "primary_number.*_pkey"
    )


def test_somebody_elses_number_is_refused_as_a_primary(uow: UnitOfWork) -> None:
    own = store_number(uow, store_citizen(uow))
    foreign = store_number(uow, store_citizen(uow))
    row = primary_row(uow, foreign, citizen_key=citizen_key(uow, own))
    assert_refused(uow, insert(primary_number).values(row), "fk_primary_number_holding")


@pytest.mark.parametrize(
    "flaw",
    [
        {"verified_at": None},
        {"link": make_link(LinkState.MISMATCHED)},
        {"link": make_link(LinkState.NOT_FOUND)},
        {"link": make_link(LinkState.DECEASED)},
        {"service_state": ServiceState.INACTIVE},
        {"service_state": ServiceState.SUSPENDED},
        {"service_state": ServiceState.TERMINATED},
    ],
    ids=lambda flaw: "-".join(str(value) for value in flaw.values())[:40],
)
def test_a_number_that_is_not_eligible_is_refused_as_a_primary(
    uow: UnitOfWork, flaw: Mapping[str, Any]
) -> None:
    item = store_number(uow, store_citizen(uow), **flaw)
    assert_refused(
        uow, insert(primary_number).values(primary_row(uow, item)), "fk_primary_number_holding"
    )


def test_a_row_that_calls_itself_not_eligible_is_refused(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow), verified_at=None)
    row = primary_row(uow, item, is_eligible=False)
    assert_refused(uow, insert(primary_number).values(row), "ck_primary_number_eligible")


def test_a_primary_cannot_be_pointed_at_somebody_elses_number(uow: UnitOfWork) -> None:
    _, item = store_primary(uow)
    foreign = store_number(uow, store_citizen(uow))
    statement = (
        update(primary_number)
        .where(primary_number.c.citizen_key == citizen_key(uow, item))
        .values(subscription_id=foreign.subscription_id)
    )
    assert_refused(uow, statement, "fk_primary_number_holding")


def test_a_holding_cannot_lose_its_eligibility_under_a_primary(uow: UnitOfWork) -> None:
    _, item = store_primary(uow)
    statement = (
        update(holding)
        .where(holding.c.subscription_id == item.subscription_id)
        .values(is_eligible=False)
    )
    assert_refused(uow, statement, HELD_BY_A_PRIMARY)


def test_a_holding_cannot_be_deleted_under_a_primary(uow: UnitOfWork) -> None:
    _, item = store_primary(uow)
    statement = holding.delete().where(holding.c.subscription_id == item.subscription_id)
    assert_refused(uow, statement, HELD_BY_A_PRIMARY)


def test_a_number_is_in_one_service_at_a_time(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    row = dict(
        uow.connection.execute(
            select(subscription).where(subscription.c.subscription_id == item.subscription_id)
        )
        .mappings()
        .one()
    )
    second = row | {"subscription_id": uuid4(), "operator_id": "another"}
    assert_refused(uow, insert(subscription).values(second), "subscription_p._msisdn_key_idx")
    past = second | {"service_state": ServiceState.TERMINATED.value}
    uow.connection.execute(insert(subscription).values(past))


@pytest.mark.parametrize(
    ("column", "value"), [("link_state", "unsure"), ("service_state", "frozen")]
)
def test_a_state_that_is_not_ours_is_refused(uow: UnitOfWork, column: str, value: str) -> None:
    item = store_number(uow, store_citizen(uow))
    statement = (
        update(subscription)
        .where(subscription.c.subscription_id == item.subscription_id)
        .values({column: value})
    )
    assert_refused(uow, statement, f"ck_subscription_{column}")


def case_row(uow: UnitOfWork, item: Subscription, **given: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any column
    case = open_case(
        item, CaseCause.UNVERIFIED, track_for(CaseCause.UNVERIFIED), identity=uuid4(), at=NOW
    )
    usual = {
        "msisdn_key": uow.sealer.blind_index("msisdn", item.msisdn.value),
        "case_id": case.case_id,
        "subscription_id": item.subscription_id,
        "track": case.track,
        "cause": case.cause.value,
        "policy_version": case.policy_version,
        "opened_at": case.opened_at,
        "steps_taken": case.steps_taken,
        "next_due_at": case.next_due_at,
        "state": case.state.value,
    }
    return usual | given


def test_one_case_is_open_on_each_track(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow), verified_at=None)
    uow.connection.execute(insert(enforcement_case).values(case_row(uow, item)))
    uow.connection.execute(insert(enforcement_case).values(case_row(uow, item, track="T1")))
    over = {"state": CaseState.CURED.value, "closed_at": NOW}
    uow.connection.execute(insert(enforcement_case).values(case_row(uow, item, **over)))
    assert_refused(uow, insert(enforcement_case).values(case_row(uow, item)), "enforcement_case_p")


@pytest.mark.parametrize("flaw", [{"closed_at": NOW}, {"state": "cured"}])
def test_a_case_is_closed_exactly_when_it_has_an_end(
    uow: UnitOfWork, flaw: Mapping[str, Any]
) -> None:
    item = store_number(uow, store_citizen(uow), verified_at=None)
    row = case_row(uow, item, **flaw)
    assert_refused(uow, insert(enforcement_case).values(row), "ck_enforcement_case_closed_at")


@pytest.mark.parametrize(
    "flaw",
    [
        {"state": "completed"},
        {"state": "completed", "verdict": {}},
        {"state": "completed", "evidence_sealed": b"sealed"},
        {"verdict": {}, "evidence_sealed": b"sealed"},
    ],
    ids="-".join,
)
def test_a_session_is_completed_exactly_when_verdict_and_evidence_are_there(
    uow: UnitOfWork, flaw: Mapping[str, Any]
) -> None:
    session = make_session(uow, store_number(uow, store_citizen(uow)))
    statement = update(verification).where(
        verification.c.verification_id == session.verification_id
    )
    assert_refused(uow, statement.values(flaw), "ck_verification_verdict_with_evidence")


def test_a_directive_is_executed_exactly_when_it_says_when(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    row = {
        "msisdn_key": uow.sealer.blind_index("msisdn", item.msisdn.value),
        "directive_id": uuid4(),
        "subscription_id": item.subscription_id,
        "operator_id": item.operator_id,
        "kind": "suspend",
        "causes": [],
        "state": "executed",
        "created_at": NOW,
        "due_at": NOW,
    }
    assert_refused(uow, insert(directive).values(row), "ck_directive_executed_at")


def test_the_enforcement_clock_is_one(uow: UnitOfWork) -> None:
    statement = insert(enforcement_clock).values(only_row=2, ran_until=NOW)
    assert_refused(uow, statement, "ck_enforcement_clock_only_row")


@pytest.mark.parametrize(
    ("flaw", "constraint"),
    [({"only_row": 2}, "ck_registry_only_row"), ({"clock_kind": "sun"}, "ck_registry_clock_kind")],
)
def test_the_registry_is_one_and_lives_by_a_known_clock(
    uow: UnitOfWork, flaw: Mapping[str, Any], constraint: str
) -> None:
    row = {"key_check_sealed": b"sealed", "key_check_index": b"index", **flaw}
    assert_refused(uow, insert(registry).values(row), constraint)
