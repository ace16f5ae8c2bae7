"""The table of sealing keys: numbers and checks, never a key.

Owns what the database itself knows of the keys that seal it: which numbers were ever used, by what
a key is told from another of the same number, and when one was last in use.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
)

from identity.storage.tables import metadata

sealing_key = Table(
    "sealing_key",
    metadata,
    Column("key_id", BigInteger, nullable=False, autoincrement=False),
    Column("key_check", LargeBinary, nullable=False, comment="a constant, sealed with this key"),
    Column(
        "last_active_at",
        DateTime(timezone=True),
        nullable=False,
        comment="when somebody last said that new values are sealed with it",
    ),
    Column("retired_at", DateTime(timezone=True), comment="no value used it any more"),
    PrimaryKeyConstraint("key_id"),
    # Four bytes of a sealed value name its key.
    CheckConstraint("key_id BETWEEN 1 AND 4294967295", name="key_id"),
)
