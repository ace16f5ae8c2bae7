"""The observer: what it tells of calls that are answered, refused, given up, or not ours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_status import rpc_status
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from identity.domain.errors import CitizenNotFoundError
from identity.rpc.errors import status_of
from identity.rpc.observer import Observer
from identity.telemetry.metrics import EndedCall, Metrics
from identity.telemetry.told import Telemetry
from identity.telemetry.tracing import Tracing

METHOD = "CitizenService/SetLock"
Answer = Callable[[Any, Any], Awaitable[Any]]


class Heard(Metrics):
    """Metrics that also keep what they were told."""

    def __init__(self) -> None:
        super().__init__(methods=[METHOD], reasons=["CITIZEN_NOT_FOUND"])
        self.begun: list[str] = []
        self.ended: asyncio.Queue[EndedCall] = asyncio.Queue()

    def begin(self, method: str) -> None:
        """Keep that one has begun."""
        self.begun.append(method)
        super().begin(method)

    def end(self, call: EndedCall) -> None:
        """Keep how one has ended."""
        super().end(call)
        self.ended.put_nowait(call)


@asynccontextmanager
async def observed(
    answer: Answer, telemetry: Telemetry, *, service: str = "subid.v1.CitizenService"
) -> AsyncIterator[Any]:
    """A server with one method that answers with one message, and one that answers with more."""
    server = grpc.aio.server(interceptors=[Observer(telemetry)])
    handlers: dict[str, Any] = {
        "SetLock": grpc.stream_unary_rpc_method_handler(answer),
        "Watch": grpc.stream_stream_rpc_method_handler(answer),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(0)


async def ended(metrics: Heard) -> EndedCall:
    return await asyncio.wait_for(metrics.ended.get(), 10)


async def refuse(bodies: Any, context: Any) -> None:  # noqa: ANN401 - grpc's contexts have no useful type
    # To the end: a client of grpc.aio calls it INTERNAL when a call ends before its last write.
    async for _ in bodies:
        pass
    rich = rpc_status.to_status(status_of(CitizenNotFoundError("none"), correlation_id="1"))
    await context.abort(rich.code, rich.details, rich.trailing_metadata)


async def echo(bodies: Any, _context: Any) -> bytes:  # noqa: ANN401 - as refuse
    return b"".join([body async for body in bodies])


async def test_an_answer_and_a_refusal_are_told_with_code_and_reason() -> None:
    metrics = Heard()
    telemetry = Telemetry(metrics=metrics)
    for answer, code, reason in (
        (echo, "OK", "none"),
        (refuse, "NOT_FOUND", "CITIZEN_NOT_FOUND"),
    ):
        async with observed(answer, telemetry) as channel:
            call = channel.stream_unary(f"/subid.v1.{METHOD}")(iter([b"x"]))
            assert (await call.code()).name == code
            told = await ended(metrics)
        assert (told.method, told.role, told.code, told.reason) == (METHOD, None, code, reason)
    under_way = metrics.registry.get_sample_value("subid_calls_under_way", {"method": METHOD})
    assert under_way == 0


async def test_a_call_that_its_caller_gives_up_is_told_as_cancelled() -> None:
    metrics, began = Heard(), asyncio.Event()

    async def hang(_bodies: Any, _context: Any) -> None:  # noqa: ANN401 - as refuse
        began.set()
        await asyncio.Event().wait()

    async with observed(hang, Telemetry(metrics=metrics)) as channel:
        call = channel.stream_unary(f"/subid.v1.{METHOD}")(iter([b"x"]))
        await asyncio.wait_for(began.wait(), 10)
        call.cancel()
        told = await ended(metrics)
    assert (told.code, told.reason) == ("CANCELLED", "none")


async def test_a_stream_is_told_when_it_has_ended() -> None:
    metrics = Heard()

    async def answer(bodies: Any, context: Any) -> None:  # noqa: ANN401 - as refuse
        async for _ in bodies:
            pass
        for _ in range(3):
            await context.write(b"one")

    async with observed(answer, Telemetry(metrics=metrics)) as channel:
        call = channel.stream_stream("/subid.v1.CitizenService/Watch")(iter([b"x"]))
        assert [each async for each in call] == [b"one"] * 3
        assert (await ended(metrics)).code == "OK"


async def test_a_call_of_another_package_is_told_to_nobody() -> None:
    metrics = Heard()
    async with observed(echo, Telemetry(metrics=metrics), service="grpc.Other") as channel:
        assert await channel.stream_unary("/grpc.Other/SetLock")(iter([b"x"])) == b"x"
    assert metrics.begun == []


async def test_a_callers_span_is_the_parent() -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing(SimpleSpanProcessor(exporter))
    parent = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    async with observed(echo, Telemetry(tracing=tracing)) as channel:
        call = channel.stream_unary(f"/subid.v1.{METHOD}")
        await call(iter([b"x"]), metadata=[parent])
        await call(iter([b"x"]))
    spans = exporter.get_finished_spans()
    assert sorted(span.parent is not None for span in spans) == [False, True]
    tracing.close()
