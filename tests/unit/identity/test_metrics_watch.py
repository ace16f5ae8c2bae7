"""Numbers of the database for metrics: the last reading, or none."""

import asyncio
from collections.abc import Mapping

from identity.metrics_watch import Sample, sampling

AT_ONCE_S = 0.001


async def test_a_number_is_the_last_reading_and_none_when_it_cannot_be_read() -> None:
    loop = asyncio.get_running_loop()
    readings: asyncio.Queue[None] = asyncio.Queue()
    numbers: dict[str, float] = {"orders": 1}

    def read() -> Mapping[str, float]:
        loop.call_soon_threadsafe(readings.put_nowait, None)
        if not numbers:
            raise OSError("gone")
        return dict(numbers)

    async def two_readings() -> None:
        # The second began after the change, and the first of the two has ended then.
        while not readings.empty():
            readings.get_nowait()
        for _ in range(3):
            await asyncio.wait_for(readings.get(), 10)

    sample = Sample(read)
    assert sample.of("orders") == {}
    async with sampling(sample, interval_s=AT_ONCE_S):
        assert sample.of("orders") == {"": 1}
        numbers["orders"] = 2
        await two_readings()
        assert sample.of("orders") == {"": 2}
        assert sample.of("messages") == {}
        numbers.clear()
        await two_readings()
        assert sample.of("orders") == {}
