"""Whoever was answered is on record, also when the server is killed in the middle of answering."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from identity.audit.log import read_about_citizen
from identity.bootstrap import open_database
from identity.config import Settings
from identity.domain.caller import Role
from identity.domain.personal_id import PersonalID
from subid.v1 import contact_service_pb2 as pb
from tests.e2e.server_process import ServerProcess
from tests.integration.scene import AGENCY, grounds, register_agency
from tests.integration.wire import Stubs

CALLERS = 8
ANSWERS_BEFORE_THE_END = 40


def test_whoever_was_answered_before_a_kill_is_on_record(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        register_agency(server.act_as(Role.REGULATOR, "regulator"), AGENCY)
        answered = _ask_until_killed(server, server.act_as(Role.AGENCY, AGENCY))
    assert len(answered) >= ANSWERS_BEFORE_THE_END
    with open_database(Settings(state=tmp_path)) as database, database.transaction() as uow:
        for personal_id in answered:
            key = uow.primaries.key_of(PersonalID(personal_id))
            (entry,) = read_about_citizen(uow.connection, key)
            assert (entry.action, entry.caller) == ("get_contact", f"agency:{AGENCY}")


def _ask_until_killed(server: ServerProcess, agency: Stubs) -> list[str]:
    """Ask about one person after the other, and kill the server in the middle of it."""
    answered: list[str] = []
    is_enough = threading.Event()

    def ask(caller: int) -> None:
        for number in range(100_000):
            personal_id = f"001{caller:03d}{number:06d}"
            request = pb.GetContactRequest(personal_id=personal_id, grounds=grounds())
            try:
                agency.contacts.GetContact(request, timeout=30)
            except grpc.RpcError:
                return
            answered.append(personal_id)
            if len(answered) >= ANSWERS_BEFORE_THE_END:
                is_enough.set()

    with ThreadPoolExecutor(CALLERS) as threads:
        asking = [threads.submit(ask, caller) for caller in range(CALLERS)]
        assert is_enough.wait(60)
        server.process.kill()
        for each in asking:
            each.result()
    return answered
