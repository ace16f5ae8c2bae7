"""`verify_chip` as a caller meets it: one good card, and everything that can be wrong with one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.dg1 import MRZFormat, Sex
from biometrics.chip.image import ImageFormat
from biometrics.chip.report import CheckResult, ChipCode, ChipReport, ChipVerdict
from biometrics.chip.trust import TrustPolicy, TrustProfile
from biometrics.chip.verify import ActiveEvidence, ChipFiles, verify_chip
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.conftest import Verify
from tests.unit.biometrics.chip.issuer import NONCE, NOW, PERSONAL_ID, Algorithm, Card

Case = Callable[[Card], ChipReport]


def profile_of(card: Card, **changes: object) -> TrustProfile:
    fields: dict[str, object] = {"certificates": [card.authority.certificate], **changes}
    return TrustProfile.from_certificates(
        **{"name": "vn-test", "country": "VN", **fields}  # type: ignore[arg-type] # test shorthand
    )


def report_on(card: Card, *, profile: TrustProfile | None = None, at: datetime = NOW) -> ChipReport:
    return verify_chip(card.files, trust=profile or profile_of(card), at=at, active=card.active)


def sod(**changes: object) -> Case:
    """The state signs another SOD: the draft's fields with these changes."""
    return lambda card: report_on(
        card.with_sod(replace(card.draft(), **changes))  # type: ignore[arg-type] # test shorthand
    )


def sod_octets(change: Callable[[bytes], bytes]) -> Case:
    return lambda card: report_on(card.with_files(sod=change(card.files.sod)))


def listed(change: Callable[[Card], bytes]) -> Case:
    """The state signs another content."""
    return lambda card: report_on(card.with_sod(replace(card.draft(), content=change(card))))


def signer(**changes: object) -> Case:
    """The authority issues another signer."""
    return lambda card: report_on(
        card.with_signer(lambda draft: replace(draft, **changes))  # type: ignore[arg-type] # as above
    )


def signer_extensions(*extensions: bytes) -> Case:
    return signer(extensions=extensions)


def authority(change: Callable[[state.CertificateDraft], state.CertificateDraft]) -> Case:
    """The authority certifies itself differently."""

    def case(card: Card) -> ChipReport:
        draft = change(state.authority_draft(key=card.authority.key))
        return report_on(replace(card, authority=draft.sign(draft.key)))

    return case


def groups(changes: Mapping[int, bytes]) -> Case:
    """The state signs other data groups."""
    return lambda card: report_on(card.with_groups(changes))


def sent(changes: Mapping[int, bytes | None]) -> Case:
    """The reader sends other data groups than the state signed."""

    def case(card: Card) -> ChipReport:
        merged = {**card.files.data_groups, **changes}
        kept = {number: data for number, data in merged.items() if data is not None}
        return report_on(replace(card, files=replace(card.files, data_groups=kept)))

    return case


def answer(**changes: object) -> Case:
    """The chip answers the nonce differently."""

    def case(card: Card) -> ChipReport:
        signature = state.sign_actively(state.rsa_key(2048, "chip"), **changes)  # type: ignore[arg-type] # as above
        return report_on(replace(card, active=ActiveEvidence(nonce=NONCE, signature=signature)))

    return case


def with_crl(make: Callable[[Card], bytes], at: datetime = NOW) -> Case:
    return lambda card: report_on(card, profile=profile_of(card, crls=[make(card)]), at=at)


def explicit_signer_key(parameters: Callable[[ec.EllipticCurve], bytes]) -> Case:
    key = state.ec_key()
    return signer(key=key, spki=state.spki(key, parameters(key.curve)))


def mrz(**changes: str) -> Case:
    draft = state.MRZDraft(**changes)
    return groups({1: state.make_dg1(draft)})


def citizen(number: int, value: bytes) -> Case:
    return groups({13: state.make_dg13({number: value})})


def without(*attributes: str) -> Case:
    def case(card: Card) -> ChipReport:
        draft = card.draft()
        kept = tuple(
            state.attribute(kind, value)
            for kind, value in (
                (state.CONTENT_TYPE, state.oid(state.LDS_SECURITY_OBJECT)),
                (state.MESSAGE_DIGEST, state.octet_string(bytes(32))),
            )
            if kind not in attributes
        )
        return report_on(card.with_sod(replace(draft, attributes=kept)))

    return case


def flip_last(octets: bytes) -> bytes:
    return octets[:-1] + bytes([octets[-1] ^ 1])


def weak_rsa_signer(card: Card) -> ChipReport:
    algorithm = Algorithm(scheme="pkcs1", hash="sha256")
    weak = replace(state.signer_draft(card.authority), key=state.rsa_key(1024, "weak"))
    signed = replace(card, signer=weak.sign(card.authority.key))
    return report_on(signed.with_sod(replace(signed.draft(), algorithm=algorithm)))


def stranger_with_same_name(card: Card) -> ChipReport:
    """Another authority of the same name, another key, and a signer that names no key."""
    stranger = state.make_authority()
    draft = state.signer_draft(stranger)
    nameless = replace(draft, extensions=draft.extensions[1:]).sign(stranger.key)
    return report_on(card.signed_by(nameless))


