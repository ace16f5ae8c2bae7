"""Reading a policy pack from its TOML.

Owns which keys a pack has and what each may say; of its ladders `track_text` does. How a value is
refused is `policy_section`'s, what a pack means is `policy`'s, and that packs go together is
`policy_book`'s.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeVar

from identity.domain.abuse_text import (
    LOOKUP_KEYS,
    PROBE_KEYS,
    THROTTLE_KEYS,
    lookups_of,
    probes_of,
    throttle_of,
)
from identity.domain.anomalies import HolderPolicy
from identity.domain.arrangement import ArrangementPolicy, GuardianAct, GuardianshipParty
from identity.domain.contact_feed import ContactFeedPolicy
from identity.domain.data_request import PrivacyPolicy
from identity.domain.kyc import KycPolicy
from identity.domain.message_text import TextError
from identity.domain.policy import Bilingual, DisputePolicy, PolicyPack, PolicyPackError, WavePolicy
from identity.domain.policy_section import SOURCE_KEYS, Section, bilingual_of, source_of
from identity.domain.presence import TOKEN_LIFETIME_MAX, PresencePolicy
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.record_match import MatchPolicy
from identity.domain.tiding import TidingKind, check_tiding
from identity.domain.track_text import tracks_of
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
_RATE_KEYS = frozenset({"regulated", "far_max", "frr_max"})
# Each bound with the least and the greatest that it can be: nobody has a million numbers, and a
# person is of age at 21 in every law.
_HOLDER_BOUNDS = {
    "numbers_per_person_max": (1, 1_000),
    "numbers_per_operator_max": (1, 1_000),
    "numbers_per_point_of_sale_day_max": (1, 100_000),
    "own_contract_age_min": (1, 21),
}
# Each with the least and the greatest that it can be, and its unit.
_PRIMARY_BOUNDS = {
    "step_up_within_minutes": (0, 1_440),
    "cool_down_hours": (0, 720),
    "fallbacks_max": (0, 10),
    "confirm_within_days": (1, 3_660),
    "ask_after_days": (1, 3_660),
    "unlock_minutes_max": (1, 1_440),
}
_PRIVACY_BOUNDS = {
    "acknowledge_working_days": (1, 60),
    "act_working_days": (1, 120),
    "keep_after_end_days": (1, 3_660),
}
_KYC_BOUNDS = {
    "false_per_day_max": (1, 100),
    "caller_per_minute_max": (1, 1_000_000),
    "number_per_hour_max": (1, 10_000),
}
_KEEP_EVIDENCE_DAYS_MAX = 36_600
"""A hundred years: longer than anybody asks after a verdict, short enough to catch a slip."""
_JUDGED_FROM_MAX = 1_000_000
_ARRANGEMENT_BOUNDS = {
    "answer_within_days": (1, _DAYS_MAX),
    "consent_age": (1, 21),
    "majority_age": (1, 21),
    "guardians_max": (1, 10),
    "open_proposals_max": (1, 100),
}
# A pack speaks of what its regulation does: of each section the keys that it must and may have.
_SECTION_KEYS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "verification": (
        frozenset({"citation", "face_dissimilarity_max", "session_lifetime_s"}),
        _RATE_KEYS
        | {
            *("confirm_in_gazette", "nonce_lifetime_s"),
            *("portrait_review_after_years", "trust_profile", "keep_evidence_days"),
        },
    ),
    "holders": (SOURCE_KEYS, frozenset(_HOLDER_BOUNDS)),
    "quality": (frozenset({"citation", "snapshot_age_max_days"}), SOURCE_KEYS),
    "numbers": (SOURCE_KEYS | {"quarantine_days"}, frozenset()),
    "disputes": (SOURCE_KEYS | {"decide_within_days", "appeal_within_days"}, frozenset()),
    "primary": (SOURCE_KEYS | _PRIMARY_BOUNDS.keys(), frozenset()),
    "arrangements": (
        SOURCE_KEYS | _ARRANGEMENT_BOUNDS.keys() | {"guardian_acts", "ended_by"},
        frozenset(),
    ),
    "messages": (SOURCE_KEYS | frozenset(TidingKind), frozenset()),
    "privacy": (SOURCE_KEYS | {*_PRIVACY_BOUNDS, "holidays"}, frozenset()),
    "match": (SOURCE_KEYS | {"failed_share_max", "judged_from"}, frozenset()),
    "kyc": (SOURCE_KEYS | _KYC_BOUNDS.keys(), frozenset()),
    "presence": (SOURCE_KEYS | {"token_lifetime_s"}, frozenset()),
    "contact_feed": (SOURCE_KEYS | {"interest_days", "kept_days"}, frozenset()),
    "throttle": (SOURCE_KEYS | THROTTLE_KEYS, frozenset()),
    "probes": (SOURCE_KEYS | PROBE_KEYS, frozenset()),
    "lookups": (SOURCE_KEYS | LOOKUP_KEYS, frozenset()),
    "waves": (SOURCE_KEYS | {"cured_share_max", "complaint_share_max"}, frozenset()),
}
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
        sources={name: source_of(section) for name, section in sections.items()},
        tracks=tracks_of(pack, version) if "tracks" in pack else {},
        verification=_read(sections, "verification", partial(_verification, version=version)),
        holders=_read(sections, "holders", _holders),
        quality=_read(sections, "quality", _quality),
        numbers=_read(sections, "numbers", _numbers),
        disputes=_read(sections, "disputes", _disputes),
        waves=_read(sections, "waves", _waves),
        primary=_read(sections, "primary", _primary),
        arrangements=_read(sections, "arrangements", _arrangements),
        messages=_read(sections, "messages", _messages),
        privacy=_read(sections, "privacy", _privacy),
        match=_read(sections, "match", _match),
        kyc=_read(sections, "kyc", _kyc),
        presence=_read(sections, "presence", _presence),
        contact_feed=_read(sections, "contact_feed", _contact_feed),
        throttle=_read(sections, "throttle", throttle_of),
        probes=_read(sections, "probes", probes_of),
        lookups=_read(sections, "lookups", lookups_of),
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
        keep_evidence_for=_keep_evidence_for(section),
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


def _keep_evidence_for(section: Section) -> timedelta | None:
    key = "keep_evidence_days"
    if key not in section:
        return None
    return timedelta(days=section.whole(key, 1, _KEEP_EVIDENCE_DAYS_MAX))


def _regulated(section: Section) -> RegulatedRates | None:
    """The rates of a regulation, stated together; `regulated` says whether they bind."""
    stated = {key for key in _RATE_KEYS if key in section}
    if not stated:
        return None
    if stated != _RATE_KEYS:
        raise section.fault("regulated", ", far_max and frr_max belong together")
    far_max, frr_max = section.share("far_max"), section.share("frr_max")
    is_binding = section.flag("regulated")
    return RegulatedRates(far_max=far_max, frr_max=frr_max) if is_binding else None


def _trust_profile(section: Section) -> str:
    """The name of a profile; whether there is one of this name is the trust store's to say."""
    if "trust_profile" not in section:
        return TRUST_PROFILE
    return section.name("trust_profile", length_max=_PROFILE_LENGTH_MAX)


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
        cured_share_max=section.share("cured_share_max"),
        complaint_share_max=section.share("complaint_share_max"),
    )


