"""The list of hashes is strict DER and says everything once."""

import pytest
from cryptography.hazmat.primitives import hashes

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.sod import read_security_object, read_sod
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card

INFO = asn1.sequence(asn1.printable("0108"), asn1.printable("040000"))
GROUPS = {1: b"one", 2: b"two"}


@pytest.mark.parametrize("hash_name", ["sha224", "sha256", "sha384", "sha512"])
def test_every_strong_hash_is_read(hash_name: str) -> None:
    listed = read_security_object(chip.security_object(GROUPS, hash_name=hash_name))

    assert listed.algorithm.name == hash_name
    assert set(listed.hashes) == {1, 2}
    assert all(len(value) == listed.algorithm.digest_size for value in listed.hashes.values())


def test_a_list_of_lds_1_8_is_read() -> None:
    listed = read_security_object(chip.security_object(GROUPS, version=1, version_info=INFO))

    assert isinstance(listed.algorithm, hashes.SHA256)


def test_null_beside_the_hash_is_let_pass() -> None:
    plain = asn1.sequence(asn1.oid(state.HASH_OIDS["sha256"]))
    padded = asn1.sequence(asn1.oid(state.HASH_OIDS["sha256"]), asn1.NULL)
    _, _, hashes_and_rest = chip.security_object(GROUPS)[2:].partition(plain)

    content = asn1.sequence(asn1.integer(0), padded, hashes_and_rest)

    assert set(read_security_object(content).hashes) == {1, 2}


@pytest.mark.parametrize("version", [-1, 2])
def test_an_unknown_version_is_refused(version: int) -> None:
    with pytest.raises(ChipError) as caught:
        read_security_object(chip.security_object(GROUPS, version=version, version_info=INFO))

    assert caught.value.code is ChipCode.LDS_VERSION


@pytest.mark.parametrize("number", [-1, 0, 17, 2**40])
def test_a_group_that_does_not_exist_is_refused(number: int) -> None:
    with pytest.raises(ChipError) as caught:
        read_security_object(chip.security_object(GROUPS, more=[(number, bytes(32))]))

    assert caught.value.code is ChipCode.LDS_DG_NUMBER


def test_ber_is_no_der() -> None:
    content = chip.security_object(GROUPS)
    padded = b"\x30\x82\x00" + content[1:2] + content[2:]

    with pytest.raises(ChipError) as caught:
        read_security_object(padded)

    assert caught.value.code is ChipCode.LDS_MALFORMED


def test_an_extra_element_in_an_entry_is_refused() -> None:
    entry = asn1.sequence(asn1.integer(1), asn1.octet_string(bytes(32)), asn1.NULL)
    algorithm = asn1.sequence(asn1.oid(state.HASH_OIDS["sha256"]))

    with pytest.raises(ChipError) as caught:
        read_security_object(asn1.sequence(asn1.integer(0), algorithm, asn1.sequence(entry)))

    assert caught.value.code is ChipCode.LDS_MALFORMED


def test_an_element_beside_the_envelope_is_trailing(card: Card) -> None:
    inside = card.files.sod[4:] + asn1.NULL

    with pytest.raises(ChipError) as caught:
        read_sod(asn1.der(0x77, inside))

    assert caught.value.code in (ChipCode.TLV_LENGTH, ChipCode.SOD_TRAILING_DATA)
