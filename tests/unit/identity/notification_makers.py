"""Agencies that write to people, and operators that send what they wrote, for the tests of both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity.domain.agency import Agency, Right
from identity.domain.caller import Role
from identity.domain.message import (
    PURPOSE_OF_URGENCY,
    MessageLease,
    Receipt,
    ReceiptOutcome,
    ReceiptResult,
    Urgency,
)
from identity.domain.notification import Language, Template
from identity.domain.personal_id import PersonalID
from identity.domain.policy import Bilingual
from identity.services.call import Call
from identity.services.messages import acknowledge_messages, pull_messages
from identity.services.notification_templates import register_template
from identity.services.send_notification import Letter, send_notification
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import NOW, make_call

LEASE = timedelta(minutes=5)
TEXT = Bilingual(vi="Mời bạn đến nhận {item}.", en="Please come for your {item}.")


def make_template(agency: str, urgency: Urgency = Urgency.SERVICE, **given: Any) -> Template:  # noqa: ANN401 - whatever the template takes
    usual: dict[str, Any] = {
        "agency": agency,
        "name": f"{urgency}-letter",
        "urgency": urgency,
        "text": TEXT,
        "length_max": 268,
        "approved_at": NOW,
    }
    return Template(**usual | given)


def make_letter(recipient: PersonalID | bytes, template: str, **given: Any) -> Letter:  # noqa: ANN401 - whatever the letter takes
    usual: dict[str, Any] = {
        "recipient": recipient,
        "template": template,
        "values": [("item", "passport")],
        "language": Language.EN,
    }
    return Letter(**usual | given)


@dataclass(frozen=True)
class Sender:
    """An agency with a template for one urgency.

    Attributes:
        uow: The transaction.
        agency: It.
        template: Its template.
    """

    uow: UnitOfWork
    agency: Agency
    template: Template

    def call(self, at: datetime = NOW) -> Call:
        """Its calls."""
        return make_call(self.agency.name, role=Role.AGENCY, at=at)

    def send(self, recipient: PersonalID | bytes, *, at: datetime = NOW, **given: Any) -> UUID:  # noqa: ANN401 - whatever the letter takes
        """Write to somebody."""
        letter = make_letter(recipient, self.template.name, **given)
        access = make_access(self.agency, at=at)
        return send_notification(self.uow, self.call(at), access, letter)


def store_sender(
    uow: UnitOfWork, urgency: Urgency = Urgency.SERVICE, rights: Sequence[Right] = tuple(Right)
) -> Sender:
    """An agency that may send, and learns all of what becomes of it unless told otherwise."""
    purpose = PURPOSE_OF_URGENCY[urgency]
    agency = store_agency(uow, make_grant(Right.NOTIFY, *rights, purpose=purpose))
    call = make_call("regulator", role=Role.REGULATOR)
    return Sender(uow, agency, register_template(uow, call, make_template(agency.name, urgency)))


@dataclass
class Desk:
    """An operator that pulls messages and says what became of them."""

    uow: UnitOfWork
    operator: str
    at: datetime = NOW
    lease: MessageLease | None = None

    def call(self) -> Call:
        """Its calls."""
        return make_call(self.operator, at=self.at)

    def pull(self, *, limit: int = 99) -> list[UUID]:
        """Lease what is next; returns the messages."""
        self.lease = pull_messages(self.uow, self.call(), duration=LEASE, limit=limit)
        return [each.message_id for each in self.lease.messages]

    def say(self, outcome: ReceiptOutcome, *ids: UUID, **given: Any) -> list[ReceiptResult]:  # noqa: ANN401 - whatever the receipt takes
        """Say of messages what became of them, under the last lease."""
        assert self.lease is not None
        receipts = [Receipt(message_id=each, outcome=outcome, **given) for each in ids]
        return acknowledge_messages(self.uow, self.call(), self.lease.lease_id, receipts)

    def wait(self, span: timedelta = LEASE) -> None:
        """Let time pass."""
        self.at += span


def silent(call: Call) -> Call:
    """A call under rules without words for citizens."""
    return replace(call, rules=replace(call.rules, messages={}))
