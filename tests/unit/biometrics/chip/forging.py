"""How bad cards are made and verified: each builder changes one thing of a good card.

Owns the builders; `forgeries` is the table of what they make.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.report import ChipReport
from biometrics.chip.trust import TrustProfile
from biometrics.chip.verify import (
    ActiveEvidence,
    ChipAuthenticationEvidence,
    ChipFiles,
    verify_chip,
)
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import NONCE, Card
from tests.unit.biometrics.chip.issuer import NOW, Algorithm

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


def sod_without(*path: int) -> Case:
    """Leave an element out of SignedData; those named here are signed by nobody."""
    return sod_octets(lambda octets: asn1.drop(octets, 0, 1, 0, *path))


def sod_length(change: int) -> Case:
    """Another length in the SOD's own tag, and nothing else."""
    return sod_octets(
        lambda octets: octets[:2] + (int.from_bytes(octets[2:4]) + change).to_bytes(2) + octets[4:]
    )


def listed_without(*path: int) -> Case:
    """The state signs a list with an element left out."""
    return listed(lambda card: asn1.drop(chip.security_object(card.data_groups), *path))


def signer_certificate_without(*path: int) -> Case:
    """The signer's certificate comes along with an element left out."""

    def case(card: Card) -> ChipReport:
        broken = asn1.drop(card.signer.certificate, *path)
        return report_on(card.with_sod(replace(card.draft(), certificates=(broken,))))

    return case


def named_by_key(identifier: bytes, *, version: int) -> Case:
    """The SOD names its signer by a key identifier, which the signer's certificate holds."""

    def case(card: Card) -> ChipReport:
        held = state.subject_key_identifier(b"signer's key")
        draft = state.signer_draft(card.authority)
        changed = replace(draft, extensions=(*draft.extensions, held)).sign(card.authority.key)
        named = replace(
            replace(card, signer=changed).draft(),
            signer_version=version,
            signer_identifier=asn1.der(0x80, identifier),
        )
        return report_on(card.with_sod(named))

    return case


def named_by_serial(difference: int) -> Case:
    """The SOD names its signer by issuer and another serial number."""

    def case(card: Card) -> ChipReport:
        serial = asn1.integer(card.signer.serial + difference)
        identifier = asn1.sequence(card.signer.issuer, serial)
        return report_on(card.with_sod(replace(card.draft(), signer_identifier=identifier)))

    return case


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
        signature = chip.sign_actively(state.rsa_key(2048, "chip"), **changes)  # type: ignore[arg-type] # as above
        return report_on(replace(card, active=ActiveEvidence(nonce=NONCE, signature=signature)))

    return case


def with_crl(make: Callable[[Card], bytes], at: datetime = NOW) -> Case:
    return lambda card: report_on(card, profile=profile_of(card, crls=[make(card)]), at=at)


def explicit_signer_key(parameters: Callable[[ec.EllipticCurve], bytes]) -> Case:
    key = state.ec_key()
    return signer(key=key, spki=state.spki(key, parameters(key.curve)))


def mrz(**changes: str) -> Case:
    draft = chip.MRZDraft(**changes)
    return groups({1: chip.make_dg1(draft)})


def citizen(number: int, value: bytes) -> Case:
    return groups({13: chip.make_dg13({number: value})})


def without(*attributes: str) -> Case:
    def case(card: Card) -> ChipReport:
        draft = card.draft()
        kept = tuple(
            chip.attribute(kind, value)
            for kind, value in (
                (chip.CONTENT_TYPE, asn1.oid(chip.LDS_SECURITY_OBJECT)),
                (chip.MESSAGE_DIGEST, asn1.octet_string(bytes(32))),
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
    weak = card.with_groups({15: chip.make_dg15(key)})
    evidence = ActiveEvidence(nonce=NONCE, signature=chip.sign_actively(key))
    return report_on(replace(weak, active=evidence))


def curve_chip_without_dg14_info(card: Card) -> ChipReport:
    changed = card.with_groups({15: chip.make_dg15(state.ec_key())})
    return report_on(replace(changed, active=ActiveEvidence(nonce=NONCE, signature=bytes(96))))


def curve_chip_with_broken_dg14(card: Card) -> ChipReport:
    broken = asn1.der(0x6E, asn1.sequence())
    changed = card.with_groups({14: broken, 15: chip.make_dg15(state.ec_key())})
    return report_on(changed)


def curve_copy_without_dg14(card: Card) -> ChipReport:
    """A copy that cannot sign leaves out the group that says with which hash it should have."""
    info = chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3")
    changed = card.with_groups({14: chip.make_dg14(info), 15: chip.make_dg15(state.ec_key())})
    kept = {number: data for number, data in changed.data_groups.items() if number != 14}
    return report_on(
        replace(
            changed,
            files=replace(changed.files, data_groups=kept),
            active=ActiveEvidence(nonce=NONCE, signature=bytes(96)),
        )
    )


def unanswered(card: Card) -> ChipReport:
    return verify_chip(card.files, trust=profile_of(card), at=NOW)


def phones_word_for_chip_authentication(card: Card) -> ChipReport:
    evidence = ChipAuthenticationEvidence(transcript=b"I ran it, trust me")
    return verify_chip(
        card.files,
        trust=profile_of(card),
        at=NOW,
        active=card.active,
        chip_authentication=evidence,
    )


def chip_without_dg15(card: Card) -> ChipReport:
    """All this chip can do against copies is chip authentication, which nobody drove."""
    kept = {number: data for number, data in card.data_groups.items() if number != 15}
    plain = replace(card, data_groups=kept)
    return report_on(replace(plain, files=ChipFiles(sod=plain.draft().encode(), data_groups=kept)))


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