def forged_signer(card: Card) -> ChipReport:
    """Claims the real authority's key identifier, signed by another key."""
    return report_on(card.signed_by(state.signer_draft(card.authority).sign(state.ec_key())))


def hide_a_second_certificate(card: Card) -> ChipReport:
    """Two different certificates answer to the signer's issuer and serial number."""
    twin = state.signer_draft(card.authority).sign(card.authority.key)
    both = (card.signer.certificate, twin.certificate)
    return report_on(card.with_sod(replace(card.draft(), certificates=both)))


def weak_chip_key(card: Card) -> ChipReport:
    key = state.rsa_key(1024, "weak")
    weak = card.with_groups({15: state.make_dg15(key)})
    evidence = ActiveEvidence(nonce=NONCE, signature=state.sign_actively(key))
    return report_on(replace(weak, active=evidence))


def curve_chip_without_dg14_info(card: Card) -> ChipReport:
    changed = card.with_groups({15: state.make_dg15(state.ec_key())})
    return report_on(replace(changed, active=ActiveEvidence(nonce=NONCE, signature=bytes(96))))


def curve_chip_with_broken_dg14(card: Card) -> ChipReport:
    broken = state.der(0x6E, state.sequence())
    changed = card.with_groups({14: broken, 15: state.make_dg15(state.ec_key())})
    return report_on(changed)


def unanswered(card: Card) -> ChipReport:
    return verify_chip(card.files, trust=profile_of(card), at=NOW)


def short_nonce(card: Card) -> ChipReport:
    evidence = replace(card.active, nonce=bytes(7))
    return verify_chip(card.files, trust=profile_of(card), at=NOW, active=evidence)


def other_state(card: Card) -> ChipReport:
    """A state that is trusted for itself signs a document of ours."""
    neighbour = state.make_authority("CSCA KHM", "KH")
    foreign = state.signer_draft(neighbour).sign(neighbour.key)
    anchors = [card.authority.certificate, neighbour.certificate]
    return report_on(card.signed_by(foreign), profile=profile_of(card, certificates=anchors))


def period(start: datetime, end: datetime) -> Case:
    extension = state.private_key_period(start, end)
    return authority(lambda draft: replace(draft, extensions=(*draft.extensions, extension)))


Y = {year: datetime(year, 1, 1, tzinfo=UTC) for year in range(2019, 2043)}
CRITICAL = state.extension("1.2.3.4", state.NULL, is_critical=True)
NO_IMAGE = b"not a picture at all"
BOMB = state.picture("JPEG", 64, 64).replace(
    b"\xff\xc0\x00\x11\x08\x00\x40\x00\x40", b"\xff\xc0\x00\x11\x08\x75\x30\x75\x30"
)

