"""Entries that are not sealed are told of, whoever holds them back and however they are dated."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from identity.audit.checkpoint import VerifierKey
from identity.audit.sealing import hold_alone
from identity.audit.watch import SealingWatch
from identity.audit_sealer import INTERVAL_S, STALLED, STALLED_AFTER_S, AuditSealer, sealing
from identity.audit_setup import made_audit_sealer
from identity.services.seal_audit import REFRESHED_AFTER
from identity.services.transactions import Transactions
from tests.unit.identity.audit.logs import ENTRY, OwnLog, tampering
from tests.unit.identity.makers import NOW


@dataclass
class Seconds:
    """A clock that stands still."""

    now: float = 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


@dataclass(frozen=True)
class Server:
    """One that seals a log, as the service does."""

    sealer: AuditSealer
    clock: Seconds

    @classmethod
    def of(cls, log: OwnLog) -> "Server":
        """It begins now."""
        clock = Seconds()
        made = made_audit_sealer(log.keys.directory, Transactions(log.database), now=clock)
        return cls(replace(made, interval_s=3_600), clock)

    def failure_after(self, seconds: float) -> str | None:
        """What it says of the log, so much later."""
        self.clock.now += seconds
        asyncio.run(self._look())
        return self.sealer.failure

    async def _look(self) -> None:
        async with sealing(self.sealer):
            pass


@contextmanager
def lock_held(log: OwnLog) -> Iterator[None]:
    """Another session has the lock of who seals, and seals nothing."""
    with log.database.transaction() as uow:
        hold_alone(uow.connection, may_wait=True)
        yield


@contextmanager
def transaction_open(log: OwnLog) -> Iterator[None]:
    """Another session has begun to write, and does nothing more."""
    with log.database.engine.begin() as connection:
        connection.execute(text("SELECT pg_current_xact_id()"))
        yield


def held_back(log: OwnLog, by: str) -> AbstractContextManager[None]:
    return lock_held(log) if by == "lock" else transaction_open(log)


def test_the_service_looks_often_enough_for_a_head_within_a_second(log: OwnLog) -> None:
    made = made_audit_sealer(log.keys.directory, Transactions(log.database))
    assert made.interval_s == INTERVAL_S
    # Half of the second is left for the sealing itself.
    assert INTERVAL_S <= 0.5
    assert made.stalled_after_s == STALLED_AFTER_S


@pytest.mark.parametrize("by", ["lock", "transaction"])
@pytest.mark.parametrize("dated", [timedelta(), timedelta(days=365)])
def test_entries_that_somebody_holds_back_are_told_of_until_they_are_sealed(
    log: OwnLog, by: str, dated: timedelta
) -> None:
    server = Server.of(log)
    with held_back(log, by):
        log.write(1, replace(ENTRY, occurred_at=NOW + dated))
        assert server.failure_after(0) is None
        assert server.failure_after(STALLED_AFTER_S) is None
        log.write(1)
        assert server.failure_after(0.1) == STALLED
        assert server.sealer.waits_s() == pytest.approx(STALLED_AFTER_S + 0.1)
    log.settle()
    server.failure_after(0.5)
    assert server.failure_after(0.5) is None
    assert server.sealer.waits_s() == 0


def test_an_entry_that_was_seen_and_is_gone_is_told_of(log: OwnLog) -> None:
    server = Server.of(log)
    with transaction_open(log):
        (seen,) = log.write(1)
        assert server.failure_after(0) is None
    with tampering(log.database.engine) as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE entry_id = :seen"), {"seen": seen})
    log.write(1)
    log.settle()
    assert server.failure_after(STALLED_AFTER_S + 0.1) == STALLED


PLANT = (
    "INSERT INTO audit_entry (occurred_at, caller, action, outcome, details, era, transaction_id)"
    " SELECT occurred_at, caller, action, outcome, details, max(era) OVER () + 1, '1'"
    " FROM audit_entry LIMIT 1"
)
"""An entry that comes after whatever will be written, and is sealed at once."""

OLD_ORDER = "ALTER TABLE audit_entry ALTER COLUMN transaction_id SET DEFAULT '1'"
"""What is written from now on comes before what is sealed."""


@pytest.mark.parametrize("statement", [PLANT, OLD_ORDER])
def test_entries_that_an_order_hides_are_told_of(log: OwnLog, statement: str) -> None:
    server = Server.of(log)
    log.write(1)
    log.settle()
    assert server.failure_after(0) is None
    with tampering(log.database.engine) as connection:
        connection.execute(text(statement))
    log.settle()
    assert server.failure_after(0) is None
    log.write(1)
    log.settle()
    assert server.failure_after(0.5) is None
    # Once more when what was waiting before has been sealed in order.
    assert server.failure_after(0.5) is None
    assert server.failure_after(STALLED_AFTER_S + 0.1) == STALLED


def test_what_another_server_seals_does_not_wait(log: OwnLog) -> None:
    server = Server.of(log)
    with transaction_open(log):
        log.write(1)
        assert server.failure_after(0) is None
    log.head()
    assert server.failure_after(STALLED_AFTER_S + 0.1) is None


def test_a_leaf_under_a_head_that_our_key_did_not_sign_waits(log: OwnLog) -> None:
    clock = Seconds()
    watch = SealingWatch(now=clock)
    log.write(1)
    log.head()
    (key,) = log.verifiers()
    thief = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    for trusted, waits_s in ((replace(key, public_key=thief), 20), (None, 40), (key, 0)):
        look_at(log, watch, trusted)
        clock.now += 20
        assert watch.waits_s() == waits_s


def look_at(log: OwnLog, watch: SealingWatch, key: VerifierKey | None) -> None:
    with log.database.transaction() as uow:
        watch.look(uow.connection, key)


def test_no_fresh_head_is_signed_over_an_old_tree_while_entries_wait(log: OwnLog) -> None:
    log.write(1)
    signed = log.head()
    later = NOW + REFRESHED_AFTER
    with transaction_open(log):
        log.write(1)
        assert log.seal(at=later).head is None
    log.settle()
    assert log.seal(at=later).head is not None
    fresh = log.seal(at=later + REFRESHED_AFTER).head
    assert fresh is not None
    assert fresh.size == signed.size + 1
