"""The trust store in force, and how it is exchanged while the service runs.

Owns making a store from a directory's records, the one reference that every verification reads
once, and what is said of the store in log and health. Which document passes is the chip library's
to judge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from biometrics.chip.certificate import read_certificate
from biometrics.chip.profiles import (
    AnchorStatus,
    ProfileName,
    Provenance,
    TrustStore,
    make_profile,
)
from biometrics.chip.revocation_list import RevocationList, read_revocation_list
from biometrics.chip.trust import TrustProfile, split_pem
from identity.security.watched import Watched
from identity.services.chip_nonces import Challenge
from identity.services.complete_verification import ExaminedChip, Presented, examine_chip
from identity.services.trust_records import (
    TrustError,
    TrustKind,
    TrustRecord,
    read_records,
)

REMINDER_DAYS = 365
"""An authority's new key takes months to reach everybody; a year is time enough to ask for it."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """One revocation list as an administrator sees it.

    Attributes:
        profile: Name of its profile.
        crl: The list.
        is_signed: Whether an anchor of the profile signed it; another list is of no use.
    """

    profile: str
    crl: RevocationList
    is_signed: bool

    def age_days(self, at: datetime) -> float:
        """Days since it was issued."""
        return (at - self.crl.this_update) / timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTrust:
    """A trust directory as it was read at one moment; it never changes.

    Attributes:
        store: What documents are judged by.
        records: What it was made from.
    """

    store: TrustStore
    records: tuple[TrustRecord, ...] = field(repr=False)

    def profile(self, name: str) -> TrustProfile:
        """A profile by its name.

        Raises:
            TrustError: There is none of this name.
        """
        try:
            return self.store.profile(name)
        except ValueError as error:
            raise TrustError(str(error)) from error

    def records_by_content(self) -> Mapping[tuple[str, TrustKind, str], TrustRecord]:
        """Every record, by what makes it another one: profile, kind and digest."""
        return {(each.profile, each.kind, each.digest): each for each in self.records}

    def lists(self) -> tuple[ListStatus, ...]:
        """Every revocation list, by profile."""
        return tuple(
            ListStatus(profile=profile.name, crl=crl, is_signed=crl in profile.signed_crls)
            for profile in self.store.profiles.values()
            for crl in profile.crls
        )

    def ending(self, at: datetime, *, within_days: int) -> tuple[AnchorStatus, ...]:
        """Anchors that end, or whose key stops signing, in the next so many days.

        What is past is left out: keys that have stopped signing are what most anchors hold, and
        documents of theirs are good for years.

        Returns:
            Those whose end comes first in front.
        """
        length = timedelta(days=within_days)
        coming = (
            (min(left), number, each)
            for number, each in enumerate(self.store.anchors())
            if (left := [end - at for end in _ends(each) if timedelta() <= end - at <= length])
        )
        return tuple(each for _, _, each in sorted(coming))

    def can_pass(self, name: str, at: datetime) -> bool:
        """Whether any document could pass by a profile: an anchor and its list are current.

        Raises:
            TrustError: There is no such profile.
        """
        profile = self.profile(name)
        current = [crl.issuer for crl in profile.signed_crls if crl.is_current(at)]
        needs_list = profile.policy.require_revocation
        return any(
            anchor.not_before <= at <= anchor.not_after
            and (not needs_list or any(anchor.subject.is_same(issuer) for issuer in current))
            for anchor in profile.anchors
        )


def _ends(anchor: AnchorStatus) -> tuple[datetime, ...]:
    return tuple(end for end in (anchor.ends_at, anchor.signs_until) if end is not None)


def make_trust(records: tuple[TrustRecord, ...]) -> LoadedTrust:
    """Make every named profile from its records.

    Raises:
        TrustError: A record is not what it says, or belongs to no profile.
    """
    for record in records:
        check_record(record)
    profiles = {name.value: _make_profile(name, records) for name in ProfileName}
    provenances = {
        (record.profile, read_certificate(der).sha256): Provenance(
            origin=record.origin, added_on=record.added_on
        )
        # Backwards: of several, the first says where it came from.
        for record in reversed(records)
        if record.kind not in (TrustKind.CRL, TrustKind.DISTRUSTED)
        for der in split_pem([record.content])
    }
    return LoadedTrust(
        store=TrustStore(profiles=profiles, provenances=provenances), records=records
    )


def load_trust(directory: Path) -> LoadedTrust:
    """The store that a directory holds; an empty one trusts nobody.

    Raises:
        TrustError: A file in it is not what it says.
    """
    return make_trust(read_records(directory))


def check_record(record: TrustRecord) -> None:
    """Look that a record is what it says.

    Raises:
        TrustError: It is not; the message names it.
    """
    if record.profile not in set(ProfileName):
        raise TrustError(f"{record.origin}: there is no trust profile {record.profile}")
    read = read_revocation_list if record.kind is TrustKind.CRL else read_certificate
    try:
        for der in split_pem([record.content]):
            read(der)
    except ValueError as error:
        raise TrustError(f"{record.origin}: {error}") from error


def _make_profile(name: ProfileName, records: tuple[TrustRecord, ...]) -> TrustProfile:
    def contents(*kinds: TrustKind) -> list[bytes]:
        return [r.content for r in records if r.profile == name and r.kind in kinds]

    profile = make_profile(
        name,
        certificates=contents(TrustKind.ANCHOR, TrustKind.LISTED_ANCHOR),
        crls=contents(TrustKind.CRL),
        distrusted=contents(TrustKind.DISTRUSTED),
    )
    return profile.with_document_signers(contents(TrustKind.DOCUMENT_SIGNER))


class TrustInForce:
    """The store that verifications begin with, exchanged whole when its directory changes."""

    def __init__(self, directory: Path) -> None:
        """Read the directory.

        Raises:
            TrustError: A file in it is not what it says.
        """
        self._watched = Watched(directory, load_trust, interval_s=0.0)
        self._loaded = self._watched.current()

    @property
    def loaded(self) -> LoadedTrust:
        """What a verification that begins now keeps to its end."""
        return self._loaded

    def examine_chip(
        self, challenge: Challenge, presented: Presented, *, profile: str, at: datetime
    ) -> ExaminedChip:
        """Authenticate a chip by a profile of the store in force.

        Raises:
            TrustError: There is no such profile; a service with such a policy does not start.
        """
        trust = self._loaded.profile(profile)
        return examine_chip(challenge, presented, trust=trust, at=at)

    def reload_if_changed(self) -> bool:
        """Take what the directory holds now; what cannot be read leaves the old store in force.

        Returns:
            Whether another store is in force.
        """
        loaded = self._watched.current()
        if loaded is self._loaded:
            return False
        before, self._loaded = self._loaded, loaded
        _log_difference(before, loaded)
        return True


def _log_difference(before: LoadedTrust, after: LoadedTrust) -> None:
    """Write which certificates came and went: whoever is an anchor can make citizens."""
    old, new = before.records_by_content(), after.records_by_content()
    for event, records in (
        ("trust record added", [new[key] for key in new.keys() - old.keys()]),
        ("trust record gone", [old[key] for key in old.keys() - new.keys()]),
    ):
        for record in sorted(records, key=lambda each: (each.profile, each.kind, each.digest)):
            _log.warning(
                event,
                profile=record.profile,
                kind=record.kind.value,
                sha256=record.digest,
                origin=record.origin,
            )


def log_trust(loaded: LoadedTrust, *, at: datetime) -> None:
    """Write how old each revocation list is and how long each anchor lasts."""
    for name, profile in loaded.store.profiles.items():
        if profile.anchors or profile.crls:
            _log.info(
                "trust profile",
                profile=name,
                policy=profile.policy.version,
                anchors=len(profile.anchors),
                revocation_lists=len(profile.crls),
            )
    for status in loaded.lists():
        write = _log.info if status.is_signed and status.crl.is_current(at) else _log.warning
        write(
            "revocation list",
            profile=status.profile,
            issuer=status.crl.issuer.folded,
            age_days=round(status.age_days(at), 1),
            is_current=status.crl.is_current(at),
            is_signed=status.is_signed,
        )
    for anchor in loaded.ending(at, within_days=REMINDER_DAYS):
        until = anchor.signs_until
        _log.warning(
            "trust anchor ends",
            profile=anchor.profile,
            sha256=anchor.certificate.sha256.hex(),
            days_left=round(anchor.days_left(at), 1),
            valid_until=anchor.ends_at.date().isoformat(),
            signs_until=None if until is None else until.date().isoformat(),
        )
