"""Change the trust directory: add certificates, distrust one, take in lists.

Owns what may be added where, and that a change is there as a whole or not at all. A change is made
under the directory's lock and checked as a whole store before it is written; running servers take
it up by themselves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from biometrics.chip.certificate import Certificate, read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.issuance import check_signer_profile, object_to_authority
from biometrics.chip.profiles import ProfileName, import_master_list, read_authorities
from biometrics.chip.revocation_list import read_revocation_list
from biometrics.chip.trust import TrustProfile, split_pem
from identity.services.trust_records import (
    TrustError,
    TrustKind,
    TrustRecord,
    read_own_records,
    read_records,
    write_own_records,
)
from identity.services.trust_store import LoadedTrust, check_record, make_trust
from identity.state_directory import locked

_Key = tuple[str, TrustKind, bytes]

FINGERPRINT_DIGITS_MIN = 16
"""Hexadecimal: 64 bits, as many as the table of `identity trust list` shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustChange:
    """What became of a change.

    Attributes:
        added_count: Certificates or lists that are new.
        known_count: Those that were there before.
        removed_count: Lists that newer ones took the place of.
    """

    added_count: int
    known_count: int
    removed_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What somebody adds.

    Attributes:
        profile: Name of the profile it is for.
        content: The file.
        origin: Where it came from, in the administrator's words.
        added_on: Today.
    """

    profile: str
    content: bytes
    origin: str
    added_on: date

    def records(self, kind: TrustKind, contents: Iterable[bytes]) -> list[TrustRecord]:
        """Records of one kind from this source."""
        return [
            TrustRecord(
                profile=self.profile,
                kind=kind,
                content=content,
                origin=self.origin,
                added_on=self.added_on,
            )
            for content in contents
        ]


def add_certificates(directory: Path, source: Source, *, kind: TrustKind) -> TrustChange:
    """Add the certificates of a DER or PEM file. That is the administrator's word for them.

    Raises:
        TrustError: There is no such profile, it is no certificate, or one that could never count:
            its key is distrusted, it may not issue where an authority is meant, it is no document
            signer's where one is meant, or it is of a country that is not the profile's.
    """
    contents = _split(source)

    def make(loaded: LoadedTrust) -> list[TrustRecord]:
        profile = loaded.profile(source.profile)
        for der in contents:
            _refuse_useless(_read(der, source), profile, kind=kind, origin=source.origin)
        return source.records(kind, contents)

    return _change(directory, make)


def distrust(directory: Path, source: Source) -> TrustChange:
    """Believe the key of a certificate no more, in whatever certificate it sits.

    That goes for what was laid into the directory by hand and for what a master list brings later,
    too: a distrust stays until it is taken back.

    Args:
        directory: The trust directory.
        source: The certificate, and as its origin the reason.

    Raises:
        TrustError: There is no such profile, or it is no certificate.
    """
    contents = _split(source)
    return _change(directory, lambda _loaded: source.records(TrustKind.DISTRUSTED, contents))


def restore(directory: Path, profile: str, *, sha256: str) -> None:
    """Take a distrust back; whoever was an anchor before is one again.

    Args:
        directory: The trust directory.
        profile: Its name.
        sha256: As in `find_certificate`.

    Raises:
        TrustError: Not one certificate of this fingerprint is distrusted in the profile.
    """
    with locked(directory):
        own = read_own_records(directory)
        distrusted = {
            each.digest
            for each in own
            if (each.profile, each.kind) == (profile, TrustKind.DISTRUSTED)
        }
        digest = _only(distrusted, sha256, f"distrusted certificates of {profile}")
        taken_back = (profile, TrustKind.DISTRUSTED, digest)
        kept = [each for each in own if (each.profile, each.kind, each.digest) != taken_back]
        write_own_records(directory, kept)


def find_certificate(directory: Path, profile: str, *, sha256: str) -> bytes:
    """DER of a certificate that the profile holds, by its fingerprint.

    Args:
        directory: The trust directory.
        profile: Its name.
        sha256: The whole fingerprint, or its beginning as `identity trust list` shows it.

    Raises:
        TrustError: None begins so, several do, or it is too short to be sure of.
    """
    loaded = make_trust(read_records(directory))
    held = (*loaded.profile(profile).anchors, *loaded.profile(profile).document_signers)
    by_fingerprint = {each.sha256.hex(): each.der for each in held}
    return by_fingerprint[_only(by_fingerprint, sha256, f"certificates of {profile}")]


def _only(fingerprints: Iterable[str], start: str, what: str) -> str:
    """The one fingerprint that begins so."""
    if len(start) < FINGERPRINT_DIGITS_MIN:
        raise TrustError(f"{start}: at least {FINGERPRINT_DIGITS_MIN} digits of SHA-256 are needed")
    found = [each for each in fingerprints if each.startswith(start.lower())]
    if len(found) != 1:
        raise TrustError(f"{start}: {len(found)} {what} begin so")
    return found[0]


def import_list(
    directory: Path, source: Source, *, pinned: Iterable[bytes] = (), at: datetime
) -> TrustChange:
    """Add the authorities of a master list that belong to the profile.

    The list's signer must chain to an authority that an administrator or the chip library named:
    an anchor that was added by itself, one given here, or one whose fingerprint the library holds.
    None inside a list counts, not inside an earlier one either.

    Args:
        directory: The trust directory.
        source: The list.
        pinned: Certificates of the authority behind the list, DER or PEM; none when it is known
            already.
        at: Now: signer and authority must be valid.

    Raises:
        TrustError: It is no such list, or the profile takes none.
    """
    if source.profile == ProfileName.VN_CCCD:
        raise TrustError("master lists hold authorities of passports; identity cards have others")
    given = _read_pinned(pinned)

    def make(loaded: LoadedTrust) -> list[TrustRecord]:
        profile = loaded.profile(source.profile)
        named = _named_by_hand(loaded, source.profile)
        roots = [*given, *(each.der for each in profile.anchors if each.der in named)]
        try:
            listed = read_authorities(profile, source.content, pinned=roots, at=at)
            enlarged = import_master_list(profile, source.content, pinned=roots, at=at)
        except ValueError as error:
            raise TrustError(f"{source.origin}: {error}") from error
        believed = [each.der for each in listed if each in enlarged.anchors]
        return source.records(TrustKind.LISTED_ANCHOR, believed)

    return _change(directory, make)


def import_crl(directory: Path, source: Source) -> TrustChange:
    """Put a revocation list in the place of older ones of its issuer.

    Raises:
        TrustError: It is no list, no anchor of the profile signed it, or a newer one is there.
    """
    records = source.records(TrustKind.CRL, _split(source))

    def check(loaded: LoadedTrust) -> list[TrustRecord]:
        profile = make_trust((*loaded.records, *records)).profile(source.profile)
        for record in records:
            crl = read_revocation_list(record.content)
            if crl not in profile.signed_crls:
                raise TrustError(f"{source.origin}: no anchor of {source.profile} signed the list")
            same = [other for other in profile.signed_crls if other.issuer.is_same(crl.issuer)]
            if any(other.this_update > crl.this_update for other in same):
                raise TrustError(f"{source.origin}: a newer list of this issuer is there")
        return records

    return _change(directory, check)


def _split(source: Source) -> list[bytes]:
    try:
        return list(split_pem([source.content]))
    except ValueError as error:
        raise TrustError(f"{source.origin}: {error}") from error


def _read(der: bytes, source: Source) -> Certificate:
    try:
        return read_certificate(der)
    except ValueError as error:
        raise TrustError(f"{source.origin}: {error}") from error


def _read_pinned(blobs: Iterable[bytes]) -> list[bytes]:
    try:
        return [read_certificate(der).der for der in split_pem(blobs)]
    except ValueError as error:
        raise TrustError(f"pinned authority: {error}") from error


def _named_by_hand(loaded: LoadedTrust, profile: str) -> set[bytes]:
    """DER of what an administrator added or laid down as an anchor, whether or not it counts."""
    return {
        der
        for record in loaded.records
        if (record.profile, record.kind) == (profile, TrustKind.ANCHOR)
        for der in split_pem([record.content])
    }


def _refuse_useless(
    certificate: Certificate, profile: TrustProfile, *, kind: TrustKind, origin: str
) -> None:
    """Stop a mistake of the administrator's, which otherwise shows when documents fail."""
    if profile.distrusts(certificate):
        raise TrustError(
            f"{origin}: its key is distrusted; `identity trust restore` takes that back"
        )
    if objection := _object(certificate, kind):
        raise TrustError(f"{origin}: of no use as {kind.replace('_', ' ')}: {objection.evidence}")
    countries = certificate.subject.countries
    if profile.country not in (None, *countries):
        raise TrustError(
            f"{origin}: its country is {', '.join(countries) or 'not named'}, "
            f"and {profile.name} takes {profile.country} only"
        )


