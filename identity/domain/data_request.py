"""What people may ask about their own data, and by when it must be done.

Owns the kinds of requests, their two clocks, and how a request goes on. Knows no rows and no clock;
what an erasure does, and what stands against one, is `erasure.py`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.errors import DataRequestClosedError
from identity.domain.working_days import deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyPolicy:
    """What a pack says of people's rights over their data.

    Attributes:
        acknowledge_working_days: Working days until a request is acknowledged.
        act_working_days: Working days until it is acted on.
        keep_after_end: How long what was verified is kept after a subscription has ended.
        holidays: Days on which offices do not work, besides weekends. One that is missing makes
            a deadline come sooner, never later.
    """

    acknowledge_working_days: int = 2
    act_working_days: int = 15
    keep_after_end: timedelta = timedelta(days=180)
    holidays: tuple[date, ...] = ()


class DataRequestKind(StrEnum):
    """What is asked for. Append-only: stored requests hold these."""

    EXPORT = "export"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"
    RESTRICTION = "restriction"
    RELEASE = "release"
    ERASURE = "erasure"


class DataRequestOutcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"


class DataRequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """One request of one person.

    Attributes:
        data_request_id: Identifier.
        kind: What is asked for.
        opened_at: When.
        acknowledge_by: When the person must have been told that it is being dealt with.
        act_by: When it must have been acted on.
        acknowledged_at: When the person was told; None while not.
        closed_at: When it was over; None while it is not.
        outcome: How it ended.
        reason: Why it was refused.
        proof: Of an erasure that was done: digest of the secret and counts of rows.
    """

    data_request_id: UUID
    kind: DataRequestKind
    opened_at: datetime
    acknowledge_by: datetime
    act_by: datetime
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: DataRequestOutcome | None = None
    reason: str | None = None
    proof: Mapping[str, object] | None = None

    @property
    def state(self) -> DataRequestState:
        """Where it stands."""
        if self.closed_at is not None:
            return DataRequestState.CLOSED
        is_known = self.acknowledged_at is not None
        return DataRequestState.ACKNOWLEDGED if is_known else DataRequestState.OPEN

    def is_overdue(self, *, at: datetime) -> bool:
        """Whether one of its two clocks has run out, or had when it was stopped."""
        acknowledged_at, closed_at = self.acknowledged_at or at, self.closed_at or at
        return acknowledged_at > self.acknowledge_by or closed_at > self.act_by

    def acknowledged(self, *, at: datetime) -> "DataRequest":
        """The request once the person was told; the first time counts."""
        self._refuse_closed()
        return replace(self, acknowledged_at=self.acknowledged_at or at)

    def done(self, *, at: datetime, proof: Mapping[str, object] | None = None) -> "DataRequest":
        """The request once it was acted on.

        Raises:
            DataRequestClosedError: It is over.
        """
        outcome = DataRequestOutcome.DONE
        return replace(self.acknowledged(at=at), closed_at=at, outcome=outcome, proof=proof)

    def refused(self, reason: str, *, at: datetime) -> "DataRequest":
        """The request once it was refused.

        Raises:
            DataRequestClosedError: It is over.
        """
        outcome = DataRequestOutcome.REFUSED
        return replace(self.acknowledged(at=at), closed_at=at, outcome=outcome, reason=reason)

    def _refuse_closed(self) -> None:
        if self.closed_at is not None:
            raise DataRequestClosedError("the request is over")


def open_request(
    kind: DataRequestKind, policy: PrivacyPolicy, *, at: datetime, identity: UUID
) -> DataRequest:
    """A request that was made just now, with its clocks."""
    return DataRequest(
        data_request_id=identity,
        kind=kind,
        opened_at=at,
        acknowledge_by=deadline(at, policy.acknowledge_working_days, policy.holidays),
        act_by=deadline(at, policy.act_working_days, policy.holidays),
    )
