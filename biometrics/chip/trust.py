"""Whom we believe: trust profiles, one for each kind of document.

Owns a profile's anchors, revocation lists and known document signers, finding among them, and
loading them from the DER or PEM an operator supplies. A Vietnamese passport and a Vietnamese
identity card have different authorities, so each gets its own profile (`profiles`). Checks nothing
of a document.
"""

import base64
import binascii
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TypeVar

from biometrics.chip.certificate import Certificate, read_certificate
from biometrics.chip.codes import ChipError
from biometrics.chip.countries import normalise_country
from biometrics.chip.policy import Quirk, TrustPolicy
from biometrics.chip.public_key import require_strong_key
from biometrics.chip.revocation_list import RevocationList, read_revocation_list
from biometrics.chip.signature_algorithm import (
    read_signature_algorithm,
    require_strong_hash,
    verify_signature,
)

__all__ = [
    "TrustMemory",
    "TrustPolicy",
    "TrustProfile",
    "has_issued",
    "has_signed",
    "is_self_signed",
    "split_pem",
]

SIGNERS_REMEMBERED_MAX = 1024
"""Document signers a profile remembers, some 16 KB each. Germany used 200 in twelve years."""

_Key = TypeVar("_Key", bound=Hashable)

_PEM = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----(?P<body>[^-]*)-----END (?P=label)-----")


class TrustMemory:
    """What verification need not work out again: a pure function of octets, so never wrong.

    Bounded, and shared by a profile and those made from it. Most documents of a country come from
    a few dozen signers, each for months.
    """

    def __init__(self) -> None:
        self.read_certificate = lru_cache(maxsize=SIGNERS_REMEMBERED_MAX)(read_certificate)
        self.has_issued = lru_cache(maxsize=SIGNERS_REMEMBERED_MAX)(has_issued)


@dataclass(frozen=True, kw_only=True)
class TrustProfile:
    """Everything that decides whose signature counts for one kind of document.

    Attributes:
        name: For reports: `vn-cccd`.
        country: ISO 3166-1 alpha-2 code, upper case: the only issuer. None where any state is
            believed about its own documents.
        anchors: Country signing certificates (CSCA) that may issue document signers.
        crls: Revocation lists, complete ones.
        document_signers: Signers whose certificate a SOD may leave out (Doc 9303-12, 6.1).
        distrusted: Certificates whose keys are believed no more, in whatever certificate they sit:
            no anchor, no link and no signer of a master list, and a document signer is revoked.
        policy: What the profile's owner decided.
    """

    name: str
    country: str | None
    anchors: tuple[Certificate, ...]
    crls: tuple[RevocationList, ...] = ()
    document_signers: tuple[Certificate, ...] = ()
    distrusted: tuple[Certificate, ...] = ()
    policy: TrustPolicy = field(default_factory=TrustPolicy)
    memory: TrustMemory = field(default_factory=TrustMemory, repr=False, compare=False)

    @classmethod
    def from_certificates(
        cls,
        *,
        name: str,
        country: str | None,
        certificates: Iterable[bytes],
        crls: Iterable[bytes] = (),
        policy: TrustPolicy | None = None,
    ) -> "TrustProfile":
        """Load a profile from what an operator supplies.

        Args:
            name: For reports.
            country: ISO 3166-1 alpha-2 or alpha-3 code; None for any.
            certificates: CSCA certificates, DER or PEM (several in one PEM is fine). Naming a
                certificate here is the operator's word that it is an anchor, self-signed or not.
            crls: Revocation lists, DER or PEM. Their signatures are checked when they are used.
            policy: The default is strict on everything but a missing revocation list; the named
                profiles have theirs (`profiles`).

        Raises:
            ValueError: an unknown country, or bytes that are not what they should be.
        """
        return cls(
            name=name,
            country=None if country is None else normalise_country(country),
            anchors=tuple(read_certificate(der) for der in split_pem(certificates)),
            crls=tuple(read_revocation_list(der) for der in split_pem(crls)),
            policy=policy or TrustPolicy(),
        )

    @cached_property
    def anchors_by_key(self) -> Mapping[bytes, tuple[Certificate, ...]]:
        """Anchors by their SubjectKeyIdentifier; one key may sit in several certificates."""
        identified = (a for a in self.anchors if a.subject_key_identifier is not None)
        return _group(identified, lambda anchor: anchor.subject_key_identifier or b"")

    @cached_property
    def anchors_by_name(self) -> Mapping[str, tuple[Certificate, ...]]:
        """Anchors by their folded name; one name serves many keys."""
        return _group(self.anchors, lambda anchor: anchor.subject.folded)

    @cached_property
    def signed_crls(self) -> tuple[RevocationList, ...]:
        """The revocation lists that an anchor signed."""
        return tuple(
            crl
            for crl in self.crls
            if any(
                _has_signed_list(
                    anchor,
                    crl,
                    allows_sha1=self.policy.has_quirk(Quirk.SHA1, anchor.subject.countries),
                )
                for anchor in self.anchors_by_name.get(crl.issuer.folded, ())
            )
        )

    def distrusts(self, certificate: Certificate) -> bool:
        """Tell whether the certificate's key is one that is believed no more."""
        return any(certificate.has_key_of(other) for other in self.distrusted)

    def with_links(self, certificates: Iterable[bytes]) -> "TrustProfile":
        """Return the profile with link certificates followed (Doc 9303-12, clause 4.4).

        A state that changes its key signs the new one with the old. Each link becomes an anchor
        only when an anchor before it signed it; the others are left out.

        Raises:
            ValueError: bytes that are not certificates.
        """
        read = (read_certificate(der) for der in split_pem(certificates))
        candidates = [link for link in read if not self.distrusts(link)]
        return replace(self, anchors=_follow_links(self.anchors, candidates))

    def with_document_signers(self, certificates: Iterable[bytes]) -> "TrustProfile":
        """Return the profile with certificates of signers that SODs leave out.

        They are not trusted for being here: an anchor must have issued them as any other.

        Raises:
            ValueError: bytes that are not certificates.
        """
        added = tuple(read_certificate(der) for der in split_pem(certificates))
        return replace(self, document_signers=self.document_signers + added)


