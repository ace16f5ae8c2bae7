"""Reading a policy pack from its TOML.

Owns the form of the text, and refuses a broken one with an error that names the place. What a pack
means is `policy`'s; that packs go together is `policy_book`'s.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from identity.domain.anomalies import HolderPolicy
from identity.domain.notice import NoticeError, check_template
from identity.domain.policy import (
    Assurance,
    Bilingual,
    CaseCause,
    DisputePolicy,
    Exemption,
    PolicyPack,
    PolicyPackError,
    Step,
    StepKind,
    Track,
    WavePolicy,
)
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
_VERSION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_Part = TypeVar("_Part")
_Word = TypeVar("_Word", bound=StrEnum)


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


_PACK_KEYS = frozenset({"version", "series", "effective_on"})
# A pack speaks of what its regulation does.
_OPTIONAL_PACK_KEYS = frozenset(
    {
        *("effective_until", "retroactive", "verification", "tracks"),
        *("holders", "quality", "numbers", "disputes", "waves"),
    }
)
_NUMBERS_KEYS = frozenset({"citation", "confirm_in_gazette", "quarantine_days"})
_QUALITY_KEYS = frozenset({"citation", "snapshot_age_max_days"})
_VERIFICATION_KEYS = frozenset({"face_dissimilarity_max", "session_lifetime_s", "citation"})
_REGULATED_KEYS = frozenset({"far_max", "frr_max"})
_OPTIONAL_KEYS = _REGULATED_KEYS | {
    *("portrait_review_after_years", "regulated"),
    *("nonce_lifetime_s", "trust_profile"),
}
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
        *("causes", "steps", "citation", "confirm_in_gazette", "assurance", "cure", "notice"),
        *("execute_within_hours", "primary_extra_hours"),
    }
)
_OPTIONAL_TRACK_KEYS = frozenset({"primary_notice", "waits_for_notices", "exempt"})
_STEP_KEYS = frozenset({"kind", "after_hours"})
_EXEMPTION_KEYS = frozenset({"citation"})
_EXEMPTION_BOUNDS = frozenset({"activated_from", "activated_before"})
_SOURCE_KEYS = frozenset({"citation", "confirm_in_gazette"})


def _pack(document: Mapping[str, Any]) -> PolicyPack:
    _check_keys(document, _PACK_KEYS, optional=_OPTIONAL_PACK_KEYS, place="pack")
    version = _name(document["version"], place="version")
    effective_on = _day(document["effective_on"], place="effective_on")
    return PolicyPack(
        version=version,
        series=_name(document["series"], place="series"),
        effective_on=effective_on,
        effective_until=_end(document.get("effective_until"), after=effective_on),
        is_retroactive=_flag(document.get("retroactive", False), place="retroactive"),
        verification=_part(document, "verification", lambda body: _verification(body, version)),
        tracks=_part(document, "tracks", lambda body: _tracks(body, version)) or {},
        holders=_part(document, "holders", _holders),
        quality=_part(document, "quality", _quality),
        numbers=_part(document, "numbers", _numbers),
        disputes=_part(document, "disputes", _disputes),
        waves=_part(document, "waves", _waves),
    )


def _part(
    document: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _Part]
) -> _Part | None:
    return read(_table(document[name], place=name)) if name in document else None


def _tracks(bodies: Mapping[str, Any], version: str) -> dict[str, Track]:
    tracks = {name: _track(name, body, version) for name, body in bodies.items()}
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1:
            raise PolicyPackError(f"cause {cause} needs one track, has {owners}")
    return tracks


def _disputes(body: Mapping[str, Any]) -> DisputePolicy:
    keys = _SOURCE_KEYS | {"decide_within_days", "appeal_within_days"}
    _check_keys(body, keys, place="disputes")
    _source(body, place="disputes")
    # Nobody waits for a decision for longer than a year.
    decide, appeal = (
        _whole(body[name], 1, 366, place=f"disputes.{name}")
        for name in ("decide_within_days", "appeal_within_days")
    )
    return DisputePolicy(decide_within=timedelta(days=decide), appeal_within=timedelta(days=appeal))


def _waves(body: Mapping[str, Any]) -> WavePolicy:
    keys = _SOURCE_KEYS | {"cured_share_max", "complaint_share_max"}
    _check_keys(body, keys, place="waves")
    _source(body, place="waves")
    return WavePolicy(
        cured_share_max=_rate(body, "cured_share_max", place="waves"),
        complaint_share_max=_rate(body, "complaint_share_max", place="waves"),
    )


def _numbers(body: Mapping[str, Any]) -> NumberPolicy:
    _check_keys(body, _NUMBERS_KEYS, place="numbers")
    _source(body, place="numbers")
    # Numbers are scarce: none is kept from everybody for longer than a year.
    days = _whole(body["quarantine_days"], 0, 366, place="numbers.quarantine_days")
    return NumberPolicy(quarantine=timedelta(days=days))


def _quality(body: Mapping[str, Any]) -> QualityPolicy:
    _check_keys(body, _QUALITY_KEYS, place="quality")
    _text(body["citation"], place="quality.citation")
    # A book that is older than a year proves nothing of today.
    days = _whole(body["snapshot_age_max_days"], 1, 366, place="quality.snapshot_age_max_days")
    return QualityPolicy(snapshot_age_max=timedelta(days=days))


def _verification(body: Mapping[str, Any], version: str) -> VerificationPolicy:
    _check_keys(body, _VERIFICATION_KEYS, optional=_OPTIONAL_KEYS, place="verification")
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
    rates = RegulatedRates(
        far_max=_rate(body, "far_max", place="verification"),
        frr_max=_rate(body, "frr_max", place="verification"),
    )
    return rates if body["regulated"] else None


def _rate(body: Mapping[str, Any], key: str, *, place: str) -> float:
    value = body[key]
    if not isinstance(value, float) or not 0 < value < 1:
        raise PolicyPackError(f"{place}.{key} must be a number above 0 and below 1")
    return value


def _holders(body: Mapping[str, Any]) -> HolderPolicy:
    _check_keys(body, _SOURCE_KEYS, optional=frozenset(_HOLDER_BOUNDS), place="holders")
    _source(body, place="holders")
    bounds = {
        key: _whole(body[key], *_HOLDER_BOUNDS[key], place=f"holders.{key}")
        for key in _HOLDER_BOUNDS.keys() & body.keys()
    }
    return HolderPolicy(**bounds)


def _track(name: str, value: object, version: str) -> Track:
    place = f"tracks.{name}"
    body = _table(value, place=place)
    _check_keys(body, _TRACK_KEYS, optional=_OPTIONAL_TRACK_KEYS, place=place)
    rows = _list(body["steps"], place=f"{place}.steps")
    steps = tuple(_step(row, place=f"{place}.steps[{at}]") for at, row in enumerate(rows))
    _check_steps(steps, place=place)
    causes = _list(body["causes"], place=f"{place}.causes")
    notice = _notice(body["notice"], place=f"{place}.notice")
    return Track(
        name=name,
        policy_version=version,
        causes=frozenset(_word(CaseCause, value, place=f"{place}.causes") for value in causes),
        steps=steps,
        citation=_text(body["citation"], place=f"{place}.citation"),
        is_unconfirmed=_flag(body["confirm_in_gazette"], place=f"{place}.confirm_in_gazette"),
        assurance=_word(Assurance, body["assurance"], place=f"{place}.assurance"),
        cure=_bilingual(body["cure"], place=f"{place}.cure"),
        notice=notice,
        primary_notice=_notice(
            body.get("primary_notice", body["notice"]), place=f"{place}.primary_notice"
        ),
        execute_within=_hours(body["execute_within_hours"], place=f"{place}.execute_within_hours"),
        primary_extra=_hours(body["primary_extra_hours"], place=f"{place}.primary_extra_hours"),
        waits_for_notices=_flag(
            body.get("waits_for_notices", False), place=f"{place}.waits_for_notices"
        ),
        exemptions=_exemptions(body.get("exempt", []), place=f"{place}.exempt"),
    )


def _exemptions(value: object, *, place: str) -> tuple[Exemption, ...]:
    rows = _list(value, place=place)
    return tuple(_exemption(row, place=f"{place}[{at}]") for at, row in enumerate(rows))


def _exemption(value: object, *, place: str) -> Exemption:
    row = _table(value, place=place)
    _check_keys(row, _EXEMPTION_KEYS, optional=_EXEMPTION_BOUNDS, place=place)
    if not _EXEMPTION_BOUNDS & row.keys():
        raise PolicyPackError(f"{place} needs activated_from or activated_before")
    begin, end = (
        _day(row[name], place=f"{place}.{name}") if name in row else None
        for name in ("activated_from", "activated_before")
    )
    citation = _text(row["citation"], place=f"{place}.citation")
    return Exemption(activated_from=begin, activated_before=end, citation=citation)


def _step(value: object, *, place: str) -> Step:
    row = _table(value, place=place)
    _check_keys(row, _STEP_KEYS, optional=frozenset({"by_wave"}), place=place)
    kind = _word(StepKind, row["kind"], place=f"{place}.kind")
    is_by_wave = _flag(row.get("by_wave", False), place=f"{place}.by_wave")
    if is_by_wave and kind is StepKind.NOTIFY:
        raise PolicyPackError(f"{place}: a notice is given by the clock, not by a wave")
    after = _hours(row["after_hours"], place=f"{place}.after_hours")
    return Step(kind=kind, after=after, is_by_wave=is_by_wave)


def _check_steps(steps: tuple[Step, ...], *, place: str) -> None:
    if not steps:
        raise PolicyPackError(f"{place}.steps is empty")
    severity = [list(StepKind).index(step.kind) for step in steps]
    if severity != sorted(severity):
        raise PolicyPackError(f"{place}.steps must grow stricter, never milder")
    blocking = [step.kind for step in steps if step.kind is not StepKind.NOTIFY]
    if len(blocking) != len(set(blocking)):
        raise PolicyPackError(f"{place}.steps takes the same blocking step twice")


def _word(words: type[_Word], value: object, *, place: str) -> _Word:
    try:
        return words(_text(value, place=place))
    except ValueError as error:
        raise PolicyPackError(f"{place}: {error}") from error


def _bilingual(value: object, *, place: str) -> Bilingual:
    body = _table(value, place=place)
    _check_keys(body, frozenset({"vi", "en"}), place=place)
    return Bilingual(**{name: _text(body[name], place=f"{place}.{name}") for name in body})


def _notice(value: object, *, place: str) -> Bilingual:
    notice = _bilingual(value, place=place)
    for language, text in (("vi", notice.vi), ("en", notice.en)):
        try:
            check_template(text)
        except NoticeError as error:
            raise PolicyPackError(f"{place}.{language}: {error}") from error
    return notice


def _source(body: Mapping[str, Any], *, place: str) -> None:
    _text(body["citation"], place=f"{place}.citation")
    _flag(body["confirm_in_gazette"], place=f"{place}.confirm_in_gazette")


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


def _name(value: object, *, place: str) -> str:
    text = _text(value, place=place)
    if not _VERSION.fullmatch(text):
        raise PolicyPackError(f"{place} must be small letters, digits and hyphens")
    return text


def _flag(value: object, *, place: str) -> bool:
    if not isinstance(value, bool):
        raise PolicyPackError(f"{place} must be true or false")
    return value


def _day(value: object, *, place: str) -> date:
    # TOML's date with a time of day comes as a datetime, which is a date to Python.
    if not isinstance(value, date) or isinstance(value, datetime):
        raise PolicyPackError(f"{place} must be a date")
    return value


def _end(value: object, *, after: date) -> date | None:
    if value is None:
        return None
    end = _day(value, place="effective_until")
    if end <= after:
        raise PolicyPackError("effective_until must lie after effective_on")
    return end


def _table(value: object, *, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise PolicyPackError(f"{place} must be a table")
    return value


def _list(value: object, *, place: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise PolicyPackError(f"{place} must be a list")
    return value


def _check_keys(
    body: Mapping[str, Any],
    keys: frozenset[str],
    *,
    place: str,
    optional: frozenset[str] = frozenset(),
) -> None:
    """Every key is there and none besides: a misspelt one must not fall back to anything."""
    unknown, missing = sorted(set(body) - keys - optional), sorted(keys - set(body))
    if unknown:
        raise PolicyPackError(f"{place}: unknown {', '.join(unknown)}")
    if missing:
        raise PolicyPackError(f"{place}: missing {', '.join(missing)}")
