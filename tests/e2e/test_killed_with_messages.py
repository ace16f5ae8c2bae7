"""A server that is killed while messages are on their way: what it said stands, nothing is lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from identity.domain.caller import Role
from subid.v1 import notification_service_pb2 as pb
from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographLibrary, PhotographsUnavailableError
from tests.e2e.server_process import ServerProcess
from tests.integration.correspondence import Correspondence, receipts, receive_all, send_request
from tests.integration.people import People
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Stubs

ACCEPTED = pb.RECEIPT_RESULT_ACCEPTED


def test_what_was_sent_leased_and_reported_is_there_when_the_server_is_back(
    tmp_path: Path,
) -> None:
    year = datetime.now(UTC).year - 1
    cards = CardAuthority(
        established_on=datetime(year, 1, 1, tzinfo=UTC).date(), active_authentication_keys=1
    )
    try:
        face = PhotographLibrary.built_in().people[0]
    except PhotographsUnavailableError as error:
        pytest.skip(str(error))
    people, state = People(seed=13, today=datetime.now(UTC).date()), tmp_path / "state"
    (state / "trust").mkdir(parents=True)
    (state / "trust" / "csca.der").write_bytes(cards.certificate)
    (state / "trust" / "csca.crl").write_bytes(cards.revocation_list(at=datetime.now(UTC)))
    with ServerProcess(state) as server:
        scene = Scene(act_as=server.act_as, people=people, cards=cards)
        somebody = scene.verified(face, "song-hong")
        scene.set_primary(somebody)
        receive_all(scene, "song-hong")
        letters = Correspondence.of(scene)
        sent = [letters.send(somebody.citizen.personal_id) for _ in range(3)]
        pulled = letters.pull("song-hong", lease_s=600)
        assert [each.message_id for each in pulled.messages] == sent
        request = receipts(pulled)
        del request.receipts[1:]
        last = send_request(somebody.citizen.personal_id)
        agency = server.issue(Role.AGENCY, letters.agency)
        operator = server.issue(Role.OPERATOR, "song-hong")
        with (
            server.channel(Role.OPERATOR, "song-hong", identity=operator) as to_pull,
            server.channel(Role.AGENCY, letters.agency, identity=agency) as to_send,
        ):
            # Killed while it is at both: stored or not, answered or not, nobody can tell.
            calls = [
                Stubs(to_pull).notifications.AcknowledgeMessages.future(request),
                Stubs(to_send).notifications.SendNotification.future(last),
            ]
            server.kill()
            for call in calls:
                call.exception(timeout=TIMEOUT_S)
    with ServerProcess(state) as again:
        scene = Scene(act_as=again.act_as, people=people, cards=cards)
        letters = Correspondence(scene, letters.agency)
        with (
            again.channel(Role.OPERATOR, "song-hong", identity=operator) as to_pull,
            again.channel(Role.AGENCY, letters.agency, identity=agency) as to_send,
        ):
            acknowledge = Stubs(to_pull).notifications.AcknowledgeMessages
            assert [list(acknowledge(request).results) for _ in range(2)] == [[ACCEPTED]] * 2
            send = Stubs(to_send).notifications.SendNotification
            answers = {send(last).notification_id for _ in range(2)}
            assert len(answers) == 1
        assert [each.message_id for each in letters.pull("song-hong").messages] == list(answers)
        scene.advance(seconds=601)
        back = [each.message_id for each in letters.pull("song-hong").messages]
        assert back == [*sent[1:], *answers]
        assert letters.get(request.receipts[0].message_id).state == pb.NOTIFICATION_STATE_DELIVERED
        assert again.stop() == 0
