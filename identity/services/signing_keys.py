"""The key that the service signs with: made when it is first needed, changed on demand.

Owns when a key is made, and for how long the public keys of retired ones are still told. What is
signed is each use case's own.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from identity.audit.log import AuditEntry, append
from identity.domain.errors import ContendedError
from identity.domain.presence import TOKEN_LIFETIME_MAX
from identity.security.service_signing import SigningKey, generate_signing_key
from identity.services.call import COMMAND_LINE
from identity.storage.database import UnitOfWork
from identity.storage.signing_keys import KeyPair

_EVER = datetime(1, 1, 1, tzinfo=UTC)

PUBLISHED_AFTER = TOKEN_LIFETIME_MAX + timedelta(minutes=45)
"""How long the public key of a retired one is told: until the last token that it can have signed
has expired anywhere, whatever a call took to be answered and clocks are apart."""


def signing_key(uow: UnitOfWork, *, at: datetime) -> SigningKey:
    """The key to sign with; the first one is made now."""
    pair = uow.signing_keys.in_use()
    if pair is None:
        made = generate_signing_key()
        uow.signing_keys.add(_stored(made), at=at)
        # Somebody else may have made it at this moment: then theirs it is.
        pair = uow.signing_keys.in_use()
    if pair is None:
        raise ContendedError("the signing key is being changed at this moment")
    return SigningKey.of(pair.private_key)


def rotate_signing_key(uow: UnitOfWork, *, at: datetime) -> SigningKey:
    """Sign with a new key from now on. What is being signed at this moment is waited for.

    The retired key's private half is destroyed; what it signed can be checked as before.
    """
    made = generate_signing_key()
    uow.signing_keys.retire(at=at)
    if not uow.signing_keys.add(_stored(made), at=at):
        raise ContendedError("the signing key is being changed at this moment")
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="rotate_signing_key",
        outcome="active",
        details={"key_id": made.key_id},
    )
    append(uow.connection, [entry])
    return made


def presence_public_keys(uow: UnitOfWork, *, at: datetime) -> Sequence[bytes]:
    """The public keys that a token which is still good may have been signed with."""
    signing_key(uow, at=at)
    return uow.signing_keys.public_keys(retired_after=at - PUBLISHED_AFTER)


def all_public_keys(uow: UnitOfWork, *, at: datetime) -> Sequence[bytes]:
    """Every public key that ever was: what is signed for citizens is theirs to keep."""
    signing_key(uow, at=at)
    return uow.signing_keys.public_keys(retired_after=_EVER)


def _stored(key: SigningKey) -> KeyPair:
    return KeyPair(key_id=key.key_id, public_key=key.public_key, private_key=key.private_key)
