"""Numbers that only the database knows, read for metrics now and then.

Owns when they are read. Whoever fetches metrics gets the last reading and never waits for the
database; when it cannot be read, there is no number rather than an old one. Knows no number: it is
handed what to read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from identity.supervisor import is_set_within

INTERVAL_S = 30.0
"""Between two readings: what waits for operators changes by the minute."""


class Sample:
    """The last reading.

    Args:
        read: Reads every number, by name.
    """

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read
        self._last: Mapping[str, float] = {}

    def take(self) -> None:
        """Read anew."""
        try:
            self._last = self._read()
        except Exception:  # noqa: BLE001 - whatever it is, the number is not known now
            self._last = {}

    def of(self, name: str) -> Mapping[str, float]:
        """One number as a gauge has it: nothing when it is not known."""
        last = self._last
        return {"": last[name]} if name in last else {}


@asynccontextmanager
async def sampling(sample: Sample, *, interval_s: float = INTERVAL_S) -> AsyncIterator[None]:
    """Take samples during the block; one that is under way at its end is waited for."""
    stopping = asyncio.Event()
    await asyncio.to_thread(sample.take)
    task = asyncio.create_task(_sample(sample, stopping, interval_s))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _sample(sample: Sample, stopping: asyncio.Event, interval_s: float) -> None:
    while not await is_set_within(stopping, interval_s):
        await asyncio.to_thread(sample.take)
