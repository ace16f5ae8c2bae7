"""Wake those who wait for something, whichever server of the database made it.

Owns the one listening connection of a server: it is made again when it was lost, and everybody is
woken then, for what was told in between. Knows neither side: it is handed whom to listen to and
whom to wake.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from identity.storage.news import News

RETRY_S = 2.0
"""Between two attempts to listen; those who wait for directives look by themselves meanwhile."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNews:
    """Whom to listen to, and whom to wake.

    Attributes:
        listen: Gives news as they come, and None when any may have been missed.
        wake: Told what came on each channel, and None when any may have been missed.
        retry_s: Seconds between two attempts.
    """

    listen: Callable[[], AsyncIterator[News | None]]
    wake: Mapping[str, Callable[[str | None], None]]
    retry_s: float = RETRY_S

    def pass_on(self, news: News | None) -> None:
        """Wake whom news concern."""
        if news is not None:
            self.wake[news.channel](news.payload)
            return
        for wake in self.wake.values():
            wake(None)


@asynccontextmanager
async def passing_on(news: ServerNews) -> AsyncIterator[None]:
    """Pass news on during the block."""
    task = asyncio.create_task(_pass_on(news))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _pass_on(news: ServerNews) -> None:
    while True:
        try:
            async with aclosing(news.listen()) as told:  # type: ignore[type-var] # a generator is closed
                async for each in told:
                    news.pass_on(each)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is listened for again
            _log.warning("news are lost", type=type(error).__name__)
        await asyncio.sleep(news.retry_s)
