"""What operators have signed, kept as it was signed.

Owns the rows of `acknowledgement` and `signing_certificate`: written once, never changed, and read
back only to be checked. Knows no signature.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from identity.storage.enforcement_tables import acknowledgement, signing_certificate

PAGE = 50
"""Acknowledgements read at a time: of the longest, 10,000 lines each, some 60 MB at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAcknowledgement:
    """One request that was signed.

    Attributes:
        caller: Who sent it, as `role:name`.
        request_id: Its identifier.
        signed_text: What was signed.
        signature: By whom, in short.
        certificate: Whose key it should be: DER.
        fingerprint: SHA-256 that the certificate is kept under.
        received_at: When it came.
    """

    caller: str
    request_id: UUID
    signed_text: str
    signature: bytes
    certificate: bytes
    fingerprint: bytes
    received_at: datetime


def fingerprint_of(certificate: bytes) -> bytes:
    """What a certificate is kept under: SHA-256 of its DER."""
    return hashlib.sha256(certificate).digest()


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """The kept acknowledgements of one transaction."""

    connection: Connection

    def keep(self, item: KeptAcknowledgement) -> None:
        """Keep one; its certificate once, whatever else was signed with it."""
        self.connection.execute(
            insert(signing_certificate)
            .values(
                fingerprint=item.fingerprint,
                certificate=item.certificate,
                first_used_at=item.received_at,
            )
            .on_conflict_do_nothing()
        )
        self.connection.execute(
            insert(acknowledgement).values(
                caller=item.caller,
                request_id=item.request_id,
                signed_text=item.signed_text,
                signature=item.signature,
                fingerprint=item.fingerprint,
                received_at=item.received_at,
            )
        )

    def all(self, *, page: int = PAGE) -> Iterator[KeptAcknowledgement]:
        """Every one of them, by caller and identifier, `page` of them in memory."""
        place = tuple_(acknowledgement.c.caller, acknowledgement.c.request_id)
        query = (
            select(acknowledgement, signing_certificate.c.certificate)
            .join(signing_certificate)
            .order_by(acknowledgement.c.caller, acknowledgement.c.request_id)
            .limit(page)
        )
        rows = self.connection.execute(query).mappings().all()
        while rows:
            yield from (KeptAcknowledgement(**row) for row in rows)
            last = (rows[-1]["caller"], rows[-1]["request_id"])
            rows = self.connection.execute(query.where(place > last)).mappings().all()