REFUSED: Mapping[str, tuple[ChipCode, Case]] = {
    # TLV
    "a SOD cut short": (ChipCode.TLV_TRUNCATED, sod_octets(lambda s: s[:-7])),
    "an empty SOD": (ChipCode.TLV_TRUNCATED, sod_octets(lambda _: b"")),
    "a SOD of indefinite length": (ChipCode.TLV_LENGTH, sod_octets(lambda s: b"\x77\x80" + s[4:])),
    "a SOD of seventeen kilobytes": (ChipCode.TLV_LENGTH, sod(trailing=bytes(17 * 1024))),
    # SOD
    "a SOD under another tag": (ChipCode.SOD_TAG, sod(tag=0x78)),
    "a SOD that is no envelope": (
        ChipCode.SOD_MALFORMED,
        sod_octets(lambda _: state.der(0x77, state.sequence(state.NULL))),
    ),
    "padding after the SOD": (ChipCode.SOD_TRAILING_DATA, sod(trailing=bytes(8))),
    "an extra element in SignedData": (ChipCode.SOD_TRAILING_DATA, sod(extra=state.NULL)),
    "an extra element in SignerInfo": (
        ChipCode.SOD_TRAILING_DATA,
        sod(unsigned_attributes=state.der(0xA1), signer_extra=state.NULL),
    ),
    "SignedData of version 1": (ChipCode.SOD_VERSION, sod(version=1)),
    "a signer of version 3 named by serial number": (ChipCode.SOD_VERSION, sod(signer_version=3)),
    "another content type": (ChipCode.SOD_CONTENT_TYPE, sod(content_type="1.2.840.113549.1.7.1")),
    "another envelope": (ChipCode.SOD_CONTENT_TYPE, sod(envelope_type="1.2.840.113549.1.7.5")),
    "no signer": (ChipCode.SOD_SIGNER_COUNT, sod(signer_count=0)),
    "two signers": (ChipCode.SOD_SIGNER_COUNT, sod(signer_count=2)),
    "no certificate": (ChipCode.SOD_SIGNER_CERT, sod(certificates=())),
    "two certificates that fit": (ChipCode.SOD_SIGNER_CERT, hide_a_second_certificate),
    "five certificates": (
        ChipCode.SOD_SIGNER_CERT,
        lambda card: sod(certificates=(card.signer.certificate,) * 5)(card),
    ),
    "a certificate that says two algorithms": (
        ChipCode.SOD_SIGNER_CERT,
        signer(inner_algorithm=state.ECDSA_256),
    ),
    # Signed attributes
    "no signed attributes": (ChipCode.SIGNED_ATTRS_MISSING, sod(has_attributes=False)),
    "no message digest": (ChipCode.SIGNED_ATTRS_MISSING, without(state.MESSAGE_DIGEST)),
    "no content type attribute": (ChipCode.SIGNED_ATTRS_MISSING, without(state.CONTENT_TYPE)),
    "a message digest twice": (
        ChipCode.SIGNED_ATTR_DUPLICATE,
        sod(
            attributes=(
                state.attribute(state.CONTENT_TYPE, state.oid(state.LDS_SECURITY_OBJECT)),
                state.attribute(state.MESSAGE_DIGEST, state.octet_string(bytes(32))),
                state.attribute(state.MESSAGE_DIGEST, state.octet_string(bytes(32))),
            )
        ),
    ),
    "a message digest with two values": (
        ChipCode.SIGNED_ATTR_DUPLICATE,
        sod(
            attributes=(
                state.attribute(state.CONTENT_TYPE, state.oid(state.LDS_SECURITY_OBJECT)),
                state.attribute(state.MESSAGE_DIGEST, *[state.octet_string(bytes(32))] * 2),
            )
        ),
    ),
    "a content type attribute of another type": (
        ChipCode.SIGNED_ATTR_CONTENT_TYPE,
        sod(
            attributes=(
                state.attribute(state.CONTENT_TYPE, state.oid("1.2.840.113549.1.7.1")),
                state.attribute(state.MESSAGE_DIGEST, state.octet_string(bytes(32))),
            )
        ),
    ),
    "another message digest": (ChipCode.SOD_MESSAGE_DIGEST, without()),
    "a flipped bit in the signature": (ChipCode.SOD_SIGNATURE_INVALID, sod_octets(flip_last)),
    "no signature": (ChipCode.SOD_SIGNATURE_INVALID, sod(signature=b"")),
    # LDS security object
    "a content that is no list": (ChipCode.LDS_MALFORMED, listed(lambda _: state.NULL)),
    "a list with octets behind it": (
        ChipCode.LDS_MALFORMED,
        listed(lambda card: state.security_object(card.data_groups) + b"\0"),
    ),
    "a list without hashes": (ChipCode.LDS_MALFORMED, listed(lambda _: state.security_object({}))),
    "a list of version 1 without its version info": (
        ChipCode.LDS_VERSION,
        listed(lambda card: state.security_object(card.data_groups, version=1)),
    ),
    "a list of version 0 with version info": (
        ChipCode.LDS_VERSION,
        listed(
            lambda card: state.security_object(
                card.data_groups,
                version_info=state.sequence(state.printable("0108"), state.printable("040000")),
            )
        ),
    ),
    "a list of an unknown hash": (
        ChipCode.LDS_HASH_ALG,
        listed(
            lambda card: state.security_object(card.data_groups).replace(
                state.oid(state.HASH_OIDS["sha256"]), state.oid(state.HASH_OIDS["sha3-256"])
            )
        ),
    ),
    "a data group listed twice": (
        ChipCode.LDS_DUPLICATE_DG,
        listed(lambda card: state.security_object(card.data_groups, more=[(1, bytes(32))])),
    ),
    "data group seventeen": (
        ChipCode.LDS_DG_NUMBER,
        listed(lambda card: state.security_object(card.data_groups, more=[(17, bytes(32))])),
    ),
    "a hash too short": (
        ChipCode.LDS_HASH_LENGTH,
        listed(lambda card: state.security_object(card.data_groups, more=[(3, bytes(31))])),
    ),
    # Cryptography
    "a list of SHA-1": (
        ChipCode.WEAK_HASH,
        listed(lambda card: state.security_object(card.data_groups, hash_name="sha1")),
    ),
    "a message digest of MD5": (ChipCode.WEAK_HASH, sod(digest="md5")),
    "a signature over SHA-1": (
        ChipCode.WEAK_HASH,
        sod(algorithm=Algorithm(scheme="ecdsa", hash="sha1")),
    ),
    "a signer certified over SHA-1": (
        ChipCode.WEAK_HASH,
        signer(algorithm=Algorithm(scheme="ecdsa", hash="sha1")),
    ),
    "an RSA signer of 1024 bits": (ChipCode.WEAK_KEY, weak_rsa_signer),
    "an unknown signature algorithm": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        sod(identifier=state.sequence(state.oid("1.2.840.10045.4.3.9"))),
    ),
    "an unknown digest algorithm": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        lambda card: report_on(
            card.with_sod(replace(card.draft(), digest="sha256")).with_files(
                sod=card.files.sod.replace(
                    state.oid(state.HASH_OIDS["sha256"]), state.oid(state.HASH_OIDS["sha3-256"])
                )
            )
        ),
    ),
    "rsaEncryption with a curve's key": (
        ChipCode.SIG_ALG_KEY_MISMATCH,
        sod(identifier=Algorithm(scheme="rsa", hash="sha256").identifier),
    ),
    "a known curve with another base point": (
        ChipCode.EC_PARAM_MISMATCH,
        explicit_signer_key(lambda curve: state.explicit_parameters(curve, generator=2)),
    ),
    "a known curve with another cofactor": (
        ChipCode.EC_PARAM_MISMATCH,
        explicit_signer_key(
            lambda curve: state.explicit_parameters(curve, other={"cofactor": state.integer(2)})
        ),
    ),
    "a curve over an unknown prime": (
        ChipCode.UNSUPPORTED_CURVE,
        explicit_signer_key(
            lambda curve: state.explicit_parameters(
                curve,
                other={
                    "field": state.sequence(
                        state.oid("1.2.840.10045.1.1"), state.integer(2**224 - 63)
                    )
                },
            )
        ),
    ),
    "the named curve brainpoolP224r1": (
        ChipCode.UNSUPPORTED_CURVE,
        explicit_signer_key(lambda _: state.oid("1.3.36.3.3.2.8.1.1.5")),
    ),
    # Document signer
    "a signer without key usage": (ChipCode.DSC_KEY_USAGE, signer_extensions()),
    "a signer whose key usage is not critical": (
        ChipCode.DSC_KEY_USAGE,
        signer_extensions(state.key_usage(state.DIGITAL_SIGNATURE, is_critical=False)),
    ),
    "a signer that may do more": (ChipCode.DSC_KEY_USAGE, signer_extensions(state.key_usage(0xC0))),
    "a signer of X.509 version 1": (
        ChipCode.DSC_KEY_USAGE,
        signer(version=0),
    ),
    "a signer that is an authority": (
        ChipCode.DSC_IS_CA,
        signer_extensions(
            state.key_usage(state.DIGITAL_SIGNATURE), state.basic_constraints(is_ca=True)
        ),
    ),
    "a signer that may sign certificates": (
        ChipCode.DSC_IS_CA,
        signer_extensions(state.key_usage(0x84)),
    ),
    "a critical extension nobody knows": (
        ChipCode.DSC_CRITICAL_EXT,
        signer_extensions(state.key_usage(state.DIGITAL_SIGNATURE), CRITICAL),
    ),
    "a signer for passports only": (
        ChipCode.DSC_DOCTYPE,
        signer_extensions(state.key_usage(state.DIGITAL_SIGNATURE), state.document_types("P")),
    ),
    "a signer that has expired": (ChipCode.DSC_EXPIRED, signer(not_after=Y[2026])),
    "a signer not valid yet": (ChipCode.DSC_NOT_YET_VALID, signer(not_before=Y[2027])),
    "a signer made after the authority's key was retired": (
        ChipCode.DSC_OUTSIDE_CSCA_KEY_PERIOD,
        period(Y[2021], Y[2024]),
    ),
    "a signer made before the authority's key was in use": (
        ChipCode.DSC_OUTSIDE_CSCA_KEY_PERIOD,
        period(Y[2025], Y[2030]),
    ),
    "a revoked signer": (
        ChipCode.DSC_REVOKED,
        with_crl(lambda card: state.make_crl(card.authority, 7, card.signer.serial)),
    ),
    "a signer revoked by a stale list": (
        ChipCode.DSC_REVOKED,
        with_crl(
            lambda card: state.make_crl(card.authority, card.signer.serial, next_update=Y[2026])
        ),
    ),
    "a signer signed by another key than it names": (ChipCode.DSC_SIGNATURE_INVALID, forged_signer),
    "a stranger of the same name": (ChipCode.TRUST_ANCHOR_NOT_FOUND, stranger_with_same_name),
    "a signer made by a signer": (
        ChipCode.TRUST_ANCHOR_NOT_FOUND,
        lambda card: report_on(
            card.signed_by(
                replace(state.signer_draft(card.signer), issuer=card.signer.subject, serial=9).sign(
                    card.signer.key
                )
            )
        ),
    ),
    "an authority that has expired": (
        ChipCode.CSCA_EXPIRED,
        authority(lambda draft: replace(draft, not_after=Y[2026])),
    ),
    "an authority not valid yet": (
        ChipCode.CSCA_EXPIRED,
        authority(lambda draft: replace(draft, not_before=Y[2027])),
    ),
    "an anchor without the CA flag": (
        ChipCode.CSCA_NOT_CA,
        authority(lambda draft: replace(draft, extensions=draft.extensions[1:])),
    ),
    "an anchor that may not sign certificates": (
        ChipCode.CSCA_NOT_CA,
        authority(
            lambda draft: replace(
                draft, extensions=(draft.extensions[0], state.key_usage(state.DIGITAL_SIGNATURE))
            )
        ),
    ),
    "no revocation list": (ChipCode.CRL_MISSING, report_on),
    "a stale revocation list": (
        ChipCode.CRL_STALE,
        with_crl(lambda card: state.make_crl(card.authority, next_update=Y[2026])),
    ),
    "a revocation list without an end": (
        ChipCode.CRL_STALE,
        with_crl(lambda card: state.make_crl(card.authority, next_update=None)),
    ),
    "a revocation list signed by somebody else": (
        ChipCode.CRL_SIGNATURE_INVALID,
        with_crl(lambda card: state.make_crl(card.authority, key=state.ec_key())),
    ),
    "a neighbour's signer on our document": (ChipCode.COUNTRY_MISMATCH, other_state),
    # Data groups
    "no portrait sent": (ChipCode.DG_MISSING, sent({2: None})),
    "no citizen data sent": (ChipCode.DG_MISSING, sent({13: None})),
    "no chip key sent": (ChipCode.DG_MISSING, sent({15: None})),
    "a data group the state did not sign": (ChipCode.DG_NOT_IN_SOD, sent({11: b"\x6b\x00"})),
    "a data group numbered zero": (ChipCode.DG_NOT_IN_SOD, sent({0: b""})),
    "another portrait": (
        ChipCode.DG_HASH_MISMATCH,
        sent({2: state.make_dg2(state.picture("JPEG", 64, 64))}),
    ),
    "padding after DG1": (ChipCode.DG_TRAILING_DATA, sent({1: state.make_dg1() + bytes(8)})),
    "signed padding after DG1": (
        ChipCode.DG_TRAILING_DATA,
        groups({1: state.make_dg1() + bytes(8)}),
    ),
    "DG1 under another tag": (
        ChipCode.DG1_MALFORMED,
        groups({1: state.der(0x62, state.make_dg1()[2:])}),
    ),
    "a zone of other length": (ChipCode.DG1_MALFORMED, groups({1: state.dg1_around("I<VNM")})),
    "an expiry date that is none": (
        ChipCode.DG1_MALFORMED,
        lambda card: report_on(
            card.with_groups(
                {
                    1: state.make_dg1(state.MRZDraft(expiry="400231")),
                    13: state.make_dg13({12: b""}),
                }
            )
        ),
    ),
    "a wrong check digit": (ChipCode.MRZ_CHECK_DIGIT, mrz(personal_id_check="7")),
    "another issuing state": (ChipCode.COUNTRY_MISMATCH, mrz(state="KHM")),
    "an expired card": (
        ChipCode.DOCUMENT_EXPIRED,
        citizen(12, state.printable("31/05/2026")),
    ),
    "DG13 under another tag": (ChipCode.DG13_MALFORMED, groups({13: state.der(0x6C)})),
    "a citizen field twice": (
        ChipCode.DG13_MALFORMED,
        groups(
            {13: state.make_dg13(more=state.sequence(state.integer(1), state.utf8("001090888888")))}
        ),
    ),
    "a portrait record of another format": (
        ChipCode.DG2_MALFORMED,
        groups(
            {
                2: state.dg2_around(
                    state.instance(
                        state.facial_record(state.picture()),
                        state.biometric_header(kind=b"\0\x09"),
                    )
                )
            }
        ),
    ),
    "two faces": (
        ChipCode.DG2_FACE_COUNT,
        groups({2: state.dg2_around(*[state.instance(state.facial_record(state.picture()))] * 2)}),
    ),
    "a portrait that is no picture": (
        ChipCode.IMAGE_FORMAT,
        groups({2: state.make_dg2(NO_IMAGE)}),
    ),
    "a portrait of 900 million pixels": (
        ChipCode.IMAGE_TOO_LARGE,
        groups({2: state.make_dg2(BOMB)}),
    ),
    "a portrait cut short": (
        ChipCode.IMAGE_DECODE,
        groups({2: state.make_dg2(state.picture("JPEG2000")[:-40])}),
    ),
    "DG14 that is no set, with a curve's key": (
        ChipCode.DG14_MALFORMED,
        curve_chip_with_broken_dg14,
    ),
    "DG15 under another tag": (ChipCode.DG15_MALFORMED, groups({15: state.der(0x6C)})),
    # DG1 against DG13
    "two personal numbers": (ChipCode.PIN_MISMATCH, citizen(1, state.utf8("001090999998"))),
    "a document number of another person": (ChipCode.PIN_MISMATCH, mrz(number="090999998")),
    "two birth dates": (ChipCode.DOB_MISMATCH, citizen(3, state.printable("02/01/1990"))),
    "two sexes": (ChipCode.SEX_MISMATCH, citizen(4, state.utf8("Nữ"))),
    "two names": (ChipCode.NAME_MISMATCH, citizen(2, state.utf8("Nguyễn Văn Thật"))),
    "a personal number of another year": (
        ChipCode.PIN_STRUCTURE_WARNING,
        lambda card: report_on(
            card.with_groups(
                {
                    1: state.make_dg1(state.MRZDraft(birth="910101")),
                    13: state.make_dg13({3: state.printable("01/01/1991")}),
                }
            )
        ),
    ),
    # Active authentication
    "no answer to the nonce": (ChipCode.AA_REQUIRED, unanswered),
    "a nonce of seven octets": (ChipCode.AA_NONCE_UNKNOWN, short_nonce),
    "an answer cut short": (
        ChipCode.AA_SIG_LENGTH,
        lambda card: report_on(
            replace(card, active=ActiveEvidence(nonce=NONCE, signature=bytes(255)))
        ),
    ),
    "an answer with another header": (ChipCode.AA_HEADER, answer(header=0x4A)),
    "an answer with an unknown trailer": (ChipCode.AA_TRAILER, answer(trailer="33CC")),
    "an answer to another nonce": (ChipCode.AA_DIGEST, answer(nonce=bytes(8))),
    "an answer by a weak key": (ChipCode.AA_WEAK, weak_chip_key),
    "an answer by a curve without a named hash": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        curve_chip_without_dg14_info,
    ),
}

