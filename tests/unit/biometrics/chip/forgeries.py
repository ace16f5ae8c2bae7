"""Everything that can be wrong with a card, each with the code it must answer.

Owns the table of bad cards; `test_verify` and the cases of the standard draw on it, and `forging`
makes them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from biometrics.chip.report import ChipCode
from biometrics.chip.verify import ActiveEvidence
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import NONCE
from tests.unit.biometrics.chip.forging import (
    Case,
    answer,
    authority,
    chip_without_dg15,
    citizen,
    curve_chip_with_broken_dg14,
    curve_chip_without_dg14_info,
    curve_copy_without_dg14,
    explicit_signer_key,
    flip_last,
    forged_signer,
    groups,
    hide_a_second_certificate,
    listed,
    listed_without,
    mrz,
    named_by_key,
    named_by_serial,
    other_state,
    period,
    phones_word_for_chip_authentication,
    report_on,
    sent,
    short_nonce,
    signer,
    signer_certificate_without,
    signer_extensions,
    sod,
    sod_length,
    sod_octets,
    sod_without,
    stranger_with_same_name,
    unanswered,
    weak_chip_key,
    weak_rsa_signer,
    with_crl,
    without,
)
from tests.unit.biometrics.chip.issuer import Algorithm

Y = {year: datetime(year, 1, 1, tzinfo=UTC) for year in range(2019, 2043)}
CRITICAL = state.extension("1.2.3.4", asn1.NULL, is_critical=True)
NO_IMAGE = b"not a picture at all"
BOMB = chip.picture("JPEG", 64, 64).replace(
    b"\xff\xc0\x00\x11\x08\x00\x40\x00\x40", b"\xff\xc0\x00\x11\x08\x75\x30\x75\x30"
)

CERTIFICATE_FIELDS: Mapping[str, tuple[int, ...]] = {
    "serial number": (0, 1),
    "inner algorithm": (0, 2),
    "issuer": (0, 3),
    "validity": (0, 4),
    "outer algorithm": (1,),
    "signature": (2,),
}
"""Where the mandatory fields of a certificate are (RFC 5280, clause 4.1). Without its public key
the extensions stand in the key's place, so that is a row of its own."""

