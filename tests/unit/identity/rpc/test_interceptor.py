"""What happens around every method: shares, silence, and logs that tell nothing personal."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.message import Message

from identity.domain.caller import Caller, Role
from identity.domain.errors import OverloadedError
from identity.rpc.call_rates import CallRates
from identity.rpc.interceptor import Guard
from identity.rpc.limits import LOOP_BYTES_MAX
from identity.rpc.load import LimitSettings, Shares
from identity.security.admission import Admission
from identity.security.callers import identify
from identity.security.certificates import load_or_create_authority
from identity.security.issued import revoke
from identity.security.local_authority import issue_recorded
from identity.services.clock import SimulatedClock
from subid.v1.citizen_service_pb2 import ListChoicesRequest
from subid.v1.privacy_service_pb2 import GetExportRequest
from tests.integration.assertions import assertion, claims_for, trust_issuer
from tests.integration.contract import METHODS, example
from tests.integration.wire import method_key
from tests.unit.identity.makers import policies

NOW = datetime(2026, 4, 15, 3, tzinfo=UTC)
SECRET = "001090123456 Nguyễn Thị Thử +84912345678"  # noqa: S105 - what must not be logged
METHOD = "/subid.v1.ContactService/GetContact"
IMPORT = "/subid.v1.SubscriptionService/ImportSubscriptions"
THREADS = ThreadPoolExecutor(2)


class Aborted(Exception):  # noqa: N818 - what gRPC's own context raises
    """Ends a call, as gRPC does it."""


class Connection:
    """What a method sees of its call, with a certificate of an agency."""

    def __init__(
        self,
        name: str = "urn:subid:agency:tax",
        *,
        certificate: bytes | None = None,
        token: str = "",
    ) -> None:
        self._name = name
        self._certificate = certificate
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.written: list[Any] = []
        self.abortion: tuple[grpc.StatusCode, str] | None = None

    def auth_context(self) -> dict[str, tuple[bytes, ...]]:
        """As a call with mutual TLS has it."""
        return {"x509_pem_cert": (self._certificate or certificate_of(self._name),)}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What came with the call: an assertion, or nothing."""
        return self._metadata

    async def write(self, answer: object) -> None:
        """Send one of many answers."""
        self.written.append(answer)

    async def abort(self, code: grpc.StatusCode, details: str, metadata: object) -> None:
        """End the call."""
        del metadata
        self.abortion = (code, details)
        raise Aborted


@cache
def state() -> Path:
    """A state directory of this process."""
    return Path(tempfile.mkdtemp())


@cache
def certificate_of(name: str) -> bytes:
    """A certificate of the local authority, PEM."""
    now = datetime.now(UTC)
    authority = load_or_create_authority(state() / "certificates", at=now)
    return authority.issue_caller(identify([name]), at=now).certificate


def guard(
    shares: Shares | None = None,
    rates: CallRates | None = None,
    admission: Admission | None = None,
) -> Guard:
    return Guard(
        admission=admission or Admission(state()),
        clock=SimulatedClock(NOW),
        policies=policies(),
        threads=THREADS,
        shares=shares,
        rates=rates,
    )


async def guarded(surrounding: Guard, handler: Any, method: str = METHOD) -> Any:  # noqa: ANN401 - as grpc has it
    """A method behind the guard, as gRPC would call it: bodies and a context."""

    async def continuation(_details: object) -> Any:  # noqa: ANN401 - as grpc has it
        return handler

    details: Any = type("Details", (), {"method": method})
    found = await surrounding.intercept_service(continuation, details)
    return found.stream_stream if found.response_streaming else found.stream_unary


def body_of(method: str) -> bytes:
    (described,) = (each for each in METHODS if method.endswith(method_key(each)))
    return example(described).SerializeToString()


async def sent(*bodies: bytes) -> AsyncIterator[bytes]:
    """A caller who sends and is done."""
    for body in bodies:
        yield body


async def silence() -> AsyncIterator[bytes]:
    """A caller who opens a call and says nothing."""
    await asyncio.Event().wait()
    yield b""


async def guarded_call(behaviour: Any) -> tuple[Connection, list[Any]]:  # noqa: ANN401 - any handler
    """Call a handler behind the guard; returns what it did and what was logged."""
    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(behaviour))
    connection = Connection()
    with structlog.testing.capture_logs() as logs, pytest.raises(Aborted):
        await answer(sent(body_of(METHOD)), connection)
    return connection, logs


