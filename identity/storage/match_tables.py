"""The schema of what holds guessing back: matching that failed, and false answers about numbers.

Owns these tables; `tables.py` has the metadata. What was compared with whom stands in the audit
log.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from identity.storage.tables import metadata

# One row for each agency that matches: the last day's counts. Some thousand rows.
match_watch = Table(
    "match_watch",
    metadata,
    Column("name", Text, nullable=False, comment="of the agency"),
    Column("day", Date, nullable=False, comment="of Viet Nam"),
    Column("people_count", BigInteger, nullable=False),
    Column("failed_count", BigInteger, nullable=False, comment="unknown or different"),
    Column("stopped_at", DateTime(timezone=True), comment="until the regulator lets it go on"),
    PrimaryKeyConstraint("name"),
    CheckConstraint("0 <= failed_count AND failed_count <= people_count", name="counts"),
)

# One row for each number that was asked about: the last day's count.
kyc_guess = Table(
    "kyc_guess",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("day", Date, nullable=False, comment="of Viet Nam"),
    Column("false_count", Integer, nullable=False),
    PrimaryKeyConstraint("msisdn_key"),
    CheckConstraint("false_count >= 0", name="false_count"),
    postgresql_partition_by="HASH (msisdn_key)",
)
