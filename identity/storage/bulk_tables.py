"""The schema of what works through whole books: imports that resume, links anew, their history.

Owns these tables; `tables.py` has the registry itself, and the metadata.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)

link_change_order = Sequence("link_change_order", metadata=metadata, data_type=BigInteger)

# What became of each link over time; the first state stands in the subscription's own history.
link_change = Table(
    "link_change",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column(
        "position",
        BigInteger,
        link_change_order,
        server_default=link_change_order.next_value(),
        nullable=False,
    ),
    Column("subscription_id", Uuid, nullable=False),
    Column("changed_at", _Instant, nullable=False),
    Column("action", Text, nullable=False, comment="what led to it"),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    PrimaryKeyConstraint("msisdn_key", "position"),
    postgresql_partition_by="HASH (msisdn_key)",
)

# An import as a whole; its batches are `import_batch`.
import_run = Table(
    "import_run",
    metadata,
    Column("caller", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("import_id", BigInteger, Identity(always=True), nullable=False),
    Column("method", Text, nullable=False),
    Column("is_snapshot", Boolean, nullable=False),
    Column("began_at", _Instant, nullable=False),
    Column("completed_at", _Instant),
    Column("gone_count", BigInteger, comment="of a complete snapshot"),
    PrimaryKeyConstraint("caller", "request_id"),
    UniqueConstraint("import_id"),
)

# What a snapshot under way has named so far: what it did not name is gone. Emptied at its end.
import_row = Table(
    "import_row",
    metadata,
    Column("row_key", LargeBinary, nullable=False, comment="key of a subscription or citizen"),
    Column("import_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("row_key", "import_id"),
    postgresql_partition_by="HASH (row_key)",
)

# A comparison of every claim with the records. One is under way at a time.
link_run = Table(
    "link_run",
    metadata,
    Column("run_id", Uuid, nullable=False),
    Column("slice_count", Integer, nullable=False),
    Column("began_at", _Instant, nullable=False),
    Column("completed_at", _Instant),
    PrimaryKeyConstraint("run_id"),
    Index(
        "uq_link_run_under_way",
        text("(completed_at IS NULL)"),
        unique=True,
        postgresql_where=text("completed_at IS NULL"),
    ),
)

# The slices of a run that are done: a run that was cut off goes on with the others.
link_run_slice = Table(
    "link_run_slice",
    metadata,
    Column("run_id", Uuid, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("compared_count", BigInteger, nullable=False),
    Column("changed_count", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_id", "slice"),
)
