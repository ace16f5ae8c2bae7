"""Make relay tokens, and find whom one reaches.

Owns how long a token lasts. An agency sends a message with it and never learns the number.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from identity.domain.agency import Access, Purpose
from identity.storage.database import UnitOfWork
from identity.storage.relays import TOKEN_BYTES, Relay

RELAY_LASTS = timedelta(hours=24)
"""From the look-up to the end of its token: long enough to send what was looked up for, too short
to keep instead of looking up again, as at every send (Norway's contact register). Ours."""


def new_relay(access: Access, citizen_key: bytes) -> Relay:
    """A token, not stored yet."""
    return Relay(
        token=secrets.token_bytes(TOKEN_BYTES),
        agency=access.caller.name,
        purpose=access.purpose,
        citizen_key=citizen_key,
        expires_at=access.at + RELAY_LASTS,
    )


def store_relays(uow: UnitOfWork, items: Iterable[Relay]) -> None:
    """Make tokens good."""
    listed = list(items)
    if listed:
        uow.relays.add(listed, at=listed[0].expires_at - RELAY_LASTS)


def resolve_relay(
    uow: UnitOfWork, agency: str, purpose: Purpose, token: bytes, *, at: datetime
) -> bytes | None:
    """Whom a token reaches.

    Args:
        uow: The transaction.
        agency: Who presents it, by the name in the certificate.
        purpose: What for.
        token: It.
        at: Now.

    Returns:
        The citizen's key; None when the token is not this agency's for this purpose, or has ended.
    """
    return uow.relays.find(agency, purpose, token, at=at)
