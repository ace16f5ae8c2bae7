"""Passive authentication: did this state sign these files?

Owns the order of the checks (Doc 9303-11, clause 5.1; BSI TR-03135-1, clause 5.6.4) and what may be
believed when they are done. Decodes nothing of any data group: that comes after, and only for
groups whose hash was good.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hmac import compare_digest

from biometrics.chip import issuance
from biometrics.chip.certificate import Certificate
from biometrics.chip.checks import Check, Checklist, not_supported
from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.data_group import count_trailing, trailing_data
from biometrics.chip.files import ChipFiles
from biometrics.chip.policy import Quirk
from biometrics.chip.signature_algorithm import SHA1_NAME, digest, read_signature_algorithm
from biometrics.chip.signed_data import (
    SignedData,
    check_message_digest,
    check_signature,
    hashes_of,
    read_signed_attributes,
)
from biometrics.chip.sod import QUIRKS, SecurityObject, read_security_object, read_sod
from biometrics.chip.trust import TrustProfile

DATA_GROUP_OCTETS_MAX = 256 * 1024
"""A bound on work: what a reader may send of one group."""
ALWAYS_NEEDED = frozenset({1, 2})
"""Doc 9303-10, table 38: mandatory in every document."""
NEEDED_WHEN_LISTED = frozenset({15})
"""A clone would leave DG15 out, and with it active authentication."""
CITIZEN_DATA, VIETNAM = 13, "VN"
"""DG13 means the same citizen's data only on Vietnamese cards; each state has its own."""


@dataclass(frozen=True, kw_only=True)
class PassiveFindings:
    """What passive authentication established.

    Attributes:
        data_groups: Groups whose octets a good chain of signatures covers, by number. Only these
            may be decoded; none unless signature, chain and signer are good.
        listed: Numbers the signed list holds, whatever the chain; empty when it is not known.
        signer: The document signer; None unless its chain is good.
        country: ISO 3166-1 alpha-2 code of who issued it; None unless the chain is good.
        document_digest: As in `ChipReport`; None unless the chain is good.
    """

    data_groups: Mapping[int, bytes]
    listed: frozenset[int]
    signer: Certificate | None = None
    country: str | None = None
    document_digest: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class _VerifiedSOD:
    """An envelope whose signature is its signer's; whether the signer counts is another matter."""

    signed: SignedData
    signer: Certificate


def authenticate_passively(
    files: ChipFiles, *, trust: TrustProfile, at: datetime, checklist: Checklist
) -> PassiveFindings:
    """Make the checks of passive authentication, each written to the checklist.

    What must hold, in this order:

    1. EF.SOD is one well-formed CMS envelope around an LDS security object, with one signer.
    2. The signer's certificate is the one the signer names, not the first that came along.
    3. The signed attributes are there, once each, and speak of this content type.
    4. The content's hash is the one in the signed attributes.
    5. The signature over the attributes is the signer's, with algorithms that are not weak.
    6. The content is a strict list of hashes, one for each data group.
    7. A trust anchor of the profile signed the signer's certificate.
    8. That anchor may issue certificates.
    9. The signer's certificate is one of a document signer and of nothing more.
    10. Both certificates are valid now, and the signer was made while the anchor's key was in use.
    11. The signer has not been revoked.
    12. Every data group sent is on the list with this hash, and every one needed was sent.
    13. Signer and anchor are of the profile's country, or of one country where it names none.

    The caller owes: the document's expiry, the agreement of its issuing state and type with the
    signer (both are inside DG1), and active authentication.

    Returns:
        What may be believed. Data groups come back only when 1 to 9, 11 and 13 hold: an expired
        certificate is a reason not to pass, not a reason to think the content forged.
    """
    sod, listed = _authenticate_sod(files, trust, checklist)
    issued = _authenticate_signer(sod.signer if sod else None, trust, at, checklist)
    checklist.add(not_supported("ef_com", "signed by nobody: EF.SOD says which groups there are"))
    # 12.
    intact = _check_data_groups(files, listed, trust, checklist)
    # 13.
    country = checklist.run(
        "issuer_country",
        lambda found: issuance.check_issuer_country(found, country=trust.country),
        issued,
    )
    if listed is None:
        return PassiveFindings(data_groups={}, listed=frozenset())
    if sod is None or country is None or not _is_trusted(checklist):
        return PassiveFindings(data_groups={}, listed=frozenset(listed.hashes))
    _note_quirks(sod, listed, checklist)
    return PassiveFindings(
        data_groups=intact,
        listed=frozenset(listed.hashes),
        signer=sod.signer,
        country=country,
        document_digest=identify_document(sod.signed.content, sod.signer),
    )