WARNINGS = {ChipCode.CRL_MISSING, ChipCode.PIN_STRUCTURE_WARNING}


FOLLOWS_FROM: Mapping[ChipCode, set[ChipCode]] = {
    # The personal number sits in the zone's optional data on Vietnamese cards only.
    ChipCode.COUNTRY_MISMATCH: {ChipCode.PIN_MISMATCH},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_a_card_is_named_by_its_code(card: Card, name: str) -> None:
    code, case = REFUSED[name]

    report = case(card)

    assert code in report.codes, [check for check in report.checks if check.code]
    unexpected = report.codes - {code} - WARNINGS
    assert unexpected <= FOLLOWS_FROM.get(code, set()), unexpected
    if code in WARNINGS:
        assert report.verdict is ChipVerdict.AUTHENTIC
    else:
        assert report.verdict is not ChipVerdict.AUTHENTIC


def test_every_code_has_a_card_that_earns_it() -> None:
    assert {code for code, _ in REFUSED.values()} == set(ChipCode)


def test_a_good_card_is_authentic(card: Card, verify: Verify) -> None:
    report = verify(card)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.codes == {ChipCode.CRL_MISSING}


def test_a_good_card_with_a_fresh_revocation_list_passes_every_check(
    card: Card, verify: Verify
) -> None:
    profile = profile_of(card, crls=[state.make_crl(card.authority, 7)])

    report = verify(card, profile=profile)

    assert {check.result for check in report.checks} == {CheckResult.SUCCESSFUL}


def test_a_good_card_gives_what_it_says(card: Card, verify: Verify) -> None:
    report = verify(card)

    assert report.mrz is not None
    assert report.mrz.format is MRZFormat.TD1
    assert report.mrz.personal_id == PERSONAL_ID
    assert report.citizen is not None
    assert report.citizen.full_name == "Nguyễn Văn Thử"
    assert report.citizen.sex is Sex.MALE
    assert report.portrait is not None
    assert report.portrait.format is ImageFormat.JPEG
    assert report.portrait.image == state.picture()


@pytest.mark.parametrize(
    "case",
    [
        "another message digest",
        "a flipped bit in the signature",
        "a stranger of the same name",
        "a signer signed by another key than it names",
        "a revoked signer",
        "a signer without key usage",
        "an anchor without the CA flag",
        "a neighbour's signer on our document",
    ],
)
def test_nothing_is_read_from_a_document_nobody_we_trust_signed(card: Card, case: str) -> None:
    _, make_report = REFUSED[case]

    report = make_report(card)

    assert (report.mrz, report.citizen, report.portrait) == (None, None, None)
    assert report.document_digest is None
    by_name = {check.name: check.result for check in report.checks}
    assert by_name["mrz"] is by_name["portrait"] is by_name["citizen"] is CheckResult.ABORTED


def test_only_the_data_group_whose_hash_is_wrong_is_left_out(card: Card) -> None:
    report = sent({2: state.make_dg2(state.picture("JPEG", 64, 64))})(card)

    assert report.portrait is None
    assert report.mrz is not None
    assert report.citizen is not None


def test_an_expired_signer_is_refused_and_its_data_kept_for_review(card: Card) -> None:
    report = REFUSED["a signer that has expired"][1](card)

    assert report.verdict is ChipVerdict.NOT_AUTHENTIC
    assert report.mrz is not None
    assert report.document_digest is not None


def test_a_missing_anchor_is_undetermined_and_not_forgery(card: Card) -> None:
    report = report_on(card, profile=profile_of(card, certificates=[]))

    assert report.verdict is ChipVerdict.UNDETERMINED
    assert ChipCode.TRUST_ANCHOR_NOT_FOUND in report.codes


def test_the_policy_decides_whether_a_missing_revocation_list_blocks(
    card: Card, verify: Verify
) -> None:
    strict = profile_of(card, policy=TrustPolicy(require_revocation=True))

    assert verify(card).verdict is ChipVerdict.AUTHENTIC
    assert verify(card, profile=strict).verdict is ChipVerdict.UNDETERMINED


def test_a_stale_revocation_list_blocks_under_every_policy(card: Card) -> None:
    report = REFUSED["a stale revocation list"][1](card)

    assert report.verdict is ChipVerdict.UNDETERMINED


def test_unsigned_additions_do_not_change_the_identity_of_a_document(
    card: Card, verify: Verify
) -> None:
    stranger = state.make_authority("SOMEBODY ELSE")
    padded = replace(
        card.draft(),
        unsigned_attributes=state.der(0xA1, state.attribute("1.2.3", state.NULL)),
        certificates=(stranger.certificate, card.signer.certificate),
    )

    report = verify(card.with_sod(padded))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert card.with_sod(padded).files.sod != card.files.sod
    assert report.document_digest == verify(card).document_digest
    assert len(report.document_digest or b"") == 32


def test_two_documents_have_two_identities(card: Card, verify: Verify) -> None:
    other = card.with_groups({2: state.make_dg2(state.picture("JPEG", 64, 64))})

    assert verify(card).document_digest != verify(other).document_digest


def test_two_signers_of_one_content_make_two_identities(card: Card, verify: Verify) -> None:
    other = card.with_signer(lambda draft: replace(draft, serial=-0x1001))

    assert verify(other).verdict is ChipVerdict.AUTHENTIC
    assert verify(card).document_digest != verify(other).document_digest


def test_the_first_certificate_is_not_taken_for_the_signer(card: Card, verify: Verify) -> None:
    certificates = (card.authority.certificate, card.signer.certificate)

    report = verify(card.with_sod(replace(card.draft(), certificates=certificates)))

    assert report.verdict is ChipVerdict.AUTHENTIC


def test_a_card_without_dg15_owes_no_answer(card: Card, verify: Verify) -> None:
    groups = {number: data for number, data in card.data_groups.items() if number != 15}
    plain = replace(card, data_groups=groups)
    files = ChipFiles(sod=plain.draft().encode(), data_groups=groups)

    report = verify(replace(plain, files=files), active=None)

    assert report.verdict is ChipVerdict.AUTHENTIC
    last = report.checks[-1]
    assert (last.name, last.result) == ("active_authentication", CheckResult.NOT_SUPPORTED)


def test_leaving_out_dg15_does_not_excuse_from_answering(card: Card) -> None:
    kept = {number: data for number, data in card.files.data_groups.items() if number != 15}
    files = replace(card.files, data_groups=kept)

    report = verify_chip(files, trust=profile_of(card), at=NOW)

    assert {ChipCode.DG_MISSING, ChipCode.AA_REQUIRED} <= report.codes
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


def test_a_passport_has_no_citizen_data_and_is_authentic(card: Card, verify: Verify) -> None:
    groups = {1: state.dg1_around(state.passport_zone()), 2: card.data_groups[2]}
    signer = replace(
        state.signer_draft(card.authority),
        extensions=(state.key_usage(state.DIGITAL_SIGNATURE), state.document_types("P")),
    ).sign(card.authority.key)
    passport = replace(card, data_groups=groups, signer=signer)
    files = ChipFiles(sod=passport.draft().encode(), data_groups=groups)

    report = verify(replace(passport, files=files), active=None)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is None
    assert report.mrz is not None
    assert report.mrz.format is MRZFormat.TD3


def test_another_states_dg13_is_not_read_as_a_citizens(card: Card, verify: Verify) -> None:
    neighbour = state.make_authority("CSCA KHM", "KH")
    foreign = replace(
        card.with_groups(
            {1: state.dg1_around(state.passport_zone(state="KHM")), 13: b"\x6d\x03abc"}
        ),
        authority=neighbour,
    ).with_signer(lambda draft: replace(draft, extensions=draft.extensions[:2]))

    report = verify(foreign, profile=profile_of(foreign, country="KHM"))

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is None


def test_a_card_that_does_not_expire_is_valid_after_the_zones_date(
    card: Card, verify: Verify
) -> None:
    changed = card.with_groups(
        {
            1: state.make_dg1(state.MRZDraft(expiry="240101")),
            13: state.make_dg13({12: state.utf8("Không thời hạn")}),
        }
    )

    report = verify(changed)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert report.citizen is not None
    assert report.citizen.has_no_expiry


def test_without_an_expiry_in_dg13_the_zones_date_counts(card: Card, verify: Verify) -> None:
    changed = card.with_groups(
        {1: state.make_dg1(state.MRZDraft(expiry="260531")), 13: state.make_dg13({12: b""})}
    )

    assert ChipCode.DOCUMENT_EXPIRED in verify(changed).codes
    assert verify(changed, at=NOW - timedelta(days=1)).verdict is ChipVerdict.AUTHENTIC


def test_a_zone_without_an_expiry_date_is_undetermined(card: Card, verify: Verify) -> None:
    changed = card.with_groups(
        {1: state.make_dg1(state.MRZDraft(expiry="<<<<<<")), 13: state.make_dg13({12: b""})}
    )

    assert verify(changed).verdict is ChipVerdict.UNDETERMINED


def test_a_card_is_valid_on_its_last_day(card: Card, verify: Verify) -> None:
    changed = card.with_groups({13: state.make_dg13({12: state.printable("01/06/2026")})})

    assert verify(changed).verdict is ChipVerdict.AUTHENTIC


def test_sha1_is_accepted_only_where_the_policy_declares_it(card: Card, verify: Verify) -> None:
    old = card.with_sod(
        replace(
            card.draft(),
            content=state.security_object(card.data_groups, hash_name="sha1"),
            digest="sha1",
            algorithm=Algorithm(scheme="ecdsa", hash="sha1"),
        )
    )
    declared = profile_of(card, policy=TrustPolicy(allows_sha1=True))

    assert verify(old).verdict is ChipVerdict.NOT_AUTHENTIC
    assert verify(old, profile=declared).verdict is ChipVerdict.AUTHENTIC
    assert ChipCode.WEAK_HASH in verify(old, profile=declared).codes
    assert ChipCode.WEAK_HASH not in verify(card, profile=declared).codes


@pytest.mark.parametrize("part", ["content", "digest", "algorithm", "certificate"])
def test_a_declared_sha1_shows_in_the_report_wherever_it_is(
    card: Card, verify: Verify, part: str
) -> None:
    draft = card.draft()
    old = {
        "content": replace(
            draft, content=state.security_object(card.data_groups, hash_name="sha1")
        ),
        "digest": replace(draft, digest="sha1"),
        "algorithm": replace(draft, algorithm=Algorithm(scheme="ecdsa", hash="sha1")),
    }
    declared = profile_of(card, policy=TrustPolicy(allows_sha1=True))

    sha1 = Algorithm(scheme="ecdsa", hash="sha1")
    by_old_signer = card.with_signer(lambda draft: replace(draft, algorithm=sha1))

    changed = card.with_sod(old[part]) if part in old else by_old_signer
    report = verify(changed, profile=declared)

    assert report.verdict is ChipVerdict.AUTHENTIC
    assert ChipCode.WEAK_HASH in report.codes


def test_md5_is_refused_even_where_sha1_is_declared(card: Card, verify: Verify) -> None:
    old = card.with_sod(replace(card.draft(), digest="md5"))
    declared = profile_of(card, policy=TrustPolicy(allows_sha1=True))

    assert ChipCode.WEAK_HASH in verify(old, profile=declared).codes


def test_a_curve_chip_answers_with_the_hash_dg14_names(card: Card, verify: Verify) -> None:
    key = state.ec_key(ec.BrainpoolP256R1())
    info = state.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3")
    spki = state.spki(key, state.oid("1.3.36.3.3.2.8.1.1.7"))
    curved = card.with_groups({14: state.make_dg14(info), 15: state.der(0x6F, spki)})
    signature = Algorithm(scheme="plain", hash="sha256").sign(key, NONCE)

    good = verify(curved, active=ActiveEvidence(nonce=NONCE, signature=signature))
    replayed = verify(curved, active=ActiveEvidence(nonce=bytes(8), signature=signature))

    assert good.verdict is ChipVerdict.AUTHENTIC
    assert replayed.codes == {ChipCode.AA_DIGEST, ChipCode.CRL_MISSING}


def test_the_order_of_the_checks_is_that_of_an_inspection_system(
    card: Card, verify: Verify
) -> None:
    names = [check.name for check in verify(card).checks]

    assert names == [
        "sod_structure",
        "signer_certificate",
        "signed_attributes",
        "message_digest",
        "sod_signature",
        "security_object",
        "certificate_chain",
        "anchor",
        "signer_profile",
        "validity",
        "revocation",
        "issuer_country",
        "data_group_1_hash",
        "data_group_2_hash",
        "data_group_13_hash",
        "data_group_14_hash",
        "data_group_15_hash",
        "mrz",
        "portrait",
        "citizen",
        "issuing_state",
        "document_type",
        "document_expiry",
        "personal_id",
        "birth_date",
        "sex",
        "name",
        "personal_id_structure",
        "active_authentication",
    ]


@pytest.mark.parametrize("octets", [b"", b"\x77", b"\x77\x00", bytes(100), b"\x30\x80" * 50])
def test_a_broken_sod_still_gets_every_check_a_line(
    card: Card, verify: Verify, octets: bytes
) -> None:
    whole = {check.name for check in verify(card).checks}

    report = verify(card.with_files(sod=octets))

    assert {check.name for check in report.checks} == whole
    assert report.verdict is ChipVerdict.NOT_AUTHENTIC


def test_no_evidence_and_no_repr_shows_whose_card_it_is(card: Card, verify: Verify) -> None:
    # Nothing that could be part of a memory address, which reprs show.
    secrets = (PERSONAL_ID, PERSONAL_ID[-9:], "NGUYEN", "Nguyễn", "01/01/1990", "1990-01", "M4001")
    reports = [verify(card), *(case(card) for _, case in REFUSED.values())]

    texts = [repr(report) for report in reports] + [repr(card.files), repr(card.active)]

    assert not [text for text in texts if any(secret in text for secret in secrets)]


def test_a_naive_instant_is_refused(card: Card, trust: TrustProfile) -> None:
    with pytest.raises(ValueError, match="aware"):
        verify_chip(card.files, trust=trust, at=NOW.replace(tzinfo=None))
