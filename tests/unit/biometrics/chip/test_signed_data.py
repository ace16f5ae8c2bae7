"""The envelope may be BER; what a signature covers may not."""

from dataclasses import replace

import pytest

from biometrics.chip.certificate import read_certificate
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.report import ChipVerdict
from biometrics.chip.signed_data import read_signed_attributes, read_signed_data
from biometrics.chip.tlv import read_all, read_one
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import Card
from tests.unit.biometrics.chip.conftest import Verify

CONSTRUCTED = 0x20


def indefinite(octets: bytes, depth: int) -> bytes:
    """Rewrite the outer levels with indefinite lengths, as New Zealand does."""
    element = read_one(octets)
    head = element.tag.to_bytes((element.tag.bit_length() + 7) // 8)
    if depth == 0 or not head[0] & CONSTRUCTED:
        return octets
    children = b"".join(indefinite(child.raw, depth - 1) for child in read_all(element.value))
    return head + b"\x80" + children + b"\0\0"


def envelope(card: Card) -> bytes:
    return read_one(card.files.sod).value


def code_of(octets: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        read_signed_data(octets)
    return caught.value.code


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_indefinite_lengths_in_the_envelope_change_nothing(
    card: Card, verify: Verify, depth: int
) -> None:
    octets = indefinite(envelope(card), depth)

    report = verify(card.with_files(sod=asn1.der(0x77, octets)))

    assert octets != envelope(card)
    assert report.verdict is ChipVerdict.AUTHENTIC


def test_a_content_in_pieces_is_put_together(card: Card, verify: Verify) -> None:
    draft = card.draft()
    whole = asn1.octet_string(draft.content)
    half = len(draft.content) // 2
    pieces = b"\x24\x80"
    pieces += asn1.octet_string(draft.content[:half]) + asn1.octet_string(draft.content[half:])
    sod = rebuilt(card.files.sod, whole, pieces + b"\0\0")

    assert verify(card.with_files(sod=sod)).verdict is ChipVerdict.AUTHENTIC


def rebuilt(octets: bytes, old: bytes, new: bytes) -> bytes:
    """Replace an element deep inside and correct every length around it."""
    if octets == old:
        return new
    element = read_one(octets)
    head = element.tag.to_bytes((element.tag.bit_length() + 7) // 8)
    if old not in octets or not head[0] & CONSTRUCTED:
        return octets
    children = (rebuilt(child.raw, old, new) for child in read_all(element.value))
    return asn1.der(element.tag, *children)


def test_every_part_of_the_envelope_is_read(card: Card) -> None:
    signed = read_signed_data(envelope(card))

    assert signed.content_type == chip.LDS_SECURITY_OBJECT
    assert signed.content == card.draft().content
    assert signed.certificates == (card.signer.certificate,)
    assert signed.signer.serial == card.signer.serial
    assert signed.signer.is_for(read_certificate(card.signer.certificate))
    assert not signed.signer.is_for(read_certificate(card.authority.certificate))
    assert read_signed_attributes(signed).signed_octets[0] == 0x31


def test_a_signer_may_be_named_by_its_key(card: Card, verify: Verify) -> None:
    identifier = b"the key of the signer"[:20]
    changed = card.with_signer(
        lambda draft: replace(
            draft, extensions=(*draft.extensions, state.subject_key_identifier(identifier))
        )
    )
    draft = replace(changed.draft(), signer_identifier=asn1.der(0x80, identifier), signer_version=3)

    assert verify(changed.with_sod(draft)).verdict is ChipVerdict.AUTHENTIC
    other = replace(draft, signer_identifier=asn1.der(0x80, bytes(20)))
    assert ChipCode.SOD_SIGNER_CERT in verify(changed.with_sod(other)).codes
    version = replace(draft, signer_version=1)
    assert ChipCode.SOD_VERSION in verify(changed.with_sod(version)).codes


def test_the_issuer_may_be_named_in_another_spelling(card: Card, verify: Verify) -> None:
    """Malaysia names its issuer in another string type than the certificate does."""
    spelled = state.name("csca  TEST", tag=0x13)
    identifier = asn1.sequence(spelled, asn1.integer(card.signer.serial))

    report = verify(card.with_sod(replace(card.draft(), signer_identifier=identifier)))

    assert report.verdict is ChipVerdict.AUTHENTIC


def test_the_digest_and_the_signature_may_use_different_hashes(card: Card, verify: Verify) -> None:
    draft = replace(
        card.draft(),
        content=chip.security_object(card.data_groups, hash_name="sha512"),
        digest="sha384",
        algorithm=state.Algorithm(scheme="ecdsa", hash="sha224"),
    )

    assert verify(card.with_sod(draft)).verdict is ChipVerdict.AUTHENTIC


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ((asn1.NULL,), ChipCode.SOD_MALFORMED),
        ((asn1.sequence(asn1.oid("1.2.3")),), ChipCode.SOD_MALFORMED),
        ((asn1.sequence(asn1.oid("1.2.3"), asn1.NULL),), ChipCode.SOD_MALFORMED),
        ((chip.attribute("1.2.3"),), ChipCode.SIGNED_ATTR_DUPLICATE),
        ((), ChipCode.SIGNED_ATTRS_MISSING),
        (
            (
                chip.attribute(chip.CONTENT_TYPE, asn1.oid(chip.LDS_SECURITY_OBJECT)),
                chip.attribute(chip.MESSAGE_DIGEST, asn1.integer(5)),
            ),
            ChipCode.SOD_MALFORMED,
        ),
    ],
)
def test_signed_attributes_are_read_strictly(
    card: Card, verify: Verify, attributes: tuple[bytes, ...], code: ChipCode
) -> None:
    report = verify(card.with_sod(replace(card.draft(), attributes=attributes)))

    assert report.codes == {code}


@pytest.mark.parametrize(
    "octets",
    [
        asn1.NULL,
        asn1.sequence(),
        asn1.sequence(asn1.oid("1.2.840.113549.1.7.2")),
        asn1.sequence(asn1.oid("1.2.840.113549.1.7.2"), asn1.der(0xA0, asn1.integer(1))),
        asn1.sequence(
            asn1.oid("1.2.840.113549.1.7.2"),
            asn1.der(0xA0, asn1.sequence(asn1.octet_string(b""), asn1.set_of())),
        ),
    ],
)
def test_another_structure_is_malformed(octets: bytes) -> None:
    assert code_of(octets) is ChipCode.SOD_MALFORMED


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ((0,), ChipCode.SOD_TRAILING_DATA),  # ContentInfo
        ((0, 1), ChipCode.SOD_TRAILING_DATA),  # the tag [0] around SignedData
        ((0, 1, 0), ChipCode.SOD_TRAILING_DATA),  # SignedData
        ((0, 1, 0, 1), ChipCode.SOD_MALFORMED),  # its set of digest algorithms
        ((0, 1, 0, 2), ChipCode.SOD_TRAILING_DATA),  # EncapsulatedContentInfo
        ((0, 1, 0, 2, 1), ChipCode.SOD_TRAILING_DATA),  # the tag [0] around the list
        ((0, 1, 0, 3), ChipCode.SOD_MALFORMED),  # the certificates
        ((0, 1, 0, 4, 0), ChipCode.SOD_TRAILING_DATA),  # SignerInfo
        ((0, 1, 0, 4, 0, 1), ChipCode.SOD_TRAILING_DATA),  # the signer's issuer and serial number
    ],
)
def test_nothing_may_stand_where_nobody_reads(
    card: Card, verify: Verify, path: tuple[int, ...], code: ChipCode
) -> None:
    report = verify(card.with_files(sod=asn1.append(card.files.sod, *path)))

    assert report.codes - {ChipCode.DG_MISSING} == {code}
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


@pytest.mark.parametrize("path", [(0, 1, 0, 1, 0), (0, 1, 0, 4, 0, 2)])
def test_a_digest_algorithm_has_one_parameter_at_most(
    card: Card, verify: Verify, path: tuple[int, ...]
) -> None:
    with_null = asn1.append(card.files.sod, *path)

    assert verify(card.with_files(sod=with_null)).verdict is ChipVerdict.AUTHENTIC
    with_two = verify(card.with_files(sod=asn1.append(with_null, *path)))
    assert with_two.codes == {ChipCode.SOD_TRAILING_DATA}


def test_an_envelope_without_content_is_malformed(card: Card) -> None:
    content = asn1.octet_string(card.draft().content)
    octets = rebuilt(envelope(card), asn1.der(0xA0, content), b"")

    assert code_of(octets) is ChipCode.SOD_MALFORMED
