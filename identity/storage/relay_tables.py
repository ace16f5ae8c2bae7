"""The schema of relay tokens: what stands for a number towards one agency.

Owns this table; `tables.py` has the metadata. Tokens end within a day and are cleared as new ones
are made, so the table is as large as a day's calls and not as the population: nothing here is
partitioned.
"""

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from identity.storage.tables import metadata

relay = Table(
    "relay",
    metadata,
    Column("token_digest", LargeBinary, nullable=False, comment="keyed; the token is not stored"),
    Column("agency", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("citizen_key", LargeBinary, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("token_digest"),
    Index("ix_relay_expires_at", "expires_at"),
)
