"""How much one caller may have under way, so that none can shut the others out.

Owns the counts. Lives on the event loop: nothing here is safe for threads. Knows no method.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from identity.domain.caller import Caller
from identity.domain.errors import OverloadedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What one caller may take of the server.

    Attributes:
        calls_max: Calls under way, without streams. A quarter of what the server accepts, watches
            aside.
        streams_max: Streams under way, whichever side sends them. An import keeps two database
            connections busy.
        silence_s: How long a call may wait for its next message before it is ended.
        call_s: How long a call that is no stream may take, whatever deadline its caller gave it,
            or none. The longest is a face comparison, 30 s of it and as long a wait.
        job_s: The same of a method that works on the whole registry.
    """

    calls_max: int = 256
    streams_max: int = 8
    silence_s: float = 60.0
    call_s: float = 120.0
    job_s: float = 3_600.0


class CallerLoad:
    """What every caller has under way."""

    def __init__(self, shares: Shares) -> None:
        self._calls: Counter[Caller] = Counter()
        self._streams: Counter[Caller] = Counter()
        self._shares = shares

    @contextmanager
    def hold(self, caller: Caller, *, is_stream: bool) -> Iterator[None]:
        """Count a call while it runs.

        Raises:
            OverloadedError: The caller has as many under way as it may.
        """
        if is_stream:
            counts, most, what = self._streams, self._shares.streams_max, "streams"
        else:
            counts, most, what = self._calls, self._shares.calls_max, "calls"
        if counts[caller] >= most:
            raise OverloadedError(f"one caller has at most {most} {what} under way")
        counts[caller] += 1
        try:
            yield
        finally:
            counts[caller] -= 1
            if not counts[caller]:
                del counts[caller]