def has_signed(issuer: Certificate, certificate: Certificate) -> bool:
    """Tell whether the issuer's name and key both lead to the certificate's signature.

    RFC 5280, clause 6.1.3 (a)(1) and (4).

    Raises:
        ChipError: an algorithm, curve or key that cannot be used.
    """
    return issuer.subject.is_same(certificate.issuer) and verify_signature(
        issuer.subject_key,
        read_signature_algorithm(certificate.signature_algorithm),
        signature=certificate.signature,
        data=certificate.tbs,
    )


def is_self_signed(certificate: Certificate) -> bool:
    """Tell whether the certificate's own key signed it; False where that cannot be told."""
    try:
        return has_signed(certificate, certificate)
    except ChipError:
        return False


def has_issued(issuer: Certificate, certificate: Certificate, *, allows_sha1: bool = False) -> bool:
    """Tell whether the issuer signed the certificate, with a key and a hash that are not weak.

    Raises:
        ChipError: as `has_signed`, and WEAK_HASH or WEAK_KEY.
    """
    algorithm = read_signature_algorithm(certificate.signature_algorithm)
    require_strong_hash(algorithm.hash, allows_sha1=allows_sha1)
    require_strong_key(issuer.subject_key.key)
    return has_signed(issuer, certificate)


def _has_signed_list(anchor: Certificate, crl: RevocationList, *, allows_sha1: bool) -> bool:
    """Tell whether the anchor is the list's issuer: by name, key usage and signature."""
    try:
        usage = anchor.key_usage
        algorithm = read_signature_algorithm(crl.signature_algorithm)
        require_strong_hash(algorithm.hash, allows_sha1=allows_sha1)
        return (
            usage is not None
            and usage.has_crl_sign
            and verify_signature(
                anchor.subject_key,
                algorithm,
                signature=crl.signature,
                data=crl.tbs,
            )
        )
    except (ChipError, ValueError):
        return False


def _group(
    certificates: Iterable[Certificate], key_of: Callable[[Certificate], _Key]
) -> Mapping[_Key, tuple[Certificate, ...]]:
    groups: dict[_Key, tuple[Certificate, ...]] = {}
    for certificate in certificates:
        key = key_of(certificate)
        groups[key] = (*groups.get(key, ()), certificate)
    return groups


def _follow_links(
    anchors: tuple[Certificate, ...], candidates: list[Certificate]
) -> tuple[Certificate, ...]:
    """Add the links an anchor signed, then those the added ones signed, until none is left."""
    pending = list(candidates)
    while True:
        followed = [
            link for link in pending if any(_is_link_from(anchor, link) for anchor in anchors)
        ]
        if not followed:
            return anchors
        anchors = (*anchors, *followed)
        pending = [link for link in pending if link not in followed]


def _is_link_from(anchor: Certificate, link: Certificate) -> bool:
    # A state may name its own next key, and not another state's (Doc 9303-12, clause 7.1.1.2).
    is_one_state = link.subject.countries == link.issuer.countries
    try:
        return is_one_state and anchor.is_ca and link.is_ca and has_issued(anchor, link)
    except (ChipError, ValueError):
        return False


def split_pem(blobs: Iterable[bytes]) -> Iterable[bytes]:
    """Yield the DER of each blob, or of each PEM block in it.

    Raises:
        ValueError: a PEM block is broken.
    """
    for blob in blobs:
        if b"-----BEGIN" not in blob:
            yield blob
            continue
        blocks = list(_PEM.finditer(blob))
        if not blocks:
            raise ValueError("PEM without a complete block")
        for block in blocks:
            try:
                yield base64.b64decode(b"".join(block["body"].split()), validate=True)
            except binascii.Error as error:
                raise ValueError("PEM block is not base64") from error
