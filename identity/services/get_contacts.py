"""Give agencies the primary contact numbers of citizens, and write down each look-up.

Owns the use case, for any number of look-ups in one transaction: concurrent calls are answered
together by the RPC edge, because one commit for many costs little more than one for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from identity.audit.log import AuditEntry, append
from identity.domain.caller import Caller
from identity.domain.personal_id import PersonalID
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.primaries import PrimaryNumber


class Purpose(StrEnum):
    """What an agency will use a number for."""

    SERVICE_DELIVERY = "service_delivery"
    LEGAL_NOTICE = "legal_notice"
    PUBLIC_SAFETY = "public_safety"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactLookup:
    """One look-up: who asks for whom, what for, under which law."""

    caller: Caller
    personal_id: PersonalID
    purpose: Purpose
    legal_basis: str
    at: datetime


def get_contacts(uow: UnitOfWork, lookups: Sequence[ContactLookup]) -> list[PrimaryNumber | None]:
    """The primary number for each look-up, in their order.

    None means that there is none to give: an unknown person and one without a primary number
    take the same path and leave the same trace.
    """
    keys = [citizen_key(uow.sealer, lookup.personal_id) for lookup in lookups]
    found = uow.primaries.find_by_keys(set(keys))
    contacts = [found.get(key) for key in keys]
    append(
        uow.connection,
        [
            _entry(lookup, key, is_available=contact is not None)
            for lookup, key, contact in zip(lookups, keys, contacts, strict=True)
        ],
    )
    return contacts


def _entry(lookup: ContactLookup, key: bytes, *, is_available: bool) -> AuditEntry:
    return AuditEntry(
        occurred_at=lookup.at,
        caller=str(lookup.caller),
        action="get_contact",
        outcome="available" if is_available else "not_available",
        citizen_key=key,
        purpose=lookup.purpose.value,
        legal_basis=lookup.legal_basis,
    )