async def test_a_bug_is_answered_with_constant_text_and_logged_without_its_message() -> None:
    async def buggy(_request: object, _call: object) -> object:
        await asyncio.sleep(0)
        raise RuntimeError(SECRET)

    connection, (entry,) = await guarded_call(buggy)
    assert connection.abortion == (grpc.StatusCode.INTERNAL, "internal error")
    assert entry["error"] == "RuntimeError"
    assert entry["log_level"] == "error"
    assert entry["method"] == "ContactService/GetContact"
    assert entry["caller"] == "agency:tax"
    assert any("buggy" in place for place in entry["places"])
    assert not any(word in str(entry) for word in SECRET.split())


async def test_a_refusal_is_logged_by_its_reason_alone() -> None:
    async def refusing(_request: object, _call: object) -> object:
        await asyncio.sleep(0)
        raise OverloadedError(SECRET)

    connection, (entry,) = await guarded_call(refusing)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (entry["reason"], entry["log_level"]) == ("OVERLOADED", "info")
    assert not any(word in str(entry) for word in SECRET.split())


async def echoed(request: Message, _call: object) -> Message:
    await asyncio.sleep(0)
    return request


async def test_a_request_reaches_its_method_and_the_answer_leaves() -> None:
    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(echoed))
    body = body_of(METHOD)
    assert (await answer(sent(body), Connection())).SerializeToString() == body


async def test_a_blocking_method_does_not_block_the_event_loop() -> None:
    def where(_request: Message, _call: object) -> str:
        return threading.current_thread().name

    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(where))
    assert await answer(sent(body_of(METHOD)), Connection()) != threading.current_thread().name


async def test_a_call_without_a_message_is_malformed() -> None:
    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(echoed))
    connection = Connection()
    with pytest.raises(Aborted):
        await answer(sent(), connection)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_caller_who_says_nothing_is_not_waited_for() -> None:
    answer = await guarded(
        guard(Shares(silence_s=0.01)), grpc.unary_unary_rpc_method_handler(echoed)
    )
    connection = Connection()
    with structlog.testing.capture_logs() as logs, pytest.raises(Aborted):
        await answer(silence(), connection)
    assert connection.abortion == (grpc.StatusCode.ABORTED, "nothing came for 0.01 s")
    assert [entry["reason"] for entry in logs] == ["STREAM_IDLE"]


async def test_silence_after_a_batch_ends_an_import_and_the_batch_was_taken() -> None:
    taken: list[Message] = []

    async def take(requests: AsyncIterator[Message], _call: object) -> None:
        async for request in requests:
            taken.append(request)  # noqa: PERF401 - each is there when the stream breaks

    async def one_and_no_more() -> AsyncIterator[bytes]:
        yield body_of(IMPORT)
        await asyncio.Event().wait()

    handler: Any = grpc.stream_unary_rpc_method_handler(take)
    answer = await guarded(guard(Shares(silence_s=0.01)), handler, IMPORT)
    connection = Connection("urn:subid:operator:acme")
    with pytest.raises(Aborted):
        await answer(one_and_no_more(), connection)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.ABORTED
    assert len(taken) == 1


async def test_a_call_beyond_the_share_is_refused_and_one_that_was_cancelled_is_forgotten() -> None:
    answer = await guarded(guard(Shares(calls_max=1)), grpc.unary_unary_rpc_method_handler(echoed))
    waiting = asyncio.create_task(answer(silence(), Connection()))
    await asyncio.sleep(0)
    refused = Connection()
    with pytest.raises(Aborted):
        await answer(sent(body_of(METHOD)), refused)
    assert refused.abortion is not None
    assert refused.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    other = Connection("urn:subid:agency:court")
    assert await answer(sent(body_of(METHOD)), other) is not None
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await answer(sent(body_of(METHOD)), Connection()) is not None


async def test_a_large_request_of_an_asynchronous_method_is_checked_too() -> None:
    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(echoed))
    connection = Connection()
    with pytest.raises(Aborted):
        await answer(sent(b"\x0a\x80\x80\x08" + bytes(2 * LOOP_BYTES_MAX)), connection)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.INVALID_ARGUMENT


async def refusal_of(surrounding: Guard, behaviour: Any, method: str = METHOD) -> grpc.StatusCode:  # noqa: ANN401 - any handler
    """How a call behind a guard is refused."""
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(behaviour), method)
    connection = Connection()
    with pytest.raises(Aborted):
        await answer(sent(body_of(method)), connection)
    assert connection.abortion is not None
    return connection.abortion[0]


