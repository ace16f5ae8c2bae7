"""The hot queries of arrangements: who acts for whom, what is proposed and accepted, what is over.

Owns their part of the list of `plan_queries.py`, brought about in the same way.
"""

from functools import partial

from identity.domain.arrangement import GuardianAct
from identity.domain.caller import Caller, Role
from identity.services.act_for import may_act_for
from identity.services.arrangements import (
    accept_arrangement,
    list_arrangements,
    propose_company_line,
    propose_guardianship,
)
from identity.services.end_arrangements import close_due
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.benchmarks.hot_query import (
    ANY_PARTITION,
    APP,
    BY_ID,
    IN_ORDER,
    PAGE,
    SETTLED,
    HotQuery,
    Step,
)
from tests.benchmarks.plan_registry import World

PEOPLE = 200
SLICE = 50
REGULATOR = Caller(Role.REGULATOR, "ministry")

_OTHER_SIDE = "from the other side: an index probe in each partition"


def _act_for(world: World, uow: UnitOfWork) -> Step:
    guardian, child = world.record(21).personal_id, world.record(22).personal_id
    call = world.call(APP)
    return lambda: may_act_for(uow, call, guardian, child, act=GuardianAct.SET_LOCK)


def _guardians_of(world: World, uow: UnitOfWork) -> Step:
    call = world.call()
    keys = [citizen_key(uow.sealer, world.record(n).personal_id) for n in range(PEOPLE)]
    return lambda: uow.arrangements.guardians_of(keys, call.rules.arrangements, at=call.at)


def _propose(world: World, uow: UnitOfWork) -> Step:
    guardian, child = world.record(21).personal_id, world.record(22).personal_id
    return lambda: propose_guardianship(uow, world.call(APP), guardian, child)


def _line(world: World, uow: UnitOfWork, number: int) -> Step:
    """An organisation asks somebody; returns what accepting it is."""
    employee = world.record(number).personal_id
    kept = propose_company_line(
        uow,
        world.call(),
        world.msisdn(number),
        organisation_code="0100109106",
        employee=employee,
    )
    arrangement_id = kept.arrangement.arrangement_id
    return lambda: accept_arrangement(uow, world.call(APP), employee, arrangement_id)


def _accept(world: World, uow: UnitOfWork) -> Step:
    return _line(world, uow, 23)


def _list(world: World, uow: UnitOfWork) -> Step:
    # Nobody here has a guardian: what the registry was filled with does not open.
    number = next(n for n in range(24, PEOPLE) if _is_alone(world, uow, n))
    _line(world, uow, number)
    person = world.record(number).personal_id
    return lambda: list_arrangements(uow, world.call(APP), person, after=None, limit=PAGE)


def _is_alone(world: World, uow: UnitOfWork, number: int) -> bool:
    key = citizen_key(uow.sealer, world.record(number).personal_id)
    return key[3] >= 128


def _close_due(world: World, uow: UnitOfWork) -> Step:
    return partial(close_due, uow, world.call(REGULATOR), limit=SLICE)


ARRANGEMENT_QUERIES = (
    HotQuery(name="A guardian acts for a child", bring=_act_for),
    HotQuery(name=f"Guardians of {PEOPLE} people", bring=_guardians_of, key_count=PEOPLE),
    HotQuery(name="ProposeGuardianship", bring=_propose, crosses={"arrangement": _OTHER_SIDE}),
    HotQuery(
        name="AcceptArrangement, a company's line",
        bring=_accept,
        crosses={"arrangement": BY_ID, **SETTLED, "subscriber_update": ANY_PARTITION},
    ),
    HotQuery(name="ListArrangements", bring=_list, crosses={"arrangement": _OTHER_SIDE}),
    HotQuery(
        name="AdvanceEnforcement, arrangements whose time is over",
        bring=_close_due,
        key_count=SLICE,
        crosses={"arrangement": IN_ORDER},
    ),
)
