"""How fast an agency's book is compared with the register, against an import of as many records.

Owns the run and its baseline: ImportPopulation of the very people, who are all known and unchanged,
so that both read, index and look up the same rows, and only one leaves a record for each person.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from uuid import uuid4

import grpc

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.storage.database import UnitOfWork
from subid.v1 import agency_pb2
from subid.v1 import match_service_pb2 as pb
from subid.v1 import population_service_pb2 as population_pb
from tests.benchmarks.books import register
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.running import Target, running_target

PEOPLE = 100_000
ROUNDS = 5
WRONG_SHARE = 10
"""One record in so many has another name: real books are no better."""

GOAL_PER_S = 50_000

_AGENCY = Caller(Role.AGENCY, "benchmark")
_POPULATION = Caller(Role.POPULATION, "register")
_LEGAL_BASIS = "Law 26/2023/QH15, art. 10"
_IMPORT = "/subid.v1.PopulationService/ImportPopulation"
_MATCH = "/subid.v1.MatchService/MatchRecords"
_GROUNDS = agency_pb2.Grounds(
    purpose=agency_pb2.PURPOSE_RECORD_UPKEEP, legal_basis=_LEGAL_BASIS, case_id="BHXH-2026"
)


def match_records() -> Benchmark:
    """Records a second of MatchRecords against ImportPopulation of the same, unchanged."""
    with running_target(_grant) as target:
        _import(target)
        _match(target, wrong_share=0)  # warm-up
        imports, exact, mixed = [], [], []
        for _ in range(ROUNDS):
            imports.append(_import(target))
            exact.append(_match(target, wrong_share=0))
            mixed.append(_match(target, wrong_share=WRONG_SHARE))
    return benchmark(
        "match_records",
        ratio=median(one / other for one, other in zip(imports, exact, strict=True)),
        goal=1,
        times_ms=[1000 * each for each in exact],
        notes=(
            f"{_rate(exact):.0f} records/s of MatchRecords where all are exact (goal"
            f" {GOAL_PER_S}), {_rate(mixed):.0f} where one in {WRONG_SHARE} has another name, one"
            f" stream, a record of the access for each person; against ImportPopulation of the"
            f" same {PEOPLE} people, unchanged, {_rate(imports):.0f}/s, at least; each {ROUNDS}"
            " times in turn"
        ),
    )


def _grant(uow: UnitOfWork) -> None:
    grant = Grant(
        purpose=Purpose.RECORD_UPKEEP,
        legal_bases=frozenset({_LEGAL_BASIS}),
        rights=frozenset({Right.RECORD_MATCH}),
        people_per_day_max=1_000_000_000,
    )
    agency = Agency(name=_AGENCY.name, is_active=True, grants=(grant,))
    uow.agencies.save(agency, by="regulator:benchmark", at=datetime.now(UTC))


def _rate(times_s: Sequence[float]) -> float:
    return PEOPLE / median(times_s)


def _import(target: Target) -> float:
    """Seconds of a whole import; its messages are made before."""
    messages = list(register(0, PEOPLE, request_id=str(uuid4())))
    with grpc.secure_channel(target.address, target.credentials(_POPULATION)) as channel:
        call: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(_IMPORT)
        began_at = time.perf_counter()
        call(iter(messages), timeout=3_600)
        return time.perf_counter() - began_at


def _match(target: Target, *, wrong_share: int) -> float:
    """Seconds of a whole matching, until its last answer is here; messages as above."""
    messages = list(_batches(wrong_share))
    with grpc.secure_channel(target.address, target.credentials(_AGENCY)) as channel:
        call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(_MATCH)
        began_at = time.perf_counter()
        answers = [
            pb.MatchRecordsResponse.FromString(each) for each in call(iter(messages), timeout=3_600)
        ]
        took = time.perf_counter() - began_at
    assert sum(len(each.matches) for each in answers) == PEOPLE
    wrong = sum(
        match.full_name == pb.FIELD_MATCH_DIFFERENT for each in answers for match in each.matches
    )
    assert wrong == (PEOPLE // wrong_share if wrong_share else 0)
    return took


def _batches(wrong_share: int) -> Iterator[bytes]:
    """The register's own records, as an agency has them."""
    request_id, number = str(uuid4()), 0
    for index, message in enumerate(register(0, PEOPLE, request_id=request_id)):
        claims = []
        for each in population_pb.ImportPopulationRequest.FromString(message).records:
            is_wrong = wrong_share and number % wrong_share == 0
            claims.append(
                pb.RecordClaim(
                    personal_id=each.personal_id,
                    full_name="Lâm Bảo Hân Ngọc" if is_wrong else each.full_name,
                    birth_date=each.birth_date,
                )
            )
            number += 1
        request = pb.MatchRecordsRequest(
            request_id=request_id, batch_index=index, grounds=_GROUNDS, records=claims
        )
        yield request.SerializeToString()