async def test_a_call_without_a_deadline_of_its_own_has_the_servers() -> None:
    async def endless(_request: object, _call: object) -> object:
        return await asyncio.Event().wait()

    brief = guard(Shares(call_s=0.01))
    assert await refusal_of(brief, endless) is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_that_blocks_a_thread_is_answered_all_the_same() -> None:
    done = threading.Event()

    def blocking(_request: object, _call: object) -> object:
        return done.wait()

    try:
        brief = guard(Shares(call_s=0.01))
        assert await refusal_of(brief, blocking) is grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        done.set()


async def test_a_job_that_is_sent_again_while_it_runs_waits_for_the_one_that_runs() -> None:
    begun, may_end, loop = asyncio.Queue[None](), threading.Event(), asyncio.get_running_loop()

    def work(request: Message, _call: object) -> Message:
        loop.call_soon_threadsafe(begun.put_nowait, None)
        assert may_end.wait(20)
        return request

    method = "/subid.v1.EnforcementService/AdvanceEnforcement"
    answer = await guarded(guard(), grpc.unary_unary_rpc_method_handler(work), method)
    body, connection = body_of(method), Connection("urn:subid:regulator:regulator")
    both = [asyncio.create_task(answer(sent(body), connection)) for _ in range(2)]
    await begun.get()
    may_end.set()
    first, second = await asyncio.gather(*both)
    assert first is second
    assert begun.empty()


async def test_a_caller_that_calls_too_often_is_refused_before_its_request_is_read() -> None:
    async def never(_request: object, _call: object) -> object:
        raise AssertionError("the call was let in")

    surrounding = guard(rates=CallRates(usual_per_minute=1))
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(never))
    for code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED):
        connection = Connection()
        with pytest.raises(Aborted):
            await answer(sent(body_of(METHOD)), connection)
        assert connection.abortion is not None
        assert connection.abortion[0] is code


async def test_about_one_citizen_a_caller_may_ask_so_often() -> None:
    async def answered(_request: object, _call: object) -> object:
        return await asyncio.sleep(0, "an answer")

    surrounding = guard(rates=CallRates(citizen_per_minute=1))
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(answered))
    assert await answer(sent(body_of(METHOD)), Connection()) == "an answer"
    assert await refusal_of(surrounding, answered) is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_about_one_holder_an_operator_may_register_so_often() -> None:
    surrounding = guard(rates=CallRates(citizen_per_minute=1))
    register = "/subid.v1.SubscriptionService/RegisterSubscription"
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed), register)
    first, second = (Connection("urn:subid:operator:acme") for _ in range(2))
    assert await answer(sent(body_of(register)), first) is not None
    with pytest.raises(Aborted):
        await answer(sent(body_of(register)), second)
    assert second.abortion is not None
    assert second.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


APP = "urn:subid:citizen-app:vneid"
CHOICES = "/subid.v1.CitizenService/ListChoices"
PARENT, CHILD, ANOTHER_CHILD = "001090123456", "001220654321", "001220654322"


async def choices_asked(surrounding: Guard, proved: str, *, about: str) -> grpc.StatusCode | None:
    """How an app's call of whoever is proved is refused, if it is."""
    acting = "" if about == proved else proved
    asked = ListChoicesRequest(personal_id=about, acting_personal_id=acting)
    trust_issuer(state())
    token = assertion(claims_for(proved, certificate_of(APP)))
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed), CHOICES)
    connection = Connection(APP, token=token)
    try:
        await answer(sent(asked.SerializeToString()), connection)
    except Aborted:
        assert connection.abortion is not None
        return connection.abortion[0]
    return None


