"""People, numbers and calls for the tests of the service, each unlike all others.

Owns values that are valid unless a test says otherwise. Tests that commit share one database, so
every citizen, number and operator here is new; nothing depends on which digits were drawn.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, select, text

from identity.audit.log import audit_entry
from identity.config import DEFAULT_POLICIES
from identity.domain.caller import Caller, Role
from identity.domain.directive import Directive
from identity.domain.dispute import new_dispute
from identity.domain.enforcement import DirectiveKind
from identity.domain.holder import HolderClaim, PopulationRecord, Sex
from identity.domain.link import FieldOutcome, FieldResult, FieldSource, Link, LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause, Track
from identity.domain.policy_book import PolicyBook, Rules
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.verification import (
    ChipEvidence,
    ChipHolder,
    Evidence,
    FaceEvidence,
    Verdict,
    decide,
)
from identity.policy_files import load_policy
from identity.services.call import Call, score_names
from identity.services.recompute_verdicts import Run
from identity.storage.arrays import Reference, References
from identity.storage.book import BookRow, NewNumber, index_row
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.disputes import KeptDispute
from identity.storage.due_cases import DueNumbers
from identity.storage.requests import RequestKey
from identity.storage.verifications import Session, SessionState

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
FULL_NAME = "Nguyễn Thị Hoài Thương"
OTHER_NAME = "Trần Quốc Bảo"
BIRTH_DATE = date(1987, 11, 23)


@cache
def policies() -> PolicyBook:
    """The packs that the service takes unless told otherwise."""
    return PolicyBook([load_policy(name) for name in DEFAULT_POLICIES.split(",")])


@cache
def rules() -> Rules:
    """What they say at `NOW`."""
    return policies().at(NOW)


@cache
def hasty_rules() -> Rules:
    """The same, but for a primary number that is changed at once, without a fresh verification."""
    hasty = PrimaryPolicy(step_up_within=timedelta(), cool_down=timedelta())
    return replace(rules(), primary=hasty)


def make_personal_id() -> PersonalID:
    return PersonalID(f"{uuid4().int % 10**12:012d}")


_MSISDN_COUNT = 10**8
_msisdns = count(uuid4().int)


def make_msisdn() -> MSISDN:
    """A number that this process never gave, and with odds of ten thousand to one no other.

    Drawn one by one, the few thousand of a run would meet among 100 million once in twenty runs.
    Each process walks the same round of all of them from its own place; 61,803,399 has no factor
    in common with their number, and no two neighbours look alike.
    """
    return MSISDN(f"+843{next(_msisdns) * 61_803_399 % _MSISDN_COUNT:08d}")


def make_operator() -> str:
    return f"op-{uuid4().hex[:20]}"


def make_record(**given: Any) -> PopulationRecord:  # noqa: ANN401 - whatever the record takes
    usual: dict[str, Any] = {
        "personal_id": make_personal_id(),
        "full_name": PersonName(FULL_NAME),
        "birth_date": BIRTH_DATE,
        "sex": Sex.FEMALE,
    }
    return PopulationRecord(**usual | given)


def make_claim(record: PopulationRecord | None = None) -> HolderClaim:
    """What an operator says of a person, word for word as the register does."""
    known = record or make_record()
    return HolderClaim(
        personal_id=known.personal_id, full_name=known.full_name, birth_date=known.birth_date
    )


def make_link(state: LinkState = LinkState.LINKED) -> Link:
    is_linked = state is LinkState.LINKED
    result = FieldResult.MATCH if is_linked else FieldResult.MISMATCH
    same = FieldOutcome(result=FieldResult.MATCH, source=FieldSource.POPULATION_RECORD)
    return Link(
        state=state,
        personal_id=same,
        full_name=FieldOutcome(
            result=result, score=None if is_linked else 71, source=FieldSource.POPULATION_RECORD
        ),
        birth_date=same,
    )


def make_subscription(claim: HolderClaim | None = None, **given: Any) -> Subscription:  # noqa: ANN401 - whatever the subscription takes
    """A number that may be a primary: linked, verified, in service."""
    usual: dict[str, Any] = {
        "subscription_id": uuid4(),
        "msisdn": make_msisdn(),
        "operator_id": "viettel",
        "claim": claim or make_claim(),
        "link": make_link(),
        "service_state": ServiceState.ACTIVE,
        "applied_state": ServiceState.ACTIVE,
        "activated_on": date(2019, 2, 28),
        "verified_at": NOW.replace(month=4),
        "created_at": NOW.replace(month=3),
        "updated_at": NOW.replace(month=4),
    }
    return Subscription(**usual | given)


def make_call(
    name: str = "viettel",
    *,
    role: Role = Role.OPERATOR,
    at: datetime = NOW,
    new_id: Callable[[], UUID] = uuid4,
    under: Rules | None = None,
) -> Call:
    return Call(caller=Caller(role, name), at=at, rules=under or rules(), new_id=new_id)


def make_key(**given: Any) -> RequestKey:  # noqa: ANN401 - whatever the key takes
    usual: dict[str, Any] = {
        "caller": f"operator:{make_operator()}",
        "request_id": uuid4(),
        "method": "subid.v1.RegisterSubscriptionRequest",
        "body_digest": b"\x01" * 32,
    }
    return RequestKey(**usual | given)


def make_directive(item: Subscription, **given: Any) -> Directive:  # noqa: ANN401 - whatever the directive takes
    """An order of one number, by default to restore it; any other has its reason."""
    is_restore = given.get("kind", DirectiveKind.RESTORE) is DirectiveKind.RESTORE
    track = None if is_restore else rules().track_for(CaseCause.UNVERIFIED)
    usual: dict[str, Any] = {
        "directive_id": uuid4(),
        "subscription_id": item.subscription_id,
        "operator_id": item.operator_id,
        "kind": DirectiveKind.RESTORE,
        "causes": () if track is None else (CaseCause.UNVERIFIED,),
        "policy_version": None if track is None else track.policy_version,
        "track": None if track is None else track.name,
        "created_at": NOW,
        "due_at": NOW.replace(hour=23),
    }
    return Directive(**usual | given)


def make_session(uow: UnitOfWork, item: Subscription, **given: Any) -> Session:  # noqa: ANN401 - whatever the session takes
    """A pending session, stored."""
    usual: dict[str, Any] = {
        "verification_id": uuid4(),
        "subscription_id": item.subscription_id,
        "msisdn_key": uow.sealer.blind_index("msisdn", item.msisdn.value),
        "caller": f"operator:{item.operator_id}",
        "citizen_key": citizen_key(uow.sealer, item.claim.personal_id),
        "nonce_digest": bytes.fromhex("0123456789abcdef"),
        "nonce_expires_at": NOW.replace(minute=32),
        "state": SessionState.PENDING,
        "expires_at": NOW.replace(minute=40),
    }
    session = Session(**usual | given)
    uow.verifications.add(session, msisdn=item.msisdn, at=NOW)
    return session


def make_chip(claim: HolderClaim) -> ChipEvidence:
    """Findings of an authentic chip that agrees with a claim."""
    holder = ChipHolder(
        personal_id=claim.personal_id, full_name=claim.full_name, birth_date=claim.birth_date
    )
    return ChipEvidence(is_authentic=True, codes=(), document_digest=b"\x0d" * 32, holder=holder)


def make_card(record: PopulationRecord) -> ChipEvidence:
    """Findings of somebody's card that signed the nonce."""
    return replace(make_chip(make_claim(record)), is_active=True)


