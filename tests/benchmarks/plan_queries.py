"""The hot queries: what the service asks of the database for each call that comes often.

Owns their list and how each is brought about: the use case itself is run, for one person or number,
so whatever it asks is explained and nothing is copied out of it. Says of each into which tables it
may look beyond the partition of its key, and why.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from identity.audit.log import read_about_citizen
from identity.domain.agency import Purpose, Right
from identity.domain.link import LinkState
from identity.domain.person_name import PersonName
from identity.domain.primary_choice import ClearCause
from identity.services.apply_population_changes import Correction, apply_population_changes
from identity.services.complete_verification import claim_session, record_verdict
from identity.services.due_changes import apply_due_changes
from identity.services.get_contacts import get_contacts
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.services.list_choices import list_choices
from identity.services.primary_number import get_primary_number, set_primary_number
from identity.services.read_subscriptions import get_subscription, list_of_citizen, list_of_operator
from identity.services.relay_tokens import resolve_relay
from identity.services.subscriber_updates import (
    UpdateAcknowledgement,
    acknowledge_subscriber_updates,
    pull_subscriber_updates,
)
from identity.services.verification_sessions import get_verification, start_verification
from identity.storage.book import index_row
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import slice_bounds
from identity.storage.requests import RequestKey
from identity.storage.verifications import Claimant
from tests.benchmarks.hot_query import (
    ANY_PARTITION,
    APP,
    BY_ID,
    IN_ORDER,
    PAGE,
    PRIMARY,
    SETTLED,
    WHOLE,
    HotQuery,
    Step,
)
from tests.benchmarks.plan_accesses import ACCESS_QUERIES
from tests.benchmarks.plan_arrangements import ARRANGEMENT_QUERIES
from tests.benchmarks.plan_enforcement import ENFORCEMENT_QUERIES
from tests.benchmarks.plan_matching import MATCHING_QUERIES
from tests.benchmarks.plan_messages import MESSAGE_QUERIES
from tests.benchmarks.plan_registry import AUTHORITY, NOW, PERSON_COUNT, World
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import hasty_rules, make_chip, make_face

LEASE = timedelta(minutes=5)
BATCH_ROWS = 2_000
CHANGED_ROWS = 20
SLICES = 20


def _get_subscription(world: World, uow: UnitOfWork) -> Step:
    return partial(get_subscription, uow, world.call(), world.msisdn(20))


def _list_of_operator(world: World, uow: UnitOfWork, *, states: tuple[LinkState, ...] = ()) -> Step:
    after = world.subscription(uow, 20).subscription_id
    call = world.call()
    return lambda: list_of_operator(uow, call, after=after, limit=PAGE, link_states=states)


def _list_of_citizen(world: World, uow: UnitOfWork) -> Step:
    person, call = world.record(20).personal_id, world.call(APP)
    return lambda: list_of_citizen(uow, call, person, after=None, limit=PAGE)


def _get_contacts(world: World, uow: UnitOfWork, *rights: Right, count: int) -> Step:
    agency = store_agency(uow, make_grant(*rights))
    people = [world.record(number).personal_id for number in range(count)]
    question = make_question(agency, *people)
    return partial(get_contacts, uow, [question])


def _get_contacts_by_tokens(world: World, uow: UnitOfWork, *, count: int) -> Step:
    return _get_contacts(world, uow, Right.RELAY_TOKEN, Right.ABSENCE_CAUSE, count=count)


def _resolve_relay(world: World, uow: UnitOfWork) -> Step:
    del world  # a token that is nobody's takes the same statement
    return partial(resolve_relay, uow, "agency", Purpose.LEGAL_NOTICE, bytes(16), at=NOW)


def _get_primary(world: World, uow: UnitOfWork) -> Step:
    return partial(get_primary_number, uow, world.call(APP), world.record(1).personal_id)


def _list_choices(world: World, uow: UnitOfWork) -> Step:
    person, call = world.record(1).personal_id, world.call(APP)
    return lambda: list_choices(uow, call, person, before=None, limit=PAGE)


def _find_reachable(world: World, uow: UnitOfWork, *, count: int) -> Step:
    keys = [uow.primaries.key_of(world.record(number).personal_id) for number in range(count)]
    return lambda: uow.reachable.find(keys, at=NOW)


def _apply_due_changes(world: World, uow: UnitOfWork) -> Step:
    return partial(apply_due_changes, uow, world.call())


def _set_primary(world: World, uow: UnitOfWork) -> Step:
    """By somebody whose number was lost, where the policy asks for no verification."""
    item = world.subscription(uow, 1)
    uow.primaries.clear(item, ClearCause.BLOCKED, at=NOW)
    call = replace(world.call(APP), rules=hasty_rules())
    return partial(set_primary_number, uow, call, item.claim.personal_id, item.msisdn)


def _start_verification(world: World, uow: UnitOfWork) -> Step:
    return partial(start_verification, uow, world.call(), world.msisdn(20), None)


def _get_verification(world: World, uow: UnitOfWork) -> Step:
    session = start_verification(uow, world.call(), world.msisdn(20), None)
    return partial(get_verification, uow, world.call(), session.verification_id)


def _find_by_nonce(world: World, uow: UnitOfWork) -> Step:
    session = start_verification(uow, world.call(), world.msisdn(20), None)
    find = uow.verifications.find_by_nonce
    return lambda: find(session.nonce_digest, caller=session.caller)


def _complete_verification(world: World, uow: UnitOfWork) -> Step:
    call = world.call()
    opened = start_verification(uow, call, world.msisdn(20), None)
    claim = world.subscription(uow, 20).claim
    claimant = Claimant(request_id=uuid4(), body_digest=bytes(32))

    def complete() -> None:
        session = claim_session(uow, call, opened.verification_id, claimant)
        record_verdict(uow, call, session, make_chip(claim), make_face())

    return complete


def _import_subscriptions(
    world: World, uow: UnitOfWork, *, first: int, count: int = 1, of: int | None = None
) -> Step:
    rows = [world.row(number, of=of) for number in range(first, first + count)]
    indexed = [index_row(uow.sealer, row) for row in rows]
    return lambda: import_subscriptions(uow, world.call(), indexed)


def _import_snapshot(world: World, uow: UnitOfWork, *, is_last: bool) -> Step:
    run = uow.import_runs.find("operator:viettel", UUID(int=(4 << 76) + (8 << 60) + 1))
    rows = [index_row(uow.sealer, world.row(20))]
    return lambda: import_subscriptions(uow, world.call(), rows, run=run, is_last=is_last)


def _import_place(_world: World, uow: UnitOfWork) -> Step:
    request_id = UUID(int=(4 << 76) + (8 << 60) + 1)
    return partial(uow.import_runs.next_batch_index, "operator:viettel", request_id)


def _import_population(
    world: World, uow: UnitOfWork, *, first: int, count: int = 1, name: str = "Nguyễn Văn An"
) -> Step:
    records = [
        replace(world.record(number), full_name=PersonName(name))
        for number in range(first, first + count)
    ]
    return lambda: import_population(uow, world.call(AUTHORITY), records)


def _apply_correction(world: World, uow: UnitOfWork) -> Step:
    changed = replace(world.record(1), full_name=PersonName("Trần Quốc Bảo"))
    return lambda: apply_population_changes(uow, world.call(AUTHORITY), [Correction(changed)])


def _pull_updates(world: World, uow: UnitOfWork) -> Step:
    return lambda: pull_subscriber_updates(uow, world.call(AUTHORITY), duration=LEASE, limit=PAGE)


def _acknowledge_update(world: World, uow: UnitOfWork) -> Step:
    call = world.call(AUTHORITY)
    lease = pull_subscriber_updates(uow, call, duration=LEASE, limit=1)
    entered = [
        UpdateAcknowledgement(
            personal_id=each.personal_id,
            subscription_id=each.subscription_id,
            sequence=each.sequence,
        )
        for each in lease.updates
    ]
    return lambda: acknowledge_subscriber_updates(uow, call, lease.lease_id, entered)


def _link_slice(_world: World, uow: UnitOfWork) -> Step:
    low, high = slice_bounds(3, of=SLICES)

    def compare() -> None:
        uow.links.list_doubtful_in(low, high)
        uow.links.count_in(low, high)

    return compare


def _request(_world: World, uow: UnitOfWork) -> Step:
    key = RequestKey(
        caller="operator:viettel", request_id=uuid4(), method="register", body_digest=bytes(32)
    )

    def repeat() -> None:
        uow.requests.begin(key, at=NOW)
        uow.requests.finish(key, b"answer")
        uow.requests.begin(key, at=NOW)

    return repeat


def _read_audit(world: World, uow: UnitOfWork) -> Step:
    key = citizen_key(uow.sealer, world.record(1).personal_id)
    return partial(read_about_citizen, uow.connection, key)


HOT_QUERIES = (
    HotQuery(name="GetSubscription", bring=_get_subscription, crosses=PRIMARY),
    HotQuery(
        name="ListSubscriptions of an operator",
        bring=_list_of_operator,
        key_count=PAGE,
        crosses={"subscription": IN_ORDER, **PRIMARY},
    ),
    HotQuery(
        name="ListSubscriptions of an operator, by link state",
        bring=partial(_list_of_operator, states=(LinkState.LINKED,)),
        key_count=PAGE,
        crosses={"subscription": IN_ORDER, **PRIMARY},
    ),
    HotQuery(name="ListSubscriptions of a citizen", bring=_list_of_citizen, crosses=PRIMARY),
    HotQuery(name="GetContact", bring=partial(_get_contacts, count=1)),
    HotQuery(
        name="BatchGetContacts, 200 people",
        bring=partial(_get_contacts, count=200),
        key_count=200,
    ),
    *ACCESS_QUERIES,
    HotQuery(
        name="BatchGetContacts, 200 people, by tokens and causes",
        bring=partial(_get_contacts_by_tokens, count=200),
        key_count=200,
    ),
    HotQuery(name="A relay token's person", bring=_resolve_relay),
    *MATCHING_QUERIES,
    HotQuery(name="GetPrimaryNumber", bring=_get_primary),
    HotQuery(
        name="How 200 people are reached",
        bring=partial(_find_reachable, count=200),
        key_count=200,
    ),
    HotQuery(name="ListChoices", bring=_list_choices),
    HotQuery(
        name="AdvanceEnforcement, changes of primary numbers that are due",
        bring=_apply_due_changes,
        crosses={"citizen_choice": "by instant: an index probe in each partition"},
    ),
    HotQuery(
        name="SetPrimaryNumber", bring=_set_primary, crosses={"subscriber_update": ANY_PARTITION}
    ),
    HotQuery(name="StartVerification", bring=_start_verification),
    HotQuery(name="GetVerification", bring=_get_verification, crosses={"verification": BY_ID}),
    HotQuery(
        name="CompleteVerification, a nonce of another session",
        bring=_find_by_nonce,
        crosses={"verification": "by nonce: an index probe in each partition"},
    ),
    HotQuery(
        name="CompleteVerification",
        bring=_complete_verification,
        crosses={
            "verification": BY_ID,
            "probe_mark": "by nine marks of a photograph, each in its own partition",
            **SETTLED,
        },
    ),
    *ENFORCEMENT_QUERIES,
    *ARRANGEMENT_QUERIES,
    *MESSAGE_QUERIES,
    HotQuery(
        name="ImportSubscriptions, a new number",
        bring=partial(_import_subscriptions, first=PERSON_COUNT, of=20),
    ),
    HotQuery(
        name="ImportSubscriptions, a number as it was",
        bring=partial(_import_subscriptions, first=20),
    ),
    HotQuery(
        name="ImportSubscriptions, a number with another holder",
        bring=partial(_import_subscriptions, first=1, of=21),
        crosses={"arrangement": ANY_PARTITION, **SETTLED},
    ),
    HotQuery(
        name=f"ImportSubscriptions, {BATCH_ROWS:,} numbers as they were",
        bring=partial(_import_subscriptions, first=100, count=BATCH_ROWS),
        key_count=BATCH_ROWS,
    ),
    HotQuery(
        name=f"ImportSubscriptions, {BATCH_ROWS:,} new numbers",
        bring=partial(_import_subscriptions, first=PERSON_COUNT, count=BATCH_ROWS),
        key_count=BATCH_ROWS,
    ),
    HotQuery(
        name="ImportSubscriptions, a row of a snapshot",
        bring=partial(_import_snapshot, is_last=False),
    ),
    HotQuery(
        name="ImportSubscriptions, the end of a snapshot",
        bring=partial(_import_snapshot, is_last=True),
        crosses={"subscription": WHOLE, "import_row": WHOLE},
        is_job=True,
    ),
    HotQuery(
        name="Imports, where to go on",
        bring=_import_place,
        reads={"import_batch": "those of one import"},
    ),
    HotQuery(
        name="ImportPopulation, a new record",
        bring=partial(_import_population, first=PERSON_COUNT),
    ),
    HotQuery(
        name=f"ImportPopulation, {BATCH_ROWS:,} records as they were",
        bring=partial(_import_population, first=100, count=BATCH_ROWS),
        key_count=BATCH_ROWS,
    ),
    HotQuery(
        name=f"ImportPopulation, {CHANGED_ROWS} other names",
        bring=partial(_import_population, first=10_000, count=CHANGED_ROWS, name="Trần Quốc Bảo"),
        key_count=CHANGED_ROWS,
    ),
    HotQuery(
        name="ApplyPopulationChanges, a correction",
        bring=_apply_correction,
        crosses=SETTLED,
    ),
    HotQuery(
        name=f"identity link, one slice of {SLICES}",
        bring=_link_slice,
        crosses={"subscription": WHOLE, "citizen": WHOLE},
        is_job=True,
    ),
    HotQuery(
        name="PullSubscriberUpdates",
        bring=_pull_updates,
        key_count=PAGE,
        crosses={"subscriber_sequence": IN_ORDER},
    ),
    HotQuery(name="AcknowledgeSubscriberUpdates", bring=_acknowledge_update),
    HotQuery(name="Any write: its first answer", bring=_request),
    HotQuery(name="The audit entries about a citizen", bring=_read_audit),
)
