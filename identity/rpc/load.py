"""How much may be under way: of one caller, so that none can shut the others out, and of all.

Owns the counts, the room for large requests, and the limit on new work, which follows how long
work waits. Lives on the event loop: nothing here is safe for threads. Knows which methods finish
what was begun, and else none.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from identity.domain.caller import Caller
from identity.domain.errors import OverloadedError

FINISHING = frozenset(
    {
        "EnforcementService/PullDirectives",
        "EnforcementService/AcknowledgeDirectives",
        "EnforcementService/ReconcileServiceState",
        "EnforcementService/AdvanceEnforcement",
        "NotificationService/PullMessages",
        "NotificationService/AcknowledgeMessages",
        "PopulationService/PullSubscriberUpdates",
        "PopulationService/AcknowledgeSubscriberUpdates",
        "VerificationService/CompleteVerification",
        "VerificationService/CompletePresence",
        "VerificationService/GetVerification",
        "WaveService/StopWave",
    }
)
"""What ends something that was begun, or carries out what was decided. Refusing it would waste what
was done before it and leave people blocked, so overload never does; each caller's share still
bounds it."""


FAR_BEHIND = 10
"""Times of the wait that nobody notices, from which on a queue is cut by half at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How the limit on new work is found.

    Attributes:
        least: Calls that are always let in, half of them of one caller: enough to keep the request
            threads busy for a caller who is alone, half of its calls while the others wait for
            their database. With 8 a caller of most of the work was refused twice a call at 0.8 of
            the capacity (ADR 0045).
        most: Calls that are never exceeded.
        window_s: How long waits are watched before the limit is changed.
        wait_max_s: A wait that nobody notices. Work that waits longer, all of it, all the window
            through, stands in a queue that only grows (RFC 8289, 3.2: the least wait of an interval
            tells a standing queue from a burst).
        slower_by: What is left of the limit after a window with a standing queue.
        far_slower_by: The same where the queue is FAR_BEHIND times as long: from the most to the
            least in six windows, where steps of `slower_by` take 26, five seconds of waiting.
        faster_by: Share of the limit that is added after a window without one.
    """

    least: int = 16
    most: int = 512
    window_s: float = 0.2
    wait_max_s: float = 0.02
    slower_by: float = 0.85
    far_slower_by: float = 0.5
    faster_by: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What one caller may take of the server, and all of them together.

    Attributes:
        calls_max: Calls under way, without streams. A quarter of what the server accepts, watches
            aside.
        streams_max: Streams under way, whichever side sends them. An import keeps two database
            connections busy.
        standard_max: Calls of health and reflection under way. Health has seven names to watch: the
            server, what it needs, and the trust profile.
        silence_s: How long a call may wait for its next message before it is ended.
        call_s: How long a call that is no stream may take, whatever deadline its caller gave it,
            or none. The longest is a face comparison, 30 s of it and as long a wait.
        job_s: The same of a method that works on the whole registry.
        caller_bytes_max: Bytes of one caller's large requests: eight that are still to come, of
            20 MiB each, or hundreds of usual verifications.
        bytes_max: The same of all callers: 32 that are still to come.
        new_work: How the limit on the new work of all callers together is found.
    """

    calls_max: int = 256
    streams_max: int = 8
    standard_max: int = 8
    silence_s: float = 60.0
    call_s: float = 120.0
    job_s: float = 3_600.0
    caller_bytes_max: int = 160 * 1024 * 1024
    bytes_max: int = 640 * 1024 * 1024
    new_work: LimitSettings = LimitSettings()


@dataclass(slots=True)
class _Place:
    """What a call takes of a share, with all that it leaves behind."""

    give_back: Callable[[], None]
    holders: int = 1

    def leave(self, _ended: object = None) -> None:
        self.holders -= 1
        if not self.holders:
            self.give_back()


_places: ContextVar[tuple[_Place, ...]] = ContextVar("subid_places", default=())
"""The places of the call that runs."""


@contextmanager
def _taken(give_back: Callable[[], None]) -> Iterator[None]:
    """Have the call that runs hold a place, which is given back with the last of its work."""
    place = _Place(give_back)
    token = _places.set((*_places.get(), place))
    try:
        yield
    finally:
        _places.reset(token)
        place.leave()


def stay_until_done(work: "asyncio.Future[Any]") -> None:
    """Keep the places of the call that runs until its work is done, should the call end before.

    A caller that began costly work, went away and began the next would else have any amount of it
    under way.
    """
    for place in _places.get():
        place.holders += 1
        work.add_done_callback(place.leave)


class _Amounts:
    """How much each caller has, and all of them together."""

    def __init__(self) -> None:
        self.of: Counter[Caller] = Counter()
        self.of_all = 0

    def add(self, caller: Caller, amount: int = 1) -> None:
        """Count more of a caller, or less."""
        self.of_all += amount
        self.of[caller] += amount
        if not self.of[caller]:
            del self.of[caller]


