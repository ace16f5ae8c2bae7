"""The overview of keys: what each is good for, and what it holds."""

from identity.security.keys import without_key
from identity.services.key_overview import KeyState, list_keys
from identity.services.rotate_keys import rotate_keys
from tests.unit.identity.makers import NOW, make_record
from tests.unit.identity.services.key_places import KeyedRegistry


def overview(keyed: KeyedRegistry) -> list[tuple[int, KeyState, int]]:
    lines = keyed.transactions().run(list_keys)
    return [(line.key_id, line.state, line.value_count) for line in lines]


def test_each_key_is_told_with_its_state_and_what_it_seals(keyed: KeyedRegistry) -> None:
    assert overview(keyed) == [(1, KeyState.ACTIVE, 1)]
    keyed.save(make_record(), make_record())
    rotate_keys(keyed.source, keyed.transactions(), is_staged=False, at=NOW)
    keyed.save(make_record())
    rotate_keys(keyed.source, keyed.transactions(), is_staged=True, at=NOW)
    assert overview(keyed) == [
        (1, KeyState.OLD, 3),
        (2, KeyState.ACTIVE, 1),
        (3, KeyState.STAGED, 0),
    ]


def test_a_lost_key_is_told_with_the_columns_that_it_costs(keyed: KeyedRegistry) -> None:
    keyed.save(make_record(), make_record())
    rotate_keys(keyed.source, keyed.transactions(), is_staged=False, at=NOW)
    keyed.source.ring = without_key(keyed.source.ring, 1)
    lost, _active = keyed.transactions().run(list_keys)
    assert (lost.key_id, lost.state) == (1, KeyState.LOST)
    assert lost.places == {"citizen.record_sealed": 2, "registry.key_check_sealed": 1}


def test_a_key_that_nothing_needs_any_more_is_retired(keyed: KeyedRegistry) -> None:
    rotate_keys(keyed.source, keyed.transactions(), is_staged=True, at=NOW)
    keyed.source.ring = without_key(keyed.source.ring, 2)
    assert overview(keyed) == [(1, KeyState.ACTIVE, 1), (2, KeyState.RETIRED, 0)]
