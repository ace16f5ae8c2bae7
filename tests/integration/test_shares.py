"""No caller can shut the others out: shares of calls and imports, ends to silence and floods."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from identity.domain.caller import Caller, Role
from identity.rpc.interceptor import Guard
from identity.rpc.load import Shares
from identity.security.admission import Admission
from identity.security.certificates import load_or_create_authority
from identity.services.clock import SystemClock
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import subscription_service_pb2_grpc as subscription_grpc
from tests.integration.conftest import ActAs, Connect
from tests.integration.contract import METHODS, example
from tests.integration.scene import Scene, grounds
from tests.integration.wire import TIMEOUT_S, Refused, method_path, refused
from tests.unit.identity.makers import policies

SHARES = Shares()
IMPORT = "/subid.v1.SubscriptionService/ImportSubscriptions"
GET_CONTACT = "/subid.v1.ContactService/GetContact"
METHOD_OF = {method_path(method): method for method in METHODS}


@contextmanager
def silent_calls(
    channel: grpc.Channel, path: str, *, count: int, said: Sequence[bytes] = ()
) -> Iterator[list[Any]]:
    """Calls that are opened, sent what is to be said, and then nothing until the block ends."""
    over = threading.Event()

    def silence() -> Iterator[bytes]:
        yield from said
        over.wait(TIMEOUT_S)

    method: Any = channel.stream_unary(path)
    calls = [method.future(silence(), timeout=TIMEOUT_S) for _ in range(count)]
    try:
        yield calls
    finally:
        for call in calls:
            call.cancel()
        over.set()


def first_refusal(calls: list[Any]) -> Refused:
    """How the first of them to end was refused; the others wait."""
    ended = threading.Event()
    for call in calls:
        call.add_done_callback(lambda _call: ended.set())
    assert ended.wait(TIMEOUT_S)
    (done,) = (call for call in calls if call.done())
    return Refused.of(done.exception())


def test_idle_imports_of_one_caller_leave_room_for_others_and_for_its_calls(
    connect_as: Connect, act_as: ActAs
) -> None:
    loud = connect_as(Role.OPERATOR, "loud")
    with silent_calls(loud, IMPORT, count=SHARES.streams_max + 1) as calls:
        refusal = first_refusal(calls)
        assert (refusal.status, refusal.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert refusal.retry_after_s == 1.0
        for name in ("loud", "quiet"):
            stub = act_as(Role.OPERATOR, name).subscriptions
            page = stub.ListSubscriptions(
                subscription_pb.ListSubscriptionsRequest(), timeout=TIMEOUT_S
            )
            assert not page.subscriptions
        quiet = act_as(Role.OPERATOR, "quiet").subscriptions
        nothing: Iterator[subscription_pb.ImportSubscriptionsRequest] = iter(())
        assert not quiet.ImportSubscriptions(nothing, timeout=TIMEOUT_S).summary.received_count


def test_calls_that_never_send_their_request_leave_room_for_others(
    connect_as: Connect, scene: Scene
) -> None:
    loud = connect_as(Role.AGENCY, "loud")
    with silent_calls(loud, GET_CONTACT, count=SHARES.calls_max + 1) as calls:
        assert first_refusal(calls).reason == "OVERLOADED"
        quiet = scene.register_agency("quiet").contacts
        request = contact_pb.GetContactRequest(
            personal_id="001090123456",
            grounds=grounds(),
        )
        assert quiet.GetContact(request, timeout=TIMEOUT_S).contact.status


def test_a_thousand_faults_arrive_as_a_refusal_that_can_be_read(act_as: ActAs) -> None:
    request = contact_pb.BatchGetContactsRequest(
        personal_ids=[f"{n}" for n in range(1000)],
        grounds=grounds(),
    )
    refusal = refused(act_as(Role.AGENCY, "faults").contacts.BatchGetContacts, request)
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "REQUEST_INVALID")
    assert refusal.fields == tuple(f"personal_ids[{n}]" for n in range(20))
    assert "1000 field(s)" in refusal.message


@pytest.mark.parametrize(
    ("role", "path", "body", "fault"),
    [
        pytest.param(
            Role.CITIZEN_APP,
            "/subid.v1.VerificationService/CompleteVerification",
            b"\x2a\x00" * 5_000_000,
            ("probe_photographs", "REPEATED_MAX_ITEMS"),
            id="empty photographs",
        ),
        pytest.param(
            Role.AGENCY,
            "/subid.v1.ContactService/BatchGetContacts",
            b"\x0a\x00" * 400_000,
            ("personal_ids", "REPEATED_MAX_ITEMS"),
            id="empty personal IDs",
        ),
        pytest.param(
            Role.AGENCY,
            GET_CONTACT,
            bytes(4 * 1024 * 1024 + 1),
            ("", "MESSAGE_TOO_LARGE"),
            id="a large body of a small method",
        ),
    ],
)
def test_a_body_made_to_cost_much_costs_a_refusal(
    connect_as: Connect, role: Role, path: str, body: bytes, fault: tuple[str, str]
) -> None:
    method: Any = connect_as(role, "flood").unary_unary(path)
    with pytest.raises(grpc.RpcError) as caught:
        method(body, timeout=TIMEOUT_S)
    refusal = Refused.of(caught.value)
    assert refusal.status == "INVALID_ARGUMENT"
    assert refusal.violations == (fault,)


class Importer(subscription_grpc.SubscriptionServiceServicer):
    """Takes every batch."""

    async def ImportSubscriptions(  # noqa: N802 - gRPC's name
        self, requests: AsyncIterator[Any], _call: object
    ) -> object:
        """Read to the end."""
        async for _ in requests:
            pass
        return subscription_pb.ImportSubscriptionsResponse()


@asynccontextmanager
async def impatient_server(state: Path) -> AsyncIterator[str]:
    """A server that waits a twentieth of a second for a batch."""
    now = datetime.now(UTC)
    authority = load_or_create_authority(state / "certificates", at=now)
    identity = authority.issue_server(at=now)
    with ThreadPoolExecutor(1) as threads:
        guard = Guard(
            admission=Admission(state),
            clock=SystemClock(),
            policies=policies(),
            threads=threads,
            shares=Shares(silence_s=0.05),
        )
        server = grpc.aio.server(interceptors=[guard])
        subscription_grpc.add_SubscriptionServiceServicer_to_server(Importer(), server)
        credentials = grpc.ssl_server_credentials(
            [(identity.private_key, identity.certificate)],
            root_certificates=authority.certificate_pem,
            require_client_auth=True,
        )
        port = server.add_secure_port("127.0.0.1:0", credentials)
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(0)


async def test_an_import_that_falls_silent_is_ended_with_a_code(tmp_path: Path) -> None:
    async with impatient_server(tmp_path) as address:
        authority = load_or_create_authority(tmp_path / "certificates", at=datetime.now(UTC))
        issued = authority.issue_caller(Caller(Role.OPERATOR, "idle"), at=datetime.now(UTC))
        credentials = grpc.ssl_channel_credentials(
            authority.certificate_pem, issued.private_key, issued.certificate
        )
        said = [example(METHOD_OF[IMPORT]).SerializeToString()]
        with (
            grpc.secure_channel(address, credentials) as channel,
            silent_calls(channel, IMPORT, count=1, said=said) as calls,
        ):
            refusal = await asyncio.to_thread(first_refusal, calls)
    assert (refusal.status, refusal.reason) == ("ABORTED", "STREAM_IDLE")
    assert refusal.retry_after_s is None
