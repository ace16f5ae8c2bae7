"""Which rules hold on a day, of several packs that apply at once.

Owns the choice: of each regulation its latest pack in force, and for each open case the pack that
it began under, unless a later one is retroactive. Knows no file and no clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from identity.domain.anomalies import HolderPolicy
from identity.domain.calendar_date import day_of
from identity.domain.policy import (
    OPTIONAL_CAUSES,
    CaseCause,
    DisputePolicy,
    PolicyPack,
    PolicyPackError,
    Track,
    WavePolicy,
)
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.verification import VerificationPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """Open cases at one rung of a ladder that go on under a later, retroactive pack.

    Attributes:
        from_version: The pack they run under.
        to_version: The pack that takes them over.
        track: The ladder, of one name in both.
        steps_taken: Rungs behind them.
        later: How much later their next rung is due than before; negative for sooner.
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
        tracks: The ladders that new cases are put on, by name.
        known_tracks: Every ladder that a case may be on, by version of the pack and name.
        adoptions: Which open cases move to another pack, because it is retroactive.
    """

    verification: VerificationPolicy
    holders: HolderPolicy
    quality: QualityPolicy
    numbers: NumberPolicy
    disputes: DisputePolicy
    waves: WavePolicy
    tracks: Mapping[str, Track]
    known_tracks: Mapping[tuple[str, str], Track]
    adoptions: tuple["Adoption", ...] = ()

    def track_for(self, cause: CaseCause) -> Track | None:
        """The ladder that a cause puts a number on; None for an optional cause without one."""
        return next((track for track in self.tracks.values() if cause in track.causes), None)

    def exempt_from(self, activated_on: date | None) -> frozenset[str]:
        """The ladders that a contract of this day is not put on."""
        return frozenset(
            name for name, track in self.tracks.items() if track.is_exempt(activated_on)
        )

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
            PolicyPackError: Two of one name, two that speak of the same, a cause without a ladder.
        """
        self._chosen = tuple(chosen)
        self._past = tuple(past)
        versions = [pack.version for pack in (*chosen, *past)]
        if len(versions) != len(set(versions)):
            raise PolicyPackError(f"two packs have one version: {sorted(versions)}")
        self._on = lru_cache(maxsize=16)(self._rules)
        for day in self._days():
            self._on(day)

    @property
    def packs(self) -> Sequence[PolicyPack]:
        """Every pack, those that are chosen first."""
        return (*self._chosen, *self._past)

    def at(self, at: datetime) -> Rules:
        """The rules in force at an instant; packs change at midnight in Viet Nam.

        Raises:
            PolicyPackError: None was in force yet.
        """
        return self._on(day_of(at))

    def _days(self) -> Iterator[date]:
        """The days on which the rules change, from the first with rules for verifications."""
        begins = [pack.effective_on for pack in self._chosen if pack.verification is not None]
        if not begins:
            raise PolicyPackError("no pack says how holders are verified")
        changes = {pack.effective_on for pack in self._chosen} | {
            pack.effective_until for pack in self._chosen if pack.effective_until is not None
        }
        yield from sorted(day for day in changes if day >= min(begins))

    def _in_force(self, day: date) -> Sequence[PolicyPack]:
        latest: dict[str, PolicyPack] = {}
        for pack in sorted(self._chosen, key=lambda each: (each.effective_on, each.version)):
            if pack.effective_on <= day:
                latest[pack.series] = pack
        return [
            pack
            for pack in latest.values()
            if pack.effective_until is None or day < pack.effective_until
        ]

    def _rules(self, day: date) -> Rules:
        packs = self._in_force(day)
        tracks = _tracks(packs, day)
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
            tracks=MappingProxyType(tracks),
            known_tracks=MappingProxyType(
                {
                    (each.version, name): track
                    for each in self.packs
                    for name, track in each.tracks.items()
                }
            ),
            adoptions=tuple(self._adoptions(packs)),
        )

    def _adoptions(self, in_force: Sequence[PolicyPack]) -> Iterator[Adoption]:
        for now in in_force:
            if not now.is_retroactive:
                continue
            for before in self.packs:
                if before.series == now.series and before.effective_on < now.effective_on:
                    yield from _adopted(before, now)


def _adopted(before: PolicyPack, now: PolicyPack) -> Iterator[Adoption]:
    for name, old in before.tracks.items():
        new = now.tracks.get(name)
        if new is None or [step.kind for step in new.steps] != [step.kind for step in old.steps]:
            raise PolicyPackError(
                f"{now.version} is retroactive, so its track {name} needs the kinds of steps that"
                f" {before.version} has"
            )
        for place, (earlier, later) in enumerate(zip(old.steps, new.steps, strict=True)):
            yield Adoption(
                from_version=before.version,
                to_version=now.version,
                track=name,
                steps_taken=place,
                later=later.after - earlier.after,
                waits_for_wave=later.is_by_wave,
            )


def _tracks(packs: Sequence[PolicyPack], day: date) -> dict[str, Track]:
    tracks: dict[str, Track] = {}
    for pack in packs:
        if twice := sorted(tracks.keys() & pack.tracks.keys()):
            raise PolicyPackError(f"on {day} two packs have a track {twice[0]}: rename one")
        tracks |= pack.tracks
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1 or (not owners and cause not in OPTIONAL_CAUSES):
            raise PolicyPackError(f"on {day} cause {cause} needs one track, has {owners}")
    return tracks


def _only(packs: Sequence[PolicyPack], name: str, day: date, otherwise: Any) -> Any:  # noqa: ANN401 - whichever part of a pack is asked for
    """The one part of this name among the packs in force, or what holds without one."""
    found = [pack for pack in packs if getattr(pack, name) is not None]
    if len(found) > 1:
        both = " and ".join(pack.version for pack in found)
        raise PolicyPackError(f"on {day} {both} both have {name}")
    return getattr(found[0], name) if found else otherwise
