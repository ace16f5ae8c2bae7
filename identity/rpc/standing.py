"""Whether whoever began a call would still be let in, for as long as the call lasts.

Owns when callers of calls under way are looked at again, and how such a call ends. Knows neither
calls nor certificates' rules: it is handed what lets a caller in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from identity.domain.errors import DomainError

AGAIN_S = 1.0
"""Between two looks at everybody who has a call under way: two looks at times of directories for
each certificate, some 10 µs, however many calls it has."""


@dataclass(eq=False, slots=True)
class _Call:
    """What ends a call, and why."""

    ending: asyncio.Timeout | None = None
    refusal: DomainError | None = None


class Standing:
    """Whoever has calls under way on one server. Belongs to one event loop.

    Args:
        admit: Lets the owner of a certificate (DER) in; raises a DomainError when it does not.
        again_s: Seconds between two looks, while there is anybody to look at.
    """

    def __init__(self, admit: Callable[[bytes], object], *, again_s: float = AGAIN_S) -> None:
        self._admit = admit
        self._again_s = again_s
        self._calls: dict[bytes, set[_Call]] = {}
        self._is_due = False

    @asynccontextmanager
    async def kept(self, certificate: bytes) -> AsyncIterator[None]:
        """End the block, wherever it waits, once its caller is let in no more.

        What it began in threads comes to its end, as when a caller goes away.

        Raises:
            DomainError: The refusal that a new call would get.
        """
        call = _Call()
        try:
            async with asyncio.timeout(None) as call.ending:
                with self._seen(certificate, call):
                    yield
        except TimeoutError:
            if call.refusal is None:
                raise
            raise call.refusal from None
        finally:
            # It knows the task, and what ended the task knows this frame: a circle that would keep
            # the bodies of refused requests until it is found.
            call.ending = None

    @contextmanager
    def _seen(self, certificate: bytes, call: _Call) -> Iterator[None]:
        calls = self._calls.setdefault(certificate, set())
        calls.add(call)
        self._look_later()
        try:
            yield
        finally:
            calls.discard(call)
            if not calls and self._calls.get(certificate) is calls:
                del self._calls[certificate]

    def _look_later(self) -> None:
        if self._calls and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(self._again_s, self._look)

    def _look(self) -> None:
        self._is_due = False
        self._look_later()
        for certificate in list(self._calls):
            try:
                self._admit(certificate)
            except DomainError as error:
                self._end(certificate, error)

    def _end(self, certificate: bytes, refusal: DomainError) -> None:
        # Taken out: each is told once.
        for call in self._calls.pop(certificate):
            if call.ending is not None:
                call.refusal = refusal
                call.ending.reschedule(asyncio.get_running_loop().time())
