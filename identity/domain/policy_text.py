"""Reading a policy pack from its TOML.

Owns which keys a pack has and what each may say. How a value is refused is `policy_section`'s, what
a pack means is `policy`'s, and that packs go together is `policy_book`'s.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
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
    Source,
    Step,
    StepKind,
    Track,
    WavePolicy,
)
from identity.domain.policy_section import Section
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.verification import (
    NONCE_LIFETIME,
    TRUST_PROFILE,
    RegulatedRates,
    VerificationPolicy,
)

FACE_DISSIMILARITY_MAX = 0.6
"""Embeddings are unit-like vectors: distances of 2 and more do not occur, and this one is already
unsafe for the people served (docs/concepts/verification.md)."""

_LIFETIME_MIN_S = 30
"""Nobody reads a card and sends what it says in less."""

_DAYS_MAX = 366
"""Nobody waits for a decision, no number is kept from everybody and no book is believed for longer
than a year."""

_PACK_KEYS = frozenset({"version", "series", "effective_on"})
_OPTIONAL_PACK_KEYS = frozenset({"effective_until", "retroactive", "tracks"})
_SOURCE_KEYS = frozenset({"citation", "confirm_in_gazette"})
_RATE_KEYS = frozenset({"regulated", "far_max", "frr_max"})
# Each bound with the least and the greatest that it can be: nobody has a million numbers, and a
# person is of age at 21 in every law.
_HOLDER_BOUNDS = {
    "numbers_per_person_max": (1, 1_000),
    "numbers_per_operator_max": (1, 1_000),
    "numbers_per_point_of_sale_day_max": (1, 100_000),
    "own_contract_age_min": (1, 21),
}
# A pack speaks of what its regulation does: of each section the keys that it must and may have.
_SECTION_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "verification": (
        frozenset({"citation", "face_dissimilarity_max", "session_lifetime_s"}),
        _RATE_KEYS
        | {
            *("confirm_in_gazette", "nonce_lifetime_s"),
            *("portrait_review_after_years", "trust_profile"),
        },
    ),
    "holders": (_SOURCE_KEYS, frozenset(_HOLDER_BOUNDS)),
    "quality": (frozenset({"citation", "snapshot_age_max_days"}), _SOURCE_KEYS),
    "numbers": (_SOURCE_KEYS | {"quarantine_days"}, frozenset()),
    "disputes": (_SOURCE_KEYS | {"decide_within_days", "appeal_within_days"}, frozenset()),
    "waves": (_SOURCE_KEYS | {"cured_share_max", "complaint_share_max"}, frozenset()),
}
_TRACK_KEYS = _SOURCE_KEYS | {
    *("causes", "steps", "assurance", "cure", "notice"),
    *("execute_within_hours", "primary_extra_hours"),
}
_OPTIONAL_TRACK_KEYS = frozenset({"primary_notice", "waits_for_notices", "exempt"})
_LANGUAGES = frozenset({"vi", "en"})
_EXEMPTION_BOUNDS = frozenset({"activated_from", "activated_before"})
_VERSION_LENGTH_MAX = 64
_PROFILE_LENGTH_MAX = 32
_PORTRAIT_YEARS_MAX = 60
_SESSION_LIFETIME_MAX_S = 3_600

_Policy = TypeVar("_Policy")


def parse_policy_pack(text: str) -> PolicyPack:
    """Read a pack from TOML.

    Raises:
        PolicyPackError: Anything missing, unknown, out of range or contradictory.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number, or a nesting, without an end
        raise PolicyPackError(f"not TOML: {error}") from error
    return _pack(document)


def _pack(document: Mapping[str, Any]) -> PolicyPack:
    optional = _OPTIONAL_PACK_KEYS | _SECTION_KEYS.keys()
    pack = Section(document, place="", required=_PACK_KEYS, optional=optional)
    sections = {
        name: pack.table(name, required=required, optional=optional)
        for name, (required, optional) in _SECTION_KEYS.items()
        if name in pack
    }
    version = pack.name("version", length_max=_VERSION_LENGTH_MAX)
    return PolicyPack(
        version=version,
        series=pack.name("series", length_max=_VERSION_LENGTH_MAX),
        effective_on=pack.day("effective_on"),
        effective_until=_effective_until(pack),
        is_retroactive=pack.flag("retroactive", otherwise=False),
        sources={name: _source(section) for name, section in sections.items()},
        tracks=_tracks(pack, version) if "tracks" in pack else {},
        verification=_read(sections, "verification", partial(_verification, version=version)),
        holders=_read(sections, "holders", _holders),
        quality=_read(sections, "quality", _quality),
        numbers=_read(sections, "numbers", _numbers),
        disputes=_read(sections, "disputes", _disputes),
        waves=_read(sections, "waves", _waves),
        # Last: what has passed holds no value that has no canonical form.
        digest=_digest(document),
    )