def make_face(dissimilarity: float = 0.2) -> FaceEvidence:
    """Findings of a face, by a photograph that nobody has used."""
    return FaceEvidence(
        dissimilarity=dissimilarity,
        failure=None,
        model_digest="c0ffee",
        probe_digests=(uuid4().bytes * 2,),
    )


def make_evidence(record: PopulationRecord, **given: Any) -> Evidence:  # noqa: ANN401 - whatever evidence takes
    claim = make_claim(record)
    usual: dict[str, Any] = {
        "claim": claim,
        "record": record,
        "chip": make_chip(claim),
        "face": make_face(),
    }
    return Evidence(**usual | given)


def track_for(cause: CaseCause) -> Track:
    """The ladder of a cause that has one."""
    track = rules().track_for(cause)
    assert track is not None
    return track


def alone(uow: UnitOfWork) -> Run:
    """Runs every action in the one transaction of a test."""

    def run(action: Callable[[UnitOfWork], Any]) -> Any:  # noqa: ANN401 - the action decides
        return action(uow)

    return run


def judge(evidence: Evidence, *, at: datetime = NOW) -> Verdict:
    return decide(evidence, rules().verification, at=at, score_names=score_names)


def step_up(
    uow: UnitOfWork,
    record: PopulationRecord,
    item: Subscription,
    *,
    at: datetime = NOW,
    dissimilarity: float = 0.2,
    **given: Any,  # noqa: ANN401 - whatever the session takes
) -> UUID:
    """A verification of a citizen that was just completed; returns which."""
    session = make_session(uow, item, state=SessionState.PROCESSING, **given)
    evidence = make_evidence(record, face=make_face(dissimilarity))
    uow.verifications.complete(session, evidence, judge(evidence, at=at))
    return session.verification_id


