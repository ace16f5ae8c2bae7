"""Imports as wholes: begun once, read back in their order, ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from identity.services.imports import BatchResult, RowError
from identity.storage.bulk_tables import import_row
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun, StoredBatch
from identity.storage.requests import RequestKey
from tests.unit.identity.makers import NOW, make_key

LATER = NOW + timedelta(hours=2)


def result(received: int, *refused: int) -> BatchResult:
    return BatchResult(
        received_count=received,
        created_count=received - len(refused),
        changed_count=0,
        unchanged_count=0,
        row_errors=tuple(
            RowError(row_index=index, field="msisdn", reason="MSISDN_MALFORMED")
            for index in refused
        ),
        link_counts={"linked": received - len(refused)},
    )


@dataclass(frozen=True)
class Import:
    """One import of one caller."""

    uow: UnitOfWork
    key: RequestKey

    def begin(self, *, is_snapshot: bool = False) -> ImportRun:
        """The import, begun."""
        return self.uow.import_runs.begin(
            self.key.caller,
            self.key.request_id,
            method=self.key.method,
            is_snapshot=is_snapshot,
            at=NOW,
        )

    def store(self, batch_index: int, what: BatchResult) -> None:
        """A batch, stored the first time."""
        assert self.uow.requests.begin_batch(self.key, batch_index, at=NOW) is None
        self.uow.requests.finish_batch(self.key, batch_index, what.to_fields())

    def stored(self, *, before: int, errors_max: int = 100) -> list[StoredBatch]:
        """What is read back."""
        return list(
            self.uow.import_runs.stored(
                self.key.caller, self.key.request_id, before=before, errors_max=errors_max
            )
        )

    @property
    def next(self) -> int:
        """Where it goes on."""
        return self.uow.import_runs.next_batch_index(self.key.caller, self.key.request_id)


@pytest.fixture
def own(uow: UnitOfWork) -> Import:
    """An import that nobody has begun."""
    return Import(uow, make_key())


def test_an_import_is_begun_once_and_found_as_it_was_begun(own: Import) -> None:
    runs = own.uow.import_runs
    assert runs.find(own.key.caller, own.key.request_id) is None
    run = own.begin(is_snapshot=True)
    assert (run.method, run.is_snapshot, run.began_at) == (own.key.method, True, NOW)
    assert (run.completed_at, run.gone_count) == (None, None)
    again = runs.begin(
        own.key.caller, own.key.request_id, method="another", is_snapshot=False, at=LATER
    )
    assert again == run == runs.find(own.key.caller, own.key.request_id)


def test_a_name_is_the_callers_own(own: Import) -> None:
    other = Import(own.uow, replace(own.key, caller="operator:other"))
    assert own.begin().import_id != other.begin().import_id
    own.store(0, result(3, 1))
    assert (own.next, other.next) == (1, 0)
    assert other.stored(before=9) == []
    refused = own.uow.import_runs.refused_rows
    assert refused(other.key.caller, other.key.request_id, after=-1) is None


def test_what_is_stored_is_read_in_order_and_up_to_a_place(own: Import) -> None:
    results = [result(5, 4), result(3), result(7, 0, 1), result(2, 1)]
    for place in (2, 0, 3, 1):
        own.store(place, results[place])
    told = own.stored(before=3)
    assert [each.counts["received_count"] for each in told] == [5, 3, 7]
    assert [each.refused_count for each in told] == [1, 0, 2]
    for each, what in zip(told, results, strict=False):
        read = BatchResult.from_fields({**each.counts, "row_errors": each.errors})
        assert read == what
    assert own.stored(before=0) == []


@pytest.mark.parametrize(
    ("errors_max", "named"), [(0, [0, 0, 0]), (1, [2, 0, 0]), (2, [2, 0, 0]), (3, [2, 2, 0])]
)
def test_refused_rows_are_read_until_there_are_enough(
    own: Import, errors_max: int, named: Sequence[int]
) -> None:
    for place in range(3):
        own.store(place, result(4, 0, 1))
    told = own.stored(before=3, errors_max=errors_max)
    assert [len(each.errors) for each in told] == named
    assert [each.refused_count for each in told] == [2, 2, 2]


def test_refused_rows_are_paged_batch_by_batch(own: Import) -> None:
    for place, what in enumerate([result(4), result(5, 2, 3), result(6), result(7, 0)]):
        own.store(place, what)
    read = own.uow.import_runs.refused_rows
    first = read(own.key.caller, own.key.request_id, after=-1)
    assert first is not None
    assert (first.batch_index, first.received_before, first.has_more) == (1, 4, True)
    assert [error["row_index"] for error in first.errors] == [2, 3]
    second = read(own.key.caller, own.key.request_id, after=first.batch_index)
    assert second is not None
    assert (second.batch_index, second.received_before, second.has_more) == (3, 15, False)
    assert read(own.key.caller, own.key.request_id, after=second.batch_index) is None
    assert read(own.key.caller, own.key.request_id, after=2**40) is None


def test_a_snapshots_names_are_kept_once_until_it_is_complete(own: Import) -> None:
    run, other = own.begin(is_snapshot=True), Import(own.uow, make_key()).begin(is_snapshot=True)
    keys = [uuid4().bytes * 2 for _ in range(3)]
    runs = own.uow.import_runs
    runs.name_rows(run.import_id, keys[:2])
    runs.name_rows(run.import_id, [keys[2], keys[2], keys[0]])
    runs.name_rows(run.import_id, [])
    runs.name_rows(other.import_id, keys[:1])
    assert names(own, run) == sorted(keys)
    runs.complete(run, gone_count=17, at=LATER)
    assert (names(own, run), names(own, other)) == ([], keys[:1])
    done = runs.find(own.key.caller, own.key.request_id)
    assert done == replace(run, completed_at=LATER, gone_count=17)


def names(own: Import, run: ImportRun) -> list[bytes]:
    query = select(import_row.c.row_key).where(import_row.c.import_id == run.import_id)
    return sorted(own.uow.connection.scalars(query))


def test_a_delta_names_nothing_and_has_nothing_gone(own: Import) -> None:
    run = own.begin()
    own.uow.import_runs.complete(run, gone_count=None, at=LATER)
    done = own.uow.import_runs.find(own.key.caller, own.key.request_id)
    assert done == replace(run, completed_at=LATER)
