"""Rotation: a number that no key ever had, at once or in two steps, never half done."""

import pytest

from identity.security.keys import generate_key_ring, with_new_key, without_key
from identity.services.rotate_keys import Rotation, rotate_keys
from identity.state_directory import StateError
from tests.unit.identity.makers import NOW, make_record
from tests.unit.identity.services.key_places import KeyedRegistry


def rotate(keyed: KeyedRegistry, *, is_staged: bool = False) -> Rotation:
    return rotate_keys(keyed.source, keyed.transactions(), is_staged=is_staged, at=NOW)


def known(keyed: KeyedRegistry) -> list[int]:
    keys = keyed.transactions().run(lambda uow: uow.sealing_keys.known())
    return [key.key_id for key in keys]


def test_a_rotation_makes_a_key_that_seals_from_now_on(keyed: KeyedRegistry) -> None:
    old, record = keyed.source.ring, make_record()
    keyed.save(record)
    assert rotate(keyed) == Rotation(key_id=2, active_id=2, is_new=True)
    assert keyed.source.ring.active_id == 2
    assert keyed.source.ring.sealing[1] == old.sealing[1]
    assert keyed.find([record]) == {record}
    assert known(keyed) == [1, 2]
    assert keyed.last_audited() == ("rotate_keys", "active", {"key_id": 2})


def test_a_staged_key_opens_everywhere_before_it_seals_anywhere(keyed: KeyedRegistry) -> None:
    assert rotate(keyed, is_staged=True) == Rotation(key_id=2, active_id=1, is_new=True)
    staged = keyed.source.ring
    assert (staged.active_id, set(staged.sealing)) == (1, {1, 2})
    with pytest.raises(StateError, match="key 2 is staged already"):
        rotate(keyed, is_staged=True)
    assert rotate(keyed) == Rotation(key_id=2, active_id=2, is_new=False)
    assert keyed.source.ring.sealing == staged.sealing
    assert [entry[1] for entry in keyed.audited()[-2:]] == ["staged", "active"]


def test_a_number_is_never_used_again(keyed: KeyedRegistry) -> None:
    rotate(keyed)
    rotate(keyed)
    keyed.source.ring = without_key(keyed.source.ring, 1)
    assert rotate(keyed).key_id == 4
    first = keyed.source.ring.sealing
    keyed.source.ring = without_key(with_new_key(keyed.source.ring, key_id=9, is_active=True), 4)
    assert rotate(keyed).key_id == 10
    assert 4 in first


def test_a_number_that_only_the_database_remembers_is_never_used_again(
    keyed: KeyedRegistry,
) -> None:
    """An old backup of the ring is back in place: what it lacks was used all the same."""
    backup = keyed.source.ring
    rotate(keyed)
    rotate(keyed)
    keyed.source.ring = backup
    assert rotate(keyed) == Rotation(key_id=4, active_id=4, is_new=True)
    assert set(keyed.source.ring.sealing) == {1, 4}


def test_of_two_rotations_one_is_told_and_nothing_is_written_down(keyed: KeyedRegistry) -> None:
    theirs = with_new_key(keyed.source.ring, key_id=2, is_active=True)
    keyed.source.before_exchange = lambda: setattr(keyed.source, "ring", theirs)
    with pytest.raises(StateError, match="somebody else"):
        rotate(keyed)
    assert keyed.source.ring == theirs
    assert known(keyed) == [1]


def test_a_ring_of_another_registry_is_not_written_down_as_ours(keyed: KeyedRegistry) -> None:
    transactions = keyed.transactions()
    keyed.source.ring = generate_key_ring()
    with pytest.raises(StateError, match="key 1 is not the one"):
        rotate_keys(keyed.source, transactions, is_staged=False, at=NOW)