def _object(certificate: Certificate, kind: TrustKind) -> ChipError | None:
    """What verification would say of it every time."""
    if kind is TrustKind.ANCHOR:
        return object_to_authority(certificate)
    try:
        check_signer_profile(certificate)
    except ChipError as error:
        return error
    return None


def _change(directory: Path, make: Callable[[LoadedTrust], list[TrustRecord]]) -> TrustChange:
    with locked(directory):
        loaded = make_trust(read_records(directory))
        given = make(loaded)
        for record in given:
            check_record(record)
        known = {key for each in loaded.records for key in _known_as(each)}
        new = {each.digest: each for each in given if known.isdisjoint(_keys(each))}
        own = read_own_records(directory)
        kept = [each for each in own if not _is_replaced(each, list(new.values()))]
        make_trust((*kept, *new.values()))
        if new:
            write_own_records(directory, (*kept, *new.values()))
    return TrustChange(
        added_count=len(new),
        known_count=len(given) - len(new),
        removed_count=len(own) - len(kept),
    )


def _keys(record: TrustRecord) -> set[_Key]:
    """By what records are known again, in whichever encoding they were laid down."""
    return {(record.profile, record.kind, der) for der in split_pem([record.content])}


def _known_as(record: TrustRecord) -> set[_Key]:
    """The keys of what need not be added any more. A list's word adds nothing to the hand's."""
    keys = _keys(record)
    if record.kind is TrustKind.ANCHOR:
        keys |= {(profile, TrustKind.LISTED_ANCHOR, der) for profile, _, der in keys}
    return keys


def _is_replaced(record: TrustRecord, new: list[TrustRecord]) -> bool:
    """Whether a newer list of the same issuer comes."""
    if record.kind is not TrustKind.CRL:
        return False
    issuer = read_revocation_list(record.content).issuer
    return any(
        other.kind is TrustKind.CRL
        and other.profile == record.profile
        and read_revocation_list(other.content).issuer.is_same(issuer)
        for other in new
    )
