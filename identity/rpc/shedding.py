"""The cheapest refusal there is, for calls that come while more is waiting than can be done.

Owns the one answer that refuses unread, and the log of how often. Decides nothing: whether a call
is refused is `load`'s.
"""

import time
from typing import Any
from uuid import uuid4

import grpc
import structlog
from grpc_status import rpc_status

from identity.domain.errors import OverloadedError
from identity.rpc.errors import status_of

LOG_EVERY_S = 1.0
"""One line and one correlation id for all that is refused in so long: a line for each would cost
more than the calls that are refused."""

RETRIES_MEANT_PER_S = 50.0
"""Callers told to come again are told to come so late that no more than so many do a second. Each
costs some 0.8 ms of a core to refuse once more (ADR 0045), and those who wait to come again are as
many as were refused lately: with a fixed second for all, a pause of five seconds was followed by
minutes of refusing the same calls over and over."""

MUCH_PER_S = 100
"""Calls refused in a second, from which on refusing them takes a tenth of Python's lock."""

RETRY_MIN_S, RETRY_MAX_S = 1.0, 10.0

_log = structlog.get_logger("subid.rpc")


class Shedding:
    """Refuses calls of any method, without a look at caller or body.

    The more were refused in the last second, the later those that follow are told to come again.

    Attributes:
        handler: What gRPC is given in the place of a method's own. A stream, whatever the method
            is: it looks the same on the wire, and gRPC does not wait for the body.
    """

    def __init__(self) -> None:
        self.handler: Any = grpc.stream_unary_rpc_method_handler(self._answer, None, None)
        self._count = 0
        self._renewed_at_s = float("-inf")
        self._much_until_s = float("-inf")
        self._status: Any = None

    async def _answer(self, _bodies: object, context: Any) -> None:  # noqa: ANN401 - grpc's contexts have no useful type
        await context.abort(*self.refusal())

    def refusal(self) -> tuple[grpc.StatusCode, str, Any]:
        """Count a call that is refused; returns the arguments of `abort`."""
        self._count += 1
        now_s = time.monotonic()
        if now_s >= self._renewed_at_s + LOG_EVERY_S:
            self._renew(now_s)
        if self._count > MUCH_PER_S:
            self._much_until_s = now_s + LOG_EVERY_S
        status = self._status
        return status.code, status.details, status.trailing_metadata

    def is_much_refused(self) -> bool:
        """Whether refusing takes so much that the threads should leave room. From any thread."""
        return time.monotonic() < self._much_until_s

    def _renew(self, now_s: float) -> None:
        """Say how many were refused since the last line, and name those that follow."""
        correlation_id = str(uuid4())
        error = OverloadedError("more work is waiting than is finished in good time")
        a_second = self._count / max(now_s - self._renewed_at_s, LOG_EVERY_S)
        retry_s = a_second / RETRIES_MEANT_PER_S
        error.retry_after_s = min(max(retry_s, RETRY_MIN_S), RETRY_MAX_S)
        self._status = rpc_status.to_status(status_of(error, correlation_id=correlation_id))
        _log.warning("shedding", count=self._count, correlation_id=correlation_id)
        self._count = 0
        self._renewed_at_s = now_s
