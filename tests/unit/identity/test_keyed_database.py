"""Database and keys together: changes taken up, foreign rings left, lost keys told at the start."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from identity.domain.errors import RecordUnreadableError
from identity.keyed_database import KeysInUse, bind, keyed_database
from identity.security.key_source import EnvironmentKeys, FileKeys
from identity.security.keys import (
    KeyFileError,
    KeyRing,
    format_key_ring,
    generate_key_ring,
    with_new_key,
    without_key,
)
from identity.security.vault import Vault
from identity.storage.database import Database
from identity.storage.registry import ForeignKeysError
from identity.storage.sealing_keys import LostKeysError
from tests.databases import own_database
from tests.unit.identity.makers import NOW, make_record


@dataclass(frozen=True)
class Place:
    """A database at head, and where its keys lie."""

    url: str
    source: FileKeys

    @property
    def ring(self) -> KeyRing:
        """The ring as it is now."""
        found = self.source.read()
        assert found is not None
        return found

    def put(self, ring: KeyRing) -> None:
        """Change the ring behind everybody's back."""
        self.source.exchange(self.source.read(), ring)


@pytest.fixture
def place(postgres_url: str, tmp_path: Path) -> Iterator[Place]:
    """A registry that has lived once."""
    with own_database(postgres_url, f"keyed_{uuid4().hex}") as url:
        source = FileKeys(tmp_path / "keys.json")
        with keyed_database(url, source) as database:
            bind(database)
        yield Place(url, source)


def in_use(place: Place, database: Database) -> KeysInUse:
    vault = database.sealer
    assert isinstance(vault, Vault)
    return KeysInUse(place.source, vault, database)


def known(database: Database) -> list[int]:
    with database.transaction() as uow:
        return [key.key_id for key in uow.sealing_keys.known()]


def test_a_running_process_seals_with_the_new_key_after_a_rotation(place: Place) -> None:
    with keyed_database(place.url, place.source) as database:
        keys = in_use(place, database)
        assert keys.take_up() is False
        place.put(with_new_key(place.ring, key_id=2, is_active=True))
        assert keys.take_up() is True
        assert database.sealer.active_id == 2
        assert known(database) == [1, 2]
        assert keys.take_up() is False


def test_a_running_process_reads_what_another_sealed_with_a_key_it_has_not_seen(
    place: Place,
) -> None:
    record = make_record()
    with keyed_database(place.url, place.source) as database:
        place.put(with_new_key(place.ring, key_id=2, is_active=True))
        with keyed_database(place.url, place.source) as other:
            bind(other)
            with other.transaction() as uow:
                uow.citizens.save_many([record], at=NOW)
        with database.transaction() as uow:
            assert uow.citizens.find(record.personal_id) == record
        assert database.sealer.active_id == 1


def test_a_ring_of_another_registry_is_left_alone_by_a_running_process(place: Place) -> None:
    ours = place.ring
    with keyed_database(place.url, place.source) as database:
        keys = in_use(place, database)
        foreign = with_new_key(generate_key_ring(), key_id=2, is_active=True)
        other_first = replace(foreign, index=ours.index)
        for ring in (foreign, other_first):
            place.put(ring)
            with pytest.raises(KeyFileError, match="another one's"):
                keys.take_up()
        place.source.path.unlink()
        with pytest.raises(KeyFileError, match="is gone"):
            keys.take_up()
        assert keys.vault.ring == ours
        assert known(database) == [1]


def test_two_rotations_apart_from_each_other_do_not_make_one_number_two_keys(place: Place) -> None:
    """Two machines, each with a copy of the ring, both rotated: the second one is told."""
    with keyed_database(place.url, place.source) as database:
        elsewhere = with_new_key(place.ring, key_id=2, is_active=True)
        bind(Database(database.engine, Vault(elsewhere)))
        place.put(with_new_key(place.ring, key_id=2, is_active=True))
        with pytest.raises(ForeignKeysError, match="key 2 is not the one"):
            in_use(place, database).take_up()
        assert database.sealer.active_id == 1
    with (
        pytest.raises(ForeignKeysError, match="key 2 is not the one"),
        keyed_database(place.url, place.source),
    ):
        pass


def test_a_lost_key_is_told_at_the_start_and_may_be_accepted(place: Place) -> None:
    lost, kept = make_record(), make_record()
    with keyed_database(place.url, place.source) as database:
        with database.transaction() as uow:
            uow.citizens.save_many([lost], at=NOW)
        place.put(with_new_key(place.ring, key_id=2, is_active=True))
        in_use(place, database).take_up()
        with database.transaction() as uow:
            uow.citizens.save_many([kept], at=NOW)
    place.put(without_key(place.ring, 1))
    with (
        pytest.raises(LostKeysError, match=r"citizen\.record_sealed 1"),
        keyed_database(place.url, place.source),
    ):
        pass
    with (
        keyed_database(place.url, place.source, may_lack_keys=True) as database,
        database.transaction() as uow,
    ):
        assert uow.citizens.find(kept.personal_id) == kept
        with pytest.raises(RecordUnreadableError):
            uow.citizens.find(lost.personal_id)


def test_a_registry_can_have_its_keys_from_the_environment(place: Place) -> None:
    record = make_record()
    source = EnvironmentKeys("SUBID_KEY_RING", format_key_ring(place.ring))
    with keyed_database(place.url, source) as database:
        bind(database)
        with database.transaction() as uow:
            uow.citizens.save_many([record], at=NOW)
    with (
        keyed_database(place.url, place.source) as database,
        database.transaction() as uow,
    ):
        assert uow.citizens.find(record.personal_id) == record
