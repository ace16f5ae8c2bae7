"""Evidence is erased when the policy no longer demands it; what a number rests on stays."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from identity.audit.log import audit_entry
from identity.domain.caller import Role
from identity.domain.subscription import ServiceState
from identity.security.vault import Vault
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.forget_evidence import forget_evidence
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from identity.storage.tables import verification
from identity.storage.verifications import Claimant
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_call,
    make_evidence,
    make_session,
    rules,
    store_citizen,
    store_number,
)

CLAIMANT = Claimant(request_id=UUID(int=1), body_digest=b"\x01" * 32)
KEEP_FOR = timedelta(days=30)
DUE = NOW + KEEP_FOR + timedelta(seconds=1)


@pytest.fixture
def transactions(quiet_engine: Engine, vault: Vault) -> Transactions:
    """A registry in which nobody else verifies."""
    return Transactions(Database(quiet_engine, vault))


def call_at(at: datetime, *, keep_for: timedelta | None = KEEP_FOR) -> Call:
    kept = replace(rules().verification, keep_evidence_for=keep_for)
    call = make_call("regulator", role=Role.REGULATOR)
    return replace(call, at=at, rules=replace(rules(), verification=kept))


def verified(
    uow: UnitOfWork,
    *,
    verified_at: datetime | None = None,
    service_state: ServiceState = ServiceState.ACTIVE,
) -> UUID:
    """A verification that is over, of a number that is verified since some instant."""
    record = store_citizen(uow)
    number = store_number(uow, record, verified_at=verified_at, service_state=service_state)
    session = make_session(uow, number)
    uow.verifications.claim(session, CLAIMANT, at=NOW)
    evidence = make_evidence(record)
    uow.verifications.complete(session, evidence, judge(evidence))
    return session.verification_id


def erased_at(transactions: Transactions, verification_id: UUID) -> datetime | None:
    columns = verification.c
    query = select(columns.evidence_sealed, columns.evidence_erased_at, columns.verdict).where(
        columns.verification_id == verification_id
    )
    row = transactions.run(lambda uow: uow.connection.execute(query).one())
    assert (row.evidence_sealed is None) == (row.evidence_erased_at is not None)
    assert row.verdict["state"] == "verified"
    at: datetime | None = row.evidence_erased_at
    return at


def entries(transactions: Transactions, at: datetime) -> list[int]:
    query = select(audit_entry.c.details).where(
        audit_entry.c.action == "forget_evidence", audit_entry.c.occurred_at == at
    )
    found = transactions.run(lambda uow: uow.connection.execute(query).scalars().all())
    return sorted(each["verifications"] for each in found)


def test_evidence_goes_when_its_time_is_over_and_not_before(transactions: Transactions) -> None:
    ids = [transactions.run(verified) for _ in range(5)]
    assert forget_evidence(transactions, call_at(NOW + KEEP_FOR)) == 0
    assert [erased_at(transactions, each) for each in ids] == [None] * 5
    forget_evidence(transactions, call_at(DUE), slice_verdicts=2)
    assert [erased_at(transactions, each) for each in ids] == [DUE] * 5
    assert sum(entries(transactions, DUE)) >= 5
    assert max(entries(transactions, DUE)) <= 2
    assert forget_evidence(transactions, call_at(DUE)) == 0


def test_what_a_number_in_service_is_verified_by_stays(transactions: Transactions) -> None:
    standing = transactions.run(lambda uow: verified(uow, verified_at=NOW))
    renewed = transactions.run(lambda uow: verified(uow, verified_at=NOW + timedelta(hours=1)))
    ended = transactions.run(
        lambda uow: verified(uow, verified_at=NOW, service_state=ServiceState.TERMINATED)
    )
    later = DUE + timedelta(hours=1)
    forget_evidence(transactions, call_at(later), slice_verdicts=1)
    found = [erased_at(transactions, each) for each in (standing, renewed, ended)]
    assert found == [None, later, later]


def test_a_run_of_the_clock_erases_it(transactions: Transactions) -> None:
    old = transactions.run(verified)
    advance_enforcement(transactions, call_at(DUE))
    assert erased_at(transactions, old) == DUE


def test_without_a_term_in_the_pack_nothing_goes(transactions: Transactions) -> None:
    kept = transactions.run(verified)
    assert forget_evidence(transactions, call_at(DUE, keep_for=None)) == 0
    assert erased_at(transactions, kept) is None
