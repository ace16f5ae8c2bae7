"""What became of every directive."""

from datetime import UTC, datetime, timedelta

from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_MISMATCHED,
    CASE_CAUSE_UNVERIFIED,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_SUSPEND,
    Directive,
    DirectiveKind,
)
from telco_sim.ledger import Attempt, DirectiveLedger, Step
from telco_sim.messages import instant_message

STARTED_AT = datetime(2026, 11, 21, 8, tzinfo=UTC)


def directive(name: str, kind: DirectiveKind, *, day: float, msisdn: str = "+84911") -> Directive:
    return Directive(
        directive_id=name,
        msisdn=msisdn,
        kind=kind,
        causes=[CASE_CAUSE_UNVERIFIED, CASE_CAUSE_MISMATCHED],
        create_time=instant_message(STARTED_AT + timedelta(days=day)),
    )


def test_a_directive_that_comes_back_is_one_directive() -> None:
    ledger = DirectiveLedger(started_at=STARTED_AT)
    first = directive("a", DIRECTIVE_KIND_SUSPEND, day=5.5)
    ledger.received([first])
    ledger.attempted(first, Attempt.LAPSED)
    ledger.received([first, directive("b", DIRECTIVE_KIND_SUSPEND, day=7)])
    ledger.attempted(first, Attempt.EXECUTED)
    assert ledger.steps() == (
        Step(
            kind="SUSPEND",
            ordered_count=2,
            attempt_counts={
                "executed": 1,
                "lied": 0,
                "failed": 0,
                "lapsed": 1,
                "superseded": 0,
            },
            cause_counts={"UNVERIFIED": 2, "MISMATCHED": 2},
            first_day=5,
            last_day=7,
        ),
    )


def test_steps_come_in_the_order_of_the_ladder() -> None:
    ledger = DirectiveLedger(started_at=STARTED_AT)
    ledger.received([directive("a", DIRECTIVE_KIND_SUSPEND, day=1)])
    ledger.received([directive("b", DIRECTIVE_KIND_NOTIFY, day=1)])
    assert [each.kind for each in ledger.steps()] == ["NOTIFY", "SUSPEND"]


def test_only_executed_directives_make_the_history_of_a_number() -> None:
    ledger = DirectiveLedger(started_at=STARTED_AT)
    notice = directive("a", DIRECTIVE_KIND_NOTIFY, day=1)
    block = directive("b", DIRECTIVE_KIND_SUSPEND, day=2)
    ledger.attempted(notice, Attempt.EXECUTED)
    ledger.attempted(block, Attempt.FAILED)
    assert ledger.executed("+84911") == (notice,)
    assert ledger.executed("+84999") == ()


def test_different_directives_for_one_number_are_counted_once_each() -> None:
    ledger = DirectiveLedger(started_at=STARTED_AT)
    notice = directive("a", DIRECTIVE_KIND_NOTIFY, day=1)
    ledger.received([notice, notice, directive("b", DIRECTIVE_KIND_SUSPEND, day=2)])
    assert ledger.received_count("+84911") == 2
    assert ledger.received_count("+84999") == 0
