"""The schema of the keys that the service signs with.

Owns this table; `tables.py` has the metadata. There is one key in use, and few that were: nothing
here grows.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)

signing_key = Table(
    "signing_key",
    metadata,
    Column("key_id", Text, nullable=False, comment="RFC 7638 thumbprint of the public key"),
    Column("public_key", LargeBinary, nullable=False),
    Column("private_key_sealed", LargeBinary, comment="destroyed when the key is retired"),
    Column("made_at", _Instant, nullable=False),
    Column("retired_at", _Instant, comment="since when another one signs"),
    PrimaryKeyConstraint("key_id"),
    CheckConstraint(
        "(retired_at IS NULL) = (private_key_sealed IS NOT NULL)", name="signs_until_retired"
    ),
    # One key signs: two servers that make the first at once come to have the same.
    Index(
        "uq_signing_key_in_use",
        text("(retired_at IS NULL)"),
        unique=True,
        postgresql_where=text("retired_at IS NULL"),
    ),
)
