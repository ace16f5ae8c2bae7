"""An agency writes to a citizen whose number it does not learn.

Owns the use case. What depends on the agency (its grant, its quota, its template, what it fills in)
is refused before anybody is looked up. What depends on the person is not refused at all: a message
is written whoever it is for, and one that goes nowhere has failed from its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.audit.log import append
from identity.domain.agency import Access, Right
from identity.domain.errors import (
    FieldViolation,
    PurposeNotAllowedError,
    RequestInvalidError,
    TemplateNotFoundError,
)
from identity.domain.message import PURPOSE_OF_URGENCY
from identity.domain.notification import Language, Template, expiry
from identity.domain.personal_id import PersonalID
from identity.services.agency_access import admit, record
from identity.services.call import Call
from identity.services.lookup_watch import count_person
from identity.services.messages import destinations_of
from identity.services.relay_tokens import resolve_relay
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.messages import NewMessage, Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an agency wants written.

    Attributes:
        recipient: To whom: a citizen, or a relay token for one.
        template: The name of a template of the agency's.
        values: Names of its places and what stands there.
        language: The language to write in.
        expires_at: When it is of no use any more; None for the usual.
    """

    recipient: PersonalID | bytes
    template: str
    values: Sequence[tuple[str, str]]
    language: Language
    expires_at: datetime | None = None


def send_notification(uow: UnitOfWork, call: Call, access: Access, letter: Letter) -> UUID:
    """Write to a citizen; returns the notification's identifier, whoever it is for.

    Raises:
        PurposeNotAllowedError: No grant covers it, or the template is for another purpose.
        QuotaExceededError: The day's people are used up.
        TemplateNotFoundError: The agency has no such template.
        RequestInvalidError: Its places are not filled as they must be, the end is impossible, the
            relay token is none of the agency's or has ended, or the request asks for an embargo.
    """
    _refuse_embargo(access)
    admit(uow, access, *_rights_for(letter))
    template = _template(uow, access, letter.template)
    text = template.fill(letter.values, letter.language)
    expires_at = expiry(letter.expires_at, at=call.at)
    key = _citizen_key(uow, access, letter)
    if isinstance(letter.recipient, PersonalID):
        # The answer is the same whoever it is for: what is counted is told by the next refusal.
        count_person(uow, call, key)
    (destination,) = destinations_of(uow, call, [(key, template.urgency)])
    message = NewMessage(
        citizen_key=key,
        message_id=call.new_id(),
        urgency=template.urgency,
        template=template.name,
        text=text,
        created_at=call.at,
        expires_at=expires_at,
        destination=destination,
        sender=Sender(
            agency=call.caller.name,
            purpose=access.purpose,
            legal_basis=access.legal_basis,
            case_id=access.case_id,
        ),
    )
    uow.messages.add_many([message])
    append(uow.connection, [record(access, key, action="send_notification", outcome="accepted")])
    return message.message_id


def _rights_for(letter: Letter) -> Sequence[Right]:
    """The rights of which one is needed: who was given a token was given it to write with."""
    return (
        (Right.NOTIFY, Right.RELAY_TOKEN)
        if isinstance(letter.recipient, bytes)
        else (Right.NOTIFY,)
    )


def _citizen_key(uow: UnitOfWork, access: Access, letter: Letter) -> bytes:
    if isinstance(letter.recipient, PersonalID):
        return citizen_key(uow.sealer, letter.recipient)
    name, token = access.caller.name, letter.recipient
    found = resolve_relay(uow, name, access.purpose, token, at=access.at)
    if found is None:
        fault = FieldViolation(
            field="relay_token",
            reason="RELAY_TOKEN_UNKNOWN",
            description="none of yours for this purpose, or it has ended",
        )
        raise RequestInvalidError((fault,))
    return found


def _refuse_embargo(access: Access) -> None:
    if access.shown_from is not None:
        fault = FieldViolation(
            field="grounds.shown_time",
            reason="EMBARGO_IMPOSSIBLE",
            description="a message tells the person of itself",
        )
        raise RequestInvalidError((fault,))


def _template(uow: UnitOfWork, access: Access, name: str) -> Template:
    template = uow.notifications.find_template(access.caller.name, name)
    if template is None:
        raise TemplateNotFoundError("the regulator has approved no such template of yours")
    if PURPOSE_OF_URGENCY[template.urgency] is not access.purpose:
        raise PurposeNotAllowedError("the template is for another purpose")
    return template
