"""Policy packs: the dated rules of one regulation, as data.

Owns the shape of a pack and refuses a broken one with a clear error. Knows no file and no clock:
it is given the text, and every function takes the instant it needs.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from identity.domain.anomalies import HolderPolicy
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.verification import (
    NONCE_LIFETIME,
    TRUST_PROFILE,
    RegulatedRates,
    VerificationPolicy,
)

_NONCE_LIFETIME_MIN_S = 30
"""Nobody reads a card and sends what it says in less."""

_PROFILE_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class CaseCause(StrEnum):
    """Why a subscription is on the enforcement ladder."""

    UNVERIFIED = "unverified"
    MISMATCHED = "mismatched"
    NOT_FOUND = "not_found"
    DECEASED = "deceased"
    DEVICE_CHANGE = "device_change"
    DISOWNED = "disowned"
    SIM_SWAP = "sim_swap"


OPTIONAL_CAUSES = frozenset({CaseCause.SIM_SWAP})
"""A pack need not have a ladder for these: then they put no number on one."""


class StepKind(StrEnum):
    """What one step of a ladder does."""

    NOTIFY = "notify"
    BLOCK_OUTGOING = "block_outgoing"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


class PolicyPackError(ValueError):
    """A pack that cannot be used; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung.

    Attributes:
        kind: What it does.
        after: Time since the step before it, or since the case was opened for the first.
    """

    kind: StepKind
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One ladder.

    Attributes:
        name: Such as `T2`.
        causes: What puts a subscription on it.
        steps: The rungs in their order, at least one.
        citation: The rule behind it.
        cure: How the user stops it, in a sentence.
        execute_within: How long an operator has to execute a directive of this ladder.
        primary_extra: Added before each blocking step when the number is a citizen's primary.
    """

    name: str
    causes: frozenset[CaseCause]
    steps: tuple[Step, ...]
    citation: str
    cure: str
    execute_within: timedelta
    primary_extra: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPack:
    """The rules of one regulation from one day on; a pack need not speak of quality."""

    version: str
    effective_on: date
    verification: VerificationPolicy
    tracks: Mapping[str, Track]
    holders: HolderPolicy = field(default_factory=HolderPolicy)
    quality: QualityPolicy = field(default_factory=QualityPolicy)
    numbers: NumberPolicy = field(default_factory=NumberPolicy)

    def track_for(self, cause: CaseCause) -> Track:
        """The ladder for a cause: exactly one, or the pack would not have loaded.

        Of an optional cause `has_track_for` has to be asked before.
        """
        return next(track for track in self.tracks.values() if cause in track.causes)

    def has_track_for(self, cause: CaseCause) -> bool:
        """Whether a cause puts a number on a ladder; all but the optional ones do."""
        return any(cause in track.causes for track in self.tracks.values())


def parse_policy_pack(text: str) -> PolicyPack:
    """Read a pack from TOML.

    Raises:
        PolicyPackError: Anything missing, unknown, out of range or contradictory.
    """
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number too long to be read
        raise PolicyPackError(f"not TOML: {error}") from error
    return _pack(document)


_PACK_KEYS = frozenset({"version", "effective_on", "verification", "tracks"})
# A pack from before there were rules for holders, quality or numbers has none of them.
_OPTIONAL_PACK_KEYS = frozenset({"holders", "quality", "numbers"})
_NUMBERS_KEYS = frozenset({"citation", "confirm_in_gazette", "quarantine_days"})
_QUALITY_KEYS = frozenset({"citation", "snapshot_age_max_days"})
_VERIFICATION_KEYS = frozenset({"face_dissimilarity_max", "session_lifetime_s", "citation"})
_REGULATED_KEYS = frozenset({"far_max", "frr_max"})
_OPTIONAL_KEYS = _REGULATED_KEYS | {
    *("portrait_review_after_years", "regulated"),
    *("nonce_lifetime_s", "trust_profile"),
}
_HOLDER_KEYS = frozenset({"citation", "confirm_in_gazette"})
# Each bound with the least and the greatest that it can be: nobody has a million numbers, and a
# person is of age at 21 in every law.
_HOLDER_BOUNDS = {
    "numbers_per_person_max": (1, 1_000),
    "numbers_per_operator_max": (1, 1_000),
    "numbers_per_point_of_sale_day_max": (1, 100_000),
    "own_contract_age_min": (1, 21),
}
_TRACK_KEYS = frozenset(
    {
        *("causes", "steps", "citation", "confirm_in_gazette", "cure"),
        *("execute_within_hours", "primary_extra_hours"),
    }
)
_STEP_KEYS = frozenset({"kind", "after_hours"})


