"""The registry's own row: bound to one key ring and one kind of clock, for good."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select

from identity.security.keys import KeyRing, generate_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork, is_claimed
from identity.storage.registry import ClockKindError, ForeignKeysError
from identity.storage.tables import registry

RING = generate_key_ring()


def under(uow: UnitOfWork, ring: KeyRing) -> UnitOfWork:
    """The same transaction, seen by somebody with other keys."""
    return UnitOfWork(uow.connection, Vault(ring))


def test_a_database_is_claimed_once_and_known_by_its_keys(uow: UnitOfWork) -> None:
    first = under(uow, RING)
    first.registry.claim()
    first.registry.claim()
    under(uow, RING).registry.check_keys()
    assert uow.connection.execute(select(func.count()).select_from(registry)).scalar() == 1


@pytest.mark.parametrize(
    "other",
    [
        generate_key_ring(),
        replace(RING, index=generate_key_ring().index),
        replace(RING, sealing=generate_key_ring().sealing),
    ],
    ids=["both", "index", "sealing"],
)
def test_other_keys_are_refused(uow: UnitOfWork, other: KeyRing) -> None:
    under(uow, RING).registry.claim()
    for act in (under(uow, other).registry.claim, under(uow, other).registry.check_keys):
        with pytest.raises(ForeignKeysError):
            act()
    under(uow, RING).registry.check_keys()


def test_a_new_sealing_key_beside_the_old_one_still_fits(uow: UnitOfWork) -> None:
    under(uow, RING).registry.claim()
    rotated = replace(RING, active_id=2, sealing={**RING.sealing, 2: generate_key_ring().index})
    under(uow, rotated).registry.check_keys()


def test_a_ring_that_has_lost_the_first_key_is_still_the_registrys_own(uow: UnitOfWork) -> None:
    under(uow, RING).registry.claim()
    others = {2: generate_key_ring().index}
    under(uow, replace(RING, active_id=2, sealing=others)).registry.check_keys()
    foreign = replace(generate_key_ring(), active_id=2, sealing=others)
    with pytest.raises(ForeignKeysError):
        under(uow, foreign).registry.check_keys()


@pytest.mark.parametrize("is_simulated", [False, True])
def test_the_first_kind_of_clock_is_kept(
    uow: UnitOfWork,
    is_simulated: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    uow.registry.claim()
    for _ in range(2):
        uow.registry.keep_clock(is_simulated=is_simulated)
    with pytest.raises(ClockKindError, match="lives by a"):
        uow.registry.keep_clock(is_simulated=not is_simulated)
    uow.registry.keep_clock(is_simulated=is_simulated)


def test_of_several_first_starts_one_claims_and_the_others_are_told(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    def claim(sealer: Vault) -> str:
        try:
            with Database(database.engine, sealer).transaction() as uow:
                uow.registry.claim()
        except ForeignKeysError:
            return "refused"
        return "claimed"

    try:
        vaults = [Vault(generate_key_ring()) for _ in range(4)]
        answers = race([partial(claim, vault) for vault in vaults])
        assert sorted(answers) == ["claimed", "refused", "refused", "refused"]
        assert is_claimed(database.engine)
    finally:
        forget(database.engine)
    assert not is_claimed(database.engine)


def forget(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(registry))
