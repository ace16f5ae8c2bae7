"""The library's own methods, health and reflection, behind a door of their own.

Owns that only a caller who is let in reaches them, as often and as long as its share allows, with
small requests. Asks for no permission: every role may look whether the server is there. They are
no new work and are answered under overload, when it matters most.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc

from identity.domain.caller import Caller
from identity.rpc.bodies import next_body, only_body
from identity.rpc.call_rates import CallRates
from identity.rpc.limits import malformed, too_large
from identity.rpc.load import CallerLoad
from identity.rpc.refusals import Refusals
from identity.rpc.standing import Standing

REQUEST_BYTES_MAX = 1024
"""The longest name of a symbol in our contract has 77 characters. Health keeps what it
was asked for as long as it is watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardMethods:
    """Surrounds methods that are not ours. Belongs to one event loop.

    Attributes:
        admit: Lets the owner of a certificate (DER) in; raises a DomainError when it does not.
        standing: Ends the calls of whoever is let in no more.
        load: What each caller has under way.
        rates: How often it may call.
        refusals: Where refusals are logged.
        silence_s: How long the next message is waited for.
    """

    admit: Callable[[bytes], Caller]
    standing: Standing
    load: CallerLoad
    rates: CallRates
    refusals: Refusals
    silence_s: float

    def guarded(
        self,
        handler: Any,  # noqa: ANN401 - grpc's handlers have no useful type
        path: str,
        certificate_of: Callable[[Any], bytes],
    ) -> Any:  # noqa: ANN401 - as above
        """The same method, as a stream of bodies, for whoever is let in.

        Args:
            handler: As the library made it.
            path: `/package.Service/Method`.
            certificate_of: The certificate (DER) of a call's context.
        """
        method = path.removeprefix("/")

        async def answer(bodies: AsyncIterator[bytes], context: Any) -> None:  # noqa: ANN401 - as above
            watch = self.refusals.watch(method)
            try:
                certificate = certificate_of(context)
                caller = self.admit(certificate)
                watch.caller = str(caller)
                self.rates.take(caller, method)
                with self.load.hold_standard(caller):
                    async with self.standing.kept(certificate):
                        await self._answer(handler, bodies, context)
            except grpc.aio.AbortError:
                raise  # the library's own refusal, told already
            except Exception as error:  # noqa: BLE001 - the boundary: nothing may leave uncoded
                refusal = watch.refusal(error)
            else:
                return
            await context.abort(*refusal)

        return grpc.stream_stream_rpc_method_handler(answer, None, handler.response_serializer)

    async def _answer(self, handler: Any, bodies: AsyncIterator[bytes], context: Any) -> None:  # noqa: ANN401 - as guarded
        asked = self._requests(handler, bodies)
        if not handler.request_streaming:
            asked = _read(handler, await only_body(bodies, silence_s=self.silence_s))
        found = _behaviour(handler)(asked, context)
        if inspect.isasyncgen(found):
            async with aclosing(found):
                async for each in found:
                    await context.write(each)
            return
        answered = await found
        if not handler.response_streaming:  # one that streams has written its answers itself
            await context.write(answered)

    async def _requests(self, handler: Any, bodies: AsyncIterator[bytes]) -> AsyncIterator[Any]:  # noqa: ANN401 - as guarded
        while (body := await next_body(bodies, silence_s=self.silence_s)) is not None:
            yield _read(handler, body)


def _read(handler: Any, body: bytes) -> Any:  # noqa: ANN401 - as StandardMethods.guarded
    if len(body) > REQUEST_BYTES_MAX:
        raise too_large(REQUEST_BYTES_MAX)
    try:
        return handler.request_deserializer(body)
    except Exception as error:
        raise malformed() from error


def _behaviour(handler: Any) -> Callable[..., Any]:  # noqa: ANN401 - as StandardMethods.guarded
    return (  # type: ignore[no-any-return] # grpc's handlers have no useful type
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )
