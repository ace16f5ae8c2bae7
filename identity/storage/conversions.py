"""Between domain values and what columns hold.

Owns the stored form of each value and its way back; every pair is round-trip tested. Stored forms
are compact JSON and only ever grow: old rows must stay readable.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from json.encoder import encode_basestring
from typing import Any

from identity.domain.face_score import FaceScore
from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.input_digests import InputDigests
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.name_agreement import NameAgreement
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.probe_replay import ProbeReplay
from identity.domain.verification import (
    ChipEvidence,
    ChipHolder,
    Evidence,
    FaceEvidence,
    Verdict,
    VerdictReason,
    VerdictState,
)

Fields = dict[str, Any]
"""A JSON object."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def storable(text: str) -> str:
    """A text that a column takes: PostgreSQL has none with U+0000, and it stands for nothing."""
    return text.replace("\x00", "\ufffd")


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def dump_claim(claim: HolderClaim) -> bytes:
    """Serialise a claim.

    As `_encode` would write its fields (a property test holds it to that), in a third of the time:
    an import writes millions.
    """
    name = encode_basestring(claim.full_name.value)
    return (
        f'{{"personal_id":"{claim.personal_id.value}","full_name":{name},'
        f'"birth_date":"{claim.birth_date.isoformat()}"}}'
    ).encode()


def load_claim(data: bytes) -> HolderClaim:
    """Read what `dump_claim` wrote."""
    return _claim(json.loads(data))


def dump_record(record: PopulationRecord) -> bytes:
    """Serialise a population record."""
    return _encode(_record_fields(record))


def load_record(data: bytes) -> PopulationRecord:
    """Read what `dump_record` wrote."""
    return _record(json.loads(data))


def link_fields(link: Link) -> Fields:
    """The outcomes of a link, for a JSONB column; its state has a column of its own."""
    return {
        "personal_id": outcome_fields(link.personal_id),
        "full_name": outcome_fields(link.full_name),
        "birth_date": outcome_fields(link.birth_date),
    }


def link_from(state: str, fields: Mapping[str, Any]) -> Link:
    """A link from its two columns."""
    return Link(
        state=LinkState(state),
        personal_id=outcome_from(fields["personal_id"]),
        full_name=outcome_from(fields["full_name"]),
        birth_date=outcome_from(fields["birth_date"]),
    )


def outcome_fields(outcome: FieldOutcome) -> Fields:
    """One compared field."""
    fields: Fields = {
        "result": outcome.result.value,
        "score": outcome.score,
        "source": outcome.source.value,
    }
    # Few fields have one: the others do not pay for it.
    return fields if outcome.agreement is None else {**fields, "agreement": outcome.agreement.value}


def outcome_from(fields: Mapping[str, Any]) -> FieldOutcome:
    """Read what `outcome_fields` made."""
    agreement = fields.get("agreement")
    return FieldOutcome(
        result=FieldResult(fields["result"]),
        score=fields["score"],
        source=FieldSource(fields["source"]),
        agreement=None if agreement is None else NameAgreement(agreement),
    )


def verdict_fields(verdict: Verdict) -> Fields:
    """A verdict, for a JSONB column; its instant has a column of its own."""
    return {
        "state": verdict.state.value,
        "reasons": [reason.value for reason in verdict.reasons],
        "personal_id": outcome_fields(verdict.personal_id),
        "full_name": outcome_fields(verdict.full_name),
        "birth_date": outcome_fields(verdict.birth_date),
        "face": outcome_fields(verdict.face),
        "chip_codes": list(verdict.chip_codes),
        "acquisition_failure": verdict.acquisition_failure,
        "policy_version": verdict.policy_version,
        "portrait_age_years": verdict.portrait_age_years,
    }


