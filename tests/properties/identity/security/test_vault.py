"""Whatever is sealed opens again in its place, and in no other."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from identity.security.keys import KEY_BYTES, KeyRing
from identity.security.vault import INDEX_KINDS, SealedValueError, Vault

VAULT = Vault(KeyRing(active_id=7, sealing={7: b"\x07" * KEY_BYTES}, index=b"\x08" * KEY_BYTES))

contexts = st.binary(max_size=40)


@given(st.binary(max_size=300), contexts)
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, context: bytes) -> None:
    assert VAULT.open(VAULT.seal(plaintext, context=context), context=context) == plaintext


@given(st.binary(max_size=60), contexts, contexts)
def test_what_is_sealed_opens_in_no_other_place(
    plaintext: bytes, context: bytes, other: bytes
) -> None:
    assume(context != other)
    sealed = VAULT.seal(plaintext, context=context)
    with pytest.raises(SealedValueError):
        VAULT.open(sealed, context=other)


@given(st.binary(max_size=80), contexts)
def test_bytes_that_were_never_sealed_do_not_open(made_up: bytes, context: bytes) -> None:
    with pytest.raises(SealedValueError):
        VAULT.open(made_up, context=context)


@given(st.binary(min_size=1, max_size=60), contexts, st.data())
def test_changed_bytes_do_not_open(plaintext: bytes, context: bytes, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal(plaintext, context=context))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealedValueError):
        VAULT.open(bytes(sealed), context=context)


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(INDEX_KINDS))
def test_blind_indexes_are_alike_exactly_for_equal_values(one: str, other: str, kind: str) -> None:
    assume(all(not 0xD800 <= ord(letter) < 0xE000 for letter in one + other))
    indexes = VAULT.blind_index(kind, one), VAULT.blind_index(kind, other)
    assert (indexes[0] == indexes[1]) is (one == other)
