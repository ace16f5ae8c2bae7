"""Days pass.

Owns the clock of the story: each day the regulator runs enforcement and waves, operators work off
what is ordered, and now and then somebody who was blocked verifies.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from subid.v1.enforcement_service_pb2 import (
    ACKNOWLEDGEMENT_RESULT_SUPERSEDED,
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    AcknowledgementResult,
    PullDirectivesResponse,
)
from subid.v1.subscription_pb2 import LINK_STATE_LINKED, LINK_STATE_MISMATCHED
from subid.v1.subscription_service_pb2 import SubscriptionRow
from telco_sim.chapters.accounting import compare_networks
from telco_sim.chapters.audit import check_blocks_explained
from telco_sim.chapters.events import cure, recycle_numbers
from telco_sim.chapters.verifying import verify_holder
from telco_sim.chapters.waves import block_by_waves
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.journal import Invariant
from telco_sim.messages import claim_message
from telco_sim.world import Subscriber, World

_FIRST_BLOCKS_DAY = 5
_AUDIT_DAYS = frozenset({6, 16, 31, 66})
"""The day after each of the big steps: T2 blocks, T4 blocks, T1 suspends, T2 suspends."""

_OUTGOING_BLOCKED_CURE_DAY = 9
_CORRECTION_DAY = 20
_QUARANTINE_DAYS = 45
"""As long as the policy for Viet Nam keeps a number from everybody."""

_SUSPENDED_CURE_DAY = 67
_NETWORKS_COMPARED_EVERY_DAYS = 7
_CURES = 2


def let_days_pass(world: World) -> None:
    """Move the clock a day at a time, and play what is due on each."""
    events = _events(world)
    for day in range(1, world.plan.day_count + 1):
        let_a_day_pass(world, event=events.get(day, lambda: None))
        if day % _NETWORKS_COMPARED_EVERY_DAYS == 0:
            compare_networks(world)
        if day in _AUDIT_DAYS:
            check_blocks_explained(world)


def let_a_day_pass(world: World, *, event: Callable[[], None] = lambda: None) -> None:
    """Move the clock a day: what is due is ordered, something may happen, and everybody works."""
    _begin_a_day(world)
    block_by_waves(world)
    event()
    for desk in world.desks.values():
        desk.work_for_a_day()
    world.update_desk.work_for_a_day()


def settle(world: World) -> None:
    """Let a day pass on which every operator, the late one too, works off all it was ordered."""
    _begin_a_day(world)
    for desk in world.desks.values():
        desk.work_off()


def _begin_a_day(world: World) -> None:
    advanced = world.let_pass(timedelta(days=1))
    world.journal.count("enforcement steps taken", advanced.step_count)
    world.journal.count("days passed")


def _events(world: World) -> Mapping[int, Callable[[], None]]:
    """Cast those to whom something will happen, and say when it does."""
    prompt = next(each for each in world.desks.values() if each.habit is Habit.PROMPT)
    overtaken = world.cast.take(1, operator=prompt.operator)
    blocked = world.cast.take(_CURES)
    corrected = world.cast.take(1, link=LINK_STATE_MISMATCHED)
    suspended = world.cast.take(_CURES)
    return {
        _FIRST_BLOCKS_DAY: lambda: _overtake_orders(world, overtaken, desk=prompt),
        _OUTGOING_BLOCKED_CURE_DAY: lambda: _cure_all(world, blocked),
        _CORRECTION_DAY: lambda: _correct_and_cure(world, corrected),
        _QUARANTINE_DAYS + 1: lambda: recycle_numbers(world),
        _SUSPENDED_CURE_DAY: lambda: _cure_all(world, suspended),
    }


def _cure_all(world: World, subscribers: tuple[Subscriber, ...]) -> None:
    for subscriber in subscribers:
        cure(world, subscriber)


def _correct_and_cure(world: World, subscribers: tuple[Subscriber, ...]) -> None:
    """The operator corrects a holder's data, and then the holder verifies."""
    for subscriber in subscribers:
        row = SubscriptionRow()
        row.CopyFrom(subscriber.line.book_row)
        row.holder.CopyFrom(claim_message(subscriber.holder))
        summary = subscriber.operator.import_rows([row]).summary
        world.journal.check_equal(
            Invariant.IMPORTS_ADD_UP,
            seen=(summary.received_count, summary.changed_count),
            expected=(1, 1),
            subject="correction of one row: received, changed",
        )
        subscriber.line.link = LINK_STATE_LINKED
        cure(world, subscriber)


def _overtake_orders(
    world: World, subscribers: tuple[Subscriber, ...], *, desk: DirectiveDesk
) -> None:
    """A holder verifies while the operator has the order to block in its hands."""
    for subscriber in subscribers:
        for pulled in _pull_until_block_of(subscriber.msisdn, desk=desk):
            blocks = [
                each.directive_id
                for each in pulled.directives
                if each.msisdn == subscriber.msisdn and each.kind == DIRECTIVE_KIND_BLOCK_OUTGOING
            ]
            is_overtaken = bool(blocks) and verify_holder(world, subscriber)
            results = desk.execute(pulled)
            for block in blocks if is_overtaken else ():
                world.journal.check_equal(
                    Invariant.CURE_RESTORES,
                    seen=AcknowledgementResult.Name(results[block]),
                    expected=AcknowledgementResult.Name(ACKNOWLEDGEMENT_RESULT_SUPERSEDED),
                    subject="a block that a verification has overtaken",
                )
                world.journal.count("orders overtaken by a verification")


def _pull_until_block_of(msisdn: str, *, desk: DirectiveDesk) -> Iterator[PullDirectivesResponse]:
    """Yield what is pulled, up to and with the pull that holds the block of one number."""
    while (pulled := desk.pull()).directives:
        yield pulled
        if any(
            each.msisdn == msisdn and each.kind == DIRECTIVE_KIND_BLOCK_OUTGOING
            for each in pulled.directives
        ):
            return
