"""A server at an agency's counter that kills itself before or after it has decided.

Owns the process; `test_presence_crashes` tells it where to die. Run with `python -m
tests.integration.mortal_counter STATE DATABASE POINT SESSION REQUEST PERSONAL_ID`. Findings of the
chip are given; everything else is the service's own.
"""

import sys
from pathlib import Path
from uuid import UUID

from sqlalchemy import event

from identity.bootstrap import open_current_database
from identity.config import Settings
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.presence import claim_presence, record_presence
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.requests import RequestKey
from identity.storage.verifications import Claimant, PresenceSession
from tests.integration.mortal_importer import die
from tests.unit.identity.agency_makers import call_of, make_agency
from tests.unit.identity.makers import NOW, make_card

AGENCY = "mortal-counter"


def call_of_agency() -> Call:
    """The same call, whoever answers it."""
    return call_of(make_agency(name=AGENCY))


def request_key(request_id: UUID) -> RequestKey:
    """The same request, whoever answers it."""
    return RequestKey(
        caller=str(call_of_agency().caller),
        request_id=request_id,
        method="subid.v1.CompletePresenceRequest",
        body_digest=b"\x01" * 32,
    )


def take(uow: UnitOfWork, session_id: UUID, request_id: UUID) -> PresenceSession:
    """Take the session for the request."""
    claimant = Claimant(request_id=request_id, body_digest=b"\x01" * 32)
    return claim_presence(uow, call_of_agency(), session_id, claimant, has_probes=False)


def decide(uow: UnitOfWork, session: PresenceSession, person: PopulationRecord) -> bytes:
    """Judge a genuine card of somebody; answers the token."""
    told = record_presence(uow, call_of_agency(), session, make_card(person), None)
    assert told.token is not None
    return told.token.encode()


def main(state: str, database: str, point: str, *names: str) -> None:
    """Take the session, decide, and die at the point."""
    session_id, request_id = UUID(names[0]), UUID(names[1])
    with open_current_database(Settings(state=Path(state), database=database)) as opened:
        transactions = Transactions(opened)
        session = transactions.run(lambda uow: take(uow, session_id, request_id))

        def act(uow: UnitOfWork) -> bytes:
            person = uow.citizens.find(PersonalID(names[2]))
            assert person is not None
            answer = decide(uow, session, person)
            if point == "before_commit":
                # The transaction is as far as it can come, and is not committed.
                event.listen(opened.engine, "commit", lambda _connection: die())
            return answer

        transactions.run_once(request_key(request_id), act, at=NOW)
        die()


if __name__ == "__main__":
    main(*sys.argv[1:])
