"""Wake those who wait for directives, whichever server of the database ordered them.

Owns the one listening connection of a server: it is made again when it was lost, and everybody is
woken then, for what was told in between. Knows neither side: it is handed whom to listen to and
whom to wake.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

RETRY_S = 2.0
"""Between two attempts to listen; those who wait look by themselves meanwhile."""

_log = structlog.get_logger("subid")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNews:
    """Whom to listen to, and whom to wake.

    Attributes:
        listen: Gives names of operators as they come, and None when any may have been missed.
        wake: Told each of them.
        retry_s: Seconds between two attempts.
    """

    listen: Callable[[], AsyncIterator[str | None]]
    wake: Callable[[str | None], None]
    retry_s: float = RETRY_S


@asynccontextmanager
async def passing_on(news: OrderNews) -> AsyncIterator[None]:
    """Pass news on during the block."""
    task = asyncio.create_task(_pass_on(news))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _pass_on(news: OrderNews) -> None:
    while True:
        try:
            async with aclosing(news.listen()) as told:  # type: ignore[type-var] # a generator is closed
                async for name in told:
                    news.wake(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait look by themselves
            _log.warning("news of directives are lost", type=type(error).__name__)
        await asyncio.sleep(news.retry_s)
