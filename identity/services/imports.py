"""What population and subscription imports have in common: batches, counts and refused rows.

Owns the reconciliation of one import. Knows nothing of what a row holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from identity.domain.errors import ImportSequenceError
from identity.storage.import_runs import StoredBatch

_Key = TypeVar("_Key")

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

    def shifted(self, offset: int) -> "RowError":
        """The same with its place counted from further up."""
        return RowError(row_index=offset + self.row_index, field=self.field, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow(Generic[_Key]):
    """A row that cannot be read as a whole.

    Attributes:
        error: Why.
        key: What it is about, where that can be read. It names that all the same: nothing is gone
            because its row was refused.
    """

    error: RowError
    key: _Key | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of one batch: received = created + changed + unchanged + rejected."""

    received_count: int
    created_count: int
    changed_count: int
    unchanged_count: int
    row_errors: tuple[RowError, ...]
    link_counts: Mapping[str, int] = field(default_factory=dict)
    gone_count: int = 0
    """Of the last batch of a snapshot: what the whole of it did not name."""
    unidentified_count: int = 0
    """Of the rejected rows, those that do not say what they are about."""

    def to_fields(self) -> dict[str, Any]:
        """For a JSONB column."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "BatchResult":
        """Read what `to_fields` made."""
        errors = tuple(RowError(**error) for error in fields["row_errors"])
        return cls(**{**fields, "row_errors": errors})


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHead:
    """What a batch says of itself and its import.

    Attributes:
        request_id: Names the import.
        batch_index: Its place, from 0.
        is_snapshot: The import names everything that its sender holds.
        is_last: No batch follows.
    """

    request_id: UUID
    batch_index: int
    is_snapshot: bool = False
    is_last: bool = False


@dataclass(slots=True, kw_only=True)
class ImportSummary:
    """The running reconciliation of one import, batch after batch."""

    received_count: int = 0
    created_count: int = 0
    changed_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    gone_count: int = 0
    unidentified_count: int = 0
    row_errors: list[RowError] = field(default_factory=list)
    link_counts: dict[str, int] = field(default_factory=dict)

    def add(self, result: BatchResult) -> None:
        """Count one batch; its row indexes become places in the whole stream."""
        self._name(result.row_errors)
        self._count(result, rejected_count=len(result.row_errors))

    def add_stored(self, batch: StoredBatch) -> None:
        """Count one batch that was stored before."""
        result = BatchResult.from_fields({**batch.counts, "row_errors": batch.errors})
        self._name(result.row_errors)
        self._count(result, rejected_count=batch.refused_count)

    def _name(self, errors: Sequence[RowError]) -> None:
        room = ROW_ERRORS_MAX - len(self.row_errors)
        self.row_errors.extend(error.shifted(self.received_count) for error in errors[:room])

    def _count(self, result: BatchResult, *, rejected_count: int) -> None:
        self.received_count += result.received_count
        self.created_count += result.created_count
        self.changed_count += result.changed_count
        self.unchanged_count += result.unchanged_count
        self.rejected_count += rejected_count
        self.gone_count += result.gone_count
        self.unidentified_count += result.unidentified_count
        for state, count in result.link_counts.items():
            self.link_counts[state] = self.link_counts.get(state, 0) + count


class BatchOrder:
    """The order of one stream's batches: of one import, one kind, without a gap."""

    def __init__(self, first: BatchHead) -> None:
        """Begin with the first batch that came; whether it may is the registry's to say."""
        self._import = (first.request_id, first.is_snapshot)
        self._next = first.batch_index
        self._is_over = False

    def expect(self, batch: BatchHead) -> None:
        """Refuse a batch out of order, or of another import.

        Raises:
            ImportSequenceError: It is not the next one, comes after the last, or says something
                else of its import than the first did.
        """
        if (batch.request_id, batch.is_snapshot) != self._import:
            raise ImportSequenceError("each batch of a stream has the same request_id and kind")
        if self._is_over:
            raise ImportSequenceError("a batch came after the last one")
        if batch.batch_index != self._next:
            raise ImportSequenceError(f"expected batch {self._next}, got {batch.batch_index}")
        self._next += 1
        self._is_over = batch.is_last
