"""The other side of a call that streams from a file: channel, requests, refusals.

Owns what every such client has in common. Knows no method.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from identity.security.client_keys import ClientKeys

_CHANNEL_OPTIONS = (
    # An import runs for hours; a peer that lost its power must be noticed. gRPC's own servers take
    # a ping every 5 minutes, and more for an attack.
    ("grpc.keepalive_time_ms", 301_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
_WORTH_REPEATING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)


class ImportRefusedError(Exception):
    """The service, or the way to it, said no; one line.

    Attributes:
        is_worth_repeating: Whether the same import may go on later as it is.
    """

    def __init__(self, message: str, *, is_worth_repeating: bool) -> None:
        super().__init__(message)
        self.is_worth_repeating = is_worth_repeating


@contextmanager
def open_channel(address: str, keys: ClientKeys) -> Iterator[grpc.Channel]:
    """Connect with mutual TLS.

    Args:
        address: `host:port`.
        keys: Who calls.
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=keys.authority,
        private_key=keys.private_key,
        certificate_chain=keys.certificate,
    )
    with grpc.secure_channel(address, credentials, options=_CHANNEL_OPTIONS) as channel:
        yield channel


class Source:
    """Requests as gRPC takes them, on a thread of its own.

    What making one raises ends the stream and is kept: gRPC would log it and tell the caller
    nothing. The first is made at once, since the service does not wait long for it.
    """

    def __init__(self, requests: Iterator[Message]) -> None:
        self._requests: Iterator[Message] = chain([next(requests)], requests)
        self._failure: BaseException | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        with self._lock:
            if self._is_closed or self._failure is not None:
                raise StopIteration
            try:
                return next(self._requests)
            except StopIteration:
                raise
            except BaseException as error:
                self._failure = error
                raise StopIteration from error

    @contextmanager
    def closed(self) -> Iterator[None]:
        """At the end of the block nobody takes from it any more, and what it met is raised."""
        try:
            yield
        finally:
            with self._lock:
                self._is_closed = True
            if self._failure is not None:
                raise self._failure


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what gRPC raises into an `ImportRefusedError`."""
    try:
        yield
    except grpc.RpcError as error:
        raise _refusal(error) from None


def _refusal(error: Any) -> ImportRefusedError:  # noqa: ANN401 - a grpc.RpcError is a Call as well
    status = rpc_status.from_call(error)
    reason, fields = error.code().name, []
    for detail in status.details if status is not None else ():
        info, bad_request = ErrorInfo(), BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad_request):
            fields += [f"{each.field} {each.reason}" for each in bad_request.field_violations]
    message = " ".join([error.details() or "no answer", *fields])
    return ImportRefusedError(
        f"{reason}: {message}", is_worth_repeating=error.code() in _WORTH_REPEATING
    )
