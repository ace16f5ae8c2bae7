"""One key signs, whichever server asks; what a retired one signed can be checked to its end."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import delete, select

from identity.audit.log import audit_entry
from identity.domain.presence import CLOCK_SKEW_MAX, TOKEN_LIFETIME_MAX
from identity.security.keys import generate_key_ring
from identity.security.service_signing import (
    SigningKey,
    SigningPurpose,
    format_key_set,
    open_signed,
    parse_key_set,
    sign,
)
from identity.security.vault import Vault
from identity.services.signing_keys import (
    PUBLISHED_AFTER,
    presence_public_keys,
    rotate_signing_key,
    signing_key,
)
from identity.services.transactions import Transactions
from identity.storage.database import Database, UnitOfWork
from identity.storage.signing_tables import signing_key as table
from tests.unit.identity.conftest import Race
from tests.unit.identity.makers import NOW


@pytest.fixture
def empty(uow: UnitOfWork) -> UnitOfWork:
    """No key was made yet."""
    uow.connection.execute(delete(table))
    return uow


@pytest.fixture
def servers(quiet_engine: object) -> Iterator[list[Transactions]]:
    """Two servers with the same ring on one registry without a signing key."""
    ring = generate_key_ring()
    made = [Transactions(Database(quiet_engine, Vault(ring))) for _ in range(2)]  # type: ignore[arg-type] # an engine
    made[0].run(lambda uow: uow.connection.execute(delete(table)))
    yield made
    made[0].run(lambda uow: uow.connection.execute(delete(table)))


def test_the_first_key_is_made_when_it_is_needed_and_stays(empty: UnitOfWork) -> None:
    first = signing_key(empty, at=NOW)
    assert signing_key(empty, at=NOW + timedelta(days=400)) == first
    assert presence_public_keys(empty, at=NOW) == [first.public_key]


def test_public_keys_are_told_before_anything_was_signed(empty: UnitOfWork) -> None:
    (told,) = presence_public_keys(empty, at=NOW)
    assert signing_key(empty, at=NOW).public_key == told


def test_the_private_key_is_stored_sealed_and_no_more_once_it_is_retired(
    empty: UnitOfWork,
) -> None:
    first = signing_key(empty, at=NOW)
    (row,) = empty.connection.execute(select(table)).mappings()
    assert first.private_key not in row["private_key_sealed"]
    second = rotate_signing_key(empty, at=NOW)
    rows = {row["key_id"]: row for row in empty.connection.execute(select(table)).mappings()}
    assert rows[first.key_id]["private_key_sealed"] is None
    assert rows[second.key_id]["retired_at"] is None
    assert signing_key(empty, at=NOW) == second != first


def test_a_retired_key_is_told_until_its_last_token_has_expired(empty: UnitOfWork) -> None:
    first = signing_key(empty, at=NOW)
    token = sign(first, b"{}", purpose=SigningPurpose.PRESENCE)
    second = rotate_signing_key(empty, at=NOW + timedelta(seconds=1))
    last_use = NOW + TOKEN_LIFETIME_MAX + CLOCK_SKEW_MAX
    for at in (NOW + timedelta(seconds=1), last_use):
        told = presence_public_keys(empty, at=at)
        assert told == [second.public_key, first.public_key]
        keys = parse_key_set(format_key_set(told))
        assert open_signed(token, keys, purpose=SigningPurpose.PRESENCE) == b"{}"
    gone = NOW + timedelta(seconds=1) + PUBLISHED_AFTER
    assert presence_public_keys(empty, at=gone) == [second.public_key]
    assert last_use < gone


def test_a_rotation_is_written_down(empty: UnitOfWork) -> None:
    made = rotate_signing_key(empty, at=NOW)
    query = select(audit_entry.c.caller, audit_entry.c.outcome, audit_entry.c.details).where(
        audit_entry.c.action == "rotate_signing_key"
    )
    last = empty.connection.execute(query.order_by(audit_entry.c.entry_id.desc())).first()
    assert last is not None
    assert tuple(last) == ("command-line", "active", {"key_id": made.key_id})


def test_two_servers_that_come_at_once_sign_with_one_key(
    servers: list[Transactions], race: Race
) -> None:
    def key_of(server: Transactions) -> SigningKey:
        return server.run(lambda uow: signing_key(uow, at=NOW))

    found: list[SigningKey] = race([partial(key_of, server) for server in servers * 4])
    assert len({key.key_id for key in found}) == 1


def test_whatever_is_signed_while_keys_change_can_be_checked(
    servers: list[Transactions], race: Race
) -> None:
    first, second = servers

    def signed() -> str:
        def act(uow: UnitOfWork) -> str:
            key = signing_key(uow, at=NOW)
            return sign(key, b"{}", purpose=SigningPurpose.PRESENCE)

        return second.run(act)

    def rotated() -> str:
        return first.run(lambda uow: rotate_signing_key(uow, at=NOW)).key_id

    done = race([rotated, signed, rotated, signed, rotated, signed, signed, signed])
    assert not [each for each in done if isinstance(each, Exception)]
    told = first.run(lambda uow: presence_public_keys(uow, at=NOW))
    keys = parse_key_set(format_key_set(told))
    for token in (each for each in done if "." in each):
        assert open_signed(token, keys, purpose=SigningPurpose.PRESENCE) == b"{}"
    assert second.run(lambda uow: signing_key(uow, at=NOW)).key_id in keys
