"""Sealed values open in their own place, under their own key, unchanged, and nowhere else."""

import pytest

from identity.domain.errors import RecordUnreadableError
from identity.security.keys import KEY_BYTES, KeyFileError, KeyRing, generate_key_ring
from identity.security.vault import INDEX_BYTES, INDEX_KINDS, LOOK_AGAIN_S, Vault
from identity.storage.sealing import key_number_in, takes_secret

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
    with pytest.raises(RecordUnreadableError):
        vault.open(sealed, context=place)


def test_any_flipped_bit_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"x" * 20, context=PLACE)
    for position in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(RecordUnreadableError):
            vault.open(bytes(changed), context=PLACE)


def test_any_cut_or_longer_value_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(b"x" * 20, context=PLACE)
    for length in range(len(sealed)):
        with pytest.raises(RecordUnreadableError):
            vault.open(sealed[:length], context=PLACE)
    with pytest.raises(RecordUnreadableError):
        vault.open(sealed + b"\0", context=PLACE)


def test_another_key_of_the_same_number_does_not_open(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(RecordUnreadableError):
        Vault(ring(k1=2)).open(sealed, context=PLACE)


def test_a_key_that_is_not_there_does_not_open(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(RecordUnreadableError):
        Vault(ring(active_id=2, k2=1)).open(sealed, context=PLACE)


def test_old_values_open_after_a_rotation_and_new_ones_take_the_new_key(vault: Vault) -> None:
    old = vault.seal(PLAINTEXT, context=PLACE)
    rotated = Vault(ring(active_id=2, k1=1, k2=2))
    assert rotated.open(old, context=PLACE) == PLAINTEXT
    new = rotated.seal(PLAINTEXT, context=PLACE)
    assert Vault(ring(active_id=2, k2=2)).open(new, context=PLACE) == PLAINTEXT
    with pytest.raises(RecordUnreadableError):
        vault.open(new, context=PLACE)


def test_a_value_cannot_be_passed_off_as_sealed_with_another_key() -> None:
    """The key's number is authenticated: two keys with equal bytes do not stand for each other."""
    twins = Vault(ring(k1=1, k2=1))
    sealed = bytearray(twins.seal(PLAINTEXT, context=PLACE))
    sealed[4] = 2
    with pytest.raises(RecordUnreadableError):
        twins.open(bytes(sealed), context=PLACE)


def test_the_message_shows_neither_value_nor_place(vault: Vault) -> None:
    sealed = vault.seal(PLAINTEXT, context=PLACE)
    with pytest.raises(RecordUnreadableError) as caught:
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


class Place:
    """Where a ring is kept, and how often it was asked for."""

    def __init__(self, ring: KeyRing | None) -> None:
        self.ring = ring
        self.error: Exception | None = None
        self.asked = 0
        self.now = 100.0

    def look_up(self) -> KeyRing | None:
        """The ring as it is now."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.ring

    def vault(self, ring: KeyRing) -> Vault:
        """A vault that was made with an older ring."""
        return Vault(ring, look_up=self.look_up, now=lambda: self.now)


def test_a_key_that_was_made_meanwhile_is_looked_up_once() -> None:
    rotated = ring(active_id=2, k1=1, k2=2)
    sealed = Vault(rotated).seal(PLAINTEXT, context=PLACE)
    place = Place(rotated)
    vault = place.vault(ring(k1=1))
    for _ in range(3):
        assert vault.open(sealed, context=PLACE) == PLAINTEXT
    assert place.asked == 1
    assert set(vault.key_ids) == {1, 2}


def test_a_key_that_was_looked_up_opens_and_does_not_seal_yet() -> None:
    rotated = ring(active_id=2, k1=1, k2=2)
    vault = Place(rotated).vault(ring(k1=1))
    vault.open(Vault(rotated).seal(b"", context=PLACE), context=PLACE)
    assert vault.active_id == 1
    assert key_number_in(vault.seal(b"", context=PLACE)) == b"\0\0\0\1"
    vault.adopt(rotated)
    assert vault.active_id == 2
    assert key_number_in(vault.seal(b"", context=PLACE)) == b"\0\0\0\2"


def test_values_of_a_lost_key_do_not_have_the_ring_read_each_time() -> None:
    sealed = Vault(ring(active_id=2, k2=2)).seal(PLAINTEXT, context=PLACE)
    place = Place(ring(k1=1))
    vault = place.vault(ring(k1=1))

    def open_often() -> None:
        for _ in range(20):
            with pytest.raises(RecordUnreadableError):
                vault.open(sealed, context=PLACE)

    open_often()
    assert place.asked == 1
    place.now += LOOK_AGAIN_S
    open_often()
    assert place.asked == 2


@pytest.mark.parametrize(
    "found",
    [None, ring(active_id=2, k1=9, k2=2), ring(active_id=2, index=7, k1=1, k2=2)],
    ids=["gone", "another first key", "another index"],
)
def test_a_ring_that_is_not_the_registrys_is_not_taken_up(found: KeyRing | None) -> None:
    sealed = Vault(ring(active_id=2, k2=2)).seal(PLAINTEXT, context=PLACE)
    vault = Place(found).vault(ring(k1=1))
    with pytest.raises(RecordUnreadableError):
        vault.open(sealed, context=PLACE)
    assert set(vault.key_ids) == {1}
    if found is not None:
        with pytest.raises(KeyFileError):
            vault.adopt(found)


@pytest.mark.parametrize("error", [KeyFileError("damaged"), OSError("away")])
def test_a_ring_that_cannot_be_read_now_costs_the_value_and_no_more(error: Exception) -> None:
    sealed = Vault(ring(active_id=2, k2=2)).seal(PLAINTEXT, context=PLACE)
    place = Place(None)
    place.error = error
    vault = place.vault(ring(k1=1))
    with pytest.raises(RecordUnreadableError):
        vault.open(sealed, context=PLACE)
    assert vault.open(vault.seal(b"x", context=PLACE), context=PLACE) == b"x"


def test_a_key_that_left_the_ring_is_forgotten() -> None:
    both = ring(active_id=2, k1=1, k2=2)
    vault = Vault(both)
    sealed = vault.seal(b"x", context=PLACE, key_id=1)
    assert key_number_in(sealed) == b"\0\0\0\1"
    assert vault.open(sealed, context=PLACE) == b"x"
    vault.adopt(ring(active_id=2, k2=2))
    with pytest.raises(RecordUnreadableError):
        vault.open(sealed, context=PLACE)


def test_the_number_of_the_key_stands_where_the_database_counts_it() -> None:
    sealed = Vault(ring(active_id=0xA1B2C3D4, k2712847316=1)).seal(b"", context=PLACE)
    assert key_number_in(sealed).hex() == "a1b2c3d4"


def test_what_is_sealed_for_a_person_takes_both_key_and_secret() -> None:
    ring = generate_key_ring()
    vault, secret = Vault(ring), b"\x07" * 32
    sealed = vault.seal(b"a face", context=b"here", secret=secret)
    assert takes_secret(sealed)
    assert not takes_secret(vault.seal(b"a face", context=b"here"))
    assert key_number_in(sealed) == ring.active_id.to_bytes(4)
    assert vault.open(sealed, context=b"here", secret=secret) == b"a face"
    wrong = [
        (vault, b"there", secret),
        (vault, b"here", b"\x08" * 32),
        (vault, b"here", None),
        (Vault(generate_key_ring()), b"here", secret),
    ]
    for opener, context, given in wrong:
        with pytest.raises(RecordUnreadableError):
            opener.open(sealed, context=context, secret=given)


def test_a_value_cannot_be_taken_for_one_of_the_other_kind() -> None:
    vault, secret = Vault(generate_key_ring()), b"\x07" * 32
    personal = vault.seal(b"a face", context=b"here", secret=secret)
    common = vault.seal(b"a face", context=b"here")
    for value, version in ((personal, 1), (common, 2)):
        with pytest.raises(RecordUnreadableError):
            vault.open(bytes([version]) + value[1:], context=b"here", secret=secret)


def test_what_was_sealed_without_a_secret_opens_with_one() -> None:
    vault = Vault(generate_key_ring())
    sealed = vault.seal(b"a face", context=b"here")
    assert vault.open(sealed, context=b"here", secret=b"\x07" * 32) == b"a face"
