"""The simulation's own count of how an operator obeys."""

from datetime import UTC, date, datetime, timedelta

import pytest

from subid.v1.enforcement_service_pb2 import (
    CASE_CAUSE_DEVICE_CHANGE,
    CASE_CAUSE_UNVERIFIED,
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_SUSPEND,
    CaseCause,
    Directive,
    DirectiveKind,
)
from telco_sim.conduct import WEIGHTS, Conduct, Figures, Times
from telco_sim.messages import instant_message

ORDERED_AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
FIRST = LAST = date(2026, 11, 21)
HOUR = timedelta(hours=1)


def order(
    name: str,
    kind: DirectiveKind = DIRECTIVE_KIND_SUSPEND,
    *,
    at: datetime = ORDERED_AT,
    within: timedelta = 24 * HOUR,
    cause: CaseCause = CASE_CAUSE_UNVERIFIED,
) -> Directive:
    return Directive(
        directive_id=name,
        kind=kind,
        causes=[cause],
        track="T1" if cause == CASE_CAUSE_DEVICE_CHANGE else "T2",
        create_time=instant_message(at),
        due_time=instant_message(at + within),
    )


def executed(conduct: Conduct, directive: Directive, *, after: timedelta) -> None:
    conduct.received([directive])
    conduct.executed(directive, at=ORDERED_AT + after)


def figures(conduct: Conduct, *, after: timedelta = 48 * HOUR) -> Figures:
    return conduct.figures(FIRST, LAST, now=ORDERED_AT + after)


@pytest.fixture
def conduct() -> Conduct:
    return Conduct()


def test_an_order_on_its_due_time_is_in_time_and_a_moment_later_late(conduct: Conduct) -> None:
    executed(conduct, order("a"), after=24 * HOUR)
    executed(conduct, order("b"), after=24 * HOUR + timedelta(seconds=1))
    executed(conduct, order("c", DIRECTIVE_KIND_NOTIFY), after=HOUR)
    assert figures(conduct).orders == Times(
        executed_count=2, late_count=1, p50_s=86_400, p95_s=86_401
    )
    assert figures(conduct).notices == Times(executed_count=1, p50_s=3_600, p95_s=3_600)


def test_an_open_order_is_late_when_it_is_due(conduct: Conduct) -> None:
    conduct.received([order("a")])
    assert figures(conduct, after=24 * HOUR).orders.late_count == 0
    late = figures(conduct, after=25 * HOUR).orders
    assert (late.executed_count, late.late_count, late.open_late_count) == (0, 1, 1)
    assert late.on_time == (0, 1)


def test_what_was_overtaken_counts_nowhere(conduct: Conduct) -> None:
    overtaken = order("a")
    conduct.received([overtaken])
    conduct.superseded(overtaken)
    assert figures(conduct).orders == Times()
    assert figures(conduct).failures == (0, 0)


def test_a_changed_device_is_counted_from_the_event(conduct: Conduct) -> None:
    reported_late = order(
        "a",
        DIRECTIVE_KIND_BLOCK_OUTGOING,
        within=timedelta(minutes=90),
        cause=CASE_CAUSE_DEVICE_CHANGE,
    )
    executed(conduct, reported_late, after=HOUR)
    executed(conduct, order("b", DIRECTIVE_KIND_BLOCK_OUTGOING), after=HOUR)
    assert figures(conduct).device_changes == Times(executed_count=1, p50_s=5_400, p95_s=5_400)
    assert figures(conduct).orders.executed_count == 2


def test_an_order_that_fails_twice_has_failed_once(conduct: Conduct) -> None:
    failing = order("a")
    conduct.received([failing, failing])
    conduct.failed(failing)
    conduct.failed(failing)
    assert figures(conduct).failures == (1, 1)
    conduct.executed(failing, at=ORDERED_AT + HOUR)
    executed(conduct, order("b"), after=HOUR)
    assert figures(conduct).failures == (1, 2)


def test_an_order_belongs_to_the_day_in_viet_nam_on_which_it_was_made(conduct: Conduct) -> None:
    eve = datetime(2026, 11, 20, 17, tzinfo=UTC)  # midnight in Viet Nam
    orders = order("a", at=eve), order("b", at=eve - timedelta(seconds=1))
    conduct.received(orders)
    for each in orders:
        conduct.failed(each)
    assert figures(conduct).failures == (1, 1)
    assert conduct.an_order() == "a"


def test_drift_is_the_last_one_and_lies_are_all(conduct: Conduct) -> None:
    for place, drifted in enumerate((5, 2)):
        conduct.reconciled(
            drift=(drifted, 10),
            false_acknowledgements=(1, 9),
            at=ORDERED_AT + place * HOUR,
        )
    conduct.reconciled(
        drift=(9, 10), false_acknowledgements=(9, 9), at=ORDERED_AT + timedelta(days=1)
    )
    assert figures(conduct).drift == (2, 10)
    assert figures(conduct).false_acknowledgements == (2, 18)


def test_a_score_is_the_mean_of_what_can_be_said(conduct: Conduct) -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert figures(conduct).score(coverage=(0, 0)) is None
    assert figures(conduct).score(coverage=(1, 4)) == pytest.approx(25)
    executed(conduct, order("a"), after=HOUR)
    # Coverage, on time and without failure: 0.25, 0.25 and 0.1 of 0.6.
    assert figures(conduct).score(coverage=(0, 4)) == pytest.approx(100 * 0.35 / 0.6)


@pytest.mark.parametrize("vice", ["late", "fails", "lies", "drifts"])
def test_each_vice_costs_points(vice: str, conduct: Conduct) -> None:
    honest = order("a")
    executed(conduct, honest, after=25 * HOUR if vice == "late" else HOUR)
    if vice == "fails":
        conduct.failed(honest)
    conduct.reconciled(
        drift=(vice == "drifts", 9), false_acknowledgements=(vice == "lies", 9), at=ORDERED_AT
    )
    assert figures(conduct).has_vice
    score = figures(conduct).score(coverage=(1, 1))
    assert score is not None
    assert score < 100


def test_who_has_no_vice_has_all_points(conduct: Conduct) -> None:
    executed(conduct, order("a"), after=HOUR)
    conduct.reconciled(drift=(0, 9), false_acknowledgements=(0, 9), at=ORDERED_AT)
    assert not figures(conduct).has_vice
    assert figures(conduct).score(coverage=(1, 1)) == pytest.approx(100)
