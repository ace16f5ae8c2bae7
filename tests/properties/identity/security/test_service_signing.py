"""Whatever is done to a signed value, it is read as it was signed or not at all."""

from hypothesis import assume, given
from hypothesis import strategies as st

from identity.security.service_signing import (
    SignatureRefusedError,
    SigningKey,
    SigningPurpose,
    format_key_set,
    open_signed,
    parse_key_set,
    sign,
)

SEEDS = st.binary(min_size=32, max_size=32)
PURPOSE = SigningPurpose.PRESENCE
KEY = SigningKey.of(bytes(32))
KEYS = parse_key_set(format_key_set([KEY.public_key]))
TOKEN = sign(KEY, b'{"sub":"somebody","exp":1}', purpose=PURPOSE)


def is_believed(token: str) -> bool:
    try:
        open_signed(token, KEYS, purpose=PURPOSE)
    except SignatureRefusedError:
        return False
    return True


@given(SEEDS, st.binary(max_size=500), st.sampled_from(SigningPurpose))
def test_what_a_key_signed_its_public_half_reads(
    seed: bytes, payload: bytes, purpose: SigningPurpose
) -> None:
    key = SigningKey.of(seed)
    keys = parse_key_set(format_key_set([key.public_key]))
    assert open_signed(sign(key, payload, purpose=purpose), keys, purpose=purpose) == payload


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_value_with_any_letter_changed_is_refused(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assume(changed != TOKEN)
    assert not is_believed(changed)


@given(st.integers(0, len(TOKEN)), st.text(min_size=1, max_size=5))
def test_a_value_with_something_put_in_is_refused(place: int, more: str) -> None:
    assert not is_believed(TOKEN[:place] + more + TOKEN[place:])


@given(st.integers(0, len(TOKEN)), st.integers(1, 200))
def test_a_value_with_something_left_out_is_refused(place: int, length: int) -> None:
    changed = TOKEN[:place] + TOKEN[place + length :]
    assume(changed != TOKEN)
    assert not is_believed(changed)


@given(st.permutations(TOKEN.split(".")))
def test_parts_in_another_order_are_refused(parts: list[str]) -> None:
    assume(".".join(parts) != TOKEN)
    assert not is_believed(".".join(parts))


@given(SEEDS, st.binary(max_size=100))
def test_a_key_that_is_not_known_is_refused(seed: bytes, payload: bytes) -> None:
    assume(seed != KEY.private_key)
    assert not is_believed(sign(SigningKey.of(seed), payload, purpose=PURPOSE))


@given(st.text(max_size=300))
def test_any_text_at_all_is_refused(text: str) -> None:
    assert not is_believed(text)
