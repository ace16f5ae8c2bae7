"""Bodies of requests as they come in.

Owns how long the next is waited for. Knows neither what is in them nor whose they are.
"""

import asyncio
from collections.abc import AsyncIterator

from identity.domain.errors import StreamIdleError
from identity.rpc.limits import malformed


async def next_body(bodies: AsyncIterator[bytes], *, silence_s: float) -> bytes | None:
    """The next body, or None at the end.

    Raises:
        StreamIdleError: Nothing came for so many seconds.
    """
    try:
        async with asyncio.timeout(silence_s):
            return await anext(bodies, None)
    except TimeoutError as error:
        raise StreamIdleError(f"nothing came for {silence_s:g} s") from error


async def only_body(bodies: AsyncIterator[bytes], *, silence_s: float) -> bytes:
    """The one body of a call that sends one.

    Raises:
        RequestInvalidError: The call ended without one.
        StreamIdleError: As `next_body`.
    """
    body = await next_body(bodies, silence_s=silence_s)
    if body is None:
        raise malformed()
    return body
