"""Two people, one number, and what both of them and others do about it.

Owns the steps that the tests of disputes begin with. Judges no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from identity.domain.caller import Role
from identity.domain.directive import Directive
from identity.domain.dispute import DisputeDecision
from identity.domain.enforcement import Case
from identity.domain.holder import PopulationRecord
from identity.domain.subscription import Subscription
from identity.services.advance_enforcement import advance_enforcement
from identity.services.call import Call
from identity.services.complete_verification import record_verdict
from identity.services.directives import (
    Acknowledgement,
    acknowledge_directives,
    pull_directives,
)
from identity.services.disputes import DisputeView, appeal_dispute, decide_dispute, open_dispute
from identity.services.end_disputes import close_due
from identity.services.import_subscriptions import import_subscriptions
from identity.services.report_events import EventKind, SubscriptionEvent, report_events
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork
from identity.storage.tables import enforcement_clock
from tests.databases import within
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_operator,
    make_session,
    rules,
    store_citizen,
    store_number,
)

DAY = timedelta(days=1)
POLICY = rules().disputes


@dataclass
class Quarrel:
    """Two people, one number, and the present."""

    uow: UnitOfWork
    holder: PopulationRecord
    claimant: PopulationRecord
    item: Subscription
    at: datetime = NOW

    def call(self, role: Role, name: str) -> Call:
        """A call at the present instant."""
        return make_call(name, role=role, at=self.at)

    @property
    def app(self) -> Call:
        """By the citizen app."""
        return self.call(Role.CITIZEN_APP, "vneid")

    @property
    def operator(self) -> Call:
        """By the operator that serves the number."""
        return self.call(Role.OPERATOR, self.item.operator_id)

    def regulator(self, name: str = "a") -> Call:
        """By a caller of the regulator."""
        return self.call(Role.REGULATOR, name)

    def open(self, call: Call | None = None) -> DisputeView:
        """Open the dispute, by default by the app."""
        return open_dispute(self.uow, call or self.app, self.item.msisdn, self.claimant.personal_id)

    def decide(self, dispute_id: UUID, decision: DisputeDecision, *names: str) -> DisputeView:
        """Say the same by each of some callers of the regulator, by default two."""
        for name in names or ("a", "b"):
            view = decide_dispute(self.uow, self.regulator(name), dispute_id, decision)
        return view

    def appeal(self, dispute_id: UUID, person: PopulationRecord) -> DisputeView:
        """Appeal for a person."""
        return appeal_dispute(self.uow, self.app, dispute_id, person.personal_id)

    def pass_time(self, time: timedelta) -> None:
        """Let time go by, a day at a time, with a run of the clock on each."""
        until = self.at + time
        while self.at < until:
            self.at = min(self.at + DAY, until)
            self.run()

    def run(self) -> None:
        """Run the clock, and have the operator obey."""
        advance_enforcement(within(self.uow), self.regulator("clock"))
        self.obey()

    def settled(self, decision: DisputeDecision, *names: str) -> UUID:
        """A dispute opened, decided, and not appealed against; returns which."""
        dispute_id = self.open().dispute.dispute_id
        self.decide(dispute_id, decision, *names)
        self.at += POLICY.appeal_within
        assert close_due(self.uow, self.regulator("clock")) == 1
        return dispute_id

    def now_in_service(self) -> Subscription:
        """Whoever has the number now."""
        found = self.uow.subscriptions.find_in_service(self.item.msisdn)
        assert found is not None
        return found

    def cases(self, item: Subscription | None = None) -> Sequence[Case]:
        """The open cases of the number, or of another one."""
        one = item or self.item
        return self.uow.cases.list_open([one])[one.subscription_id]

    def obey(self) -> list[Directive]:
        """Have the operator execute everything that is ordered; returns what that was."""
        lease = pull_directives(self.uow, self.operator, duration=DAY, limit=99)
        orders = [ordered.directive for ordered in lease.directives]
        items = [
            Acknowledgement(directive_id=order.directive_id, is_executed=True, failure="")
            for order in orders
        ]
        acknowledge_directives(self.uow, self.operator, lease.lease_id, items)
        return orders

    def verify(self, record: PopulationRecord) -> Subscription:
        """The person presents card and face for the number as it is now."""
        item = self.now_in_service()
        session = make_session(self.uow, item, expires_at=self.at + DAY)
        done = record_verdict(
            self.uow, self.operator, session, make_chip(make_claim(record)), make_face()
        )
        return done.subscription

    def event(self, kind: EventKind, heir: PopulationRecord | None = None) -> str:
        """Have the operator report an event; returns why it was refused, if it was."""
        claim = None if heir is None else make_claim(heir)
        event = SubscriptionEvent(
            msisdn=self.item.msisdn, kind=kind, occurred_at=self.at, claim=claim
        )
        (reason,) = report_events(self.uow, self.operator, [event])
        return reason

    def book(self, record: PopulationRecord) -> list[str]:
        """Have the operator's book name a holder; returns why it was refused, if it was."""
        row = BookRow(msisdn=self.item.msisdn, claim=make_claim(record))
        result = import_subscriptions(self.uow, self.operator, [index_row(self.uow.sealer, row)])
        return [error.reason for error in result.row_errors]


def quarrel(uow: UnitOfWork, **given: Any) -> Quarrel:  # noqa: ANN401 - whatever the subscription takes
    """Two people and a number of the first, verified unless said."""
    # Other tests may have run the clock further than these begin.
    uow.connection.execute(delete(enforcement_clock))
    holder, claimant = store_citizen(uow), store_citizen(uow)
    usual: dict[str, Any] = {"operator_id": make_operator()}
    return Quarrel(uow, holder, claimant, store_number(uow, holder, **usual | given))
