"""Comparisons of all claims: one at a time, and each slice done once."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.storage.bulk_tables import link_run
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import LinkRun, LinkTotals, slice_bounds
from tests.unit.identity.makers import NOW


def begin(uow: UnitOfWork, slice_count: int = 3) -> LinkRun:
    return uow.link_runs.begin(uuid4(), slice_count=slice_count, at=NOW)


def do(uow: UnitOfWork, run_id: UUID, place: int, totals: tuple[int, int]) -> None:
    assert uow.link_runs.take(run_id, place)
    compared, changed = totals
    uow.link_runs.count(run_id, place, LinkTotals(compared_count=compared, changed_count=changed))


def test_a_run_that_is_under_way_is_gone_on_with(uow: UnitOfWork) -> None:
    run = begin(uow)
    assert (run.slice_count, run.done) == (3, frozenset())
    do(uow, run.run_id, 1, (5, 2))
    again = begin(uow, slice_count=99)
    assert again == LinkRun(run_id=run.run_id, slice_count=3, done=frozenset({1}))


def test_a_slice_is_taken_once(uow: UnitOfWork) -> None:
    run = begin(uow)
    assert uow.link_runs.take(run.run_id, 0)
    assert not uow.link_runs.take(run.run_id, 0)
    assert uow.link_runs.take(run.run_id, 2)
    assert begin(uow).done == {0, 2}


def test_a_slice_given_back_can_be_taken_again(uow: UnitOfWork) -> None:
    run = begin(uow)
    with uow.connection.begin_nested() as savepoint:
        assert uow.link_runs.take(run.run_id, 0)
        savepoint.rollback()
    assert uow.link_runs.take(run.run_id, 0)


def test_a_run_comes_to_the_sum_of_its_slices(uow: UnitOfWork) -> None:
    run = begin(uow)
    for place, counts in enumerate([(5, 2), (0, 0), (2**40, 1)]):
        do(uow, run.run_id, place, counts)
    assert uow.link_runs.totals(run.run_id) == LinkTotals(compared_count=2**40 + 5, changed_count=3)


def test_a_run_of_nothing_comes_to_nothing(uow: UnitOfWork) -> None:
    assert uow.link_runs.totals(begin(uow).run_id) == LinkTotals(compared_count=0, changed_count=0)


def test_a_second_run_begins_only_after_the_first_and_with_nothing_done(uow: UnitOfWork) -> None:
    first = begin(uow)
    do(uow, first.run_id, 0, (7, 7))
    assert begin(uow).run_id == first.run_id
    uow.link_runs.complete(first.run_id, at=NOW)
    second = begin(uow, slice_count=2)
    assert second.run_id != first.run_id
    assert (second.slice_count, second.done) == (2, frozenset())
    do(uow, second.run_id, 0, (1, 0))
    assert uow.link_runs.totals(second.run_id).compared_count == 1


def test_a_run_is_completed_once(uow: UnitOfWork) -> None:
    run = begin(uow)
    assert uow.link_runs.complete(run.run_id, at=NOW)
    assert not uow.link_runs.complete(run.run_id, at=NOW + timedelta(days=1))
    query = select(link_run.c.completed_at).where(link_run.c.run_id == run.run_id)
    assert uow.connection.execute(query).scalar_one() == NOW


def test_the_estimate_is_no_less_than_nothing(uow: UnitOfWork) -> None:
    assert uow.link_runs.estimate_subscriptions() >= 0


@pytest.mark.parametrize("slice_count", [1, 2, 3, 7, 256, 6_300])
def test_slices_begin_at_the_first_key_and_end_with_the_last(slice_count: int) -> None:
    bounds = [slice_bounds(place, of=slice_count) for place in range(slice_count)]
    assert bounds[0][0] == bytes(4)
    assert [low for low, _ in bounds[1:]] == [high for _, high in bounds[:-1]]
    assert bounds[-1][1] is None
