"""The schema of what is done to many numbers at once, or decided between people.

Owns waves, disputes, complaints, reconciliations, kept acknowledgements and the packs in use;
`tables.py` has cases and directives themselves, and the metadata.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from identity.storage.tables import metadata

_Instant = DateTime(timezone=True)
_BY_SUBSCRIPTION = "HASH (msisdn_key)"

wave = Table(
    "wave",
    metadata,
    Column("wave_id", Uuid, nullable=False),
    Column("criteria", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("preview", JSONB, nullable=False, comment="counts, no data"),
    Column("round", Integer, nullable=False, comment="approvals of earlier rounds do not count"),
    Column("slice_count", Integer, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("wave_id"),
    CheckConstraint(
        "state IN ('previewed', 'approved', 'running', 'stopped', 'completed', 'reverted')",
        name="state",
    ),
    CheckConstraint("slice_count > 0", name="slice_count"),
)

wave_approval = Table(
    "wave_approval",
    metadata,
    Column("wave_id", Uuid, nullable=False),
    Column("round", Integer, nullable=False),
    Column("approver", Text, nullable=False),
    Column("approved_at", _Instant, nullable=False),
    PrimaryKeyConstraint("wave_id", "round", "approver"),
)

# What each slice did: written in the transaction that did it, so none is done twice.
wave_slice = Table(
    "wave_slice",
    metadata,
    Column("wave_id", Uuid, nullable=False),
    Column("place", Integer, nullable=False),
    Column("directive_count", BigInteger, nullable=False),
    Column("executed_at", _Instant, nullable=False),
    Column("reverted_at", _Instant),
    Column("reverted_count", BigInteger),
    PrimaryKeyConstraint("wave_id", "place"),
)

dispute = Table(
    "dispute",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("dispute_id", Uuid, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("holder_key", LargeBinary, nullable=False, comment="citizen the contract names"),
    Column("claimant_key", LargeBinary, nullable=False, comment="citizen who opened it"),
    Column("operator_id", Text, nullable=False),
    Column("opener", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", _Instant, nullable=False),
    Column("deadline", _Instant, nullable=False),
    Column("evidence", JSONB, nullable=False, comment="kinds, digests and places, no data"),
    Column("words", JSONB, nullable=False, comment="who of the regulator said what"),
    Column("appeals", JSONB, nullable=False, comment="sides that have appealed"),
    Column("decision", Text, comment="in force; null without one"),
    Column("closed_at", _Instant),
    PrimaryKeyConstraint("msisdn_key", "dispute_id"),
    CheckConstraint("holder_key <> claimant_key", name="claimant"),
    CheckConstraint("decision IN ('holder', 'claimant', 'nobody')", name="decision"),
    CheckConstraint("state IN ('open', 'decided', 'appealed', 'closed')", name="state"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
    Index(
        "uq_dispute_open",
        "msisdn_key",
        "subscription_id",
        unique=True,
        postgresql_where=text("state <> 'closed'"),
    ),
    Index("ix_dispute_dispute_id", "dispute_id"),
    Index("ix_dispute_holder_key", "holder_key"),
    Index("ix_dispute_claimant_key", "claimant_key"),
    Index("ix_dispute_deadline", "deadline", postgresql_where=text("state <> 'closed'")),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

# Of one number at most one a day: whoever complains ten times is one who complains.
complaint = Table(
    "complaint",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("filed_on", Date, nullable=False, comment="day in Viet Nam"),
    Column("operator_id", Text, nullable=False),
    Column("filed_at", _Instant, nullable=False),
    PrimaryKeyConstraint("msisdn_key", "subscription_id", "filed_on"),
    Index("ix_complaint_filed_at", "filed_at", "operator_id"),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

# Certificates that something was signed with: each once, however often.
signing_certificate = Table(
    "signing_certificate",
    metadata,
    Column("fingerprint", LargeBinary, nullable=False, comment="SHA-256 of the DER"),
    Column("certificate", LargeBinary, nullable=False, comment="DER"),
    Column("first_used_at", _Instant, nullable=False),
    PrimaryKeyConstraint("fingerprint"),
)

# What an operator has signed, as it was signed: no personal data, and never changed.
acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("caller", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("signed_text", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False, comment="of the certificate"),
    Column("received_at", _Instant, nullable=False),
    PrimaryKeyConstraint("caller", "request_id"),
    ForeignKeyConstraint(["fingerprint"], ["signing_certificate.fingerprint"]),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("operator_id", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("began_at", _Instant, nullable=False),
    Column("finished_at", _Instant),
    Column("compared_count", BigInteger, nullable=False),
    Column("drift_count", BigInteger, nullable=False),
    Column(
        "false_count", BigInteger, nullable=False, comment="acknowledged, and reported otherwise"
    ),
    Column("unreported_count", BigInteger, nullable=False),
    PrimaryKeyConstraint("operator_id", "request_id"),
    Index("ix_reconciliation_finished_at", "finished_at"),
)

# A pack that decided anything must stay as it was.
policy_pack = Table(
    "policy_pack",
    metadata,
    Column("version", Text, nullable=False),
    Column("text_digest", LargeBinary, nullable=False, comment="SHA-256 of its meaning"),
    Column("first_used_at", _Instant, nullable=False),
    PrimaryKeyConstraint("version"),
)