REFUSED: Mapping[str, tuple[ChipCode, Case]] = {
    # TLV
    "a SOD cut short": (ChipCode.TLV_TRUNCATED, sod_octets(lambda s: s[:-7])),
    "a SOD whose length is too big": (ChipCode.TLV_TRUNCATED, sod_length(+1)),
    "an empty SOD": (ChipCode.TLV_TRUNCATED, sod_octets(lambda _: b"")),
    "a SOD of indefinite length": (ChipCode.TLV_LENGTH, sod_octets(lambda s: b"\x77\x80" + s[4:])),
    "a SOD of seventeen kilobytes": (ChipCode.TLV_LENGTH, sod(trailing=bytes(17 * 1024))),
    # SOD
    "a SOD under another tag": (ChipCode.SOD_TAG, sod(tag=0x78)),
    "a SOD that is no envelope": (
        ChipCode.SOD_MALFORMED,
        sod_octets(lambda _: asn1.der(0x77, asn1.sequence(asn1.NULL))),
    ),
    "SignedData without its version": (ChipCode.SOD_MALFORMED, sod_without(0)),
    "SignedData without its digest algorithms": (ChipCode.SOD_MALFORMED, sod_without(1)),
    "SignedData without its content type": (ChipCode.SOD_MALFORMED, sod_without(2, 0)),
    "a signer without its version": (ChipCode.SOD_MALFORMED, sod_without(4, 0, 0)),
    "a signer without its digest algorithm": (ChipCode.SOD_MALFORMED, sod_without(4, 0, 2)),
    "a signer without its signature": (ChipCode.SOD_MALFORMED, sod_without(4, 0, 5)),
    "a SOD whose length is too small": (ChipCode.SOD_TRAILING_DATA, sod_length(-1)),
    "padding after the SOD": (ChipCode.SOD_TRAILING_DATA, sod(trailing=bytes(8))),
    "an extra element in SignedData": (ChipCode.SOD_TRAILING_DATA, sod(extra=asn1.NULL)),
    "an extra element in SignerInfo": (
        ChipCode.SOD_TRAILING_DATA,
        sod(unsigned_attributes=asn1.der(0xA1), signer_extra=asn1.NULL),
    ),
    "SignedData of version 1": (ChipCode.SOD_VERSION, sod(version=1)),
    "a signer of version 3 named by serial number": (ChipCode.SOD_VERSION, sod(signer_version=3)),
    "a signer of version 1 named by its key": (
        ChipCode.SOD_VERSION,
        named_by_key(b"signer's key", version=1),
    ),
    "another content type": (ChipCode.SOD_CONTENT_TYPE, sod(content_type="1.2.840.113549.1.7.1")),
    "another envelope": (ChipCode.SOD_CONTENT_TYPE, sod(envelope_type="1.2.840.113549.1.7.5")),
    "no signer": (ChipCode.SOD_SIGNER_COUNT, sod(signer_count=0)),
    "two signers": (ChipCode.SOD_SIGNER_COUNT, sod(signer_count=2)),
    "no certificate": (ChipCode.SOD_SIGNER_CERT, sod(certificates=())),
    "a signer named by another serial number": (ChipCode.SOD_SIGNER_CERT, named_by_serial(+1)),
    "a signer named by another key": (
        ChipCode.SOD_SIGNER_CERT,
        named_by_key(b"another key", version=3),
    ),
    **{
        f"a certificate without its {what}": (
            ChipCode.SOD_SIGNER_CERT,
            signer_certificate_without(*path),
        )
        for what, path in CERTIFICATE_FIELDS.items()
    },
    "two certificates that fit": (ChipCode.SOD_SIGNER_CERT, hide_a_second_certificate),
    "five certificates": (
        ChipCode.SOD_SIGNER_CERT,
        lambda card: sod(certificates=(card.signer.certificate,) * 5)(card),
    ),
    "a certificate of a version too long to write down": (
        ChipCode.SOD_SIGNER_CERT,
        signer(version=1 << 20_000),
    ),
    "a certificate that says two algorithms": (
        ChipCode.SOD_SIGNER_CERT,
        signer(inner_algorithm=state.ECDSA_256),
    ),
    # Signed attributes
    "no signed attributes": (ChipCode.SIGNED_ATTRS_MISSING, sod(has_attributes=False)),
    "no message digest": (ChipCode.SIGNED_ATTRS_MISSING, without(chip.MESSAGE_DIGEST)),
    "no content type attribute": (ChipCode.SIGNED_ATTRS_MISSING, without(chip.CONTENT_TYPE)),
    "a message digest twice": (
        ChipCode.SIGNED_ATTR_DUPLICATE,
        sod(
            attributes=(
                chip.attribute(chip.CONTENT_TYPE, asn1.oid(chip.LDS_SECURITY_OBJECT)),
                chip.attribute(chip.MESSAGE_DIGEST, asn1.octet_string(bytes(32))),
                chip.attribute(chip.MESSAGE_DIGEST, asn1.octet_string(bytes(32))),
            )
        ),
    ),
    "a message digest with two values": (
        ChipCode.SIGNED_ATTR_DUPLICATE,
        sod(
            attributes=(
                chip.attribute(chip.CONTENT_TYPE, asn1.oid(chip.LDS_SECURITY_OBJECT)),
                chip.attribute(chip.MESSAGE_DIGEST, *[asn1.octet_string(bytes(32))] * 2),
            )
        ),
    ),
    "a content type attribute of another type": (
        ChipCode.SIGNED_ATTR_CONTENT_TYPE,
        sod(
            attributes=(
                chip.attribute(chip.CONTENT_TYPE, asn1.oid("1.2.840.113549.1.7.1")),
                chip.attribute(chip.MESSAGE_DIGEST, asn1.octet_string(bytes(32))),
            )
        ),
    ),
    "another message digest": (ChipCode.SOD_MESSAGE_DIGEST, without()),
    "a flipped bit in the signature": (ChipCode.SOD_SIGNATURE_INVALID, sod_octets(flip_last)),
    "no signature": (ChipCode.SOD_SIGNATURE_INVALID, sod(signature=b"")),
    # LDS security object
    "a content that is no list": (ChipCode.LDS_MALFORMED, listed(lambda _: asn1.NULL)),
    "a list without its version": (ChipCode.LDS_MALFORMED, listed_without(0)),
    "a list without its hash algorithm": (ChipCode.LDS_MALFORMED, listed_without(1)),
    "a list with a hash without its number": (ChipCode.LDS_MALFORMED, listed_without(2, 1, 0)),
    "a list with octets behind it": (
        ChipCode.LDS_MALFORMED,
        listed(lambda card: chip.security_object(card.data_groups) + b"\0"),
    ),
    "a list without hashes": (ChipCode.LDS_MALFORMED, listed(lambda _: chip.security_object({}))),
    "a list of version 2": (
        ChipCode.LDS_VERSION,
        listed(lambda card: chip.security_object(card.data_groups, version=2)),
    ),
    "a list of version 1 without its version info": (
        ChipCode.LDS_VERSION,
        listed(lambda card: chip.security_object(card.data_groups, version=1)),
    ),
    "a list of version 0 with version info": (
        ChipCode.LDS_VERSION,
        listed(
            lambda card: chip.security_object(
                card.data_groups,
                version_info=asn1.sequence(asn1.printable("0108"), asn1.printable("040000")),
            )
        ),
    ),
    "a list of a version too long to write down": (
        ChipCode.LDS_VERSION,
        listed(
            lambda card: chip.security_object(card.data_groups, version=1 << 20_000),
        ),
    ),
    "a data group of a number too long to write down": (
        ChipCode.LDS_DG_NUMBER,
        listed(
            lambda card: chip.security_object(card.data_groups, more=[(1 << 20_000, bytes(32))])
        ),
    ),
    "a list of an unknown hash": (
        ChipCode.LDS_HASH_ALG,
        listed(
            lambda card: chip.security_object(card.data_groups).replace(
                asn1.oid(state.HASH_OIDS["sha256"]), asn1.oid(state.HASH_OIDS["sha3-256"])
            )
        ),
    ),
    "a data group listed twice": (
        ChipCode.LDS_DUPLICATE_DG,
        listed(lambda card: chip.security_object(card.data_groups, more=[(1, bytes(32))])),
    ),
    "data group seventeen": (
        ChipCode.LDS_DG_NUMBER,
        listed(lambda card: chip.security_object(card.data_groups, more=[(17, bytes(32))])),
    ),
    "a hash too short": (
        ChipCode.LDS_HASH_LENGTH,
        listed(lambda card: chip.security_object(card.data_groups, more=[(3, bytes(31))])),
    ),
    # Cryptography
    "a list of SHA-1": (
        ChipCode.WEAK_HASH,
        listed(lambda card: chip.security_object(card.data_groups, hash_name="sha1")),
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
        sod(identifier=asn1.sequence(asn1.oid("1.2.840.10045.4.3.9"))),
    ),
    "an unknown digest algorithm": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        lambda card: report_on(
            card.with_sod(replace(card.draft(), digest="sha256")).with_files(
                sod=card.files.sod.replace(
                    asn1.oid(state.HASH_OIDS["sha256"]), asn1.oid(state.HASH_OIDS["sha3-256"])
                )
            )
        ),
    ),
    "a certificate without its public key": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        signer_certificate_without(0, 6),
    ),
    "rsaEncryption with a curve's key": (
        ChipCode.SIG_ALG_KEY_MISMATCH,
        sod(identifier=Algorithm(scheme="rsa", hash="sha256").identifier),
    ),
    "a curve whose name is broken": (
        ChipCode.EC_PARAM_MISMATCH,
        explicit_signer_key(lambda _: b"\x06\x00"),
    ),
    "a salt longer than any key": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        sod(identifier=Algorithm(scheme="pss", hash="sha256", salt_octets=2**31).identifier),
    ),
    "a known curve with another base point": (
        ChipCode.EC_PARAM_MISMATCH,
        explicit_signer_key(lambda curve: state.explicit_parameters(curve, generator=2)),
    ),
    "a known curve with another cofactor": (
        ChipCode.EC_PARAM_MISMATCH,
        explicit_signer_key(
            lambda curve: state.explicit_parameters(curve, other={"cofactor": asn1.integer(2)})
        ),
    ),
    "a curve over an unknown prime": (
        ChipCode.UNSUPPORTED_CURVE,
        explicit_signer_key(
            lambda curve: state.explicit_parameters(
                curve,
                other={
                    "field": asn1.sequence(asn1.oid("1.2.840.10045.1.1"), asn1.integer(2**224 - 63))
                },
            )
        ),
    ),
    "the named curve brainpoolP224r1": (
        ChipCode.UNSUPPORTED_CURVE,
        explicit_signer_key(lambda _: asn1.oid("1.3.36.3.3.2.8.1.1.5")),
    ),
    # Document signer
    "a signer without key usage": (ChipCode.DSC_KEY_USAGE, signer_extensions()),
    "a signer whose key usage is not critical": (
        ChipCode.DSC_KEY_USAGE,
        signer_extensions(state.key_usage(state.DIGITAL_SIGNATURE, is_critical=False)),
    ),
    "a signer of master lists whose purpose is not critical": (
        ChipCode.DSC_KEY_USAGE,
        signer_extensions(
            state.key_usage(state.DIGITAL_SIGNATURE),
            state.extended_key_usage("2.23.136.1.1.3"),
        ),
    ),
    "a signer whose purpose is malformed": (
        ChipCode.DSC_KEY_USAGE,
        signer_extensions(
            state.key_usage(state.DIGITAL_SIGNATURE), state.extension("2.5.29.37", b"")
        ),
    ),
    "a signer that may do more": (ChipCode.DSC_KEY_USAGE, signer_extensions(state.key_usage(0xC0))),
    "a signer that may not sign data": (
        ChipCode.DSC_KEY_USAGE,
        signer_extensions(state.key_usage(0x40)),
    ),
    "a signer of X.509 version 2": (ChipCode.DSC_KEY_USAGE, signer(version=1)),
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
    "an anchor with a critical extension nobody knows": (
        ChipCode.CSCA_NOT_CA,
        authority(lambda draft: replace(draft, extensions=(*draft.extensions, CRITICAL))),
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
    "a DG1 that is not on the list": (ChipCode.DG_NOT_IN_SOD, listed_without(2, 0)),
    "a data group numbered zero": (ChipCode.DG_NOT_IN_SOD, sent({0: b""})),
    "another portrait": (
        ChipCode.DG_HASH_MISMATCH,
        sent({2: chip.make_dg2(chip.picture("JPEG", 64, 64))}),
    ),
    "padding after DG1": (ChipCode.DG_TRAILING_DATA, sent({1: chip.make_dg1() + bytes(8)})),
    "signed padding after DG1": (
        ChipCode.DG_TRAILING_DATA,
        groups({1: chip.make_dg1() + bytes(8)}),
    ),
    "DG1 under another tag": (
        ChipCode.DG1_MALFORMED,
        groups({1: asn1.der(0x62, chip.make_dg1()[2:])}),
    ),
    "a zone of other length": (ChipCode.DG1_MALFORMED, groups({1: chip.dg1_around("I<VNM")})),
    "an expiry date that is none": (
        ChipCode.DG1_MALFORMED,
        lambda card: report_on(
            card.with_groups(
                {
                    1: chip.make_dg1(chip.MRZDraft(expiry="400231")),
                    13: chip.make_dg13({12: b""}),
                }
            )
        ),
    ),
    "a wrong check digit": (ChipCode.MRZ_CHECK_DIGIT, mrz(personal_id_check="7")),
    "another issuing state": (ChipCode.COUNTRY_MISMATCH, mrz(state="KHM")),
    "an expired card": (
        ChipCode.DOCUMENT_EXPIRED,
        citizen(12, asn1.printable("31/05/2026")),
    ),
    "DG13 under another tag": (ChipCode.DG13_MALFORMED, groups({13: asn1.der(0x6C)})),
    "a citizen field twice": (
        ChipCode.DG13_MALFORMED,
        groups(
            {13: chip.make_dg13(more=asn1.sequence(asn1.integer(1), asn1.utf8("001090888888")))}
        ),
    ),
    "a portrait record of another format": (
        ChipCode.DG2_MALFORMED,
        groups(
            {
                2: chip.dg2_around(
                    chip.instance(
                        chip.facial_record(chip.picture()),
                        chip.biometric_header(kind=b"\0\x09"),
                    )
                )
            }
        ),
    ),
    "two faces": (
        ChipCode.DG2_FACE_COUNT,
        groups({2: chip.dg2_around(*[chip.instance(chip.facial_record(chip.picture()))] * 2)}),
    ),
    "a portrait that is no picture": (
        ChipCode.IMAGE_FORMAT,
        groups({2: chip.make_dg2(NO_IMAGE)}),
    ),
    "a portrait of 900 million pixels": (
        ChipCode.IMAGE_TOO_LARGE,
        groups({2: chip.make_dg2(BOMB)}),
    ),
    "a portrait cut short": (
        ChipCode.IMAGE_DECODE,
        groups({2: chip.make_dg2(chip.picture("JPEG2000")[:-40])}),
    ),
    "DG14 that is no set, with a curve's key": (
        ChipCode.DG14_MALFORMED,
        curve_chip_with_broken_dg14,
    ),
    "DG14 withheld by a copy of a curve's chip": (
        ChipCode.DG_MISSING,
        curve_copy_without_dg14,
    ),
    "DG15 under another tag": (ChipCode.DG15_MALFORMED, groups({15: asn1.der(0x6C)})),
    # DG1 against DG13
    "two personal numbers": (ChipCode.PIN_MISMATCH, citizen(1, asn1.utf8("001090999998"))),
    "a document number of another person": (ChipCode.PIN_MISMATCH, mrz(number="090999998")),
    "two birth dates": (ChipCode.DOB_MISMATCH, citizen(3, asn1.printable("02/01/1990"))),
    "two sexes": (ChipCode.SEX_MISMATCH, citizen(4, asn1.utf8("Nữ"))),
    "two names": (ChipCode.NAME_MISMATCH, citizen(2, asn1.utf8("Nguyễn Văn Thật"))),
    "a personal number of another year": (
        ChipCode.PIN_STRUCTURE_WARNING,
        lambda card: report_on(
            card.with_groups(
                {
                    1: chip.make_dg1(chip.MRZDraft(birth="910101")),
                    13: chip.make_dg13({3: asn1.printable("01/01/1991")}),
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
    "chip authentication that a phone ran": (
        ChipCode.CA_EVIDENCE_UNVERIFIABLE,
        phones_word_for_chip_authentication,
    ),
    "a chip that offers chip authentication only": (ChipCode.CA_REQUIRED, chip_without_dg15),
    "an answer by a curve without a named hash": (
        ChipCode.SIG_ALG_UNSUPPORTED,
        curve_chip_without_dg14_info,
    ),
}
