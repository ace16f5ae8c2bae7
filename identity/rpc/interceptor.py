"""What happens around every method: who calls, may they, is the request within its limits.

Owns the one interceptor, and in which order a call is looked at. Domain errors become statuses and
everything else `INTERNAL` with a correlation id: how that is told and logged is `refusals`'.
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from ssl import PEM_cert_to_DER_cert
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from identity.domain.caller import Caller
from identity.domain.errors import (
    CallerUnknownError,
    CallTooLongError,
)
from identity.domain.personal_id import PersonalID
from identity.domain.policy_book import PolicyBook
from identity.rpc.bodies import next_body, only_body
from identity.rpc.call_rates import CallRates
from identity.rpc.limits import JOBS, LARGE_METHODS, LOOP_BYTES_MAX, MESSAGE_BYTES_MAX, read
from identity.rpc.load import (
    FINISHING,
    AdaptiveLimit,
    CallerLoad,
    LargeBodies,
    NewWork,
    Shares,
)
from identity.rpc.people_named import people_named
from identity.rpc.refusals import Refusals, Watch
from identity.rpc.shedding import Shedding
from identity.rpc.standard_methods import StandardMethods
from identity.rpc.standing import Standing
from identity.rpc.threads import Turns, in_thread
from identity.rpc.underway import Underway
from identity.security.admission import Admission
from identity.security.permissions import (
    Permission,
    Scope,
    authorise,
    permissions,
    refuse_another_person,
)
from identity.services.call import Call
from identity.services.clock import Clock

PACKAGE = "/subid.v1."
"""Methods outside it (health, reflection) are the library's own and have a door of their own."""

AUTHORIZATION = "authorization"
"""The key of a call's metadata under which a citizen app sends its assertion (RFC 6750, 2.1)."""
PULSE_S = 0.025
"""How often the event loop's lateness is measured: some times in each window of the limit."""

_Result = TypeVar("_Result")


class _CallerFullError(Exception):
    """A caller has its part of the new work under way: refused like what is shed, unread."""


