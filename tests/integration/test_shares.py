"""No caller can shut the others out: shares of calls and imports, ends to silence and floods."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from identity.domain.caller import Caller, Role
from identity.rpc.interceptor import Guard
from identity.rpc.limits import MESSAGE_BYTES_MAX
from identity.rpc.load import Shares
from identity.security.admission import Admission
from identity.security.certificates import load_or_create_authority
from identity.services.clock import SystemClock
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import contact_service_pb2_grpc as contact_grpc
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
COMPLETE = "/subid.v1.VerificationService/CompleteVerification"
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


def test_watches_of_health_have_a_share_and_others_are_answered(connect_as: Connect) -> None:
    loud, asked = HealthStub(connect_as(Role.OPERATOR, "watching")), HealthCheckRequest()
    watches = [loud.Watch(asked, timeout=TIMEOUT_S) for _ in range(SHARES.standard_max)]
    try:
        for each in watches:
            assert next(each).status == HealthCheckResponse.SERVING
        beyond = Refused.of(loud.Watch(asked, timeout=TIMEOUT_S).exception(TIMEOUT_S))
        assert (beyond.status, beyond.reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert beyond.retry_after_s == 1.0
        quiet = HealthStub(connect_as(Role.OPERATOR, "quiet"))
        assert quiet.Check(asked, timeout=TIMEOUT_S).status == HealthCheckResponse.SERVING
    finally:
        for each in watches:
            each.cancel()


def test_a_megabyte_of_name_is_refused_by_health_and_reflection(connect_as: Connect) -> None:
    channel, name = connect_as(Role.OPERATOR, "wordy"), "x" * 1024 * 1024
    health = HealthStub(channel)
    calls = [
        health.Check.future(HealthCheckRequest(service=name), timeout=TIMEOUT_S),
        health.Watch(HealthCheckRequest(service=name), timeout=TIMEOUT_S),
        ServerReflectionStub(channel).ServerReflectionInfo(
            iter([ServerReflectionRequest(file_containing_symbol=name)]), timeout=TIMEOUT_S
        ),
    ]
    for call in calls:
        refusal = Refused.of(call.exception(TIMEOUT_S))
        assert refusal.status == "INVALID_ARGUMENT"
        assert refusal.violations == (("", "MESSAGE_TOO_LARGE"),)


def test_health_and_reflection_answer_as_their_protocols_say(connect_as: Connect) -> None:
    channel = connect_as(Role.AGENCY, "curious")
    with pytest.raises(grpc.RpcError) as caught:
        HealthStub(channel).Check(HealthCheckRequest(service="none"), timeout=TIMEOUT_S)
    assert Refused.of(caught.value).status == "NOT_FOUND"
    asked = [ServerReflectionRequest(list_services="")] * 2
    answers = ServerReflectionStub(channel).ServerReflectionInfo(iter(asked), timeout=TIMEOUT_S)
    found = [{each.name for each in one.list_services_response.service} for one in answers]
    assert len(found) == len(asked)
    for services in found:
        assert {"grpc.health.v1.Health", "subid.v1.ContactService"} <= services


def test_large_requests_that_never_come_have_room_of_their_own(
    connect_as: Connect, act_as: ActAs
) -> None:
    loud = connect_as(Role.OPERATOR, "loud")
    most = SHARES.caller_bytes_max // MESSAGE_BYTES_MAX
    with silent_calls(loud, COMPLETE, count=most + 1) as calls:
        assert first_refusal(calls).reason == "OVERLOADED"
        quiet = act_as(Role.OPERATOR, "quiet").verifications
        request = example(METHOD_OF[COMPLETE])
        assert refused(quiet.CompleteVerification, request).status == "NOT_FOUND"


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


class Ends(grpc.aio.ServerInterceptor):
    """Tells of each call that it is over for the server, whatever it has left behind."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[None] = asyncio.Queue()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - grpc's handlers have no useful type
        """Stand around the guard."""
        handler = await continuation(handler_call_details)

        async def answer(bodies: Any, context: Any) -> Any:  # noqa: ANN401 - as above
            try:
                return await handler.stream_unary(bodies, context)
            finally:
                self.seen.put_nowait(None)

        return grpc.stream_unary_rpc_method_handler(answer, None, handler.response_serializer)


