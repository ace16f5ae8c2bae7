"""The schema of what holds abuse back: attempts that failed, photographs that were used, look-ups.

Owns these tables; `tables.py` has the metadata. Photographs are kept as keyed marks only.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from identity.storage.tables import metadata

# Failures in a row, and attempts under way: a row goes when its person, or number, is verified. So
# there are few, and a citizen's and a number's are asked for together: one table, no partitions.
verification_attempt = Table(
    "verification_attempt",
    metadata,
    Column("subject_key", LargeBinary, nullable=False, comment="of a citizen or of a number"),
    Column("channel", Text, nullable=False, comment="the citizen apps, or one operator"),
    Column("failed_count", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("subject_key", "channel"),
    CheckConstraint("failed_count >= 0", name="failed_count"),
)

# By what a photograph is known again: nine rows for each, of its bytes and of its look.
probe_mark = Table(
    "probe_mark",
    metadata,
    Column("mark", LargeBinary, nullable=False, comment="keyed digest"),
    Column("photograph_id", Uuid, nullable=False, comment="one for the marks of one photograph"),
    Column("is_exact", Boolean, nullable=False, comment="of the bytes; else of a part of the look"),
    Column("citizen_key", LargeBinary, nullable=False, comment="whom it was presented for"),
    Column("verification_id", Uuid, nullable=False),
    Column("used_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("mark", "photograph_id"),
    Index("ix_probe_mark_citizen_key", "citizen_key"),
    Index("ix_probe_mark_used_at", "used_at"),
    postgresql_partition_by="HASH (mark)",
)

# One photograph for two people: a row for each of the two.
probe_conflict = Table(
    "probe_conflict",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False, comment="one of the two"),
    Column("verification_id", Uuid, nullable=False, comment="in which it was found"),
    Column("found_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("citizen_key", "verification_id"),
    postgresql_partition_by="HASH (citizen_key)",
)

# Some rows for each caller that looks people or numbers up: the last day's counts, which are one.
lookup_watch = Table(
    "lookup_watch",
    metadata,
    Column("caller", Text, nullable=False, comment="role and name"),
    Column("shard", SmallInteger, nullable=False, comment="so that one call waits for few others"),
    Column("day", Date, nullable=False, comment="of Viet Nam"),
    Column("asked_count", BigInteger, nullable=False),
    Column("unknown_count", BigInteger, nullable=False),
    Column("sequential_count", BigInteger, nullable=False),
    Column("stopped_at", DateTime(timezone=True), comment="until the regulator lets it go on"),
    PrimaryKeyConstraint("caller", "shard"),
    CheckConstraint(
        "0 <= unknown_count AND unknown_count <= asked_count"
        " AND 0 <= sequential_count AND sequential_count <= asked_count",
        name="counts",
    ),
)