def _digest(document: Mapping[str, Any]) -> bytes:
    """SHA-256 of what a pack says.

    Comments, white space and the order of keys do not count, nor does 24 for 24.0. What a pack does
    not say does not count either, so that a key that a later version of the service knows changes
    the digest of no older pack.
    """
    canonical = json.dumps(_plain(document), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case float():
            return int(value) if value.is_integer() else value
        case date():
            return value.isoformat()
        case _:
            return value


def _effective_until(pack: Section) -> date | None:
    if "effective_until" not in pack:
        return None
    end = pack.day("effective_until")
    if end <= pack.day("effective_on"):
        raise PolicyPackError("effective_until must lie after effective_on")
    return end


def _source(section: Section) -> Source:
    return Source(
        citation=section.text("citation"),
        is_unconfirmed=section.flag("confirm_in_gazette", otherwise=False),
    )


def _read(
    sections: Mapping[str, Section], name: str, read: Callable[[Section], _Policy]
) -> _Policy | None:
    return read(sections[name]) if name in sections else None


def _verification(section: Section, *, version: str) -> VerificationPolicy:
    lifetime_s = section.whole("session_lifetime_s", _LIFETIME_MIN_S, _SESSION_LIFETIME_MAX_S)
    nonce_s = min(int(NONCE_LIFETIME.total_seconds()), lifetime_s)
    if "nonce_lifetime_s" in section:
        nonce_s = section.whole("nonce_lifetime_s", _LIFETIME_MIN_S, lifetime_s)
    return VerificationPolicy(
        version=version,
        face_dissimilarity_max=_face_dissimilarity_max(section),
        session_lifetime=timedelta(seconds=lifetime_s),
        portrait_review_after_years=_portrait_years(section),
        regulated=_regulated(section),
        nonce_lifetime=timedelta(seconds=nonce_s),
        trust_profile=_trust_profile(section),
    )


def _face_dissimilarity_max(section: Section) -> float:
    value = section.decimal("face_dissimilarity_max")
    if not 0 < value <= FACE_DISSIMILARITY_MAX:
        says = f" must be above 0 and at most {FACE_DISSIMILARITY_MAX}"
        raise section.fault("face_dissimilarity_max", says)
    return value


def _portrait_years(section: Section) -> int | None:
    # A card is valid for decades at most; no portrait is older than its holder.
    key = "portrait_review_after_years"
    return section.whole(key, 1, _PORTRAIT_YEARS_MAX) if key in section else None


def _regulated(section: Section) -> RegulatedRates | None:
    """The rates of a regulation, stated together; `regulated` says whether they bind."""
    stated = {key for key in _RATE_KEYS if key in section}
    if not stated:
        return None
    if stated != _RATE_KEYS:
        raise section.fault("regulated", ", far_max and frr_max belong together")
    far_max, frr_max = _share(section, "far_max"), _share(section, "frr_max")
    is_binding = section.flag("regulated")
    return RegulatedRates(far_max=far_max, frr_max=frr_max) if is_binding else None


def _trust_profile(section: Section) -> str:
    """The name of a profile; whether there is one of this name is the trust store's to say."""
    if "trust_profile" not in section:
        return TRUST_PROFILE
    return section.name("trust_profile", length_max=_PROFILE_LENGTH_MAX)


def _share(section: Section, key: str) -> float:
    value = section.decimal(key)
    if not 0 < value < 1:
        raise section.fault(key, " must be above 0 and below 1")
    return value


def _holders(section: Section) -> HolderPolicy:
    bounds = {
        key: section.whole(key, least, most)
        for key, (least, most) in _HOLDER_BOUNDS.items()
        if key in section
    }
    return HolderPolicy(**bounds)


def _quality(section: Section) -> QualityPolicy:
    days = section.whole("snapshot_age_max_days", 1, _DAYS_MAX)
    return QualityPolicy(snapshot_age_max=timedelta(days=days))


def _numbers(section: Section) -> NumberPolicy:
    days = section.whole("quarantine_days", 0, _DAYS_MAX)
    return NumberPolicy(quarantine=timedelta(days=days))


def _disputes(section: Section) -> DisputePolicy:
    return DisputePolicy(
        decide_within=timedelta(days=section.whole("decide_within_days", 1, _DAYS_MAX)),
        appeal_within=timedelta(days=section.whole("appeal_within_days", 1, _DAYS_MAX)),
    )


def _waves(section: Section) -> WavePolicy:
    return WavePolicy(
        cured_share_max=_share(section, "cured_share_max"),
        complaint_share_max=_share(section, "complaint_share_max"),
    )


def _tracks(pack: Section, version: str) -> dict[str, Track]:
    bodies = pack.named_tables("tracks", required=_TRACK_KEYS, optional=_OPTIONAL_TRACK_KEYS)
    tracks = {name: _track(name, body, version) for name, body in bodies}
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1:
            raise PolicyPackError(f"cause {cause} needs one track, has {', '.join(owners)}")
    return tracks


def _track(name: str, body: Section, version: str) -> Track:
    source = _source(body)
    cure = _bilingual(body, "cure")
    notice = _notice(body, "notice", cure=cure)
    has_own = "primary_notice" in body
    return Track(
        name=name,
        policy_version=version,
        causes=body.words("causes", CaseCause),
        steps=_steps(body),
        citation=source.citation,
        is_unconfirmed=source.is_unconfirmed,
        assurance=body.word("assurance", Assurance),
        cure=cure,
        notice=notice,
        primary_notice=_notice(body, "primary_notice", cure=cure) if has_own else notice,
        execute_within=_execute_within(body),
        primary_extra=body.hours("primary_extra_hours"),
        waits_for_notices=body.flag("waits_for_notices", otherwise=False),
        exemptions=_exemptions(body) if "exempt" in body else (),
    )


def _execute_within(body: Section) -> timedelta:
    within = body.hours("execute_within_hours")
    if not within:
        raise body.fault("execute_within_hours", " must be above 0: nothing is done in no time")
    return within


def _bilingual(body: Section, key: str) -> Bilingual:
    words = body.table(key, required=_LANGUAGES)
    return Bilingual(vi=words.text("vi"), en=words.text("en"))


def _notice(body: Section, key: str, *, cure: Bilingual) -> Bilingual:
    notice = _bilingual(body, key)
    try:
        check_template(notice, cure=cure)
    except NoticeError as error:
        raise body.fault(key, f".{error}") from error
    return notice


def _steps(body: Section) -> tuple[Step, ...]:
    rows = body.tables("steps", required={"kind", "after_hours"}, optional={"by_wave"})
    steps = tuple(_step(row) for row in rows)
    if not steps:
        raise body.fault("steps", " is empty")
    severity = [list(StepKind).index(step.kind) for step in steps]
    if severity != sorted(severity):
        raise body.fault("steps", " must grow stricter, never milder")
    blocking = [step.kind for step in steps if step.kind is not StepKind.NOTIFY]
    if len(blocking) != len(set(blocking)):
        raise body.fault("steps", " takes the same blocking step twice")
    # A case remembers one wave, to be put back where it stood before.
    if sum(step.is_by_wave for step in steps) > 1:
        raise body.fault("steps", " leaves more than one step to waves")
    return steps


def _step(row: Section) -> Step:
    kind = row.word("kind", StepKind)
    is_by_wave = row.flag("by_wave", otherwise=False)
    if is_by_wave and kind is StepKind.NOTIFY:
        raise row.fault("by_wave", ": a notice is given by the clock, not by a wave")
    return Step(kind=kind, after=row.hours("after_hours"), is_by_wave=is_by_wave)


def _exemptions(body: Section) -> tuple[Exemption, ...]:
    rows = body.tables("exempt", required={"citation"}, optional=_EXEMPTION_BOUNDS)
    return tuple(_exemption(row) for row in rows)


def _exemption(row: Section) -> Exemption:
    begin = row.day("activated_from") if "activated_from" in row else None
    end = row.day("activated_before") if "activated_before" in row else None
    if begin is None and end is None:
        raise PolicyPackError(f"{row.place} needs activated_from or activated_before")
    if begin is not None and end is not None and end <= begin:
        raise row.fault("activated_before", " must lie after activated_from")
    return Exemption(activated_from=begin, activated_before=end, citation=row.text("citation"))
