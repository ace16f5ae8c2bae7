"""What is stored of witnesses is verified: whose keys they are, and each co-signature."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from identity.audit.check import check_log
from identity.audit.checkpoint import (
    Cosignature,
    NoteSigner,
    TreeHead,
    VerifierKey,
    cosign,
    format_note,
)
from identity.audit.faults import Fault, FaultKind
from identity.audit.tree import append_cosignature, newest_head, read_cosignatures
from identity.domain.caller import Caller, Role
from identity.domain.errors import CosignatureRefusedError
from identity.services.call import Call
from identity.services.witness_signatures import add_witness_signature, register_witness
from tests.unit.identity.audit.logs import OwnLog, details_key_of, tampering
from tests.unit.identity.makers import NOW, rules

OLD, NEW, THIEF = (
    NoteSigner("witness.example", Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
    for seed in (1, 2, 3)
)
REGULATOR = Call(caller=Caller(Role.REGULATOR, "command-line"), at=NOW, rules=rules())
WITNESS = Call(caller=Caller(Role.WITNESS, "ombudsman"), at=NOW, rules=rules())


def register(log: OwnLog, witness: NoteSigner) -> TreeHead:
    """Take its co-signatures; the head over that."""
    with log.database.transaction() as uow:
        register_witness(uow, REGULATOR, "ombudsman", witness.verifier(is_witness=True))
    return log.head()


def sign(log: OwnLog, witness: NoteSigner, head: TreeHead) -> Cosignature:
    """Send the service a co-signature."""
    cosignature = cosign(head, witness, at=NOW)
    with log.database.transaction() as uow:
        kept = newest_head(uow.connection)
        assert kept is not None
        note = format_note(head, kept.signature, log.verifiers()[0], [cosignature])
        add_witness_signature(uow, WITNESS, note)
    return cosignature


def plant(log: OwnLog, head: TreeHead, cosignature: Cosignature) -> None:
    """Write a row, as whoever administers the database can."""
    with log.database.transaction() as uow:
        append_cosignature(uow.connection, head, cosignature)


def fault_of(log: OwnLog) -> Fault | None:
    with log.database.transaction() as uow:
        key, trusted = details_key_of(uow), log.keys.verifier(uow)
    with log.database.transaction() as uow:
        return check_log(uow.connection, details_key=key, trusted=trusted).fault


def refuse_well(log: OwnLog) -> None:
    fault = fault_of(log)
    assert fault is not None
    assert fault.kind is FaultKind.COSIGNATURE


def tamper(log: OwnLog, statement: str, **given: object) -> None:
    with tampering(log.database.engine) as connection:
        connection.execute(text(statement), given)


def test_co_signatures_by_every_key_that_was_registered_are_well(log: OwnLog) -> None:
    for witness in (OLD, NEW):
        sign(log, witness, register(log, witness))
    assert fault_of(log) is None


@pytest.mark.parametrize(
    "change",
    [
        "signature = set_byte(signature, 5, 1 + get_byte(signature, 5) % 255)",
        "cosigned_at = cosigned_at + interval '1 second'",
        "key_hash = decode('00112233', 'hex')",
        "witness = 'another.example'",
        "tree_size = tree_size + 1",
    ],
)
def test_a_co_signature_that_was_changed_is_named(log: OwnLog, change: str) -> None:
    sign(log, OLD, register(log, OLD))
    tamper(log, f"UPDATE audit_cosignature SET {change}")  # noqa: S608 - of this file
    refuse_well(log)


@pytest.mark.parametrize(
    "key", [THIEF.verifier(is_witness=True), NEW.verifier(is_witness=True)], ids=str
)
def test_a_key_of_a_witness_that_was_exchanged_is_found(log: OwnLog, key: VerifierKey) -> None:
    register(log, NEW)
    register(log, OLD)
    tamper(log, "UPDATE audit_witness SET verifier_key = :key", key=str(key))
    refuse_well(log)


def test_a_witness_that_was_never_registered_or_is_gone_is_found(log: OwnLog) -> None:
    register(log, OLD)
    tamper(log, "UPDATE audit_witness SET caller = 'somebody'")
    refuse_well(log)
    tamper(log, "DELETE FROM audit_witness")
    refuse_well(log)


def test_a_witness_is_told_that_a_planted_row_stands_in_the_place_of_its_signature(
    log: OwnLog,
) -> None:
    head = register(log, OLD)
    forged = cosign(head, THIEF, at=NOW)
    plant(log, head, forged)
    refuse_well(log)
    with pytest.raises(CosignatureRefusedError, match="something else stands"):
        sign(log, OLD, head)


def test_the_first_word_of_a_witness_about_a_head_stands(log: OwnLog) -> None:
    head = register(log, OLD)
    first = cosign(head, OLD, at=NOW - timedelta(minutes=1))
    plant(log, head, first)
    sign(log, OLD, head)
    with log.database.transaction() as uow:
        assert list(read_cosignatures(uow.connection, head)) == [first]
    assert fault_of(log) is None
