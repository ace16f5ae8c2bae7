"""A key leaves the ring when nothing can need it any more, and not before."""

from dataclasses import replace

import pytest

from identity.security.keys import KeyFileError
from identity.services.reseal_values import reseal_values
from identity.services.retire_key import KeyInUseError, retire_key
from identity.services.rotate_keys import rotate_keys
from tests.unit.identity.makers import NOW, make_record
from tests.unit.identity.services.key_places import KeyedRegistry


@pytest.fixture
def rotated(keyed: KeyedRegistry) -> KeyedRegistry:
    """A registry whose second key seals, and whose own row is sealed anew already."""
    rotate_keys(keyed.source, keyed.transactions(), is_staged=False, at=NOW)
    reseal(keyed)
    return keyed


def reseal(keyed: KeyedRegistry) -> None:
    for _ in reseal_values(keyed.transactions(), at=NOW):
        pass


def retire(keyed: KeyedRegistry, key_id: int = 1) -> None:
    retire_key(keyed.source, keyed.transactions(), key_id, at=NOW)


def test_a_key_that_nothing_uses_is_retired(rotated: KeyedRegistry) -> None:
    rotated.wait(3)
    retire(rotated)
    assert set(rotated.source.ring.sealing) == {2}
    assert rotated.last_audited() == ("retire_key", "retired", {"key_id": 1})
    transactions = rotated.transactions()
    assert transactions.run(lambda uow: uow.sealing_keys.missing()) == frozenset()
    transactions.run(lambda uow: uow.registry.check_keys())


def test_a_key_that_seals_a_value_stays(rotated: KeyedRegistry) -> None:
    old = rotated.source.ring
    rotated.save(make_record(), ring=replace(old, active_id=1))
    rotated.wait(3)
    with pytest.raises(KeyInUseError, match=r"still seals 1 of citizen\.record_sealed"):
        retire(rotated)
    assert rotated.source.ring == old
    reseal(rotated)
    retire(rotated)


def test_a_key_that_somebody_sealed_with_just_now_stays(rotated: KeyedRegistry) -> None:
    old = rotated.source.ring
    rotated.wait(1.5)
    with pytest.raises(KeyInUseError, match=r"up to 9\d s ago: it can be retired 120 s after"):
        retire(rotated)
    assert rotated.source.ring == old


def test_a_value_that_was_written_in_between_brings_the_key_back(rotated: KeyedRegistry) -> None:
    rotated.wait(3)
    old = rotated.source.ring
    record = make_record()
    late = replace(old, active_id=1)
    rotated.source.before_exchange = lambda: rotated.save(record, ring=late)
    with pytest.raises(KeyInUseError):
        retire(rotated)
    assert rotated.source.ring == old
    assert rotated.find([record]) == {record}


def test_the_active_key_and_one_that_is_not_there_are_refused(rotated: KeyedRegistry) -> None:
    for key_id, complaint in ((2, "rotate first"), (5, "no key 5")):
        with pytest.raises(KeyFileError, match=complaint):
            retire(rotated, key_id)
