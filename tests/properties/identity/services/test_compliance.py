"""Whatever operators did, the figures are those of a plain list, and each sees its own."""

from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.caller import Role
from identity.domain.compliance import ExecutionTimes, OperatorKpis, score
from identity.security.vault import Vault
from identity.services.compliance import get_kpis, get_monthly_scores
from identity.storage.database import UnitOfWork
from tests.properties.identity.services.obedience import (
    DAYS,
    NOW,
    Country,
    History,
    counted,
    histories,
)
from tests.unit.identity.makers import make_call

ALL = replace(make_call("regulator", role=Role.REGULATOR), at=NOW)


def rounded(kpis: OperatorKpis) -> OperatorKpis:
    """To whole microseconds: what is left is the float's."""

    def times(value: ExecutionTimes) -> ExecutionTimes:
        p50, p95 = (None if s is None else round(s, 6) for s in (value.p50_s, value.p95_s))
        return replace(value, p50_s=p50, p95_s=p95)

    return replace(
        kpis,
        orders=times(kpis.orders),
        notices=times(kpis.notices),
        device_changes=times(kpis.device_changes),
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
@example(history=History(orders=[], slices=[]))
def test_the_figures_are_those_of_a_plain_list(
    engine: Engine, vault: Vault, history: History
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        uow = UnitOfWork(connection, vault)
        country = Country.founded(uow)
        country.live(history)
        whole = get_kpis(uow, ALL, days=DAYS)
        alone = [
            get_kpis(uow, replace(make_call(name), at=NOW), days=DAYS).operators
            for name in country.operators
        ]
        month = get_monthly_scores(uow, ALL, month=DAYS)
        transaction.rollback()
    found = {each.operator_id: rounded(each) for each in whole.operators}
    silent = [counted(History(orders=[], slices=[]), 0, name) for name in country.operators]
    for place, name in enumerate(country.operators):
        wanted = rounded(counted(history, place, name))
        assert found.get(name, silent[place]) == wanted
        assert [rounded(each) for each in alone[place]] == [
            each for each in found.values() if each.operator_id == name
        ]
    scored = {each.operator_id: each for each in month.scores}
    for kpis in whole.operators:
        made = score(kpis)
        assert scored.get(kpis.operator_id, replace(made, parts=())) == made
    assert month.is_final


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories, place=st.integers(0, 1))
def test_an_operator_learns_nothing_of_what_another_does(
    engine: Engine, vault: Vault, history: History, place: int
) -> None:
    """The same history without the other's part gives the same answer, to the letter."""
    with engine.connect() as connection, connection.begin() as transaction:
        uow = UnitOfWork(connection, vault)
        country = Country.founded(uow)
        call = replace(make_call(country.operators[place]), at=NOW)
        country.live(_part_of(history, place))
        before = get_kpis(uow, call, days=DAYS)
        country.live(_part_of(history, 1 - place))
        after = get_kpis(uow, call, days=DAYS)
        transaction.rollback()
    assert before == after
    assert {each.operator_id for each in after.operators} <= {country.operators[place]}


def _part_of(history: History, place: int) -> History:
    return History(
        orders=[each for each in history.orders if each.number % 2 == place],
        slices=[
            replace(
                each,
                place=place,
                blocked=frozenset(n for n in each.blocked if n % 2 == place),
                back=frozenset(n for n in each.back if n % 2 == place),
            )
            for each in history.slices
        ],
        ended=[each for each in history.ended if each[0] % 2 == place],
        complaints=[each for each in history.complaints if each[0] % 2 == place],
        reconciled=[each for each in history.reconciled if each.operator == place],
    )
