"""Which rules hold on a day, of several packs that apply at once.

Owns the choice: of each regulation its latest pack in force, and for each open case the pack that
it began under, unless a later one is retroactive. Knows no file and no clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from identity.domain.anomalies import HolderPolicy
from identity.domain.arrangement import ArrangementPolicy
from identity.domain.calendar_date import day_of
from identity.domain.contact_feed import ContactFeedPolicy
from identity.domain.data_request import PrivacyPolicy
from identity.domain.kyc import KycPolicy
from identity.domain.lookup_watch import LookupPolicy
from identity.domain.policy import (
    OPTIONAL_CAUSES,
    Bilingual,
    CaseCause,
    DisputePolicy,
    PolicyPack,
    PolicyPackError,
    Track,
    WavePolicy,
)
from identity.domain.presence import PresencePolicy
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.probe_replay import ProbePolicy
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.record_match import MatchPolicy
from identity.domain.throttle import ThrottlePolicy
from identity.domain.verification import VerificationPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Open cases at one rung of a ladder that go on under a later, retroactive pack.

    Attributes:
        from_version: The pack they run under.
        to_version: The pack that takes them over.
        track: The ladder, of one name in both.
        steps_taken: Rungs behind them; all of them at the end of the ladder.
        later: How much later their next rung is due than before; negative for sooner, zero at the
            end of the ladder.
        waits_for_wave: Whether that rung is left to waves.
    """

    from_version: str
    to_version: str
    track: str
    steps_taken: int
    later: timedelta
    waits_for_wave: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds on one day.

    Attributes:
        verification: How holders are verified.
        holders: Bounds beyond which a person should look.
        quality: How data are scored.
        numbers: How long numbers are kept from everybody.
        disputes: How long disputes take.
        waves: When waves stop themselves.
        primary: How primary numbers are chosen, changed and confirmed.
        arrangements: What guardians may do, and how long proposals stand.
        messages: What citizens are told of their choices, by `identity.domain.tiding.TidingKind`;
            empty where no pack has words for it.
        privacy: By when people get their rights over their data.
        match: When agencies that compare their records are stopped.
        kyc: How much operators may ask of numbers.
        presence: How long tokens count that say who is present.
        contact_feed: How long agencies are told of changed contacts.
        throttle: How long verifications that fail in a row make the next one wait.
        probes: How long photographs are known again.
        lookups: When callers that ask about nobody are stopped.
        tracks: The ladders that new cases are put on, by name.
        known_tracks: Every ladder that a case may be on, by version of the pack and name.
        adoptions: Which open cases move to another pack, because it is retroactive. They are named
            on every day from its first on: a case that no run has moved yet is moved by the next.
    """

    verification: VerificationPolicy
    holders: HolderPolicy
    quality: QualityPolicy
    numbers: NumberPolicy
    disputes: DisputePolicy
    waves: WavePolicy
    primary: PrimaryPolicy
    arrangements: ArrangementPolicy
    messages: Mapping[str, Bilingual]
    privacy: PrivacyPolicy
    match: MatchPolicy
    kyc: KycPolicy
    presence: PresencePolicy
    contact_feed: ContactFeedPolicy
    throttle: ThrottlePolicy
    probes: ProbePolicy
    lookups: LookupPolicy
    tracks: Mapping[str, Track]
    known_tracks: Mapping[tuple[str, str], Track]
    adoptions: tuple[Adoption, ...] = ()

    def track_for(self, cause: CaseCause) -> Track | None:
        """The ladder that a cause puts a number on; None for an optional cause without one."""
        found = next((track for track in self.tracks.values() if cause in track.causes), None)
        if found is None and cause is CaseCause.NO_LONGER_USED:
            return self.track_for(CaseCause.DISOWNED)
        return found

    def exempt_from(self, activated_on: date | None) -> frozenset[str]:
        """The ladders that a contract of this day is not put on."""
        return frozenset(
            name for name, track in self.tracks.items() if track.is_exempt(activated_on)
        )

    @property
    def exemption_days(self) -> tuple[date, ...]:
        """Days that part contracts: of two with none between them, both are exempt or neither."""
        exemptions = (each for track in self.tracks.values() for each in track.exemptions)
        days = {day for each in exemptions for day in (each.activated_from, each.activated_before)}
        return tuple(sorted(day for day in days if day is not None))

    def track_of(self, policy_version: str, name: str) -> Track:
        """The ladder of a case that was opened under a pack.

        Raises:
            PolicyPackError: The pack is none of those that the service was started with.
        """
        try:
            return self.known_tracks[policy_version, name]
        except KeyError:
            raise PolicyPackError(
                f"an open case is on track {name} of the pack {policy_version}, which is not here"
            ) from None


class PolicyBook:
    """The packs that apply, each in its time, and those of before that open cases run under."""

    def __init__(self, chosen: Sequence[PolicyPack], *, past: Sequence[PolicyPack] = ()) -> None:
        """Check that the packs go together on every day from the first on which there are rules.

        Args:
            chosen: Packs that apply from their first day on.
            past: Others that stored cases may name.

        Raises:
            PolicyPackError: Two of one name, two of one series that begin together, two that speak
                of the same, a cause without a ladder, a day without rules for verifications, or a
                retroactive pack whose ladders have other steps.
        """
        self._chosen = tuple(chosen)
        self._past = tuple(past)
        self._refuse_doubles()
        self._on = lru_cache(maxsize=16)(self._rules)
        for day in self.change_days:
            self._on(day)

    @property
    def chosen(self) -> Sequence[PolicyPack]:
        """The packs that apply, each in its time."""
        return self._chosen

    @property
    def packs(self) -> Sequence[PolicyPack]:
        """Every pack, those that are chosen first."""
        return (*self._chosen, *self._past)

    @property
    def change_days(self) -> Sequence[date]:
        """The days on which the rules change, from the first with rules for verifications."""
        begins = [pack.effective_on for pack in self._chosen if pack.verification is not None]
        if not begins:
            raise PolicyPackError("no pack says how holders are verified")
        changes = {pack.effective_on for pack in self._chosen} | {
            pack.effective_until for pack in self._chosen if pack.effective_until is not None
        }
        return sorted(day for day in changes if day >= min(begins))

    def at(self, at: datetime) -> Rules:
        """The rules in force at an instant; packs change at midnight in Viet Nam.

        Raises:
            PolicyPackError: None was in force yet.
        """
        return self._on(day_of(at))

    def in_force(self, day: date) -> Sequence[PolicyPack]:
        """The packs that the rules of a day are made of: of each series the latest, if it holds."""
        latest = self._latest(pack for pack in self._chosen if pack.effective_on <= day)
        return [
            pack
            for pack in latest.values()
            if pack.effective_until is None or day < pack.effective_until
        ]

    def _refuse_doubles(self) -> None:
        versions = [pack.version for pack in self.packs]
        for version in versions:
            if versions.count(version) > 1:
                raise PolicyPackError(f"two packs have the version {version}")
        begins: dict[tuple[str, date], PolicyPack] = {}
        for pack in self._chosen:
            other = begins.setdefault((pack.series, pack.effective_on), pack)
            if other is not pack:
                raise PolicyPackError(
                    f"{other.version} and {pack.version} are of one series, {pack.series}, and both"
                    f" begin on {pack.effective_on}"
                )

    @staticmethod
    def _latest(packs: Iterable[PolicyPack]) -> Mapping[str, PolicyPack]:
        """Of each series the pack that began last."""
        return {pack.series: pack for pack in sorted(packs, key=lambda each: each.effective_on)}

    def _rules(self, day: date) -> Rules:
        packs = self.in_force(day)
        verification = _only(packs, "verification", day, None)
        if verification is None:
            raise PolicyPackError(f"on {day} no pack says how holders are verified")
        return Rules(
            verification=verification,
            holders=_only(packs, "holders", day, HolderPolicy()),
            quality=_only(packs, "quality", day, QualityPolicy()),
            numbers=_only(packs, "numbers", day, NumberPolicy()),
            disputes=_only(packs, "disputes", day, DisputePolicy()),
            waves=_only(packs, "waves", day, WavePolicy()),
            primary=_only(packs, "primary", day, PrimaryPolicy()),
            arrangements=_only(packs, "arrangements", day, ArrangementPolicy()),
            messages=_only(packs, "messages", day, {}),
            privacy=_only(packs, "privacy", day, PrivacyPolicy()),
            match=_only(packs, "match", day, MatchPolicy()),
            kyc=_only(packs, "kyc", day, KycPolicy()),
            presence=_only(packs, "presence", day, PresencePolicy()),
            contact_feed=_only(packs, "contact_feed", day, ContactFeedPolicy()),
            throttle=_only(packs, "throttle", day, ThrottlePolicy()),
            probes=_only(packs, "probes", day, ProbePolicy()),
            lookups=_only(packs, "lookups", day, LookupPolicy()),
            tracks=MappingProxyType(_tracks(packs, day)),
            known_tracks=MappingProxyType(
                {
                    (each.version, name): track
                    for each in self.packs
                    for name, track in each.tracks.items()
                }
            ),
            adoptions=tuple(self._adoptions(day)),
        )

    def _adoptions(self, day: date) -> Iterator[Adoption]:
        """Those of the latest retroactive pack of each series, also when a later pack holds."""
        retroactive = (
            pack for pack in self._chosen if pack.is_retroactive and pack.effective_on <= day
        )
        for now in self._latest(retroactive).values():
            for before in self.packs:
                if before.series == now.series and before.effective_on < now.effective_on:
                    yield from _adopted(before, now)


def _adopted(before: PolicyPack, now: PolicyPack) -> Iterator[Adoption]:
    for name, old in before.tracks.items():
        new = now.tracks.get(name)
        if new is None or [step.kind for step in new.steps] != [step.kind for step in old.steps]:
            raise PolicyPackError(
                f"{now.version} is retroactive, so it needs a track {name} with the kinds of steps"
                f" that {before.version} has"
            )
        later = (one.after - other.after for one, other in zip(new.steps, old.steps, strict=True))
        for place, shift in enumerate((*later, timedelta())):
            yield Adoption(
                from_version=before.version,
                to_version=now.version,
                track=name,
                steps_taken=place,
                later=shift,
                waits_for_wave=place < len(new.steps) and new.steps[place].is_by_wave,
            )


def _tracks(packs: Sequence[PolicyPack], day: date) -> dict[str, Track]:
    tracks: dict[str, Track] = {}
    for pack in packs:
        if twice := sorted(tracks.keys() & pack.tracks.keys()):
            owner = tracks[twice[0]].policy_version
            both = f"{owner} and {pack.version}"
            raise PolicyPackError(f"on {day} {both} both have a track {twice[0]}: rename one")
        tracks |= pack.tracks
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1 or (not owners and cause not in OPTIONAL_CAUSES):
            told = ", ".join(owners) or "none"
            raise PolicyPackError(f"on {day} cause {cause} needs one track, has {told}")
    return tracks


def _only(packs: Sequence[PolicyPack], name: str, day: date, otherwise: Any) -> Any:  # noqa: ANN401 - whichever part of a pack is asked for
    """The one part of this name among the packs in force, or what holds without one."""
    found = [pack for pack in packs if getattr(pack, name) is not None]
    if len(found) > 1:
        both = " and ".join(pack.version for pack in found)
        raise PolicyPackError(f"on {day} {both} both have {name}")
    return getattr(found[0], name) if found else otherwise