class Blocking(contact_grpc.ContactServiceServicer):
    """Keeps a thread busy until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()

    def GetContact(self, _request: object, _call: object) -> object:  # noqa: N802 - gRPC's name
        """Answer when it may."""
        self.begun.release()
        assert self.may_end.wait(TIMEOUT_S)
        return contact_pb.GetContactResponse()


@asynccontextmanager
async def small_server(
    state: Path, shares: Shares, *, threads: ThreadPoolExecutor, ends: Ends, blocking: Blocking
) -> AsyncIterator[str]:
    """A server with shares of its own."""
    now = datetime.now(UTC)
    authority = load_or_create_authority(state / "certificates", at=now)
    identity = authority.issue_server(at=now)
    guard = Guard(
        admission=Admission(state),
        clock=SystemClock(),
        policies=policies(),
        threads=threads,
        shares=shares,
    )
    server = grpc.aio.server(interceptors=[ends, guard])
    subscription_grpc.add_SubscriptionServiceServicer_to_server(Importer(), server)
    contact_grpc.add_ContactServiceServicer_to_server(blocking, server)
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
        blocking.may_end.set()
        await server.stop(0)


def opened(address: str, state: Path, caller: Caller) -> grpc.Channel:
    """A channel of a caller of its authority."""
    authority = load_or_create_authority(state / "certificates", at=datetime.now(UTC))
    issued = authority.issue_caller(caller, at=datetime.now(UTC))
    credentials = grpc.ssl_channel_credentials(
        authority.certificate_pem, issued.private_key, issued.certificate
    )
    return grpc.secure_channel(address, credentials)


def outcome_of(call: Any) -> str:  # noqa: ANN401 - grpc's own class has no public name
    """How a call ended: a reason, or nothing for an answer."""
    error = call.exception(TIMEOUT_S)
    return "" if error is None else Refused.of(error).reason


async def test_a_caller_who_goes_away_keeps_its_place_until_the_thread_is_done(
    tmp_path: Path,
) -> None:
    blocking, ends, body = Blocking(), Ends(), example(METHOD_OF[GET_CONTACT]).SerializeToString()
    with ThreadPoolExecutor(1) as threads:
        async with small_server(
            tmp_path, Shares(calls_max=1), threads=threads, ends=ends, blocking=blocking
        ) as address:
            with (
                opened(address, tmp_path, Caller(Role.AGENCY, "loud")) as loud,
                opened(address, tmp_path, Caller(Role.AGENCY, "quiet")) as quiet,
            ):
                ask: Any = loud.unary_unary(GET_CONTACT)
                ask_too: Any = quiet.unary_unary(GET_CONTACT)
                gone = ask.future(body, timeout=TIMEOUT_S)
                assert await asyncio.to_thread(blocking.begun.acquire, timeout=TIMEOUT_S)
                gone.cancel()
                await ends.seen.get()

                again = ask.future(body, timeout=TIMEOUT_S)
                assert await asyncio.to_thread(outcome_of, again) == "OVERLOADED"
                await ends.seen.get()
                waits = ask_too.future(body, timeout=TIMEOUT_S)

                blocking.may_end.set()
                assert await asyncio.to_thread(outcome_of, waits) == ""
                again = ask.future(body, timeout=TIMEOUT_S)
                assert await asyncio.to_thread(outcome_of, again) == ""


async def test_an_import_that_falls_silent_is_ended_with_a_code(tmp_path: Path) -> None:
    said = [example(METHOD_OF[IMPORT]).SerializeToString()]
    with ThreadPoolExecutor(1) as threads:
        async with small_server(
            tmp_path, Shares(silence_s=0.05), threads=threads, ends=Ends(), blocking=Blocking()
        ) as address:
            with (
                opened(address, tmp_path, Caller(Role.OPERATOR, "idle")) as channel,
                silent_calls(channel, IMPORT, count=1, said=said) as calls,
            ):
                refusal = await asyncio.to_thread(first_refusal, calls)
    assert (refusal.status, refusal.reason) == ("ABORTED", "STREAM_IDLE")
    assert refusal.retry_after_s is None
