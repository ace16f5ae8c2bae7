"""However the runs of the clock fall, every rung comes in its order, in its time, and once.

Runs come too late, twice, a microsecond before midnight in Viet Nam, across the end of February,
and after weeks in which nobody was there. A few lines of arithmetic over the pack say what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from identity.domain.caller import Role
from identity.domain.errors import ClockBackwardsError
from identity.domain.link import not_found_link
from identity.domain.policy import CaseCause, StepKind, Track
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.services.advance_enforcement import EnforcementRun, advance_enforcement
from identity.services.directives import Acknowledgement, acknowledge_directives, pull_directives
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.database import UnitOfWork
from identity.storage.tables import directive, enforcement_case, enforcement_clock
from tests.databases import within
from tests.properties.identity.services.ladders import rows_of
from tests.unit.identity.makers import (
    make_call,
    make_operator,
    store_citizen,
    store_number,
    track_for,
)

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)

# The first waits for its notices, the second does not, the third begins with two steps at once.
CAUSES = (CaseCause.DISOWNED, CaseCause.NOT_FOUND, CaseCause.DEVICE_CHANGE)

midnights = st.sampled_from(
    [
        datetime(2028, 2, 28, 17, tzinfo=UTC),  # 29 February begins in Viet Nam
        datetime(2028, 2, 29, 17, tzinfo=UTC),
        datetime(2027, 2, 28, 17, tzinfo=UTC),  # no 29th follows
        datetime(2100, 2, 28, 17, tzinfo=UTC),  # nor in a century that 400 does not divide
        datetime(2026, 12, 31, 17, tzinfo=UTC),
        datetime(2026, 6, 9, 17, tzinfo=UTC),
    ]
)
beginnings = st.builds(
    lambda midnight, days, rest: midnight - days * DAY + rest,
    midnights,
    st.integers(0, 5),
    st.sampled_from([-TICK, timedelta(), TICK, timedelta(hours=9)]),
)
gaps = st.sampled_from(
    [
        *(timedelta(), TICK, timedelta(hours=1)),
        *(DAY - TICK, DAY, DAY, DAY, DAY + TICK),
        *(5 * DAY, 15 * DAY, 30 * DAY, 40 * DAY, 366 * DAY),
    ]
)


@dataclass(frozen=True)
class Visit:
    """A run so long after the one before, and whether the operator then does all that it can."""

    gap: timedelta
    is_obeyed: bool


visits = st.lists(
    st.builds(Visit, gap=gaps, is_obeyed=st.sampled_from([True, True, False])),
    min_size=1,
    max_size=10,
)


@dataclass(frozen=True)
class Number:
    """A number on one ladder, in a transaction that is undone."""

    uow: UnitOfWork
    item: Subscription
    track: Track

    @classmethod
    def of(cls, uow: UnitOfWork, cause: CaseCause, begun_at: datetime) -> "Number":
        """Put on the ladder at an instant; the registry has run at no other."""
        uow.connection.execute(delete(enforcement_clock))
        operator = make_operator()
        item = store_number(uow, store_citizen(uow), operator_id=operator)
        change = Change(before=item.service_state, cause=cause, cause_at=begun_at)
        if cause is CaseCause.NOT_FOUND:  # no event, but how it stands in the register
            item = replace(item, link=not_found_link())
            change = Change(before=item.service_state)
        settle_subscription(uow, make_call(operator, at=begun_at), item, change)
        return cls(uow, item, track_for(cause))

    def run(self, at: datetime) -> EnforcementRun:
        """Run the clock."""
        call = make_call("ministry", role=Role.REGULATOR, at=at)
        return advance_enforcement(within(self.uow), call)

    def obey(self, at: datetime) -> None:
        """Execute all there is."""
        call = make_call(self.item.operator_id, at=at)
        lease = pull_directives(self.uow, call, duration=DAY, limit=99)
        items = [
            Acknowledgement(directive_id=each.directive.directive_id, is_executed=True, failure="")
            for each in lease.directives
        ]
        acknowledge_directives(self.uow, call, lease.lease_id, items)

    def orders(self) -> list[tuple[str, datetime]]:
        """All that was ever ordered, and when."""
        query = select(directive.c.kind, directive.c.created_at).where(
            directive.c.subscription_id == self.item.subscription_id
        )
        rows = self.uow.connection.execute(query.order_by(directive.c.position))
        return [(kind, at) for kind, at in rows]


def expected(
    track: Track, begun_at: datetime, runs: Sequence[tuple[datetime, bool]]
) -> list[tuple[str, datetime]]:
    """A rung is taken by the first run that finds it due, and the next one counts from there."""
    orders: list[tuple[str, datetime]] = []
    due_at, untold = begun_at + track.steps[0].after, 0
    for at, is_obeyed in runs:
        while len(orders) < len(track.steps) and due_at <= at:
            step = track.steps[len(orders)]
            is_notice = step.kind is StepKind.NOTIFY
            if track.waits_for_notices and not is_notice and untold:
                break
            orders.append((step.kind.value, at))
            untold += is_notice
            if len(orders) < len(track.steps):
                due_at = at + track.steps[len(orders)].after
        untold = 0 if is_obeyed else untold
    return orders


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cause=st.sampled_from(CAUSES), begun_at=beginnings, visits=visits)
def test_every_rung_comes_at_the_first_run_that_finds_it_due_and_no_rung_is_skipped(
    engine: Engine, vault: Vault, cause: CaseCause, begun_at: datetime, visits: Sequence[Visit]
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        number = Number.of(UnitOfWork(connection, vault), cause, begun_at)
        at, runs = begun_at, []
        for visit in visits:
            at += visit.gap
            number.run(at)
            if visit.is_obeyed:
                number.obey(at)
            runs.append((at, visit.is_obeyed))
        found = number.orders()
        transaction.rollback()
    wanted = expected(number.track, begun_at, runs)
    event(f"{len(wanted)} orders")
    assert found == wanted
    for (_, before), (_, after), step in zip(
        found, found[1:], number.track.steps[1:], strict=False
    ):
        assert after - before >= step.after


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    cause=st.sampled_from(CAUSES),
    begun_at=beginnings,
    back=st.sampled_from([TICK, timedelta(hours=1), DAY, 40 * DAY]),
    ahead=gaps,
)
def test_a_clock_that_is_set_back_is_refused_and_changes_nothing(
    engine: Engine,
    vault: Vault,
    cause: CaseCause,
    begun_at: datetime,
    back: timedelta,
    ahead: timedelta,
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        number = Number.of(UnitOfWork(connection, vault), cause, begun_at)
        last = begun_at + ahead
        number.run(last)
        ids = [number.item.subscription_id]
        before = (number.orders(), rows_of(number.uow, ids), closed(number.uow))
        with pytest.raises(ClockBackwardsError):
            number.run(last - back)
        assert (number.orders(), rows_of(number.uow, ids), closed(number.uow)) == before
        assert number.uow.cases.ran_until() == last
        again = number.run(last)  # time stands where it stood, and nothing is due twice
        assert again.stepped.step_count == 0
        transaction.rollback()


def closed(uow: UnitOfWork) -> int:
    """How many cases of the whole registry are closed."""
    query = select(enforcement_case.c.case_id).where(enforcement_case.c.state != "open")
    return len(uow.connection.execute(query).all())
