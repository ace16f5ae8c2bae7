"""The hot queries of enforcement: orders and what becomes of them, the clock, waves, disputes.

Owns their part of the list of `plan_queries.py`, brought about in the same way.
"""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from uuid import UUID, uuid4

from identity.domain.caller import Caller, Role
from identity.domain.compliance import Days
from identity.domain.policy import CaseCause, StepKind
from identity.domain.subscription import ServiceState
from identity.domain.wave import Wave, WaveCriteria
from identity.services.advance_enforcement import advance_enforcement
from identity.services.compliance import get_kpis
from identity.services.directives import Acknowledgement, acknowledge_directives, pull_directives
from identity.services.disputes import get_dispute, open_dispute
from identity.services.execute_wave import execute_wave
from identity.services.explain_subscription import explain_subscription
from identity.services.file_complaint import file_complaint
from identity.services.imports import BatchHead
from identity.services.open_case import open_case
from identity.services.reconcile_service_state import Reported, reconcile_batch
from identity.services.revert_wave import revert_wave
from identity.services.waves import approve_wave, preview_wave
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
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
from tests.benchmarks.plan_registry import NOW, World
from tests.databases import within

LEASE = timedelta(minutes=5)
REPORTED = 500
LAST_NUMBER = 39_999
"""Its person is nobody of whom another query speaks."""

REGULATOR = Caller(Role.REGULATOR, "ministry")

_PAST_WAVE = UUID("00000000-0000-4000-8000-000000000002")
_T2 = WaveCriteria(track="T2", step=StepKind.BLOCK_OUTGOING)
_BY_DAY = "by day: an index scan in each partition"
_DAY = "those of the asked days"
_SLICES = {"wave_slice": "all that ever were, some hundred for each wave"}


def _pull_directives(world: World, uow: UnitOfWork) -> Step:
    return lambda: pull_directives(uow, world.call(), duration=LEASE, limit=PAGE)


def _next_directive(world: World, uow: UnitOfWork, *, name: str) -> Step:
    return partial(uow.directives.next_at, name, at=world.call().at)


def _acknowledge_directives(world: World, uow: UnitOfWork, *, count: int) -> Step:
    lease = pull_directives(uow, world.call(), duration=LEASE, limit=count)
    done = [
        Acknowledgement(directive_id=each.directive.directive_id, is_executed=True, failure="")
        for each in lease.directives
    ]
    return lambda: acknowledge_directives(uow, world.call(), lease.lease_id, done)


def _advance_enforcement(world: World, uow: UnitOfWork) -> Step:
    advance_enforcement(within(uow), world.call(REGULATOR, at=NOW - timedelta(minutes=30)))
    return partial(advance_enforcement, within(uow), world.call(REGULATOR))


def _reconcile(
    world: World, uow: UnitOfWork, *, state: ServiceState, count: int, is_last: bool = False
) -> Step:
    call, request_id = world.call(), uuid4()
    run = uow.import_runs.begin(
        str(call.caller), request_id, method="reconcile", is_snapshot=True, at=call.at
    )
    head = BatchHead(request_id=request_id, batch_index=0, is_snapshot=True, is_last=is_last)
    reported = [
        Reported(msisdn_key(uow.sealer, world.msisdn(number)), state)
        for number in range(5_000, 5_000 + count)
    ]
    return lambda: reconcile_batch(uow, call, run, head, reported)


def _preview_wave(world: World, uow: UnitOfWork) -> Step:
    return lambda: preview_wave(uow, world.call(REGULATOR), _T2)


def _execute_wave(world: World, uow: UnitOfWork) -> Step:
    call = world.call(REGULATOR)
    wave: Wave = preview_wave(uow, call, _T2, slice_numbers=PAGE)
    for name in ("first", "second"):
        approver = replace(call, caller=Caller(Role.REGULATOR, name))
        approve_wave(uow, approver, wave.wave_id)
    execute_wave(within(uow), call, wave.wave_id, slice_count_max=1)
    return lambda: execute_wave(within(uow), call, wave.wave_id, slice_count_max=1)


def _revert_wave(world: World, uow: UnitOfWork) -> Step:
    # All but one slice are told to be back already.
    last = uow.waves.done_slices(_PAST_WAVE)[-1].place
    for place in range(last):
        uow.waves.mark_reverted(_PAST_WAVE, place, numbers=0, at=NOW)
    call = world.call(REGULATOR)
    return lambda: revert_wave(within(uow), call, _PAST_WAVE, reason="explained")


def _open_dispute(world: World, uow: UnitOfWork) -> Step:
    claimant = world.record(LAST_NUMBER).personal_id
    return partial(open_dispute, uow, world.call(), world.msisdn(20), claimant)


def _get_dispute(world: World, uow: UnitOfWork) -> Step:
    claimant = world.record(LAST_NUMBER).personal_id
    view = open_dispute(uow, world.call(), world.msisdn(20), claimant)
    dispute_id = view.dispute.dispute_id
    return lambda: get_dispute(uow, world.call(APP), dispute_id, claimant)


