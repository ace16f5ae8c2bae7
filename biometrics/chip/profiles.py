"""The named trust profiles, and all of them together.

Owns what `vn-cccd`, `vn-passport` and `icao` are, where each anchor came from and when, and the
immutable store that a service holds and exchanges as a whole. Reads no file and keeps no clock:
an operator's directory is the operator's program's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from biometrics.chip.certificate import Certificate, read_certificate
from biometrics.chip.master_list import find_pinned, read_master_list
from biometrics.chip.policy import ICAO, VN_CARD, VN_PASSPORT, TrustPolicy
from biometrics.chip.revocation_list import read_revocation_list
from biometrics.chip.trust import TrustProfile, is_self_signed, split_pem


class ProfileName(StrEnum):
    """The profiles there are."""

    VN_CCCD = "vn-cccd"
    VN_PASSPORT = "vn-passport"
    ICAO = "icao"


@dataclass(frozen=True, kw_only=True)
class ProfileRules:
    """What a named profile is before anyone gives it anchors.

    Attributes:
        country: ISO 3166-1 alpha-2 code of the only issuer; None for any.
        policy: What it demands.
    """

    country: str | None
    policy: TrustPolicy


RULES: Mapping[ProfileName, ProfileRules] = {
    ProfileName.VN_CCCD: ProfileRules(country="VN", policy=VN_CARD),
    ProfileName.VN_PASSPORT: ProfileRules(country="VN", policy=VN_PASSPORT),
    ProfileName.ICAO: ProfileRules(country=None, policy=ICAO),
}

PINNED_ROOTS: Mapping[str, str] = {
    "411356d206b99da15efadf4b84149f8600ee6260c6727cd6bc230d6b6e151a24": "CSCA NL, serial number 7",
}
"""SHA-256 of authorities whose master lists can be had in public, by which one can be imported
without the authority's certificate at hand: the Netherlands' of 2024."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a certificate came from.

    Attributes:
        origin: In the operator's words, or the name of the list.
        added_on: Day it was taken in.
    """

    origin: str
    added_on: date


@dataclass(frozen=True, kw_only=True)
class AnchorStatus:
    """One anchor as an operator sees it.

    Attributes:
        profile: Name of its profile.
        certificate: The anchor.
        provenance: Where it came from, None when nobody said.
        ends_at: Last instant at which it is of full use: the end of the certificate.
        signs_until: End of its private key's use, after which no new signer is its own; None when
            it does not say.
    """

    profile: str
    certificate: Certificate
    provenance: Provenance | None
    ends_at: datetime
    signs_until: datetime | None

    def days_left(self, at: datetime) -> float:
        """Days to the sooner of both ends; negative when it has passed."""
        soonest = min(self.ends_at, self.signs_until or self.ends_at)
        return (soonest - at) / timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class TrustStore:
    """Every profile as it was at one moment. It never changes: a service swaps one for the next.

    Attributes:
        profiles: By name.
        provenances: By profile and SHA-256 of the certificate, which may have come to two
            profiles by two ways.
    """

    profiles: Mapping[str, TrustProfile]
    provenances: Mapping[tuple[str, bytes], Provenance] = field(default_factory=dict)

    def profile(self, name: str) -> TrustProfile:
        """Return one profile.

        Raises:
            ValueError: there is none of this name.
        """
        found = self.profiles.get(name)
        if found is None:
            there_are = ", ".join(self.profiles) or "none"
            raise ValueError(f"no trust profile {name!r}; there are: {there_are}")
        return found

    def anchors(self) -> tuple[AnchorStatus, ...]:
        """Return every anchor, those that end first in front."""
        listed = (
            AnchorStatus(
                profile=profile.name,
                certificate=anchor,
                provenance=self.provenances.get((profile.name, anchor.sha256)),
                ends_at=anchor.not_after,
                signs_until=_signs_until(anchor),
            )
            for profile in self.profiles.values()
            for anchor in profile.anchors
        )
        return tuple(sorted(listed, key=lambda s: min(s.ends_at, s.signs_until or s.ends_at)))


def make_profile(
    name: str,
    *,
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
    distrusted: Iterable[bytes] = (),
    policy: TrustPolicy | None = None,
) -> TrustProfile:
    """Return a named profile with these anchors.

    A certificate that is not self-signed and names another of these as its issuer is a link, and
    is left out unless that one signed it (Doc 9303-12, clause 4.4). One whose issuer is not there
    is an anchor by the operator's word. A distrusted certificate is no anchor, and a link that it
    signed goes with it.

    Args:
        name: One of `ProfileName`.
        certificates: CSCA certificates, DER or PEM.
        crls: Revocation lists, DER or PEM.
        distrusted: Certificates whose keys are believed no more, DER or PEM.
        policy: In place of the profile's own: other quirks, or codes to be reviewed.

    Raises:
        ValueError: there is no such profile, or bytes that are not what they should be.
    """
    if name not in set(ProfileName):
        raise ValueError(f"no trust profile {name!r}; there are: {', '.join(ProfileName)}")
    rules = RULES[ProfileName(name)]
    refused = tuple(read_certificate(der) for der in split_pem(distrusted))
    anchors, links = _tell_links(certificates, refused)
    profile = TrustProfile(
        name=name,
        country=rules.country,
        anchors=anchors,
        crls=tuple(read_revocation_list(der) for der in split_pem(crls)),
        distrusted=refused,
        policy=policy or rules.policy,
    )
    profile = replace(profile, anchors=tuple(a for a in anchors if not profile.distrusts(a)))
    return profile.with_links(link.der for link in links)


def import_master_list(
    profile: TrustProfile, data: bytes, *, pinned: Iterable[bytes] = (), at: datetime
) -> TrustProfile:
    """Return the profile with the anchors of a master list added, one of its country.

    Args:
        profile: May be limited to a country; other states' anchors are left out then.
        data: The list.
        pinned: DER of authorities from another source, one of which must have issued the list's
            signer. Those of PINNED_ROOTS count without being given. None counts that the profile
            distrusts.
        at: Now, aware.

    Raises:
        ValueError: as `read_master_list`; no authority of those pinned issued the signer.
    """
    listed = read_authorities(profile, data, pinned=pinned, at=at)
    new = [c for c in listed if c not in profile.anchors]
    roots = [c for c in new if is_self_signed(c)]
    links = [c.der for c in new if not is_self_signed(c)]
    return replace(profile, anchors=(*profile.anchors, *roots)).with_links(links)


def read_authorities(
    profile: TrustProfile, data: bytes, *, pinned: Iterable[bytes] = (), at: datetime
) -> tuple[Certificate, ...]:
    """Return the authorities of a master list that a profile may take, links among them.

    Those are the authorities of its country whose keys it does not distrust.

    Args:
        profile: May be limited to a country, and may distrust keys.
        data: The list.
        pinned: As for `import_master_list`.
        at: Now, aware.

    Raises:
        ValueError: as `import_master_list`.
    """
    listed = map(read_certificate, _read_list(profile, data, pinned=pinned, at=at))
    return tuple(
        c
        for c in listed
        if (profile.country is None or c.subject.countries == (profile.country,))
        and not profile.distrusts(c)
    )


def _read_list(
    profile: TrustProfile, data: bytes, *, pinned: Iterable[bytes], at: datetime
) -> tuple[bytes, ...]:
    """Return the certificates of a list that one of the pinned authorities stands behind."""
    refusals: list[str] = []
    for authority in dict.fromkeys((*split_pem(pinned), *find_pinned(data, PINNED_ROOTS))):
        if profile.distrusts(read_certificate(authority)):
            refusals.append("the authority behind it is distrusted")
            continue
        try:
            return read_master_list(data, pinned=authority, at=at)
        except ValueError as error:
            refusals.append(str(error))
    raise ValueError(f"master list refused: {'; '.join(refusals) or 'no authority is pinned'}")


def _tell_links(
    certificates: Iterable[bytes], distrusted: tuple[Certificate, ...]
) -> tuple[tuple[Certificate, ...], tuple[Certificate, ...]]:
    """Return anchors and links.

    A link stays one when its issuer is distrusted: else distrust would make it an anchor.
    """
    given = tuple(dict.fromkeys(read_certificate(der) for der in split_pem(certificates)))
    issuers = (*given, *distrusted)
    links = tuple(
        certificate
        for certificate in given
        if not _is_root(certificate)
        and any(_is_named(other, certificate) for other in issuers if other != certificate)
    )
    return tuple(c for c in given if c not in set(links)), links


def _is_root(certificate: Certificate) -> bool:
    """Tell whether it is its own issuer, by what it says where it says enough.

    The signature of a root on itself proves nothing, so it is worked out only where a name alone
    would leave a link of the same name in doubt.
    """
    wanted, own = certificate.authority_key_identifier, certificate.subject_key_identifier
    if wanted is not None and own is not None:
        return wanted == own and certificate.subject.is_same(certificate.issuer)
    return is_self_signed(certificate)


def _is_named(issuer: Certificate, certificate: Certificate) -> bool:
    wanted = certificate.authority_key_identifier
    if wanted is not None and issuer.subject_key_identifier is not None:
        return wanted == issuer.subject_key_identifier
    return issuer.subject.is_same(certificate.issuer)


def _signs_until(anchor: Certificate) -> datetime | None:
    try:
        return anchor.private_key_period[1]
    except ValueError:
        return None
