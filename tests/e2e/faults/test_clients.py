"""Callers who say nothing, never finish, never read, or vanish: others do not notice."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from identity.domain.caller import Role
from identity.rpc.load import Shares
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import match_service_pb2 as match_pb
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.contact_service_pb2_grpc import ContactServiceStub
from subid.v1.match_service_pb2_grpc import MatchServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from tests.e2e.faults.proxy import Proxy
from tests.e2e.faults.scenery import SERVING, until_health, writing
from tests.e2e.faults.writers import PATIENCE_S, PAUSE_S
from tests.e2e.server_process import ServerProcess
from tests.integration.matching import GROUNDS
from tests.integration.scene import AGENCY, register_agency
from tests.integration.wire import Refused, new_id

HALF_OPEN = 300

BATCH_ROWS = 5_000
UNREAD_BATCHES = 1_000
READ_BATCHES = 20
ROUNDS = 5
PILED_UP_MAX_KB = 32 * 1024
"""Of answers of 95 MB. Measured 2026-11-23 on two cores, of 38 MB: 9 MB for what is on its way, and
7 MB for the writers of a server that was just started."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("clients") / "state") as found:
        register_agency(found.act_as(Role.REGULATOR, "regulator"), AGENCY)
        yield found
        assert '"event": "failed"' not in found.errors


def endpoint(server: ServerProcess) -> tuple[str, int]:
    host, _, port = server.address.rpartition(":")
    return host, int(port)


def test_connections_that_say_nothing_shut_nobody_out(server: ServerProcess) -> None:
    with ExitStack() as stack, writing(server, seed=11) as writers:
        for _ in range(HALF_OPEN):
            stack.enter_context(socket.create_connection(endpoint(server)))
        # Some say a little of a handshake, and no more.
        for _ in range(HALF_OPEN):
            begun = stack.enter_context(socket.create_connection(endpoint(server)))
            begun.sendall(b"\x16\x03\x01\x02\x00\x01")
        writers.go_on()
        writers.stop()
        writers.refuse_losses()
    until_health(server, SERVING)


def test_a_caller_who_never_finishes_sending_holds_its_own_share_and_no_more(
    server: ServerProcess,
) -> None:
    never = threading.Event()

    def unfinished() -> Iterator[bytes]:
        never.wait()
        yield from ()

    with server.channel(Role.OPERATOR, "endless") as channel, writing(server, seed=12) as writers:
        call: Any = channel.stream_unary("/subid.v1.SubscriptionService/ImportSubscriptions")
        begun = [call.future(unfinished()) for _ in range(2 * Shares().streams_max)]
        refused = 0
        for _ in range(int(PATIENCE_S / PAUSE_S)):
            refused = sum(each.done() for each in begun)
            if refused == Shares().streams_max:
                break
            never.wait(PAUSE_S)
        assert refused == Shares().streams_max
        reasons = {Refused.of(each.exception()).reason for each in begun if each.done()}
        assert reasons == {"OVERLOADED"}
        writers.go_on()
        never.set()


def test_a_caller_who_never_reads_holds_up_nobody(server: ServerProcess) -> None:
    with (
        Proxy(endpoint(server)) as way,
        writing(server, seed=13) as writers,
        _through(server, way, Role.OPERATOR, "operator-13") as channel,
    ):
        stub = SubscriptionServiceStub(channel)
        stub.ListSubscriptions(pb.ListSubscriptionsRequest(page_size=1), timeout=PATIENCE_S)
        way.hold()
        unread = [
            stub.ListSubscriptions.future(pb.ListSubscriptionsRequest(page_size=1_000))
            for _ in range(64)
        ]
        writers.go_on()
        way.mend()
        assert all(each.result(PATIENCE_S).subscriptions for each in unread)
        writers.stop()
        writers.refuse_losses()


def test_answers_that_nobody_reads_are_not_piled_up(server: ServerProcess) -> None:
    with (
        server.channel(Role.AGENCY, AGENCY) as channel,
        writing(server, seed=14) as writers,
    ):
        before = server.private_kb
        answers = MatchServiceStub(channel).MatchRecords(_batches(), timeout=PATIENCE_S)
        for _ in range(ROUNDS):
            writers.go_on()
        assert server.private_kb - before < PILED_UP_MAX_KB
        read = [next(answers).batch_index for _ in range(READ_BATCHES)]
        assert read == list(range(READ_BATCHES))
        answers.cancel()
        writers.stop()
        writers.refuse_losses()


def _batches() -> Iterator[match_pb.MatchRecordsRequest]:
    """Records without anything in them: an octet or two each, and a refusal of twenty."""
    request_id = new_id()
    for index in range(UNREAD_BATCHES):
        yield match_pb.MatchRecordsRequest(
            request_id=request_id,
            batch_index=index,
            grounds=GROUNDS,
            records=[match_pb.RecordClaim()] * BATCH_ROWS,
        )


def test_who_has_vanished_is_forgotten_and_its_share_is_free_again(server: ServerProcess) -> None:
    watch = contact_pb.WatchContactChangesRequest()
    with (
        Proxy(endpoint(server)) as way,
        _through(server, way, Role.AGENCY, AGENCY) as vanishing,
        server.channel(Role.AGENCY, AGENCY) as channel,
    ):
        held = [
            ContactServiceStub(vanishing).WatchContactChanges(watch)
            for _ in range(Shares().streams_max)
        ]
        for each in held:
            next(each)  # the first answer says where the watch begins
        way.hold()
        _until_accepted(channel)
        way.cut()
        del held


def _until_accepted(channel: grpc.Channel) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / PAUSE_S)):
        reason = _why_not_watching(channel)
        if reason is None:
            return
        assert reason == "OVERLOADED"
        pause.wait(PAUSE_S)
    raise AssertionError("the share of a caller that vanished was never free again")


def _why_not_watching(channel: grpc.Channel) -> str | None:
    stream = ContactServiceStub(channel).WatchContactChanges(
        contact_pb.WatchContactChangesRequest(), timeout=PATIENCE_S
    )
    try:
        next(stream)
    except grpc.RpcError as error:
        return Refused.of(error).reason
    stream.cancel()
    return None


def _through(server: ServerProcess, way: Proxy, role: Role, name: str) -> grpc.Channel:
    issued = server.issue(role, name)
    authority = (server.state / "certificates" / "ca.crt.pem").read_bytes()
    return grpc.secure_channel(
        f"127.0.0.1:{way.port}",
        grpc.ssl_channel_credentials(authority, issued.private_key, issued.certificate),
        options=[("grpc.use_local_subchannel_pool", 1)],
    )