async def test_who_is_proved_has_the_rate_of_a_citizen_whoever_it_is_about() -> None:
    surrounding = guard(rates=CallRates(citizen_per_minute=1))
    assert await choices_asked(surrounding, PARENT, about=CHILD) is None
    refused = await choices_asked(surrounding, PARENT, about=ANOTHER_CHILD)
    assert refused is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_who_asks_about_themselves_is_counted_once() -> None:
    surrounding = guard(rates=CallRates(citizen_per_minute=1))
    assert await choices_asked(surrounding, PARENT, about=PARENT) is None
    refused = await choices_asked(surrounding, PARENT, about=PARENT)
    assert refused is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stream_about_a_citizen_counts_for_the_citizen() -> None:
    async def one(request: Message, _call: object) -> AsyncIterator[Message]:
        yield request

    trust_issuer(state())
    export = "/subid.v1.PrivacyService/GetExport"
    body = body_of(export)
    token = assertion(
        claims_for(GetExportRequest.FromString(body).personal_id, certificate_of(APP))
    )
    surrounding = guard(rates=CallRates(citizen_per_minute=1))
    answer = await guarded(surrounding, grpc.unary_stream_rpc_method_handler(one), export)
    connection = Connection(APP, token=token)
    await answer(sent(body), connection)
    assert len(connection.written) == 1
    with pytest.raises(Aborted):
        await answer(sent(body), connection)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_nothing_is_told_to_who_was_revoked_since_the_answer_before(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    surrounding = guard(admission=Admission(tmp_path))
    issued, _ = issue_recorded(folder, Caller(Role.AGENCY, "tax"), at=datetime.now(UTC), days=1)

    async def two(_request: object, _call: object) -> AsyncIterator[str]:
        yield "before"
        revoke(folder, lambda _each: True, at=datetime.now(UTC))
        yield "after"

    watch = "/subid.v1.ContactService/WatchContactChanges"
    answer = await guarded(surrounding, grpc.unary_stream_rpc_method_handler(two), watch)
    connection = Connection(certificate=issued.certificate)
    with pytest.raises(Aborted):
        await answer(sent(body_of(watch)), connection)
    assert connection.written == ["before"]
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_nothing_is_taken_from_who_was_revoked_since_the_batch_before(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    surrounding = guard(admission=Admission(tmp_path))
    issued, _ = issue_recorded(folder, Caller(Role.OPERATOR, "a"), at=datetime.now(UTC), days=1)
    taken: list[Message] = []

    async def take(requests: AsyncIterator[Message], _call: object) -> None:
        async for request in requests:
            taken.append(request)
            revoke(folder, lambda _each: True, at=datetime.now(UTC))

    handler: Any = grpc.stream_unary_rpc_method_handler(take)
    answer = await guarded(surrounding, handler, IMPORT)
    connection = Connection(certificate=issued.certificate)
    with pytest.raises(Aborted):
        await answer(sent(body_of(IMPORT), body_of(IMPORT)), connection)
    assert len(taken) == 1
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_one_caller_is_refused_unread_beyond_its_half_and_others_are_answered() -> None:
    surrounding = guard(Shares(new_work=LimitSettings(least=2, most=2)))
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(request: Message, _call: object) -> Message:
        is_begun.set()
        await may_end.wait()
        return request

    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(slow))
    waiting = asyncio.create_task(answer(sent(body_of(METHOD)), Connection()))
    await is_begun.wait()
    at_once = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed))
    refused = Connection()
    with structlog.testing.capture_logs() as logs, pytest.raises(Aborted):
        await at_once(silence(), refused)
    assert refused.abortion is not None
    assert refused.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [entry["event"] for entry in logs] == ["shedding"]
    court = Connection("urn:subid:agency:court")
    assert await at_once(sent(body_of(METHOD)), court) is not None
    may_end.set()
    assert await waiting is not None
    assert await at_once(sent(body_of(METHOD)), Connection()) is not None


async def test_beyond_the_limit_of_all_callers_a_call_is_refused_before_it_is_looked_at() -> None:
    surrounding = guard(Shares(new_work=LimitSettings(least=1, most=1)))
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(request: Message, _call: object) -> Message:
        is_begun.set()
        await may_end.wait()
        return request

    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(slow))
    silent = asyncio.create_task(answer(silence(), Connection()))
    waiting = asyncio.create_task(answer(sent(body_of(METHOD)), Connection()))
    await is_begun.wait()
    refused = Connection("nobody")
    shed = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed))
    with structlog.testing.capture_logs() as logs, pytest.raises(Aborted):
        await shed(silence(), refused)
    assert refused.abortion is not None
    assert refused.abortion[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert [entry["event"] for entry in logs] == ["shedding"]
    pull = "/subid.v1.EnforcementService/PullDirectives"
    finishing = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed), pull)
    operator = Connection("urn:subid:operator:acme")
    assert await finishing(sent(body_of(pull)), operator) is not None
    may_end.set()
    assert await waiting is not None
    silent.cancel()
    with pytest.raises(asyncio.CancelledError):
        await silent
    answer = await guarded(surrounding, grpc.unary_unary_rpc_method_handler(echoed))
    assert await answer(sent(body_of(METHOD)), Connection()) is not None
