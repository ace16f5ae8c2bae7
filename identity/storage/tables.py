"""The schema: every table, key and constraint of the registry.

Owns the invariants that the database itself enforces. Each table that grows with the population is
hash-partitioned on the citizen (`citizen_key`) or on the subscription (`msisdn_key`), both blind
indexes, so the same schema distributes on that column. Personal data stands only in `*_sealed`
columns. The migrations create the partitions; nothing here names them.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Instant = DateTime(timezone=True)
_BY_CITIZEN = "HASH (citizen_key)"
_BY_SUBSCRIPTION = "HASH (msisdn_key)"
_HOLDER_DIGEST = "keyed: equal for the same name and birth date of the same personal ID"
_ABSENT_SINCE = "not in its source's last snapshot"

citizen = Table(
    "citizen",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False, comment="blind index of the personal ID"),
    Column("record_sealed", LargeBinary, nullable=False),
    Column("record_digest", LargeBinary, nullable=False, comment="keyed: tells changed from same"),
    Column("holder_digest", LargeBinary, nullable=False, comment=_HOLDER_DIGEST),
    Column("is_deceased", Boolean, nullable=False),
    Column(
        "is_merged",
        Boolean,
        server_default=text("false"),
        nullable=False,
        comment="retired: the person's records stand under another personal ID",
    ),
    Column("absent_since", _Instant, comment=_ABSENT_SINCE),
    Column("created_at", _Instant, nullable=False),
    Column("updated_at", _Instant, nullable=False),
    PrimaryKeyConstraint("citizen_key"),
    postgresql_partition_by=_BY_CITIZEN,
)

subscription = Table(
    "subscription",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False, comment="blind index of the MSISDN"),
    Column("subscription_id", Uuid, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("msisdn_sealed", LargeBinary, nullable=False),
    Column("citizen_key", LargeBinary, nullable=False, comment="of the claimed personal ID"),
    Column("claim_sealed", LargeBinary, nullable=False),
    Column("claim_digest", LargeBinary, nullable=False, comment="keyed: tells changed from same"),
    Column("holder_digest", LargeBinary, nullable=False, comment=_HOLDER_DIGEST),
    Column("link_state", Text, nullable=False),
    Column("link_fields", JSONB, nullable=False, comment="results and scores, no data"),
    Column("service_state", Text, nullable=False),
    Column("applied_state", Text, nullable=False),
    Column("activated_on", Date),
    Column("point_of_sale", Text),
    Column("province_code", Text),
    Column("absent_since", _Instant, comment=_ABSENT_SINCE),
    Column("verified_at", _Instant),
    Column("sim_swapped_at", _Instant),
    Column("device_changed_at", _Instant),
    Column("ended_at", _Instant, comment="last served; null for what was registered only"),
    Column("ended_by", Text, comment="how; null where that was not kept"),
    Column(
        "is_company_line",
        Boolean,
        server_default=text("false"),
        nullable=False,
        comment="an organisation's on contract, as its user has agreed",
    ),
    Column("created_at", _Instant, nullable=False),
    Column("updated_at", _Instant, nullable=False),
    PrimaryKeyConstraint("msisdn_key", "subscription_id"),
    CheckConstraint(
        "link_state IN ('linked', 'mismatched', 'not_found', 'deceased')", name="link_state"
    ),
    CheckConstraint(
        "service_state IN ('inactive', 'active', 'outgoing_blocked', 'suspended', 'terminated')",
        name="service_state",
    ),
    # A number is in one operator's service at a time; its past subscriptions stay beside it.
    Index(
        "uq_subscription_in_service",
        "msisdn_key",
        unique=True,
        postgresql_where=text("service_state <> 'terminated'"),
    ),
    Index("ix_subscription_operator", "operator_id", "subscription_id"),
    # What a person has had; what is in service stands in `holding`.
    Index(
        "ix_subscription_ended_of_citizen",
        "citizen_key",
        postgresql_where=text("service_state = 'terminated'"),
    ),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

# The citizen's side of each subscription that is in service, claimed under this personal ID.
holding = Table(
    "holding",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("is_eligible", Boolean, nullable=False, comment="linked, verified, reachable"),
    PrimaryKeyConstraint("citizen_key", "subscription_id"),
    UniqueConstraint("citizen_key", "subscription_id", "is_eligible", name="uq_holding_eligible"),
    Index("ix_holding_subscription", "subscription_id"),
    postgresql_partition_by=_BY_CITIZEN,
)

# At most one row a citizen (primary key), always one of the citizen's own eligible numbers
# (foreign key on a column that must be true): neither can be broken by any transaction.
primary_number = Table(
    "primary_number",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("is_eligible", Boolean, nullable=False, server_default=text("true")),
    Column("msisdn_sealed", LargeBinary, nullable=False),
    Column("verified_at", _Instant, nullable=False),
    Column("set_at", _Instant, nullable=False),
    Column("confirmed_at", _Instant, nullable=False),
    Column("asked_at", _Instant, comment="when the citizen was asked last to confirm it"),
    PrimaryKeyConstraint("citizen_key"),
    CheckConstraint("is_eligible", name="eligible"),
    ForeignKeyConstraint(
        ["citizen_key", "subscription_id", "is_eligible"],
        ["holding.citizen_key", "holding.subscription_id", "holding.is_eligible"],
    ),
    # Whoever has a primary number has a row to hold while it is changed.
    ForeignKeyConstraint(["citizen_key"], ["citizen_choice.citizen_key"]),
    Index("ix_primary_number_subscription", "subscription_id"),
    # Who was not asked yet to confirm it, since it was confirmed last.
    Index(
        "ix_primary_number_unasked",
        "confirmed_at",
        "citizen_key",
        postgresql_where=text("asked_at IS NULL OR asked_at < confirmed_at"),
    ),
    postgresql_partition_by=_BY_CITIZEN,
)

verification = Table(
    "verification",
    metadata,
    Column(
        "msisdn_key", LargeBinary, nullable=False, comment="the session itself without a number"
    ),
    Column("verification_id", Uuid, nullable=False),
    Column("subscription_id", Uuid, comment="none where an agency checks who is present"),
    Column("caller", Text, nullable=False),
    Column("citizen_key", LargeBinary, comment="whom it was opened for, or who was present"),
    Column("presence", JSONB, comment="an agency's grounds, no data; null for a number"),
    Column("nonce_digest", LargeBinary, nullable=False, comment="keyed; the nonce is not stored"),
    Column("nonce_expires_at", _Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", _Instant, nullable=False),
    Column("expires_at", _Instant, nullable=False),
    Column("completing_request_id", Uuid, comment="the one request that may present evidence"),
    Column("completing_digest", LargeBinary, comment="keyed: tells the same body from another"),
    Column("evidence_sealed", LargeBinary),
    Column("evidence_erased_at", _Instant, comment="by the policy's clock; the verdict stays"),
    Column("verdict", JSONB, comment="results, reasons and codes, no data"),
    Column("decided_at", _Instant),
    PrimaryKeyConstraint("msisdn_key", "verification_id"),
    CheckConstraint("state IN ('pending', 'processing', 'completed')", name="state"),
    CheckConstraint(
        "(state = 'completed') = (verdict IS NOT NULL"
        " AND (evidence_sealed IS NOT NULL) <> (evidence_erased_at IS NOT NULL))",
        name="verdict_with_evidence",
    ),
    CheckConstraint(
        "(presence IS NULL) = (subscription_id IS NOT NULL)", name="number_or_presence"
    ),
    CheckConstraint("presence IS NOT NULL OR citizen_key IS NOT NULL", name="number_of_somebody"),
    Index("ix_verification_verification_id", "verification_id"),
    Index("ix_verification_nonce_digest", "nonce_digest"),
    Index("ix_verification_citizen_key", "citizen_key"),
    # Only what there is to erase.
    Index(
        "ix_verification_evidence_kept",
        "decided_at",
        "verification_id",
        postgresql_where=text("evidence_sealed IS NOT NULL"),
    ),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

# The reference of a verified citizen: for cohorts, and to enrol again when the network changes.
face_reference = Table(
    "face_reference",
    metadata,
    Column("citizen_key", LargeBinary, nullable=False, comment="blind index of the personal ID"),
    Column("template_sealed", LargeBinary, nullable=False),
    Column(
        "model_digest",
        Text,
        nullable=False,
        comment="mark of the network, its precision and views",
    ),
    Column(
        "portrait_sealed",
        LargeBinary,
        nullable=False,
        comment="to enrol again when the network changes",
    ),
    Column("card_issued_on_sealed", LargeBinary),
    Column("enrolled_at", _Instant, nullable=False),
    Column("updated_at", _Instant, nullable=False),
    PrimaryKeyConstraint("citizen_key"),
    postgresql_partition_by=_BY_CITIZEN,
)

face_cohort = Table(
    "face_cohort",
    metadata,
    Column("cohort_digest", Text, nullable=False, comment="SHA-256: its version"),
    Column("model_digest", Text, nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("cohort_sealed", LargeBinary, nullable=False, comment="no identities"),
    Column("drawn_at", _Instant, nullable=False),
    Column("last_used_at", _Instant, comment="when a server last started with it"),
    PrimaryKeyConstraint("cohort_digest"),
    CheckConstraint("member_count > 0", name="member_count"),
)

enforcement_case = Table(
    "enforcement_case",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("subscription_id", Uuid, nullable=False),
    Column("track", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("opened_at", _Instant, nullable=False),
    Column("steps_taken", Integer, nullable=False),
    Column("next_due_at", _Instant),
    Column("state", Text, nullable=False),
    Column("closed_at", _Instant),
    Column("frozen_at", _Instant, comment="since when a dispute holds its clock"),
    Column(
        "waits_for_wave",
        Boolean,
        server_default=text("false"),
        nullable=False,
        comment="its next step is left to waves: the clock passes it by",
    ),
    Column("wave_id", Uuid, comment="the wave that took its last step left to waves"),
    Column("wave_due_at", _Instant, comment="when that step was due: what a revert puts back"),
    PrimaryKeyConstraint("msisdn_key", "case_id"),
    CheckConstraint("state IN ('open', 'cured', 'withdrawn', 'terminated')", name="state"),
    CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_at"),
    Index(
        "uq_enforcement_case_open",
        "msisdn_key",
        "subscription_id",
        "track",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_enforcement_case_due",
        "next_due_at",
        "case_id",
        postgresql_where=text("state = 'open' AND frozen_at IS NULL AND NOT waits_for_wave"),
    ),
    Index(
        "ix_enforcement_case_wave",
        "track",
        "msisdn_key",
        postgresql_where=text("state = 'open' AND frozen_at IS NULL AND waits_for_wave"),
    ),
    # What a wave has stepped: what came of it, and what a revert puts back.
    Index(
        "ix_enforcement_case_wave_id",
        "wave_id",
        "msisdn_key",
        postgresql_where=text("wave_id IS NOT NULL"),
    ),
    Index(
        "ix_enforcement_case_closed_at",
        "closed_at",
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

directive_order = Sequence("directive_order", metadata=metadata, data_type=BigInteger)

directive = Table(
    "directive",
    metadata,
    Column("msisdn_key", LargeBinary, nullable=False),
    Column("directive_id", Uuid, nullable=False),
    Column(
        "position",
        BigInteger,
        directive_order,
        server_default=directive_order.next_value(),
        nullable=False,
    ),
    Column("subscription_id", Uuid, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("causes", ARRAY(Text), nullable=False),
    Column("policy_version", Text, comment="null for RESTORE, which no pack orders"),
    Column("track", Text),
    Column("is_primary", Boolean, nullable=False, server_default=text("false")),
    Column("is_last_number", Boolean, nullable=False, server_default=text("false")),
    Column("upcoming_kind", Text, comment="what happens to the number next"),
    Column("upcoming_at", _Instant),
    Column("wave_id", Uuid),
    Column("state", Text, nullable=False),
    Column("lease_id", Uuid),
    # Of a pending one: when the lease ends that it waits for.
    Column("lease_expires_at", _Instant),
    Column("failure_count", Integer, nullable=False, server_default=text("0")),
    Column("failure", Text, comment="why it failed last, as its operator says"),
    Column("created_at", _Instant, nullable=False),
    Column("due_at", _Instant, nullable=False),
    Column("executed_at", _Instant),
    Column("handed_at", _Instant, comment="first leased: it was not executed before"),
    Column("superseded_at", _Instant, comment="null too where it was before this was kept"),
    PrimaryKeyConstraint("msisdn_key", "directive_id"),
    CheckConstraint("state IN ('pending', 'leased', 'executed', 'superseded')", name="state"),
    CheckConstraint("(state = 'executed') = (executed_at IS NOT NULL)", name="executed_at"),
    CheckConstraint("superseded_at IS NULL OR state = 'superseded'", name="superseded_at"),
    # Who is next: `directive_queue.py`.
    Index(
        "ix_directive_ready",
        "operator_id",
        "position",
        postgresql_where=text("state = 'pending' AND lease_expires_at IS NULL"),
    ),
    Index(
        "ix_directive_out",
        "operator_id",
        "lease_expires_at",
        "position",
        postgresql_where=text("state IN ('pending', 'leased') AND lease_expires_at IS NOT NULL"),
    ),
    Index(
        "ix_directive_open",
        "msisdn_key",
        "subscription_id",
        "position",
        postgresql_where=text("state IN ('pending', 'leased')"),
    ),
    Index("ix_directive_directive_id", "directive_id"),
    # What was ordered within some days. Orders are made in the order of time.
    Index(
        "ix_directive_created_at",
        "created_at",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
    ),
    postgresql_partition_by=_BY_SUBSCRIPTION,
)

# First answers, so that a repeated request returns the same one. Grows with requests and is purged
# by age; keyed by the caller, who alone can repeat it.
request = Table(
    "request",
    metadata,
    Column("caller", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("method", Text, nullable=False),
    Column(
        "body_digest",
        LargeBinary,
        nullable=False,
        comment="keyed: tells the same body from another",
    ),
    Column("response_sealed", LargeBinary),
    Column("created_at", _Instant, nullable=False),
    PrimaryKeyConstraint("caller", "request_id"),
    # What is old enough to be forgotten. Answers are kept in the order of time.
    Index("ix_request_created_at", "created_at", postgresql_using="brin"),
)

import_batch = Table(
    "import_batch",
    metadata,
    Column("caller", Text, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("batch_index", Integer, nullable=False),
    Column("method", Text, nullable=False),
    Column(
        "body_digest",
        LargeBinary,
        nullable=False,
        comment="keyed: tells the same body from another",
    ),
    Column("result", JSONB, nullable=False, comment="counts and row errors, no data"),
    Column("created_at", _Instant, nullable=False),
    PrimaryKeyConstraint("caller", "request_id", "batch_index"),
)

enforcement_clock = Table(
    "enforcement_clock",
    metadata,
    Column("only_row", SmallInteger, nullable=False, server_default=text("1")),
    Column("ran_until", _Instant, nullable=False),
    PrimaryKeyConstraint("only_row"),
    CheckConstraint("only_row = 1", name="only_row"),
)

# Whose data this is. Written by the first start; keys that do not fit it are refused, and so is
# the other kind of clock.
registry = Table(
    "registry",
    metadata,
    Column("only_row", SmallInteger, nullable=False, server_default=text("1")),
    Column("key_check_sealed", LargeBinary, nullable=False, comment="a constant"),
    Column("key_check_index", LargeBinary, nullable=False, comment="blind index of the constant"),
    Column("clock_kind", Text, comment="known once it has served"),
    PrimaryKeyConstraint("only_row"),
    CheckConstraint("only_row = 1", name="only_row"),
    CheckConstraint("clock_kind IN ('real', 'simulated')", name="clock_kind"),
)
