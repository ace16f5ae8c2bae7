"""The way off the event loop, into the threads that answer calls.

Owns that work keeps the places of its call for as long as a thread is busy with it, whether or not
anybody still waits. Knows nothing of the work.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from typing import TypeVar

from identity.rpc.load import stay_until_done

_Result = TypeVar("_Result")


async def in_thread(threads: Executor, work: Callable[[], _Result]) -> _Result:
    """Run blocking work without blocking the event loop.

    A thread cannot be stopped. Whoever gives up meanwhile has what has not begun taken off the
    queue; what has begun keeps the places of its call until it is done, so that beginning, going
    away and beginning again leaves nobody with more threads than its share.
    """
    # With the call's context, so that a step in a thread is still a step of the call.
    queued = threads.submit(copy_context().run, work)
    done = asyncio.wrap_future(queued)
    stay_until_done(done)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        queued.cancel()
        raise
    finally:
        # What was raised knows this frame: a circle that would keep the request until it is found.
        del queued, done
