"""The way off the event loop, into the threads that answer calls.

Owns that work keeps the places of its call for as long as a thread is busy with it, whether or not
anybody still waits, and how many of the threads work at once. Knows nothing of the work.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from identity.rpc.load import stay_until_done

_Result = TypeVar("_Result")

FEW = 2
"""Threads that work while much is refused. One works while the other waits for its database."""

PATIENCE_S = 0.2
"""How long a thread stands back at most: the few may be busy with something long."""


class Turns:
    """How many of the threads work at once: all of them, or few while much is refused.

    Refusing runs on the event loop, which has to have Python's lock some times for each call, and
    gets it the later the more threads ask for it too. With all four at work, ten times the capacity
    was refused after 2.4 s, and with two after 6 ms; as much was done (ADR 0045).
    """

    def __init__(self, is_much_refused: Callable[[], bool]) -> None:
        self._is_much_refused = is_much_refused
        self._at_work = 0
        self._one_ended = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Work in a thread, which stands back before if enough others work."""
        with self._one_ended:
            self._one_ended.wait_for(self._is_mine, PATIENCE_S)
            self._at_work += 1
        try:
            yield
        finally:
            with self._one_ended:
                self._at_work -= 1
                self._one_ended.notify()

    def _is_mine(self) -> bool:
        return self._at_work < FEW or not self._is_much_refused()


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