def store_citizen(uow: UnitOfWork, **given: Any) -> PopulationRecord:  # noqa: ANN401 - as make_record
    """A person whom the register knows."""
    record = make_record(**given)
    uow.citizens.save_many([record], at=NOW)
    return record


def store_number(uow: UnitOfWork, record: PopulationRecord, **given: Any) -> Subscription:  # noqa: ANN401 - as make_subscription
    """A number of somebody's, by default one that may be a primary."""
    item = make_subscription(make_claim(record), **given)
    uow.subscriptions.save(item)
    return item


def store_orders(uow: UnitOfWork, item: Subscription, *kinds: DirectiveKind) -> list[Directive]:
    """Orders of one number, in this order."""
    orders = [make_directive(item, kind=kind) for kind in kinds]
    uow.directives.add_many((order, item) for order in orders)
    return orders


def only(numbers: Iterable[DueNumbers], ids: Collection[UUID]) -> list[DueNumbers]:
    """Of due numbers those of some subscriptions."""
    kept = (
        (each, References.of(one for one in each.references if one[1] in ids)) for each in numbers
    )
    return [replace(each, references=references) for each, references in kept if references]


def store_dispute(uow: UnitOfWork, item: Subscription) -> KeptDispute:
    """Somebody else claims a number."""
    dispute = new_dispute(
        item.subscription_id, rules().disputes, opener="operator:other", identity=uuid4(), at=NOW
    )
    kept = KeptDispute(
        dispute=dispute,
        msisdn_key=uow.sealer.blind_index("msisdn", item.msisdn.value),
        operator_id=item.operator_id,
        holder_key=citizen_key(uow.sealer, item.claim.personal_id),
        claimant_key=citizen_key(uow.sealer, make_personal_id()),
    )
    uow.disputes.save(kept)
    return kept


def store_primary(uow: UnitOfWork) -> tuple[PopulationRecord, Subscription]:
    """A citizen with a primary number."""
    record = store_citizen(uow)
    item = store_number(uow, record)
    uow.primaries.set(item, at=NOW)
    return record, item


def reference_of(uow: UnitOfWork, item: Subscription) -> Reference:
    """The full key of a subscription."""
    return (uow.sealer.blind_index("msisdn", item.msisdn.value), item.subscription_id)


def references_of(uow: UnitOfWork, *items: Subscription) -> References:
    """The full keys of some subscriptions."""
    return References.of(reference_of(uow, item) for item in items)


def overtake(uow: UnitOfWork, of: Directive, *kinds: DirectiveKind) -> None:
    """Overtake what is open of some kinds, of the number that an order is for."""
    found = uow.directives.find_handed(of.operator_id, [of.directive_id])[of.directive_id]
    uow.directives.supersede(
        References.of([(found.msisdn_key, found.subscription_id)]), kinds, at=NOW
    )


def new_numbers(uow: UnitOfWork, items: Sequence[Subscription]) -> list[NewNumber]:
    """Subscriptions as an import has them before they are written; they keep their identifiers."""
    return [
        NewNumber(index_row(uow.sealer, _row_of(item)), item.subscription_id.bytes, item.link)
        for item in items
    ]


def _row_of(item: Subscription) -> BookRow:
    return BookRow(
        msisdn=item.msisdn,
        claim=item.claim,
        activated_on=item.activated_on,
        point_of_sale=item.point_of_sale,
        province_code=item.province_code,
    )


def find(uow: UnitOfWork, item: Subscription) -> Subscription:
    """The subscription as it is stored now."""
    (found,) = uow.subscriptions.find_by_reference([reference_of(uow, item)])
    return found


def unverified(item: Subscription, state: ServiceState = ServiceState.ACTIVE) -> Subscription:
    return replace(item, verified_at=None, service_state=state)


def actions(connection: Connection, caller: Caller) -> list[tuple[str, str]]:
    """What a caller left in the audit log, oldest first: action and outcome."""
    query = select(audit_entry.c.action, audit_entry.c.outcome)
    rows = connection.execute(
        query.where(audit_entry.c.caller == str(caller)).order_by(audit_entry.c.entry_id)
    )
    return [(action, outcome) for action, outcome in rows]


def wait_until_somebody_waits_for(uow: UnitOfWork) -> None:
    """Until another transaction waits for this one; what it has read so far may be out of date."""
    waiting = text(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
        " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    )
    give_up_at = monotonic() + 10
    while not uow.connection.execute(waiting).scalar_one():
        assert monotonic() < give_up_at, "nobody waits"
