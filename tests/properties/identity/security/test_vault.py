"""Whatever is sealed opens again in its place, and in no other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from identity.domain.errors import RecordUnreadableError
from identity.security.keys import (
    KEY_BYTES,
    KEY_ID_MAX,
    KeyRing,
    format_key_ring,
    parse_key_ring,
)
from identity.security.vault import INDEX_KINDS, Vault
from identity.storage.sealing import key_number_in

VAULT = Vault(KeyRing(active_id=7, sealing={7: b"\x07" * KEY_BYTES}, index=b"\x08" * KEY_BYTES))

contexts = st.binary(max_size=40)
keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)


@given(st.binary(max_size=300), contexts)
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, context: bytes) -> None:
    assert VAULT.open(VAULT.seal(plaintext, context=context), context=context) == plaintext


@given(st.binary(max_size=60), contexts, contexts)
def test_what_is_sealed_opens_in_no_other_place(
    plaintext: bytes, context: bytes, other: bytes
) -> None:
    assume(context != other)
    sealed = VAULT.seal(plaintext, context=context)
    with pytest.raises(RecordUnreadableError):
        VAULT.open(sealed, context=other)


@given(st.binary(max_size=80), contexts)
def test_bytes_that_were_never_sealed_do_not_open(made_up: bytes, context: bytes) -> None:
    with pytest.raises(RecordUnreadableError):
        VAULT.open(made_up, context=context)


@given(st.binary(min_size=1, max_size=60), contexts, st.data())
def test_changed_bytes_do_not_open(plaintext: bytes, context: bytes, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(plaintext, context=context))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RecordUnreadableError):
        VAULT.open(bytes(sealed), context=context)


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(INDEX_KINDS))
def test_blind_indexes_are_alike_exactly_for_equal_values(one: str, other: str, kind: str) -> None:
    assume(all(not 0xD800 <= ord(letter) < 0xE000 for letter in one + other))
    indexes = VAULT.blind_index(kind, one), VAULT.blind_index(kind, other)
    assert (indexes[0] == indexes[1]) is (one == other)


@given(st.binary(max_size=60), contexts, st.data())
def test_cut_bytes_do_not_open(plaintext: bytes, context: bytes, data: st.DataObject) -> None:
    sealed = VAULT.seal(plaintext, context=context)
    cut = data.draw(st.integers(0, len(sealed) - 1))
    for part in (sealed[:cut], sealed[len(sealed) - cut :]):
        with pytest.raises(RecordUnreadableError):
            VAULT.open(part, context=context)


@given(st.binary(max_size=60), contexts, st.integers(0, 8 * 33 - 1))
def test_one_flipped_bit_does_not_open(plaintext: bytes, context: bytes, bit: int) -> None:
    """The first 33 bytes: version, key, nonce and tag of the shortest value, all of them."""
    sealed = bytearray(VAULT.seal(plaintext, context=context))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RecordUnreadableError):
        VAULT.open(bytes(sealed), context=context)


@given(st.dictionaries(st.integers(1, KEY_ID_MAX), keys, min_size=1, max_size=4), keys, st.data())
def test_a_ring_comes_back_from_its_text(
    sealing: dict[int, bytes], index: bytes, data: st.DataObject
) -> None:
    active_id = data.draw(st.sampled_from(sorted(sealing)))
    ring = KeyRing(active_id=active_id, sealing=sealing, index=index)
    assert parse_key_ring(format_key_ring(ring), origin="here") == ring


@given(st.binary(max_size=60), contexts, keys, keys, st.integers(1, KEY_ID_MAX))
def test_a_value_names_its_key_and_opens_with_no_other_of_that_number(
    plaintext: bytes, context: bytes, key: bytes, other: bytes, key_id: int
) -> None:
    assume(key != other)
    vaults = [
        Vault(KeyRing(active_id=key_id, sealing={key_id: each}, index=key)) for each in (key, other)
    ]
    sealed = vaults[0].seal(plaintext, context=context)
    assert int.from_bytes(key_number_in(sealed)) == key_id
    with pytest.raises(RecordUnreadableError):
        vaults[1].open(sealed, context=context)