def verdict_from(fields: Mapping[str, Any], *, decided_at: Any) -> Verdict:  # noqa: ANN401 - a driver's value
    """A verdict from its two columns."""
    return Verdict(
        state=VerdictState(fields["state"]),
        reasons=tuple(VerdictReason(reason) for reason in fields["reasons"]),
        personal_id=outcome_from(fields["personal_id"]),
        full_name=outcome_from(fields["full_name"]),
        birth_date=outcome_from(fields["birth_date"]),
        face=outcome_from(fields["face"]),
        chip_codes=tuple(fields["chip_codes"]),
        acquisition_failure=fields["acquisition_failure"],
        policy_version=fields["policy_version"],
        decided_at=decided_at,
        # Not there in verdicts from before it was recorded.
        portrait_age_years=fields.get("portrait_age_years"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """When and by which policy evidence was judged, as it is sealed with it.

    Attributes:
        at: The instant.
        policy_version: The pack.
    """

    at: datetime
    policy_version: str


def dump_evidence(evidence: Evidence, verdict: Verdict) -> bytes:
    """Serialise evidence: everything that `identity.domain.verification.decide` reads.

    Args:
        evidence: It.
        verdict: What came of it; when and by which policy is sealed with the evidence.
    """
    record = evidence.record
    return _encode(
        {
            "judged": {
                "at": verdict.decided_at.astimezone(UTC).isoformat(),
                "policy": verdict.policy_version,
            },
            "claim": None if evidence.claim is None else _claim_fields(evidence.claim),
            "record": None if record is None else _record_fields(record),
            "chip": _chip_fields(evidence.chip),
            "face": None if evidence.face is None else _face_fields(evidence.face),
        }
    )


def load_evidence(data: bytes) -> tuple[Evidence, Judged | None]:
    """Read what `dump_evidence` wrote.

    Returns:
        The evidence, and when and by which policy it was judged; None from before that was sealed
        with it.
    """
    fields = json.loads(data)
    judged = fields.get("judged")
    return _evidence(fields), None if judged is None else _judged(judged)


def _judged(fields: Mapping[str, Any]) -> Judged:
    at = datetime.fromisoformat(fields["at"])
    return Judged(at=at, policy_version=fields["policy"])


def _evidence(fields: Mapping[str, Any]) -> Evidence:
    return Evidence(
        claim=None if fields["claim"] is None else _claim(fields["claim"]),
        record=None if fields["record"] is None else _record(fields["record"]),
        chip=_chip(fields["chip"]),
        face=None if fields["face"] is None else _face(fields["face"]),
    )


def _claim_fields(claim: HolderClaim) -> Fields:
    return {
        "personal_id": claim.personal_id.value,
        "full_name": claim.full_name.value,
        "birth_date": claim.birth_date.isoformat(),
    }


def _claim(fields: Mapping[str, Any]) -> HolderClaim:
    return HolderClaim(
        personal_id=PersonalID(fields["personal_id"]),
        full_name=PersonName(fields["full_name"]),
        birth_date=date.fromisoformat(fields["birth_date"]),
    )


def _record_fields(record: PopulationRecord) -> Fields:
    fields: Fields = {
        "personal_id": record.personal_id.value,
        "full_name": record.full_name.value,
        "birth_date": record.birth_date.isoformat(),
        "sex": None if record.sex is None else record.sex.value,
        "deceased_on": _day_text(record.deceased_on),
        "card_issued_on": _day_text(record.card_issued_on),
    }
    # Few records have one. In all others the digest that tells changed from same stays as it was.
    if record.merged_into is None:
        return fields
    return {**fields, "merged_into": record.merged_into.value}


def _record(fields: Mapping[str, Any]) -> PopulationRecord:
    merged_into = fields.get("merged_into")
    return PopulationRecord(
        personal_id=PersonalID(fields["personal_id"]),
        full_name=PersonName(fields["full_name"]),
        birth_date=date.fromisoformat(fields["birth_date"]),
        sex=None if fields["sex"] is None else Sex(fields["sex"]),
        deceased_on=_day(fields["deceased_on"]),
        card_issued_on=_day(fields["card_issued_on"]),
        merged_into=None if merged_into is None else PersonalID(merged_into),
    )


def _chip_fields(chip: ChipEvidence) -> Fields:
    holder = chip.holder
    return {
        "is_authentic": chip.is_authentic,
        "is_undetermined": chip.is_undetermined,
        "is_active": chip.is_active,
        "codes": list(chip.codes),
        "document_digest": _hex(chip.document_digest),
        "inputs": None if chip.inputs is None else _input_fields(chip.inputs),
        "holder": None if holder is None else _chip_holder_fields(holder),
    }


def _chip(fields: Mapping[str, Any]) -> ChipEvidence:
    # Not there in evidence from before they were kept.
    holder, inputs = fields["holder"], fields.get("inputs")
    return ChipEvidence(
        is_authentic=fields["is_authentic"],
        # Not there in evidence from before a chip could be undetermined.
        is_undetermined=fields.get("is_undetermined", False),
        # Nor here from before it was told.
        is_active=fields.get("is_active", False),
        codes=tuple(fields["codes"]),
        document_digest=_bytes(fields["document_digest"]),
        holder=None if holder is None else _chip_holder(holder),
        inputs=None if inputs is None else _inputs(inputs),
    )


def _input_fields(inputs: InputDigests) -> Fields:
    return {
        "sod": inputs.sod.hex(),
        "data_groups": {str(each): digest.hex() for each, digest in inputs.data_groups.items()},
        "nonces": [digest.hex() for digest in inputs.nonces],
        "signatures": [digest.hex() for digest in inputs.signatures],
        "portrait": _hex(inputs.portrait),
    }


def _inputs(fields: Mapping[str, Any]) -> InputDigests:
    groups = fields["data_groups"].items()
    return InputDigests(
        sod=bytes.fromhex(fields["sod"]),
        data_groups={int(each): bytes.fromhex(digest) for each, digest in groups},
        nonces=tuple(bytes.fromhex(digest) for digest in fields["nonces"]),
        signatures=tuple(bytes.fromhex(digest) for digest in fields["signatures"]),
        portrait=_bytes(fields["portrait"]),
    )


def _chip_holder_fields(holder: ChipHolder) -> Fields:
    return {
        "personal_id": None if holder.personal_id is None else holder.personal_id.value,
        "full_name": None if holder.full_name is None else holder.full_name.value,
        "birth_date": _day_text(holder.birth_date),
        "card_issued_on": _day_text(holder.card_issued_on),
    }


def _chip_holder(fields: Mapping[str, Any]) -> ChipHolder:
    personal_id, full_name = fields["personal_id"], fields["full_name"]
    return ChipHolder(
        personal_id=None if personal_id is None else PersonalID(personal_id),
        full_name=None if full_name is None else PersonName(full_name),
        birth_date=_day(fields["birth_date"]),
        card_issued_on=_day(fields["card_issued_on"]),
    )


def _face_fields(face: FaceEvidence) -> Fields:
    return {
        "dissimilarity": face.dissimilarity,
        "failure": face.failure,
        "model_digest": face.model_digest,
        "probe_digests": [digest.hex() for digest in face.probe_digests],
        "score": None if face.score is None else _score_fields(face.score),
        "replay": face.replay,
        "probe_looks": [look.hex() for look in face.probe_looks],
        "operating_point_digest": face.operating_point_digest,
    }


def _face(fields: Mapping[str, Any]) -> FaceEvidence:
    return FaceEvidence(
        dissimilarity=fields["dissimilarity"],
        failure=fields["failure"],
        model_digest=fields["model_digest"],
        probe_digests=tuple(bytes.fromhex(digest) for digest in fields["probe_digests"]),
        # Not there in evidence from before operating points.
        score=None if fields.get("score") is None else _score(fields["score"]),
        # Nor here from before photographs were remembered.
        replay=None if fields.get("replay") is None else ProbeReplay(fields["replay"]),
        probe_looks=tuple(bytes.fromhex(look) for look in fields.get("probe_looks", ())),
        operating_point_digest=fields.get("operating_point_digest"),
    )


def _score_fields(score: FaceScore) -> Fields:
    return {
        "score_type": score.score_type,
        "value": score.value,
        "is_dissimilarity": score.is_dissimilarity,
        "match_threshold": score.match_threshold,
        "review_threshold": score.review_threshold,
        "cohort_digest": score.cohort_digest,
    }


def _score(fields: Mapping[str, Any]) -> FaceScore:
    return FaceScore(
        score_type=fields["score_type"],
        value=fields["value"],
        is_dissimilarity=fields["is_dissimilarity"],
        match_threshold=fields["match_threshold"],
        review_threshold=fields["review_threshold"],
        cohort_digest=fields["cohort_digest"],
    )


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
