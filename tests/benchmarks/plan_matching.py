"""The hot queries of matching and of operators' questions.

Owns their list; see `plan_queries.py`.
"""

from dataclasses import replace
from datetime import date
from functools import partial

from identity.domain.agency import Access, Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.kyc import IdentityClaim
from identity.domain.record_match import MatchPolicy, RecordClaim
from identity.services.answer_kyc import (
    Part,
    Question,
    check_recycling,
    check_swap,
    match_identity,
)
from identity.services.match_records import match_records
from identity.storage.database import UnitOfWork
from identity.storage.record_matching import index_record
from tests.benchmarks.hot_query import HotQuery, Step
from tests.benchmarks.plan_registry import NOW, World

_AGENCY = Caller(Role.AGENCY, "social-security")
_LEGAL_BASIS = "Law 26/2023/QH15, art. 10"


def _match(world: World, uow: UnitOfWork, *, count: int) -> Step:
    grant = Grant(
        purpose=Purpose.RECORD_UPKEEP,
        legal_bases=frozenset({_LEGAL_BASIS}),
        rights=frozenset({Right.RECORD_MATCH}),
        people_per_day_max=1_000_000,
    )
    agency = Agency(name=_AGENCY.name, is_active=True, grants=(grant,))
    uow.agencies.save(agency, by="regulator:regulator", at=NOW)
    records = [world.record(number) for number in range(count)]
    rows = [
        index_record(
            uow.sealer,
            RecordClaim(
                personal_id=each.personal_id, full_name=each.full_name, birth_date=each.birth_date
            ),
        )
        for each in records
    ]
    access = Access(caller=_AGENCY, at=NOW, purpose=Purpose.RECORD_UPKEEP, legal_basis=_LEGAL_BASIS)
    call = world.call(_AGENCY)
    tolerant = replace(call, rules=replace(call.rules, match=MatchPolicy(judged_from=1_000_000)))
    return lambda: match_records(uow, tolerant, access, rows)


def _match_identity(world: World, uow: UnitOfWork) -> Step:
    question = Question(uow, world.call(), world.msisdn(20))
    claim = IdentityClaim(birth_date=date(1990, 1, 1))
    return partial(match_identity, question, claim)


def _check_swap(world: World, uow: UnitOfWork) -> Step:
    question = Question(uow, world.call(), world.msisdn(20))
    return lambda: check_swap(question, Part.SIM, max_age=NOW - NOW)


def _check_recycling(world: World, uow: UnitOfWork) -> Step:
    question = Question(uow, world.call(), world.msisdn(20))
    return partial(check_recycling, question, date(2026, 1, 1))


MATCHING_QUERIES = (
    HotQuery(name="MatchRecord", bring=partial(_match, count=1)),
    HotQuery(name="MatchRecords, 200 people", bring=partial(_match, count=200), key_count=200),
    HotQuery(name="MatchIdentity", bring=_match_identity),
    HotQuery(name="CheckSimSwap", bring=_check_swap),
    HotQuery(name="CheckNumberRecycling", bring=_check_recycling),
)