class Guard(grpc.aio.ServerInterceptor):
    """Surrounds every method of subid. Belongs to one event loop.

    Args:
        admission: Who is let in.
        clock: What time it is.
        policies: The rules, each in its time.
        threads: Where blocking methods run, and where large requests are read.
        shares: What one caller may have under way.
        rates: How often it may call.
    """

    def __init__(
        self,
        *,
        admission: Admission,
        clock: Clock,
        policies: PolicyBook,
        threads: Executor,
        shares: Shares | None = None,
        rates: CallRates | None = None,
    ) -> None:
        permissions()  # a table that cannot be read stops the start, not the first call
        self._admission = admission
        self._clock = clock
        self._policies = policies
        self._threads = threads
        self._shares = shares or Shares()
        self._load = CallerLoad(self._shares)
        self._bodies = LargeBodies(self._shares)
        self._rates = rates or CallRates()
        self._limit = AdaptiveLimit(self._shares.new_work, now_s=time.monotonic())
        self._new_work = NewWork(self._limit)
        self._shed = Shedding()
        self._turns = Turns(self._shed.is_much_refused)
        self._standing = Standing(admission.admit)
        self._refusals = Refusals()
        self._jobs = Underway()
        self._unguarded: tuple[grpc.GenericRpcHandler, ...] = ()
        self._standard = StandardMethods(
            admit=admission.admit,
            standing=self._standing,
            load=self._load,
            rates=self._rates,
            refusals=self._refusals,
            silence_s=self._shares.silence_s,
        )
        self._is_pulse_due = False

    def let_pass(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Leave the methods of these handlers to whoever embeds the server: nothing is checked."""
        self._unguarded = tuple(handlers)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:  # noqa: ANN401 - grpc's handlers have no useful type
        """Put the guard around a method's handler."""
        path = handler_call_details.method
        method = path.removeprefix(PACKAGE)
        # The very first step: under ten times the load there is no time for a second one.
        if path.startswith(PACKAGE) and method not in FINISHING and not self._new_work.has_room():
            return self._shed.handler
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if not path.startswith(PACKAGE):
            if any(each.service(handler_call_details) for each in self._unguarded):
                return handler
            return self._standard.guarded(handler, path, _certificate_of)
        # Every method is taken as a stream, which looks the same on the wire: gRPC waits for a
        # unary request before it calls anybody, and while it waits nobody counts whose call it is.
        # Bodies stay bytes: what gRPC's own deserializer raises would never reach the guard.
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._guarded_answers(handler, method), None, handler.response_serializer
            )
        return grpc.stream_unary_rpc_method_handler(
            self._guarded(handler, method), None, handler.response_serializer
        )

    def _guarded(self, handler: Any, method: str) -> Callable[..., Any]:  # noqa: ANN401 - as intercept_service
        is_stream = handler.request_streaming
        answered = self._answer_stream if is_stream else self._answer_one
        behaviour = handler.stream_unary if is_stream else handler.unary_unary

        async def answer(bodies: AsyncIterator[bytes], context: Any) -> Any:  # noqa: ANN401 - as intercept_service
            watch = self._refusals.watch(method)
            try:
                async with self._admitted(context, watch, is_stream=is_stream) as peer:
                    return await answered(behaviour, method, peer, bodies)
            except _CallerFullError:
                refusal = self._shed.refusal()
            except Exception as error:  # noqa: BLE001 - the boundary: nothing may leave uncoded
                refusal = watch.refusal(error)
            # Once the error is forgotten: gRPC keeps what `abort` raises in a circle, and with it
            # all that led there, the request too, until the collector comes by.
            return await context.abort(*refusal)

        return answer

    def _guarded_answers(
        self,
        handler: Any,  # noqa: ANN401 - as intercept_service
        method: str,
    ) -> Callable[..., Awaitable[None]]:
        behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream

        # Written, not yielded: a caller who goes away ends this coroutine, and frees its share,
        # at once; a generator would be closed when somebody finds it.
        async def answer(bodies: AsyncIterator[bytes], context: Any) -> None:  # noqa: ANN401 - as intercept_service
            watch = self._refusals.watch(method)
            try:
                async with self._admitted(context, watch, is_stream=True) as peer:
                    asked = await self._asked(handler, method, peer, bodies)
                    async with aclosing(behaviour(asked, self._call(peer))) as found:
                        async for each in found:
                            self._admission.admit(peer.certificate)
                            await context.write(each)
            except _CallerFullError:
                refusal = self._shed.refusal()
            except Exception as error:  # noqa: BLE001 - as _guarded
                refusal = watch.refusal(error)
            else:
                return
            await context.abort(*refusal)  # as _guarded

        return answer

    @asynccontextmanager
    async def _admitted(
        self,
        context: Any,  # noqa: ANN401 - as intercept_service
        watch: Watch,
        *,
        is_stream: bool,
    ) -> AsyncIterator["_Peer"]:
        """Let a caller in who is known, may call the method and has room left, while it may.

        Its certificate is looked at again all the while, and at each message of a stream.
        """
        certificate = _certificate_of(context)
        caller = self._admission.admit(certificate)
        watch.caller = str(caller)
        if watch.method not in FINISHING and not self._new_work.has_room(caller):
            raise _CallerFullError
        self._rates.take(caller, watch.method)
        permission, scope = authorise(caller, watch.method)
        with self._load.hold(caller, is_stream=is_stream):
            self._feel_pulse()
            citizen = None
            if scope is Scope.CITIZEN:
                citizen = self._admission.prove(_authorization_of(context), certificate)
            async with self._standing.kept(certificate):
                yield _Peer(caller, certificate, permission, citizen)

    def _feel_pulse(self) -> None:
        """Measure how late the event loop is, as long as calls come."""
        if not self._is_pulse_due:
            self._is_pulse_due = True
            loop = asyncio.get_running_loop()
            loop.call_later(PULSE_S, self._on_pulse, loop.time() + PULSE_S)

    def _on_pulse(self, due_s: float) -> None:
        self._is_pulse_due = False
        late_s = asyncio.get_running_loop().time() - due_s
        self._limit.saw_wait("loop", late_s, now_s=time.monotonic())

    async def _answer_stream(
        self,
        behaviour: Callable[..., Any],
        method: str,
        peer: "_Peer",
        bodies: AsyncIterator[bytes],
    ) -> Any:  # noqa: ANN401 - as intercept_service
        return await behaviour(self._batches(method, peer, bodies), self._call(peer))

    async def _answer_one(
        self,
        behaviour: Callable[..., Any],
        method: str,
        peer: "_Peer",
        bodies: AsyncIterator[bytes],
    ) -> Any:  # noqa: ANN401 - as intercept_service
        silence_s = self._shares.silence_s
        if method not in LARGE_METHODS:
            body = await only_body(bodies, silence_s=silence_s)
            return await self._answer_body(behaviour, method, peer, body)
        with self._bodies.hold(peer.caller, bytes_max=MESSAGE_BYTES_MAX) as held:
            body = await only_body(bodies, silence_s=silence_s)
            held.came(len(body))
            return await self._answer_body(behaviour, method, peer, body)

    async def _answer_body(
        self, behaviour: Callable[..., Any], method: str, peer: "_Peer", body: bytes
    ) -> Any:  # noqa: ANN401 - as intercept_service
        most_s = self._shares.job_s if method in JOBS else self._shares.call_s
        # Counted from here on: who opens calls and says nothing takes no room from others. Streams
        # have shares of their own, and many of them last for ever.
        with nullcontext() if method in FINISHING else self._new_work.hold(peer.caller):
            try:
                async with asyncio.timeout(most_s):
                    return await self._answered(behaviour, method, peer, body)
            except TimeoutError as error:
                raise CallTooLongError(f"not answered within {most_s:g} s") from error

    async def _answered(
        self, behaviour: Callable[..., Any], method: str, peer: "_Peer", body: bytes
    ) -> Any:  # noqa: ANN401 - as intercept_service
        if inspect.iscoroutinefunction(behaviour):
            request = await self._read(method, peer, body)
            self._take_citizen(method, peer, request)
            return await behaviour(request, self._call(peer))

        def answer() -> Any:  # noqa: ANN401 - as above
            request = _read_from(peer, method, body)
            self._take_citizen(method, peer, request)
            return behaviour(request, self._call(peer))

        if method in JOBS:
            # Sent again while it runs, it would only wait for itself, in another thread.
            key = (method, peer.caller, peer.citizen, body)
            return await self._jobs.join(key, lambda: self._in_thread(answer))
        return await self._in_thread(answer)

    def _take_citizen(self, method: str, peer: "_Peer", request: Message) -> None:
        """Count a call against the rates of whom it names, and of who is proved to make it."""
        proved = () if peer.citizen is None else (peer.citizen.value,)
        for personal_id in people_named(request).union(proved):
            self._rates.take_citizen(peer.caller, method, personal_id)

    async def _asked(
        self,
        handler: Any,  # noqa: ANN401 - as intercept_service
        method: str,
        peer: "_Peer",
        bodies: AsyncIterator[bytes],
    ) -> Message | AsyncIterator[Message]:
        """What a method that answers with a stream is asked: one message, or another stream."""
        if handler.request_streaming:
            return self._batches(method, peer, bodies)
        request = await self._read(
            method, peer, await only_body(bodies, silence_s=self._shares.silence_s)
        )
        self._take_citizen(method, peer, request)
        return request

    async def _batches(
        self, method: str, peer: "_Peer", bodies: AsyncIterator[bytes]
    ) -> AsyncIterator[Message]:
        silence_s = self._shares.silence_s
        while (body := await next_body(bodies, silence_s=silence_s)) is not None:
            self._admission.admit(peer.certificate)
            yield await self._read(method, peer, body)

    async def _read(self, method: str, peer: "_Peer", body: bytes) -> Message:
        if len(body) <= LOOP_BYTES_MAX:
            return _read_from(peer, method, body)
        return await self._in_thread(lambda: _read_from(peer, method, body))

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        asked_s = time.monotonic()
        begun_s: list[float] = []

        def timed() -> _Result:
            with self._turns.one():
                begun_s.append(time.monotonic())
                return work()

        try:
            return await in_thread(self._threads, timed)
        finally:
            for each in begun_s:  # none, if it was given up before its turn
                self._limit.saw_wait("threads", each - asked_s, now_s=time.monotonic())

    def _call(self, peer: "_Peer") -> Call:
        at = self._clock.now()
        rules = self._policies.at(at)
        return Call(
            caller=peer.caller,
            at=at,
            rules=rules,
            certificate=peer.certificate,
            citizen=peer.citizen,
        )


@dataclass(frozen=True, slots=True)
class _Peer:
    """Who is at the other end: the certificate that says so, as DER, and what it may do here."""

    caller: Caller
    certificate: bytes
    permission: Permission
    citizen: PersonalID | None


def _read_from(peer: _Peer, method: str, body: bytes) -> Message:
    """The request in a body, in which nobody acts but who is proved."""
    request = read(method, body)
    if peer.citizen is not None:
        refuse_another_person(peer.permission, request, peer.citizen)
    return request


def _certificate_of(context: Any) -> bytes:  # noqa: ANN401 - grpc's contexts have no useful type
    shown = context.auth_context().get("x509_pem_cert", ())
    if not shown:
        raise CallerUnknownError("the connection carries no certificate")
    return _der(shown[0])


@lru_cache(maxsize=1024)
def _der(pem: bytes) -> bytes:
    return PEM_cert_to_DER_cert(pem.decode("ascii"))


def _authorization_of(context: Any) -> tuple[str, ...]:  # noqa: ANN401 - as _certificate_of
    return tuple(
        str(value) for key, value in context.invocation_metadata() or () if key == AUTHORIZATION
    )
