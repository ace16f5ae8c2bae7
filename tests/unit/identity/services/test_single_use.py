"""A session, and with it its nonces, serves one request: also of two servers on one database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from identity.domain.agency import Right
from identity.domain.caller import Role
from identity.domain.errors import VerificationUsedError
from identity.services.call import Call
from identity.services.complete_verification import claim_session
from identity.services.presence import claim_presence, start_presence
from identity.services.transactions import Transactions
from identity.services.verification_sessions import start_verification
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.verifications import Claimant
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import make_call, store_citizen, store_number

ROUNDS = 5

Open = Callable[[UnitOfWork], tuple[Call, UUID]]
Take = Callable[[UnitOfWork, Call, UUID, Claimant], object]


def open_session(uow: UnitOfWork) -> tuple[Call, UUID]:
    number = store_number(uow, store_citizen(uow))
    call = make_call(number.operator_id)
    return call, start_verification(uow, call, number.msisdn, None).verification_id


def open_presence(uow: UnitOfWork) -> tuple[Call, UUID]:
    agency = store_agency(uow, make_grant(Right.CHIP_PRESENCE))
    call = make_call(agency.name, role=Role.AGENCY)
    session = start_presence(uow, call, make_access(agency), with_face=False)
    return call, session.verification_id


def take_presence(uow: UnitOfWork, call: Call, session: UUID, claimant: Claimant) -> object:
    return claim_presence(uow, call, session, claimant, has_probes=False)


@pytest.fixture
def servers(database: Database, database_url: str) -> Iterator[tuple[Transactions, Transactions]]:
    other = connect(database_url)
    yield Transactions(database), Transactions(Database(other, database.sealer))
    other.dispose()


@pytest.mark.parametrize(
    ("begin", "take"), [(open_session, claim_session), (open_presence, take_presence)]
)
def test_of_two_requests_at_once_on_two_servers_one_has_it(
    servers: tuple[Transactions, Transactions], begin: Open, take: Take
) -> None:
    for _ in range(ROUNDS):
        call, session = servers[0].run(begin)
        start = threading.Barrier(2)

        def claim(server: Transactions, call: Call, session: UUID, start: threading.Barrier) -> str:
            claimant = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
            start.wait()
            try:
                server.run(lambda uow: take(uow, call, session, claimant))
            except VerificationUsedError as error:
                return error.reason
            return "taken"

        with ThreadPoolExecutor(2) as threads:
            ends = list(threads.map(lambda each: claim(each, call, session, start), servers))  # noqa: B023 - run to its end in this round
        assert sorted(ends) == ["VERIFICATION_USED", "taken"]