def _primary(section: Section) -> PrimaryPolicy:
    found = {key: section.whole(key, *bounds) for key, bounds in _PRIMARY_BOUNDS.items()}
    if found["ask_after_days"] >= found["confirm_within_days"]:
        raise section.fault("ask_after_days", " must be less than confirm_within_days")
    return PrimaryPolicy(
        step_up_within=timedelta(minutes=found["step_up_within_minutes"]),
        cool_down=timedelta(hours=found["cool_down_hours"]),
        fallback_count_max=found["fallbacks_max"],
        confirm_within=timedelta(days=found["confirm_within_days"]),
        ask_after=timedelta(days=found["ask_after_days"]),
        unlock_max=timedelta(minutes=found["unlock_minutes_max"]),
    )


def _arrangements(section: Section) -> ArrangementPolicy:
    found = {key: section.whole(key, *bounds) for key, bounds in _ARRANGEMENT_BOUNDS.items()}
    if found["consent_age"] >= found["majority_age"]:
        raise section.fault("consent_age", " must be less than majority_age")
    return ArrangementPolicy(
        answer_within=timedelta(days=found["answer_within_days"]),
        consent_age=found["consent_age"],
        majority_age=found["majority_age"],
        guardian_count_max=found["guardians_max"],
        open_proposal_count_max=found["open_proposals_max"],
        guardian_acts=section.words("guardian_acts", GuardianAct),
        ended_by=section.words("ended_by", GuardianshipParty),
    )


def _messages(section: Section) -> dict[str, Bilingual]:
    return {kind: _tiding(section, kind) for kind in TidingKind}


def _tiding(section: Section, kind: TidingKind) -> Bilingual:
    text = bilingual_of(section, kind)
    try:
        check_tiding(kind, text)
    except TextError as error:
        raise section.fault(kind, f".{error}") from error
    return text


def _privacy(section: Section) -> PrivacyPolicy:
    found = {key: section.whole(key, *bounds) for key, bounds in _PRIVACY_BOUNDS.items()}
    if found["act_working_days"] < found["acknowledge_working_days"]:
        raise section.fault("act_working_days", " must not be less than acknowledge_working_days")
    return PrivacyPolicy(
        acknowledge_working_days=found["acknowledge_working_days"],
        act_working_days=found["act_working_days"],
        keep_after_end=timedelta(days=found["keep_after_end_days"]),
        holidays=section.days("holidays"),
    )


def _match(section: Section) -> MatchPolicy:
    return MatchPolicy(
        failed_share_max=section.share("failed_share_max"),
        judged_from=section.whole("judged_from", 1, _JUDGED_FROM_MAX),
    )


def _kyc(section: Section) -> KycPolicy:
    found = {key: section.whole(key, *bounds) for key, bounds in _KYC_BOUNDS.items()}
    return KycPolicy(**found)


def _presence(section: Section) -> PresencePolicy:
    most_s = int(TOKEN_LIFETIME_MAX.total_seconds())
    lifetime_s = section.whole("token_lifetime_s", _LIFETIME_MIN_S, most_s)
    return PresencePolicy(token_lifetime=timedelta(seconds=lifetime_s))


def _contact_feed(section: Section) -> ContactFeedPolicy:
    return ContactFeedPolicy(
        interest=timedelta(days=section.whole("interest_days", 1, _DAYS_MAX)),
        kept=timedelta(days=section.whole("kept_days", 1, _DAYS_MAX)),
    )
