"""The schema of what two sides arrange: guardians of children, and company lines.

Owns this table; `tables.py` has the metadata. A row belongs to the child or the employee, and is
found from the guardian's or the organisation's side by one index. No day of birth can be read from
it: the clock finds who comes of age by a keyed digest of the day.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)

arrangement = Table(
    "arrangement",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False, comment="of the child or the employee"),
    Column("arrangement_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column(
        "proposer_key",
        LargeBinary,
        nullable=False,
        comment="of the guardian, or blind index of the organisation's code",
    ),
    Column("parties_sealed", LargeBinary, nullable=False, comment="who they are, and the number"),
    Column("msisdn_key", LargeBinary, comment="of a company's number"),
    Column("subscription_id", Uuid),
    Column("operator_id", Text, comment="who serves it"),
    Column("proposed_at", _Instant, nullable=False),
    Column("lapses_at", _Instant, nullable=False),
    Column("attested_at", _Instant),
    Column("attester", Text),
    Column("document_digest", LargeBinary, comment="SHA-256 of the papers"),
    Column("accepted_at", _Instant, comment="by the child or the employee"),
    Column("agreed_at", _Instant),
    Column("guardian_place", SmallInteger, comment="from 1, of a guardianship that holds"),
    Column("majority_key", LargeBinary, comment="blind index of the day on which it ends"),
    Column("closed_at", _Instant),
    Column("end_cause", Text),
    PrimaryKeyConstraint("citizen_key", "arrangement_id"),
    CheckConstraint("kind IN ('guardianship', 'company_line')", name="kind"),
    CheckConstraint("state IN ('proposed', 'agreed', 'refused', 'lapsed', 'ended')", name="state"),
    CheckConstraint("(state IN ('proposed', 'agreed')) = (closed_at IS NULL)", name="closed_at"),
    CheckConstraint("(state = 'ended') = (end_cause IS NOT NULL)", name="end_cause"),
    CheckConstraint("state <> 'agreed' OR agreed_at IS NOT NULL", name="agreed_at"),
    CheckConstraint(
        "num_nulls(msisdn_key, subscription_id, operator_id)"
        " = CASE kind WHEN 'company_line' THEN 0 ELSE 3 END",
        name="line",
    ),
    CheckConstraint("num_nulls(attested_at, attester, document_digest) IN (0, 3)", name="papers"),
    CheckConstraint(
        "num_nulls(guardian_place, majority_key)"
        " = CASE WHEN kind = 'guardianship' AND state = 'agreed' THEN 0 ELSE 2 END",
        name="guardian",
    ),
    Index("ix_arrangement_proposer", "proposer_key", "arrangement_id"),
    Index("ix_arrangement_arrangement_id", "arrangement_id"),
    # Nobody asks for the same twice, and nobody is guardian of one child twice.
    Index(
        "uq_arrangement_guardianship",
        "citizen_key",
        "proposer_key",
        unique=True,
        postgresql_where=text("kind = 'guardianship' AND state IN ('proposed', 'agreed')"),
    ),
    Index(
        "uq_arrangement_company_line",
        "citizen_key",
        "subscription_id",
        unique=True,
        postgresql_where=text("kind = 'company_line' AND state IN ('proposed', 'agreed')"),
    ),
    # A child has no more guardians than there are places, whoever agrees at the same moment.
    Index(
        "uq_arrangement_guardian_place",
        "citizen_key",
        "guardian_place",
        unique=True,
        postgresql_where=text("guardian_place IS NOT NULL"),
    ),
    # What the clock looks for.
    Index(
        "ix_arrangement_lapses_at",
        "lapses_at",
        "citizen_key",
        postgresql_where=text("state = 'proposed'"),
    ),
    Index(
        "ix_arrangement_majority_key",
        "majority_key",
        postgresql_where=text("majority_key IS NOT NULL"),
    ),
    postgresql_partition_by="HASH (citizen_key)",
)