def _open_case(world: World, uow: UnitOfWork) -> Step:
    cause = CaseCause.FACE_UNDER_ANOTHER_ID
    call, msisdn = world.call(REGULATOR), world.msisdn(20)
    return lambda: open_case(uow, call, msisdn, cause, case_reference="1")


def _file_complaint(world: World, uow: UnitOfWork) -> Step:
    return partial(file_complaint, uow, world.call(), world.msisdn(20), None)


def _explain(world: World, uow: UnitOfWork) -> Step:
    return partial(explain_subscription, uow, world.call(), world.msisdn(20), None)


def _get_kpis(world: World, uow: UnitOfWork, *, caller: Caller | None) -> Step:
    days = Days(first=date(2026, 5, 24), last=date(2026, 5, 26))
    return lambda: get_kpis(uow, world.call(caller), days=days)


def _next_acknowledgements(_world: World, uow: UnitOfWork) -> Step:
    kept = uow.acknowledgements.all(page=PAGE)
    next(kept)
    return lambda: [next(kept) for _ in range(PAGE)]


ENFORCEMENT_QUERIES = (
    HotQuery(
        name="PullDirectives",
        bring=_pull_directives,
        key_count=PAGE,
        crosses={"directive": IN_ORDER},
    ),
    HotQuery(
        name="PullDirectives that waits, with something to pull",
        bring=partial(_next_directive, name="viettel"),
    ),
    HotQuery(
        name="PullDirectives that waits, of an operator without orders",
        bring=partial(_next_directive, name="idle"),
        crosses={"directive": IN_ORDER},
    ),
    HotQuery(
        name="AcknowledgeDirectives",
        bring=partial(_acknowledge_directives, count=1),
        crosses={"directive": BY_ID},
    ),
    HotQuery(
        name=f"AcknowledgeDirectives, {PAGE} of them",
        bring=partial(_acknowledge_directives, count=PAGE),
        key_count=PAGE,
        crosses={"directive": BY_ID},
    ),
    HotQuery(
        name="identity acknowledgements check, the next page",
        bring=_next_acknowledgements,
        key_count=PAGE,
    ),
    HotQuery(
        name="AdvanceEnforcement, half an hour later",
        bring=_advance_enforcement,
        key_count=PAGE,
        crosses={"enforcement_case": IN_ORDER, **SETTLED},
    ),
    HotQuery(
        name=f"ReconcileServiceState, {REPORTED} numbers as they are",
        bring=partial(_reconcile, state=ServiceState.ACTIVE, count=REPORTED),
        key_count=REPORTED,
    ),
    HotQuery(
        name="ReconcileServiceState, numbers that are served less than was ordered",
        bring=partial(_reconcile, state=ServiceState.SUSPENDED, count=PAGE),
        key_count=PAGE,
    ),
    HotQuery(
        name="ReconcileServiceState, the end",
        bring=partial(_reconcile, state=ServiceState.ACTIVE, count=PAGE, is_last=True),
        crosses={"subscription": WHOLE, "import_row": WHOLE},
        is_job=True,
    ),
    HotQuery(
        name="PreviewWave",
        bring=_preview_wave,
        crosses={
            "subscription": WHOLE,
            "enforcement_case": WHOLE,
            "primary_number": WHOLE,
            "holding": WHOLE,
            "directive": WHOLE,
        },
        is_job=True,
    ),
    HotQuery(
        name=f"ExecuteWave, one slice of some {PAGE} numbers, and whether to stop",
        bring=_execute_wave,
        key_count=PAGE,
        crosses=SETTLED,
        is_job=True,
    ),
    HotQuery(
        name="RevertWave, one slice",
        bring=_revert_wave,
        key_count=PAGE,
        crosses=SETTLED,
        is_job=True,
    ),
    HotQuery(
        name="OpenDispute",
        bring=_open_dispute,
        crosses={"holding": ANY_PARTITION, "subscriber_update": ANY_PARTITION},
    ),
    HotQuery(name="GetDispute", bring=_get_dispute, crosses={"dispute": BY_ID}),
    HotQuery(name="OpenCase", bring=_open_case, crosses=SETTLED),
    HotQuery(name="FileComplaint", bring=_file_complaint),
    HotQuery(name="ExplainSubscription", bring=_explain, crosses=PRIMARY),
    HotQuery(
        name="GetKpis of all operators, three days",
        bring=partial(_get_kpis, caller=REGULATOR),
        crosses=dict.fromkeys(("directive", "enforcement_case", "complaint"), _BY_DAY),
        reads={**dict.fromkeys(("complaint", "reconciliation", "directive"), _DAY), **_SLICES},
    ),
    HotQuery(
        name="GetKpis of one operator, three days",
        bring=partial(_get_kpis, caller=None),
        crosses=dict.fromkeys(("directive", "enforcement_case", "complaint"), _BY_DAY),
        reads={**dict.fromkeys(("complaint", "reconciliation", "directive"), _DAY), **_SLICES},
    ),
)