class CallerLoad:
    """What every caller has under way."""

    def __init__(self, shares: Shares) -> None:
        self._calls, self._streams, self._standard = _Amounts(), _Amounts(), _Amounts()
        self._shares = shares

    @contextmanager
    def hold(self, caller: Caller, *, is_stream: bool) -> Iterator[None]:
        """Count a call while it runs, and while anything does that it left behind.

        Raises:
            OverloadedError: The caller has as many under way as it may.
        """
        if is_stream:
            counts, most, what = self._streams, self._shares.streams_max, "streams"
        else:
            counts, most, what = self._calls, self._shares.calls_max, "calls"
        with _counted(counts, caller, most, what):
            yield

    @contextmanager
    def hold_standard(self, caller: Caller) -> Iterator[None]:
        """Count a call of health or reflection, as `hold` does.

        Raises:
            OverloadedError: The caller has as many under way as it may.
        """
        most = self._shares.standard_max
        with _counted(self._standard, caller, most, "calls of health and reflection"):
            yield


@contextmanager
def _counted(counts: _Amounts, caller: Caller, most: int, what: str) -> Iterator[None]:
    if counts.of[caller] >= most:
        raise OverloadedError(f"one caller has at most {most} {what} under way")
    counts.add(caller)
    with _taken(partial(counts.add, caller, -1)):
        yield


@dataclass(slots=True)
class HeldBody:
    """The room that one request takes."""

    amounts: _Amounts
    caller: Caller
    bytes_count: int

    def came(self, bytes_count: int) -> None:
        """Say how large it is, once that is known."""
        self.amounts.add(self.caller, bytes_count - self.bytes_count)
        self.bytes_count = bytes_count

    def go(self) -> None:
        """Give the room back."""
        self.came(0)


class LargeBodies:
    """The bytes of large requests that are waited for, or held until they are answered.

    How large a request is, gRPC says when all of it is there. Until then it counts as the largest
    that may come.
    """

    def __init__(self, shares: Shares) -> None:
        self._amounts = _Amounts()
        self._shares = shares

    @contextmanager
    def hold(self, caller: Caller, *, bytes_max: int) -> Iterator[HeldBody]:
        """Take room for a request, before it is read, until it is answered.

        Args:
            caller: Whose it is.
            bytes_max: How large it may be.

        Raises:
            OverloadedError: There is no room, for this caller or for anybody.
        """
        amounts, shares = self._amounts, self._shares
        if (
            amounts.of[caller] + bytes_max > shares.caller_bytes_max
            or amounts.of_all + bytes_max > shares.bytes_max
        ):
            raise OverloadedError("too many large requests are under way")
        body = HeldBody(amounts, caller, 0)
        body.came(bytes_max)
        with _taken(body.go):
            yield body


class AdaptiveLimit:
    """How many calls with new work may be under way, learned from how long work waits.

    Additive and multiplicative steps as TCP takes them (RFC 5681), on waiting times instead of
    losses. Pure: it is told the time.
    """

    def __init__(self, settings: LimitSettings | None = None, *, now_s: float = 0.0) -> None:
        self._settings = settings or LimitSettings()
        self._limit = float(self._settings.most)
        self._began_s = now_s
        self._least_waits: dict[str, float] = {}
        self._was_full = False

    @property
    def limit(self) -> int:
        """Calls that may be under way now."""
        return int(self._limit)

    def saw_full(self) -> None:
        """As many calls were under way as may be."""
        self._was_full = True

    def saw_wait(self, queue: str, wait_s: float, *, now_s: float) -> None:
        """Take note of how long something waited.

        Args:
            queue: Where. Queues are judged one by one: one that stands is enough.
            wait_s: For how many seconds.
            now_s: The present, on any clock that only goes forward.
        """
        if now_s - self._began_s >= self._settings.window_s:
            self._adjust(now_s)
        self._least_waits[queue] = min(wait_s, self._least_waits.get(queue, wait_s))

    def _adjust(self, now_s: float) -> None:
        settings = self._settings
        # Work that nobody waited for stands in no queue.
        wait_s = max(self._least_waits.values(), default=0.0)
        if wait_s > settings.wait_max_s:
            is_far = wait_s > FAR_BEHIND * settings.wait_max_s
            slower_by = settings.far_slower_by if is_far else settings.slower_by
            self._limit = max(settings.least, self._limit * slower_by)
        elif self._was_full:
            step = max(1.0, self._limit * settings.faster_by)
            self._limit = min(settings.most, self._limit + step)
        self._began_s = now_s
        self._least_waits.clear()
        self._was_full = False


class NewWork:
    """The calls with new work that are under way, and whether one more may come.

    One caller has at most half of the limit: alone at the door it cannot fill the limit of all, and
    whoever else comes finds the other half. It is refused beyond, and that counts as the limit
    being reached: while nothing waits, the limit grows, so a caller who is alone on the machine
    comes to use all of it. Its half is never less than half of the least limit, 8 calls, which two
    cores are busy with.

    Args:
        limit: How many may be.
    """

    def __init__(self, limit: AdaptiveLimit) -> None:
        self._limit = limit
        self._under_way = _Amounts()

    def has_room(self, caller: Caller | None = None) -> bool:
        """Whether one more may come, of a caller if it is known; the limit takes note when not."""
        limit = self._limit.limit
        half = max(1, limit // 2)
        under_way = self._under_way
        if under_way.of_all < limit and (caller is None or under_way.of[caller] < half):
            return True
        self._limit.saw_full()
        return False

    @contextmanager
    def hold(self, caller: Caller) -> Iterator[None]:
        """Count a call while it runs, and while anything does that it left behind.

        Raises:
            OverloadedError: As many are under way as may be, of all or of this caller.
        """
        if not self.has_room(caller):
            raise OverloadedError("more work is waiting than is finished in good time")
        self._under_way.add(caller)
        with _taken(partial(self._under_way.add, caller, -1)):
            yield
