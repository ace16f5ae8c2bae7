"""Whatever is not ours stands behind a door as well, unless the server's owner lets it pass."""

import asyncio
from typing import Any

import grpc
import pytest

from identity.rpc.load import Shares
from identity.rpc.standard_methods import REQUEST_BYTES_MAX
from tests.unit.identity.rpc.test_interceptor import Aborted, Connection, guard, guarded, sent

PATH = "/other.Service/Method"


async def echoed(request: bytes, _context: object) -> bytes:
    await asyncio.sleep(0)
    return request


def handler() -> Any:  # noqa: ANN401 - grpc's handlers have no useful type
    return grpc.unary_unary_rpc_method_handler(echoed, bytes, bytes)


async def test_a_small_request_is_answered_and_a_larger_one_is_refused() -> None:
    answer = await guarded(guard(), handler(), PATH)
    connection = Connection()
    await answer(sent(bytes(REQUEST_BYTES_MAX)), connection)
    assert connection.written == [bytes(REQUEST_BYTES_MAX)]
    with pytest.raises(Aborted):
        await answer(sent(bytes(REQUEST_BYTES_MAX + 1)), connection)
    assert connection.abortion is not None
    assert connection.abortion[0] is grpc.StatusCode.INVALID_ARGUMENT


class Stranger(Connection):
    """A connection without a certificate."""

    def auth_context(self) -> dict[str, tuple[bytes, ...]]:
        """Nothing that tells who it is."""
        return {}


async def test_who_is_not_known_is_refused() -> None:
    answer = await guarded(guard(), handler(), PATH)
    stranger = Stranger()
    with pytest.raises(Aborted):
        await answer(sent(b""), stranger)
    assert stranger.abortion is not None
    assert stranger.abortion[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_who_asks_nothing_is_not_waited_for() -> None:
    async def nothing() -> Any:  # noqa: ANN401 - as handler
        await asyncio.Event().wait()
        yield b""

    answer = await guarded(guard(Shares(silence_s=0.01)), handler(), PATH)
    connection = Connection()
    with pytest.raises(Aborted):
        await answer(nothing(), connection)
    assert connection.abortion == (grpc.StatusCode.ABORTED, "nothing came for 0.01 s")


async def test_what_the_owner_of_the_server_adds_passes_untouched() -> None:
    own = handler()
    surrounding = guard()
    surrounding.let_pass([grpc.method_handlers_generic_handler("other.Service", {"Method": own})])

    async def continuation(_details: object) -> Any:  # noqa: ANN401 - as handler
        return own

    details: Any = type("Details", (), {"method": PATH})
    assert await surrounding.intercept_service(continuation, details) is own
