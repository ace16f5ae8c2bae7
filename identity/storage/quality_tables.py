"""The schema of the measurements of quality: how good the data were on each day.

Owns the table; `tables.py` has the registry itself, and the metadata. It grows with days, operators
and provinces, not with people, so it is not partitioned.
"""

from sqlalchemy import Column, Date, DateTime, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from identity.storage.tables import metadata

quality_day = Table(
    "quality_day",
    metadata,
    Column("day", Date, nullable=False, comment="in Viet Nam, UTC+7"),
    Column("operator_id", Text, nullable=False, comment="empty: all operators"),
    Column("province_code", Text, nullable=False, comment="empty: all; 00: not known"),
    Column("measured_at", DateTime(timezone=True), nullable=False),
    Column("row_counts", JSONB, nullable=False, comment="counts by name, no data"),
    Column("book_counts", JSONB, comment="counts by name; of all provinces only"),
    Column(
        "anomaly_counts",
        JSONB,
        comment="counts by kind, no data; of all provinces only, where they were counted",
    ),
    PrimaryKeyConstraint("day", "operator_id", "province_code"),
)