def identify_document(content: bytes, signer: Certificate) -> bytes:
    """Return what tells this document from every other: 32 octets.

    SHA-256 over the signed content, the signer's issuer and its serial number, each behind its
    length in four octets. All three are signed, so nothing a carrier adds to EF.SOD changes it.
    """
    serial = signer.serial
    serial_octets = serial.to_bytes(serial.bit_length() // 8 + 1, signed=True)
    hasher = hashlib.sha256()
    for part in (content, signer.issuer.raw, serial_octets):
        hasher.update(len(part).to_bytes(4) + part)
    return hasher.digest()


def _authenticate_sod(
    files: ChipFiles, trust: TrustProfile, checklist: Checklist
) -> tuple[_VerifiedSOD | None, SecurityObject | None]:
    """Return the envelope once its signature is good, and the list of hashes inside it."""
    # 1.
    signed = checklist.run(
        "sod_structure",
        lambda sent: _read_sod(sent, trust),
        files,
        describe=lambda s: f"certificates: {len(s.certificates)}",
    )
    # 2.
    signer = checklist.run(
        "signer_certificate", lambda s: _find_signer(s, trust), signed, describe=describe
    )
    issuers = signer.issuer.countries if signer else ()
    sha1 = trust.policy.has_quirk(Quirk.SHA1, issuers)
    # 3.
    attributes = checklist.run(
        "signed_attributes",
        read_signed_attributes,
        signed,
        describe=lambda found: f"for content {found.content_type}",
    )
    # 4.
    hashed = (signed, attributes) if signed and attributes else None
    content = checklist.run(
        "message_digest",
        lambda pair: check_message_digest(*pair, allows_sha1=sha1),
        hashed,
        describe=lambda octets: f"of {len(octets)} octets of content",
    )
    # 5.
    signature = checklist.run(
        "sod_signature",
        lambda both: check_signature(*both[0], both[1], allows_sha1=sha1),
        (hashed, signer) if hashed and signer and content is not None else None,
    )
    # 6.
    listed = checklist.run(
        "security_object",
        lambda octets: read_security_object(octets, allows_sha1=sha1),
        content if signature else None,
        describe=lambda found: (
            f"{found.algorithm.name} of groups {', '.join(map(str, sorted(found.hashes)))}"
        ),
    )
    if signed is None or signer is None or content is None or signature is None:
        return None, listed
    return _VerifiedSOD(signed=signed, signer=signer), listed


def _authenticate_signer(
    signer: Certificate | None, trust: TrustProfile, at: datetime, checklist: Checklist
) -> issuance.Issuance | None:
    """Check the signer, and return who issued it; whether all is well the checklist knows."""
    # 7.
    issued = checklist.run(
        "certificate_chain",
        lambda dsc: issuance.find_issuance(dsc, trust=trust, at=at),
        signer,
        describe=lambda found: f"anchor {describe(found.anchor)}",
    )
    # 8.
    checklist.run("anchor", issuance.check_anchor, issued)
    # 9.
    checklist.run("signer_profile", issuance.check_signer_profile, signer)
    # 10.
    checklist.run("validity", lambda found: issuance.check_validity(found, at=at), issued)
    # 11.
    checklist.run(
        "revocation", lambda found: issuance.check_revocation(found, trust=trust, at=at), issued
    )
    return issued


def _is_trusted(checklist: Checklist) -> bool:
    """Tell whether what the signer signed may be believed; expiry is reported, not counted."""
    return (
        checklist.result_of("anchor") is CheckResult.SUCCESSFUL
        and checklist.result_of("signer_profile") is CheckResult.SUCCESSFUL
        and checklist.result_of("revocation") is not CheckResult.FAILED
    )


def _note_quirks(sod: _VerifiedSOD, listed: SecurityObject, checklist: Checklist) -> None:
    """Let the report show a document that passes only because its policy declares a quirk."""
    issued = read_signature_algorithm(sod.signer.signature_algorithm)
    if SHA1_NAME in {*hashes_of(sod.signed), listed.algorithm.name, issued.hash.name}:
        checklist.add(
            Check(
                name="declared_weak_hash",
                result=CheckResult.SUCCESSFUL,
                code=ChipCode.WEAK_HASH,
                evidence="SHA-1, which the policy declares for this issuer",
            )
        )
    if sod.signed.content_type in QUIRKS:
        checklist.add(
            Check(
                name="declared_content_type",
                result=CheckResult.SUCCESSFUL,
                code=ChipCode.SOD_CONTENT_TYPE,
                evidence=f"{sod.signed.content_type}, which the policy declares for this issuer",
            )
        )


def _read_sod(files: ChipFiles, trust: TrustProfile) -> SignedData:
    if files.is_dump and not files.sod:
        raise ChipError(
            ChipCode.TLV_TRUNCATED, "EF.SOD is not in the dump", result=CheckResult.UNDETERMINED
        )
    return read_sod(files.sod, policy=trust.policy)


def describe(certificate: Certificate) -> str:
    """Return by what a person finds the certificate again."""
    return f"serial {certificate.serial:x}, SHA-256 {certificate.sha256.hex()[:16]}…"


def _find_signer(signed: SignedData, trust: TrustProfile) -> Certificate:
    """Return the certificate the signer names, from the SOD or from the profile's store."""
    try:
        sent = [trust.memory.read_certificate(der) for der in signed.certificates]
    except ValueError as error:
        raise ChipError(ChipCode.SOD_SIGNER_CERT, "a certificate is malformed") from error
    named = {c for c in (*sent, *trust.document_signers) if signed.signer.is_for(c)}
    if len(named) != 1:
        # Without any, it is our store that lacks it: the standard lets a document leave it out.
        raise ChipError(
            ChipCode.SOD_SIGNER_CERT,
            f"{len(named)} certificates are the signer's",
            result=CheckResult.FAILED if named or sent else CheckResult.UNDETERMINED,
        )
    return named.pop()


def _check_data_groups(
    files: ChipFiles, listed: SecurityObject | None, trust: TrustProfile, checklist: Checklist
) -> Mapping[int, bytes]:
    """Check each group that is sent, listed or mandatory; return those whose hash is good."""
    numbers = {*ALWAYS_NEEDED, *files.data_groups, *(listed.hashes if listed else ())}
    reads_citizen = trust.country == VIETNAM and trust.policy.has_citizen_data
    needed = ALWAYS_NEEDED | NEEDED_WHEN_LISTED | ({CITIZEN_DATA} if reads_citizen else set())
    intact: dict[int, bytes] = {}
    for number in sorted(numbers):
        name, sent = f"data_group_{number}_hash", files.data_groups.get(number)
        if sent is None and listed is not None:
            checklist.add(_judge_absence(name, number in needed, files))
        elif found := checklist.run(
            name,
            partial(_check_hash, number, sent or b""),
            listed,
            describe=lambda octets: f"{len(octets)} octets",
        ):
            intact[number] = found
    return intact


def _judge_absence(name: str, is_needed: bool, files: ChipFiles) -> Check:  # noqa: FBT001 - one word of a sentence
    """Return the check for a group that was not sent.

    Fingerprints and irises (DG3, DG4) cannot be read without the state's own keys, and most others
    are of no use here; their absence is reported and does not bind.
    """
    is_withheld = is_needed and not files.is_dump
    return Check(
        name=name,
        result=CheckResult.FAILED if is_withheld else CheckResult.UNDETERMINED,
        code=ChipCode.DG_MISSING,
        evidence="not in the dump" if files.is_dump else "not sent",
        is_binding=is_needed,
    )


def _check_hash(number: int, sent: bytes, listed: SecurityObject) -> bytes:
    if number not in listed.hashes:
        raise ChipError(ChipCode.DG_NOT_IN_SOD, "sent, and the state did not sign it")
    if len(sent) > DATA_GROUP_OCTETS_MAX:
        raise ChipError(ChipCode.TLV_LENGTH, f"{len(sent)} octets")
    if not compare_digest(digest(sent, listed.algorithm), listed.hashes[number]):
        if octets := count_trailing(sent):
            # A reader that reads whole blocks sends padding along: worth a code of its own.
            raise trailing_data(number, octets)
        raise ChipError(ChipCode.DG_HASH_MISMATCH, f"{listed.algorithm.name} differs")
    return sent
