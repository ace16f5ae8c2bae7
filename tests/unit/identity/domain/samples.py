"""A person, a number and evidence that verifies, for the tests of the domain to spoil one by one.

Owns values that are right in every respect. Knows nothing of what is tested with them.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import count
from uuid import UUID

from rapidfuzz import fuzz

from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause, PolicyPack, Track
from identity.domain.policy_book import PolicyBook, Rules
from identity.domain.policy_text import parse_policy_pack
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.verification import (
    ChipEvidence,
    ChipHolder,
    Evidence,
    FaceEvidence,
    Verdict,
    VerificationPolicy,
    VerifiedAttempt,
    decide,
)

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SUBSCRIPTION_ID = UUID(int=1)
PACK_NAME = "vn-2026-04-15"
PACK_NAMES = (PACK_NAME, "vn-decree-49-2017")

CLAIM = HolderClaim(
    personal_id=PersonalID("001085012345"),
    full_name=PersonName("Nguyễn Thị Hòa"),
    birth_date=date(1985, 3, 1),
)
RECORD = PopulationRecord(
    personal_id=CLAIM.personal_id,
    full_name=PersonName("NGUYỄN THỊ HOÀ"),
    birth_date=CLAIM.birth_date,
    card_issued_on=date(2021, 7, 1),
)
CHIP_HOLDER = ChipHolder(
    personal_id=CLAIM.personal_id,
    full_name=PersonName("Nguyễn Thị Hoà"),
    birth_date=CLAIM.birth_date,
    card_issued_on=date(2021, 7, 1),
)
CHIP = ChipEvidence(is_authentic=True, codes=(), document_digest=bytes(32), holder=CHIP_HOLDER)
FACE = FaceEvidence(
    dissimilarity=0.25, failure=None, model_digest="ab" * 32, probe_digests=(bytes(32),)
)
EVIDENCE = Evidence(claim=CLAIM, record=RECORD, chip=CHIP, face=FACE)
VERIFICATION_POLICY = VerificationPolicy(
    version="test", face_dissimilarity_max=0.4, session_lifetime=timedelta(minutes=10)
)


@cache
def shipped_text(name: str = PACK_NAME) -> str:
    """A shipped pack as it stands in its file."""
    return (resources.files("identity.policies") / f"{name}.toml").read_text(encoding="utf-8")


@cache
def shipped_pack(name: str = PACK_NAME) -> PolicyPack:
    """A shipped pack, loaded."""
    return parse_policy_pack(shipped_text(name))


@cache
def shipped_rules() -> Rules:
    """What the shipped packs say at `NOW`."""
    return PolicyBook([shipped_pack(name) for name in PACK_NAMES]).at(NOW)


def track_for(cause: CaseCause) -> Track:
    """The shipped ladder of a cause that has one."""
    track = shipped_rules().track_for(cause)
    assert track is not None
    return track


def link(state: LinkState) -> Link:
    """A link in some state; its fields agree with it."""
    results = {
        LinkState.LINKED: (FieldResult.MATCH, FieldResult.MATCH),
        LinkState.DECEASED: (FieldResult.MATCH, FieldResult.MATCH),
        LinkState.MISMATCHED: (FieldResult.MATCH, FieldResult.MISMATCH),
        LinkState.NOT_FOUND: (FieldResult.MISMATCH, FieldResult.NOT_AVAILABLE),
    }
    source = FieldSource.POPULATION_RECORD
    first, rest = (FieldOutcome(result=result, source=source) for result in results[state])
    return Link(state=state, personal_id=first, full_name=rest, birth_date=rest)


def subscription(
    *,
    state: ServiceState = ServiceState.ACTIVE,
    linked: LinkState = LinkState.LINKED,
    verified_at: datetime | None = None,
    created_at: datetime = NOW,
) -> Subscription:
    """A number of the sample person, unverified unless said."""
    return Subscription(
        subscription_id=SUBSCRIPTION_ID,
        msisdn=MSISDN("+84912345678"),
        operator_id="north",
        claim=CLAIM,
        link=link(linked),
        service_state=state,
        applied_state=state,
        created_at=created_at,
        updated_at=created_at,
        verified_at=verified_at,
    )


def verdict(evidence: Evidence = EVIDENCE, *, at: datetime = NOW) -> Verdict:
    """The verdict on some evidence under the sample policy."""
    return decide(evidence, VERIFICATION_POLICY, at=at, score_names=fuzz.ratio)


def verified_attempt(
    *, at: datetime = NOW, subscription_id: UUID = SUBSCRIPTION_ID
) -> VerifiedAttempt:
    """Proof that the sample person was verified."""
    return VerifiedAttempt(
        verification_id=UUID(int=2), subscription_id=subscription_id, verdict=verdict(at=at)
    )


def id_maker() -> Callable[[], UUID]:
    """A source of identifiers that never repeats and is the same in every run."""
    numbers = count(1_000)
    return lambda: UUID(int=next(numbers))
