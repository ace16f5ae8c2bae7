"""From what went wrong in a call to the arguments of `abort`, and the log of it.

Owns which refusals have a line each, and which are counted: what a caller can bring about as often
as it likes, before anything is done for it, must not fill the log. Log lines hold methods, roles,
reasons and times; never a request, a response or an exception's text.
"""

import asyncio
import time
import traceback
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import grpc
import structlog
from grpc_status import rpc_status

from identity.domain.errors import (
    AssertionInvalidError,
    AssertionMissingError,
    CallerUnknownError,
    CertificateRefusedError,
    DomainError,
    OverloadedError,
    PermissionRefusedError,
    RateLimitedError,
    RecordUnreadableError,
)
from identity.rpc.errors import status_of, status_of_bug

Abortion = tuple[grpc.StatusCode, str, Any]

COUNTED = (
    AssertionInvalidError,
    AssertionMissingError,
    CallerUnknownError,
    CertificateRefusedError,
    OverloadedError,
    PermissionRefusedError,
    RateLimitedError,
)
"""What is refused at the door: of one caller and reason the first has a line, and what follows
within LOG_EVERY_S is counted in the next."""

LOG_EVERY_S = 1.0
"""One line a second for each caller and reason, as for what is shed."""

_log = structlog.get_logger("subid.rpc")


@dataclass(slots=True)
class _Counted:
    """Refusals of one caller for one reason since the last line, and the id of that line."""

    correlation_id: str
    count: int = 0


class Refusals:
    """The refusals of one server. Belongs to one event loop.

    Args:
        every_s: Seconds between two lines about the same.
    """

    def __init__(self, *, every_s: float = LOG_EVERY_S) -> None:
        self._every_s = every_s
        self._counted: dict[tuple[str, str], _Counted] = {}

    def watch(self, method: str) -> "Watch":
        """A call's place in the log."""
        return Watch(self, method)

    def refused_again(self, caller: str, error: DomainError) -> str | None:
        """The correlation id of the line that stands for this refusal; None: it needs its own."""
        counted = self._counted.get((caller, error.reason))
        if counted is None or not isinstance(error, COUNTED):
            return None
        counted.count += 1
        return counted.correlation_id

    def count_further(self, caller: str, error: DomainError, correlation_id: str) -> None:
        """Have the refusals that follow one with a line counted, if they are of the counted."""
        if isinstance(error, COUNTED):
            self._counted[caller, error.reason] = _Counted(correlation_id)
            self._tell_later(caller, error.reason)

    def _tell_later(self, caller: str, reason: str) -> None:
        asyncio.get_running_loop().call_later(self._every_s, self._tell, caller, reason)

    def _tell(self, caller: str, reason: str) -> None:
        """Say how many came; forget who sent no more."""
        counted = self._counted[caller, reason]
        if not counted.count:
            del self._counted[caller, reason]
            return
        _log.info(
            "refused again",
            reason=reason,
            caller=caller,
            count=counted.count,
            correlation_id=counted.correlation_id,
        )
        counted.count = 0
        self._tell_later(caller, reason)


class Watch:
    """One call's place in the log."""

    def __init__(self, refusals: Refusals, method: str) -> None:
        self.method = method
        self.caller = "unknown"
        self._refusals = refusals
        self._began_at = time.monotonic()

    def refusal(self, error: Exception) -> Abortion:
        """Log what went wrong, or count it; returns the arguments of `abort`."""
        if isinstance(error, DomainError):
            correlation_id = self._refused(error)
            status = status_of(error, correlation_id=correlation_id)
        else:
            correlation_id = str(uuid4())
            # Never the message: libraries put values into it. Where it happened is enough.
            places = traceback.format_tb(error.__traceback__)
            fields = self._fields(correlation_id)
            _log.error("failed", error=type(error).__name__, places=places, **fields)
            status = status_of_bug(correlation_id=correlation_id)
        rich = rpc_status.to_status(status)
        return rich.code, rich.details, rich.trailing_metadata

    def _refused(self, error: DomainError) -> str:
        if known := self._refusals.refused_again(self.caller, error):
            return known
        correlation_id = str(uuid4())
        # The caller cannot mend it and the owner must know.
        log = _log.error if isinstance(error, RecordUnreadableError) else _log.info
        log("refused", reason=error.reason, **self._fields(correlation_id))
        self._refusals.count_further(self.caller, error, correlation_id)
        return correlation_id

    def _fields(self, correlation_id: str) -> dict[str, Any]:
        return {
            "method": self.method,
            "caller": self.caller,
            "correlation_id": correlation_id,
            "duration_ms": round(1000 * (time.monotonic() - self._began_at), 1),
        }