def _pack(document: Mapping[str, Any]) -> PolicyPack:
    _check_keys(document, _PACK_KEYS | (_OPTIONAL_PACK_KEYS & document.keys()), place="pack")
    version = _text(document["version"], place="version")
    bodies = _table(document["tracks"], place="tracks")
    tracks = {name: _track(name, body) for name, body in bodies.items()}
    _check_causes(tracks)
    return PolicyPack(
        version=version,
        effective_on=_day(document["effective_on"]),
        verification=_verification(document["verification"], version=version),
        tracks=tracks,
        holders=_holders(document.get("holders")),
        quality=_quality(document.get("quality")),
        numbers=_numbers(document.get("numbers")),
    )


def _numbers(value: object) -> NumberPolicy:
    if value is None:
        return NumberPolicy()
    body = _table(value, place="numbers")
    _check_keys(body, _NUMBERS_KEYS, place="numbers")
    _text(body["citation"], place="numbers.citation")
    _flag(body["confirm_in_gazette"], place="numbers.confirm_in_gazette")
    # Numbers are scarce: none is kept from everybody for longer than a year.
    days = _whole(body["quarantine_days"], 0, 366, place="numbers.quarantine_days")
    return NumberPolicy(quarantine=timedelta(days=days))


def _quality(value: object) -> QualityPolicy:
    if value is None:
        return QualityPolicy()
    body = _table(value, place="quality")
    _check_keys(body, _QUALITY_KEYS, place="quality")
    _text(body["citation"], place="quality.citation")
    days = body["snapshot_age_max_days"]
    # A book that is older than a year proves nothing of today.
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 366:  # noqa: PLR2004 - explained above
        raise PolicyPackError("quality.snapshot_age_max_days must be 1 to 366")
    return QualityPolicy(snapshot_age_max=timedelta(days=days))


def _verification(value: object, *, version: str) -> VerificationPolicy:
    body = _table(value, place="verification")
    _check_keys(body, _VERIFICATION_KEYS | (_OPTIONAL_KEYS & body.keys()), place="verification")
    _text(body["citation"], place="verification.citation")
    threshold = body["face_dissimilarity_max"]
    lifetime_s = body["session_lifetime_s"]
    # Embeddings are unit-like vectors: distances of 2 and more do not occur, 0.6 is already unsafe
    # for the people served (see docs/concepts/verification.md).
    if not isinstance(threshold, float) or not 0 < threshold <= 0.6:  # noqa: PLR2004 - explained above
        raise PolicyPackError("verification.face_dissimilarity_max must be a number in (0, 0.6]")
    if not isinstance(lifetime_s, int) or not 30 <= lifetime_s <= 3600:  # noqa: PLR2004 - 1 h at most
        raise PolicyPackError("verification.session_lifetime_s must be 30 to 3600")
    return VerificationPolicy(
        version=version,
        face_dissimilarity_max=threshold,
        session_lifetime=timedelta(seconds=lifetime_s),
        portrait_review_after_years=_years(body.get("portrait_review_after_years")),
        regulated=_regulated(body),
        nonce_lifetime=_nonce_lifetime(body.get("nonce_lifetime_s"), session_lifetime_s=lifetime_s),
        trust_profile=_trust_profile(body.get("trust_profile")),
    )


def _nonce_lifetime(value: object, *, session_lifetime_s: int) -> timedelta:
    if value is None:
        return min(NONCE_LIFETIME, timedelta(seconds=session_lifetime_s))
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not _NONCE_LIFETIME_MIN_S <= value <= session_lifetime_s:  # type: ignore[operator] # an integer, see above
        raise PolicyPackError("verification.nonce_lifetime_s must be 30 to session_lifetime_s")
    return timedelta(seconds=value)  # type: ignore[arg-type] # as above


def _trust_profile(value: object) -> str:
    """The name of a profile; whether there is one of this name is the trust store's to say."""
    if value is None:
        return TRUST_PROFILE
    name = _text(value, place="verification.trust_profile")
    if not _PROFILE_NAME.fullmatch(name):
        raise PolicyPackError("verification.trust_profile must be a name such as vn-cccd")
    return name


def _years(value: object) -> int | None:
    # A card is valid for decades at most; no portrait is older than its holder.
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 60:  # noqa: PLR2004 - explained above
        raise PolicyPackError("verification.portrait_review_after_years must be 1 to 60")
    return value


def _regulated(body: Mapping[str, Any]) -> RegulatedRates | None:
    """The rates of a regulation, stated together; `regulated` says whether they bind."""
    stated = {"regulated", *_REGULATED_KEYS} & body.keys()
    if not stated:
        return None
    if stated != {"regulated", *_REGULATED_KEYS} or not isinstance(body["regulated"], bool):
        raise PolicyPackError(
            "verification: regulated (true or false), far_max and frr_max belong together"
        )
    rates = RegulatedRates(far_max=_rate(body, "far_max"), frr_max=_rate(body, "frr_max"))
    return rates if body["regulated"] else None


