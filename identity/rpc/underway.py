"""Work that is done once at a time, however often it is asked for meanwhile.

Owns that the second who asks waits for the first one's answer, and that the work outlives whoever
asked. Knows nothing of the work.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, TypeVar

from identity.rpc.load import stay_until_done

_Result = TypeVar("_Result")


class Underway:
    """What is under way on one server, by what tells it apart. Belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def join(
        self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, _Result]]
    ) -> _Result:
        """Begin work, unless it is under way; wait for its end either way.

        Who goes away does not stop it; the call that began it keeps its places until the end.
        """
        task: asyncio.Task[_Result] | None = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(begin())
            self._tasks[key] = task
            stay_until_done(task)
            task.add_done_callback(partial(self._leave, key))
        try:
            return await asyncio.shield(task)
        finally:
            del task  # it knows what was raised, and that knows this frame

    def _leave(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # told to whoever still waits; asked here, so that nobody need be left
