"""Sealed values open in their own place, under their own key, unchanged, and nowhere else."""

import pytest

from identity.security.keys import KEY_BYTES, KeyRing
from identity.security.vault import INDEX_BYTES, INDEX_KINDS, SealedValueError, Vault

PLAINTEXT = "Nguyễn Thị Hoài Thương 001187012345".encode()
PLACE = b"citizen.record|0123456789abcdef"


def ring(*, active_id: int = 1, index: int = 9, **keys: int) -> KeyRing:
    """Keys of one repeated byte: `k1=5` is sealing key 1 made of fives."""
    sealing = {int(name[1:]): bytes([byte]) * KEY_BYTES for name, byte in keys.items()}
    return KeyRing(active_id=active_id, sealing=sealing, index=bytes([index]) * KEY_BYTES)


@pytest.fixture
def vault() -> Vault:
    return Vault(ring(k1=1))


@pytest.mark.parametrize("plaintext", [b"", b"\0", PLAINTEXT, bytes(range(256)) * 40])
def test_what_is_sealed_opens_in_its_place(vault: Vault, plaintext: bytes) -> None:
    assert vault.open(vault.seal(plaintext, context=PLACE), context=PLACE) == plaintext


def test_the_same_value_is_never_sealed_alike(vault: Vault) -> None:
    assert len({vault.seal(PLAINTEXT, context=PLACE) for _ in range(50)}) == 50


def test_no_part_of_the_plaintext_stands_in_the_sealed_bytes(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    parts = [PLAINTEXT[start : start + 4] for start in range(len(PLAINTEXT) - 3)]
    assert not [part for part in parts if part in sealed]


@pytest.mark.parametrize(
    "place", [b"", PLACE[:-1], PLACE + b"\0", b"citizen.recorc|0123456789abcdef"]
)
def test_a_value_moved_to_another_place_does_not_open(vault: Vault, place: bytes) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(SealedValueError):
        vault.open(sealed, context=place)


def test_any_flipped_bit_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"x" * 20, context=PLACE)
    for position in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SealedValueError):
            vault.open(bytes(changed), context=PLACE)


def test_any_cut_or_longer_value_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"x" * 20, context=PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealedValueError):
            vault.open(sealed[:length], context=PLACE)
    with pytest.raises(SealedValueError):
        vault.open(sealed + b"\0", context=PLACE)


def test_another_key_of_the_same_number_does_not_open(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(SealedValueError):
        Vault(ring(k1=2)).open(sealed, context=PLACE)


def test_a_key_that_is_not_there_does_not_open(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(SealedValueError):
        Vault(ring(active_id=2, k2=1)).open(sealed, context=PLACE)


def test_old_values_open_after_a_rotation_and_new_ones_take_the_new_key(vault: Vault) -> None:
    old = vault.seal(PLAINTEXT, context=PLACE)
    rotated = Vault(ring(active_id=2, k1=1, k2=2))
    assert rotated.open(old, context=PLACE) == PLAINTEXT
    new = rotated.seal(PLAINTEXT, context=PLACE)
    assert Vault(ring(active_id=2, k2=2)).open(new, context=PLACE) == PLAINTEXT
    with pytest.raises(SealedValueError):
        vault.open(new, context=PLACE)


def test_a_value_cannot_be_passed_off_as_sealed_with_another_key() -> None:
    """The key's number is authenticated: two keys with equal bytes do not stand for each other."""
    twins = Vault(ring(k1=1, k2=1))
    sealed = bytearray(twins.seal(PLAINTEXT, context=PLACE))
    sealed[4] = 2
    with pytest.raises(SealedValueError):
        twins.open(bytes(sealed), context=PLACE)


def test_the_message_shows_neither_value_nor_place(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(SealedValueError) as caught:
        vault.open(sealed, context=b"citizen.record|somewhere")
    assert "somewhere" not in str(caught.value)
    assert sealed.hex() not in str(caught.value)


@pytest.mark.parametrize("kind", INDEX_KINDS)
def test_a_blind_index_is_stable_and_short(kind: str) -> None:
    first, second = Vault(ring(k1=1)), Vault(ring(k1=7))
    index = first.blind_index(kind, "001187012345")
    assert len(index) == INDEX_BYTES == 16
    assert index == second.blind_index(kind, "001187012345")
    assert index != first.blind_index(kind, "001187012346")


def test_blind_indexes_of_two_kinds_never_meet(vault: Vault) -> None:
    assert len({vault.blind_index(kind, "001187012345") for kind in INDEX_KINDS}) == len(
        INDEX_KINDS
    )


def test_blind_indexes_need_the_index_key(vault: Vault) -> None:
    other = Vault(ring(index=8, k1=1))
    assert vault.blind_index("msisdn", "+84912345678") != other.blind_index(
        "msisdn", "+84912345678"
    )


def test_a_kind_without_a_key_is_refused(vault: Vault) -> None:
    with pytest.raises(KeyError):
        vault.blind_index("birth_date", "1987-11-23")


def test_stored_indexes_do_not_change_with_a_new_version() -> None:
    """Computed apart with OpenSSL (HKDF-Expand, HMAC): rows of years ago must still be found."""
    vault = Vault(ring(k1=1))
    assert (
        vault.blind_index("personal_id", "001187012345").hex() == "aa806f0cdcc75f173f3a285e52d23df4"
    )
