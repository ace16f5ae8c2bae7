"""What population and subscription imports have in common: batches, counts and refused rows.

Owns the reconciliation of one import. Knows nothing of what a row holds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from identity.domain.errors import ImportSequenceError

ROW_ERRORS_MAX = 10_000
"""Refused rows that are named; the others are counted only, so an answer stays bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """Why one row was refused.

    Attributes:
        row_index: Its place in the batch, from 0.
        field: The field at fault; empty for the row as a whole.
        reason: Stable reason.
    """

    row_index: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of one batch: received = created + changed + unchanged + rejected."""

    received_count: int
    created_count: int
    changed_count: int
    unchanged_count: int
    row_errors: tuple[RowError, ...]
    link_counts: Mapping[str, int] = field(default_factory=dict)

    def to_fields(self) -> dict[str, Any]:
        """For a JSONB column."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "BatchResult":
        """Read what `to_fields` made."""
        errors = tuple(RowError(**error) for error in fields["row_errors"])
        return cls(**{**fields, "row_errors": errors})


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    """The running reconciliation of one import, batch after batch."""

    received_count: int = 0
    created_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    row_errors: list[RowError] = field(default_factory=list)
    link_counts: dict[str, int] = field(default_factory=dict)
    batch_count: int = 0
    request_id: str = ""

    def expect(self, batch_index: int, request_id: str) -> None:
        """Refuse a batch out of order, or of another import.

        Raises:
            ImportSequenceError: It is not the next one, or has another request_id than the first.
        """
        if self.batch_count == 0:
            self.request_id = request_id
        if request_id != self.request_id:
            raise ImportSequenceError("each batch of a stream has the same request_id")
        if batch_index != self.batch_count:
            raise ImportSequenceError(f"expected batch {self.batch_count}, got {batch_index}")

    def add(self, result: BatchResult) -> None:
        """Count one batch; its row indexes become places in the whole stream."""
        offset = self.received_count
        self.received_count += result.received_count
        self.created_count += result.created_count
        self.changed_count += result.changed_count
        self.unchanged_count += result.unchanged_count
        self.rejected_count += len(result.row_errors)
        self.batch_count += 1
        for state, count in result.link_counts.items():
            self.link_counts[state] = self.link_counts.get(state, 0) + count
        room = ROW_ERRORS_MAX - len(self.row_errors)
        self.row_errors.extend(
            RowError(row_index=offset + e.row_index, field=e.field, reason=e.reason)
            for e in result.row_errors[:room]
        )
