"""A service that takes imports and keeps nothing: what a sender needs can be measured with it.

Owns enough of the contract for one import of subscriptions. It is no double of the service: it
stores, links and checks nothing.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc

from identity.security.certificates import load_or_create_authority
from subid.v1 import imports_pb2
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.subscription_service_pb2_grpc import (
    SubscriptionServiceServicer,
    add_SubscriptionServiceServicer_to_server,
)


class Sink(SubscriptionServiceServicer):
    """Counts rows, and refuses all of them if told so.

    Args:
        is_refusing: Refuse every row.
        on_batch: Told each batch before it is counted.
    """

    def __init__(
        self, *, is_refusing: bool = False, on_batch: Callable[[int], None] = lambda _index: None
    ) -> None:
        self._is_refusing = is_refusing
        self._on_batch = on_batch
        self.batch_sizes: list[int] = []
        self.last_marks: list[bool] = []

    def GetSubscriptionImport(  # noqa: N802 - grpc's
        self,
        _request: pb.GetSubscriptionImportRequest,
        _context: Any,  # noqa: ANN401 - grpc's
    ) -> pb.GetSubscriptionImportResponse:
        """Nobody began it."""
        return pb.GetSubscriptionImportResponse()

    def ImportSubscriptions(  # noqa: N802 - grpc's
        self,
        requests: Iterator[pb.ImportSubscriptionsRequest],
        _context: Any,  # noqa: ANN401 - grpc's
    ) -> pb.ImportSubscriptionsResponse:
        """Count."""
        for request in requests:
            self._on_batch(request.batch_index)
            self.batch_sizes.append(len(request.rows))
            self.last_marks.append(request.is_last)
        count = sum(self.batch_sizes)
        return pb.ImportSubscriptionsResponse(
            summary=imports_pb2.ImportSummary(
                received_count=count,
                created_count=0 if self._is_refusing else count,
                rejected_count=count if self._is_refusing else 0,
            )
        )

    def ListSubscriptionImportErrors(  # noqa: N802 - grpc's
        self,
        request: pb.ListSubscriptionImportErrorsRequest,
        _context: Any,  # noqa: ANN401 - grpc's
    ) -> pb.ListSubscriptionImportErrorsResponse:
        """Every row of a batch."""
        batch = int(request.page_token or "0")
        begins_at = sum(self.batch_sizes[:batch])
        errors = [
            imports_pb2.RowError(row_index=begins_at + i, field="msisdn", reason="MSISDN_MALFORMED")
            for i in range(self.batch_sizes[batch])
        ]
        is_last = batch + 1 == len(self.batch_sizes)
        return pb.ListSubscriptionImportErrorsResponse(
            row_errors=errors, next_page_token="" if is_last else str(batch + 1)
        )


@contextmanager
def listening(sink: Sink, state: Path) -> Iterator[str]:
    """Serve with mutual TLS, by the authority of a state directory; gives the address."""
    authority = load_or_create_authority(state / "certificates", at=datetime.now(UTC))
    identity = authority.issue_server(at=datetime.now(UTC))
    credentials = grpc.ssl_server_credentials(
        [(identity.private_key, identity.certificate)],
        root_certificates=authority.certificate_pem,
        require_client_auth=True,
    )
    server = grpc.server(
        ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 20 * 1024 * 1024)]
    )
    add_SubscriptionServiceServicer_to_server(sink, server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
