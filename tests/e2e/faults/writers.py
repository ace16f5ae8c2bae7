"""Operators who keep on registering numbers, whatever happens, and remember what was acknowledged.

Owns the journal and its comparison with the registry. A writer does what the contract tells clients
to do: an answer that does not come, or says UNAVAILABLE, is asked for again under the same
request_id. Knows no fault.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

import grpc

from subid.v1 import subscription_service_pb2 as pb
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from tests.integration.people import People, claim_of
from tests.integration.wire import new_id

WRITER_COUNT = 4
PATIENCE_S = 180.0
"""For anything that must come back: ten times and more of what was ever measured (12 s: a killed
database, two looks of the watch and a recovery)."""

ATTEMPT_TIMEOUT_S = 5.0
PAUSE_S = 0.05
"""Between two attempts."""

PAGE_SIZE = 1_000

Acknowledged = tuple[pb.RegisterSubscriptionRequest, bytes]


class Writers:
    """Threads that write; use as a context, so that they end.

    Args:
        connect: A new connection of the operator's.
        seed: Of the people that are registered.
    """

    def __init__(self, connect: Callable[[], grpc.Channel], *, seed: int) -> None:
        self._connect = connect
        self._people = People(seed=seed, today=datetime.now(UTC).date())
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITER_COUNT)]
        self.acknowledged: list[Acknowledged] = []
        self.in_doubt: list[pb.RegisterSubscriptionRequest] = []
        self.refusals: Counter[str] = Counter()

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Have every writer end with the attempt that it is at."""
        self._stopping.set()
        for each in self._threads:
            each.join(PATIENCE_S)

    def go_on(self, count: int = 20) -> None:
        """Wait until so many more were acknowledged.

        Raises:
            AssertionError: They were not, in any time that could be expected.
        """
        with self._changed:
            goal = len(self.acknowledged) + count
            is_done = self._changed.wait_for(lambda: len(self.acknowledged) >= goal, PATIENCE_S)
        assert is_done, f"no recovery; {self.refusals}"

    def are_refused(self, count: int = WRITER_COUNT) -> None:
        """Wait until so many more attempts have failed."""
        with self._changed:
            goal = self.refusals.total() + count
            is_done = self._changed.wait_for(lambda: self.refusals.total() >= goal, PATIENCE_S)
        assert is_done, "the fault was not noticed"

    def _write(self) -> None:
        while not self._stopping.is_set():
            citizen = self._people.citizen()
            request = pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=self._people.msisdn(), holder=claim_of(citizen)
            )
            answer = self._insist(request)
            with self._changed:
                if answer is None:
                    self.in_doubt.append(request)
                else:
                    self.acknowledged.append((request, answer))
                self._changed.notify_all()

    def _insist(self, request: pb.RegisterSubscriptionRequest) -> bytes | None:
        """Send it until it is answered; None when the writer was stopped before."""
        # A connection of its own each time: what is tested is the service, not how long a client's
        # library waits before it looks for a lost server again.
        while True:
            with self._connect() as channel:
                try:
                    return _register(channel, request)
                except grpc.RpcError as error:
                    with self._changed:
                        self.refusals[error.code().name] += 1
                        self._changed.notify_all()
            if self._stopping.wait(PAUSE_S):
                return None

    def refuse_losses(self) -> None:
        """Hold the registry against the journal: each write is there, and once.

        What was acknowledged answers again as it did; what is in doubt is done now, if it was not.

        Raises:
            AssertionError: Something is lost, is there twice, or was answered differently.
        """
        with self._connect() as channel:
            for request, answer in self.acknowledged:
                assert _register(channel, request) == answer
            for request in self.in_doubt:
                _register(channel, request)
            sent = [request for request, _ in self.acknowledged] + self.in_doubt
            assert Counter(each.msisdn for each in sent) == _held(channel)


def _register(channel: grpc.Channel, request: pb.RegisterSubscriptionRequest) -> bytes:
    stub = SubscriptionServiceStub(channel)
    answer: bytes = stub.RegisterSubscription(request, timeout=ATTEMPT_TIMEOUT_S).SerializeToString(
        deterministic=True
    )
    return answer


def _held(channel: grpc.Channel) -> Counter[str]:
    """How often each number is among the operator's subscriptions."""
    stub = SubscriptionServiceStub(channel)
    found: Counter[str] = Counter()
    token = ""
    while True:
        page = stub.ListSubscriptions(
            pb.ListSubscriptionsRequest(page_size=PAGE_SIZE, page_token=token),
            timeout=PATIENCE_S,
        )
        found.update(each.msisdn for each in page.subscriptions)
        token = page.next_page_token
        if not token:
            return found
