"""A server that is killed while an operator holds directives: none is lost, none counts twice."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from identity.domain.caller import Role
from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import subscription_pb2
from telco_sim.cards import CardAuthority
from tests.e2e.server_process import ServerProcess
from tests.integration.people import People
from tests.integration.scene import Scene
from tests.integration.signing import signature_by, text_of
from tests.integration.wire import TIMEOUT_S, Stubs, new_id

ACCEPTED = pb.ACKNOWLEDGEMENT_RESULT_ACCEPTED
LEASE_LOST = pb.ACKNOWLEDGEMENT_RESULT_LEASE_LOST
BLOCKED = subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED


@pytest.fixture
def people() -> People:
    return People(seed=9, today=datetime.now(UTC).date())


def scene_of(server: ServerProcess, people: People) -> Scene:
    year = datetime.now(UTC).year - 1
    cards = CardAuthority(established_on=date(year, 1, 1), active_authentication_keys=1)
    return Scene(act_as=server.act_as, people=people, cards=cards)


def acknowledgement(
    pulled: pb.PullDirectivesResponse, *, key: bytes
) -> pb.AcknowledgeDirectivesRequest:
    request = pb.AcknowledgeDirectivesRequest(request_id=new_id(), lease_id=pulled.lease_id)
    for each in pulled.directives:
        request.acknowledgements.add(
            directive_id=each.directive_id, outcome=pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED
        )
    request.signature = signature_by(key, text_of(request))
    return request


def test_a_server_killed_between_lease_and_acknowledgement_takes_it_once_when_it_is_back(
    tmp_path: Path, people: People
) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        scene = scene_of(server, people)
        number = scene.imported("song-hong")
        scene.report_device_change(number.msisdn, "song-hong")
        pulled = scene.pull("song-hong", lease_s=3_600)
        assert len(pulled.directives) == 3
        identity = server.issue(Role.OPERATOR, "song-hong")
        request = acknowledgement(pulled, key=identity.private_key)
        with server.channel(Role.OPERATOR, "song-hong", identity=identity) as channel:
            # Killed while it is at it: stored or not, answered or not, nobody can tell.
            call = Stubs(channel).enforcement.AcknowledgeDirectives.future(request)
            server.kill()
            call.exception(timeout=TIMEOUT_S)
    with ServerProcess(state) as again:
        scene = scene_of(again, people)
        with again.channel(Role.OPERATOR, "song-hong", identity=identity) as channel:
            method = Stubs(channel).enforcement.AcknowledgeDirectives
            assert list(method(request).results) == [ACCEPTED] * 3
            assert list(method(request).results) == [ACCEPTED] * 3
        scene.advance(hours=2)
        assert not scene.pull("song-hong").directives
        assert scene.subscription(number).applied_state == BLOCKED
        assert again.stop() == 0


def test_what_was_leased_from_a_killed_server_comes_back_when_the_lease_ends(
    tmp_path: Path, people: People
) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        scene = scene_of(server, people)
        number = scene.imported("song-hong")
        scene.report_device_change(number.msisdn, "song-hong")
        lost = scene.pull("song-hong", lease_s=600)
        server.kill()
    with ServerProcess(state) as again:
        scene = scene_of(again, people)
        assert not scene.pull("song-hong").directives
        scene.advance(seconds=601)
        redelivered = scene.pull("song-hong", lease_s=600)
        assert list(redelivered.directives) == list(lost.directives)
        assert scene.acknowledge("song-hong", lost) == [LEASE_LOST] * 3
        assert scene.acknowledge("song-hong", redelivered) == [ACCEPTED] * 3
        assert scene.subscription(number).applied_state == BLOCKED
        assert again.stop() == 0
