"""A request has two clocks, ends once, and is never late without being seen to be."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from identity.domain.data_request import (
    DataRequest,
    DataRequestKind,
    DataRequestOutcome,
    DataRequestState,
    open_request,
)
from identity.domain.errors import DataRequestClosedError
from tests.unit.identity.makers import NOW, rules

DAY = timedelta(days=1)


@pytest.fixture
def asked() -> DataRequest:
    """An erasure that was asked for on Friday, 1 May 2026, a holiday."""
    kind = DataRequestKind.ERASURE
    return open_request(kind, rules().privacy, at=NOW, identity=uuid4())


def test_a_request_has_two_and_fifteen_working_days(asked: DataRequest) -> None:
    assert asked.state is DataRequestState.OPEN
    # Tuesday, 5 May, and Thursday, 21 May, to their ends in Viet Nam.
    assert asked.acknowledge_by == datetime(2026, 5, 5, 17, tzinfo=UTC)
    assert asked.act_by == datetime(2026, 5, 22, 17, tzinfo=UTC)


def test_a_request_is_overdue_from_the_end_of_either_clock_on(asked: DataRequest) -> None:
    assert not asked.is_overdue(at=asked.acknowledge_by)
    assert asked.is_overdue(at=asked.acknowledge_by + timedelta(seconds=1))
    known = asked.acknowledged(at=asked.acknowledge_by)
    assert known.state is DataRequestState.ACKNOWLEDGED
    assert not known.is_overdue(at=asked.act_by)
    assert known.is_overdue(at=asked.act_by + timedelta(seconds=1))


def test_what_was_late_stays_late(asked: DataRequest) -> None:
    late = asked.done(at=asked.act_by + DAY)
    assert late.is_overdue(at=NOW)
    in_time = asked.done(at=asked.acknowledge_by)
    assert not in_time.is_overdue(at=asked.act_by + 100 * DAY)


def test_the_first_acknowledgement_counts(asked: DataRequest) -> None:
    known = asked.acknowledged(at=NOW + DAY).acknowledged(at=NOW + 5 * DAY)
    assert known.acknowledged_at == NOW + DAY


def test_a_request_ends_once(asked: DataRequest) -> None:
    refused = asked.refused("Law 91/2025/QH15, art. 14", at=NOW)
    assert (refused.outcome, refused.state) == (
        DataRequestOutcome.REFUSED,
        DataRequestState.CLOSED,
    )
    done = asked.done(at=NOW, proof={"deleted": {}})
    assert (done.outcome, done.proof) == (DataRequestOutcome.DONE, {"deleted": {}})
    for closed in (refused, done):
        with pytest.raises(DataRequestClosedError):
            closed.done(at=NOW)
        with pytest.raises(DataRequestClosedError):
            closed.refused("again", at=NOW)
        with pytest.raises(DataRequestClosedError):
            closed.acknowledged(at=NOW)
