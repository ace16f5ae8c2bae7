"""Each parser alone: damaged files of every kind end in a code, never in another exception."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.chip.active import find_ecdsa_algorithm, parse_dg14, parse_dg15
from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.dg1 import check_digit, parse_dg1
from biometrics.chip.dg2 import parse_dg2
from biometrics.chip.dg13 import CitizenField, parse_dg13, read_fields
from biometrics.chip.image import inspect_image
from biometrics.chip.public_key import load_public_key
from biometrics.chip.revocation_list import read_revocation_list
from biometrics.chip.signed_data import read_signed_data
from biometrics.chip.sod import read_security_object, read_sod
from tests.properties.biometrics.chip.mutations import Mutation, damage, mutations
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import issuer as state

CARD = chip.make_card()
INFO = chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3")
CODED: Mapping[str, tuple[Callable[[bytes], object], bytes]] = {
    "sod": (read_sod, CARD.files.sod),
    "signed data": (read_signed_data, CARD.files.sod[4:]),
    "security object": (read_security_object, CARD.draft().content),
    "dg1": (parse_dg1, CARD.data_groups[1]),
    "dg1 of a passport": (parse_dg1, chip.dg1_around(chip.passport_zone(optional="ABC123"))),
    "dg2 19794": (parse_dg2, CARD.data_groups[2]),
    "dg2 39794": (parse_dg2, chip.make_dg2_39794(chip.picture("JPEG2000"))),
    "dg13": (parse_dg13, CARD.data_groups[13]),
    "dg13, every field": (
        lambda data: read_fields(data, wanted=frozenset(CitizenField)),
        CARD.data_groups[13],
    ),
    "dg14": (parse_dg14, CARD.data_groups[14]),
    "dg14 algorithm": (find_ecdsa_algorithm, chip.make_dg14(INFO)),
    "dg15": (lambda data: load_public_key(parse_dg15(data)), CARD.data_groups[15]),
    "explicit key": (load_public_key, state.spki(CARD.signer.key)),
    "jpeg": (inspect_image, chip.picture("JPEG")),
    "jpeg 2000": (inspect_image, chip.picture("JPEG2000")),
}
LOADED: Mapping[str, tuple[Callable[[bytes], object], bytes]] = {
    "certificate": (read_certificate, CARD.signer.certificate),
    "revocation list": (read_revocation_list, state.make_crl(CARD.authority, 7, 9)),
}


def refuse(
    parse: Callable[[bytes], object], octets: bytes, allowed: type[Exception]
) -> Exception | None:
    """Return the refusal; any other exception is a bug and goes on."""
    try:
        parse(octets)
    except allowed as error:
        return error
    return None


@pytest.mark.parametrize("name", CODED)
@settings(max_examples=200, deadline=None)
@given(steps=mutations)
def test_a_damaged_file_is_read_or_refused_with_a_code(name: str, steps: list[Mutation]) -> None:
    parse, seed = CODED[name]
    assert parse(seed)

    refusal = refuse(parse, damage(seed, steps), ChipError)

    assert refusal is None or (isinstance(refusal, ChipError) and refusal.evidence)


@pytest.mark.parametrize("name", LOADED)
@settings(max_examples=200, deadline=None)
@given(steps=mutations)
def test_what_an_operator_loads_is_read_or_a_value_error(name: str, steps: list[Mutation]) -> None:
    parse, seed = LOADED[name]
    assert parse(seed)

    refusal = refuse(parse, damage(seed, steps), ValueError)

    assert refusal is None or str(refusal)


@settings(max_examples=300)
@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", min_size=1, max_size=30),
    st.integers(0, 29),
    st.integers(0, 9),
)
def test_a_check_digit_notices_one_wrong_digit(text: str, place: int, digit: int) -> None:
    at = place % len(text)
    other = text[:at] + str(digit) + text[at + 1 :]
    before = int(text[at], 36) % 10 if text[at] != "<" else 0

    assert (check_digit(text) == check_digit(other)) is (before == digit)
