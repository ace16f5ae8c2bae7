"""One story of a registry that takes a whole register and a whole book and compares all claims.

Owns who is in it and what is sent: everything that a row can come to, in few rows. The same for
every process that asks. Knows nothing of deaths of processes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select

from identity.bootstrap import load_policy
from identity.config import DEFAULT_POLICY
from identity.domain.caller import Caller, Role
from identity.rpc import decode
from identity.services.call import Call
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.storage.bulk_tables import link_run
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRuns
from subid.v1 import imports_pb2
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.population import Citizen
from tests.integration.people import People, date_message, record_of, row_of

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(days=30)
LINK_RUN = uuid5(NAMESPACE_URL, "subid.test/link-run")
LINK_SLICES = 4
BATCH_ROWS = 14

OTHER_NAME = "Trần Quốc Bảo"
DIED_ON = date(2026, 3, 3)

_KNOWN, _HELD, _REGISTERED, _BOOKED, _ALL = range(24), range(20), range(1, 37), range(20, 41), 44
_GONE_CITIZENS, _GONE_NUMBERS, _ABSENT_BEFORE = {22, 23}, {16, 17, 18, 19}, 15
_VERIFIED = (0, 1, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Who is in it.

    Attributes:
        citizens: The people.
        numbers: A number of each.
        rivals: A number that another operator has.
    """

    citizens: Sequence[Citizen]
    numbers: Sequence[str]
    rivals: str

    @classmethod
    def told(cls) -> "Story":
        """The story."""
        people = People(seed=552, today=NOW.date())
        return cls(
            citizens=[people.citizen() for _ in range(_ALL)],
            numbers=[people.msisdn() for _ in range(_ALL)],
            rivals=people.msisdn(),
        )

    def begin(self, uow: UnitOfWork) -> None:
        """What was there before."""
        authority, operator = (replace(call, at=EARLIER) for call in (AUTHORITY, OPERATOR))
        records = [record_of(self.citizens[place]) for place in _KNOWN]
        import_population(uow, authority, decode.population_rows(records))
        book = [row_of(self.citizens[place], self.numbers[place]) for place in _HELD]
        import_subscriptions(uow, operator, decode.book_rows(book, uow.sealer))
        rival = replace(operator, caller=Caller(Role.OPERATOR, "rival"))
        import_subscriptions(
            uow, rival, decode.book_rows([row_of(self.citizens[9], self.rivals)], uow.sealer)
        )
        for place in _VERIFIED:
            self._verify(uow, place)
        self._miss(uow, _ABSENT_BEFORE)

    def register(self) -> list[population_pb.ImportPopulationRequest]:
        """The register as a whole: known people, changed ones, new ones, and broken records."""
        records = [record_of(self.citizens[place]) for place in _REGISTERED]
        records = [
            record
            for record, place in zip(records, _REGISTERED, strict=True)
            if place not in _GONE_CITIZENS
        ]
        records[0].full_name = OTHER_NAME
        records[1].deceased_on.CopyFrom(date_message(DIED_ON))
        records[2].card_issued_on.CopyFrom(date_message(DIED_ON))
        # The same person in two batches that follow one another: the second one counts.
        twice = record_of(self.citizens[24])
        twice.full_name = OTHER_NAME
        records.insert(BATCH_ROWS * 2 + 1, twice)
        # A broken record says of whom it is: that citizen is not gone.
        broken = population_pb.PopulationRecord(personal_id=self.citizens[22].personal_id)
        records.insert(5, broken)
        kind = imports_pb2.IMPORT_KIND_SNAPSHOT
        return [
            population_pb.ImportPopulationRequest(
                request_id=str(REGISTER), batch_index=i, kind=kind, records=part, is_last=is_last
            )
            for i, part, is_last in _parts(records)
        ]

    def book(self) -> list[pb.ImportSubscriptionsRequest]:
        """The book as a whole: the same, other holders, new numbers, and rows to be refused."""
        places = [place for place in (*_HELD, *_BOOKED) if place not in _GONE_NUMBERS]
        rows = [row_of(self.citizens[place], self.numbers[place]) for place in places]
        rows[4].holder.CopyFrom(row_of(self.citizens[21], "").holder)
        rows[5].activated_on.CopyFrom(date_message(DIED_ON))
        rows[8].holder.CopyFrom(row_of(self.citizens[43], "").holder)
        rows.insert(7, pb.SubscriptionRow(msisdn=self.numbers[16]))
        rows.insert(9, row_of(self.citizens[9], self.rivals))
        rows.insert(BATCH_ROWS * 2 + 3, row_of(self.citizens[42], self.numbers[20]))
        rows.append(row_of(self.citizens[30], self.numbers[40]))
        kind = imports_pb2.IMPORT_KIND_SNAPSHOT
        return [
            pb.ImportSubscriptionsRequest(
                request_id=str(BOOK), batch_index=i, kind=kind, rows=part, is_last=is_last
            )
            for i, part, is_last in _parts(rows)
        ]

    def restore(self, uow: UnitOfWork) -> None:
        """Records come back from elsewhere, and nobody has compared the claims with them yet."""
        born = [record_of(self.citizens[place]) for place in range(37, 41)]
        died = [record_of(self.citizens[place]) for place in (0, 6)]
        for record in died:
            record.deceased_on.CopyFrom(date_message(DIED_ON))
        renamed = record_of(self.citizens[7])
        renamed.full_name = OTHER_NAME
        records = [
            decode.population_record(record, path="record") for record in (*born, *died, renamed)
        ]
        uow.citizens.save_many(records, at=NOW)
        begun = uow.connection.execute(select(link_run.c.run_id)).scalars().all()
        if LINK_RUN not in begun:
            uow.link_runs.begin(LINK_RUN, slice_count=LINK_SLICES, at=NOW)

    def _verify(self, uow: UnitOfWork, place: int) -> None:
        found = uow.subscriptions.find_in_service(decode.msisdn(self.numbers[place]))
        assert found is not None
        item = replace(found, verified_at=EARLIER)
        uow.subscriptions.save(item)
        uow.primaries.set(item, at=EARLIER)

    def _miss(self, uow: UnitOfWork, place: int) -> None:
        """A whole book of before did not name a number."""
        runs: ImportRuns = uow.import_runs
        name = uuid5(NAMESPACE_URL, "subid.test/before")
        begin = partial(runs.begin, str(OPERATOR.caller), name, method=_METHOD, is_snapshot=True)
        run = begin(at=EARLIER + timedelta(days=1))
        book = [
            row_of(self.citizens[other], self.numbers[other]) for other in _HELD if other != place
        ]
        import_subscriptions(
            uow,
            replace(OPERATOR, at=run.began_at),
            decode.book_rows(book, uow.sealer),
            run=run,
            is_last=True,
        )
        runs.complete(run, gone_count=1, at=run.began_at)


def _call(role: Role, name: str) -> Call:
    return Call(caller=Caller(role, name), at=NOW, policy=load_policy(DEFAULT_POLICY))


def _parts(rows: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any], bool]]:
    starts = range(0, len(rows), BATCH_ROWS)
    for index, start in enumerate(starts):
        yield index, rows[start : start + BATCH_ROWS], start == starts[-1]


def _named(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"subid.test/{name}")


AUTHORITY = _call(Role.POPULATION, "register")
OPERATOR = _call(Role.OPERATOR, "song-hong")
REGISTER = _named("register")
BOOK = _named("book")
_METHOD = pb.ImportSubscriptionsRequest.DESCRIPTOR.full_name