def _rate(body: Mapping[str, Any], key: str) -> float:
    value = body[key]
    if not isinstance(value, float) or not 0 < value < 1:
        raise PolicyPackError(f"verification.{key} must be a number above 0 and below 1")
    return value


def _holders(value: object) -> HolderPolicy:
    if value is None:
        return HolderPolicy()
    body = _table(value, place="holders")
    _check_keys(body, _HOLDER_KEYS | (_HOLDER_BOUNDS.keys() & body.keys()), place="holders")
    _text(body["citation"], place="holders.citation")
    _flag(body["confirm_in_gazette"], place="holders.confirm_in_gazette")
    return HolderPolicy(**{key: _bound(body, key) for key in _HOLDER_BOUNDS.keys() & body.keys()})


def _bound(body: Mapping[str, Any], key: str) -> int:
    least, greatest = _HOLDER_BOUNDS[key]
    value = body[key]
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not least <= value <= greatest:
        raise PolicyPackError(f"holders.{key} must be {least} to {greatest}")
    return int(value)


def _track(name: str, value: object) -> Track:
    place = f"tracks.{name}"
    body = _table(value, place=place)
    _check_keys(body, _TRACK_KEYS, place=place)
    _flag(body["confirm_in_gazette"], place=f"{place}.confirm_in_gazette")
    rows = _list(body["steps"], place=f"{place}.steps")
    steps = tuple(_step(row, place=f"{place}.steps[{at}]") for at, row in enumerate(rows))
    _check_steps(steps, place=place)
    causes = _list(body["causes"], place=f"{place}.causes")
    return Track(
        name=name,
        causes=frozenset(_cause(value, place=place) for value in causes),
        steps=steps,
        citation=_text(body["citation"], place=f"{place}.citation"),
        cure=_text(body["cure"], place=f"{place}.cure"),
        execute_within=_hours(body["execute_within_hours"], place=f"{place}.execute_within_hours"),
        primary_extra=_hours(body["primary_extra_hours"], place=f"{place}.primary_extra_hours"),
    )


def _step(value: object, *, place: str) -> Step:
    row = _table(value, place=place)
    _check_keys(row, _STEP_KEYS, place=place)
    try:
        kind = StepKind(row["kind"])
    except ValueError as error:
        raise PolicyPackError(f"{place}.kind: {error}") from error
    return Step(kind=kind, after=_hours(row["after_hours"], place=f"{place}.after_hours"))


def _check_steps(steps: tuple[Step, ...], *, place: str) -> None:
    if not steps:
        raise PolicyPackError(f"{place}.steps is empty")
    severity = [list(StepKind).index(step.kind) for step in steps]
    if severity != sorted(severity):
        raise PolicyPackError(f"{place}.steps must grow stricter, never milder")
    blocking = [step.kind for step in steps if step.kind is not StepKind.NOTIFY]
    if len(blocking) != len(set(blocking)):
        raise PolicyPackError(f"{place}.steps takes the same blocking step twice")


def _check_causes(tracks: Mapping[str, Track]) -> None:
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1 or (not owners and cause not in OPTIONAL_CAUSES):
            raise PolicyPackError(f"cause {cause} needs exactly one track, has {owners}")


def _cause(value: object, *, place: str) -> CaseCause:
    text = _text(value, place=f"{place}.causes")
    try:
        return CaseCause(text)
    except ValueError as error:
        raise PolicyPackError(f"{place}.causes: {error}") from error


def _hours(value: object, *, place: str) -> timedelta:
    # 10 years: longer than any interval of a regulation, short enough to catch a slip of units.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 87_600:  # noqa: PLR2004 - explained above
        raise PolicyPackError(f"{place}: hours must be a number in 0..87600")
    return timedelta(hours=value)


def _whole(value: object, least: int, most: int, *, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PolicyPackError(f"{place} must be {least} to {most}")
    return value


def _text(value: object, *, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PolicyPackError(f"{place} must be a sentence")
    return value


def _flag(value: object, *, place: str) -> None:
    if not isinstance(value, bool):
        raise PolicyPackError(f"{place} must be true or false")


def _day(value: object) -> date:
    # TOML's date with a time of day comes as a datetime, which is a date to Python.
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PolicyPackError("effective_on must be a date")
    return value


def _table(value: object, *, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyPackError(f"{place} must be a table")
    return value


def _list(value: object, *, place: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise PolicyPackError(f"{place} must be a list")
    return value


def _check_keys(body: Mapping[str, Any], keys: frozenset[str], *, place: str) -> None:
    """Every key is there and none besides: a misspelt one must not fall back to anything."""
    unknown, missing = sorted(set(body) - keys), sorted(keys - set(body))
    if unknown:
        raise PolicyPackError(f"{place}: unknown {', '.join(unknown)}")
    if missing:
        raise PolicyPackError(f"{place}: missing {', '.join(missing)}")
