"""An operator that survives its own death: a network, and what it has sent, in one file.

Owns the operator's side alone, from the contract: what it sends is written down before it is sent,
and what it is ordered to do has an effect once, by the order's identifier. Each of its points is
one at which it may be killed. Knows nothing of the registry's inside.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from subid.v1 import enforcement_service_pb2 as pb
from subid.v1 import subscription_pb2
from tests.integration.signing import signed
from tests.integration.wire import TIMEOUT_S, Stubs

PULLED_AT_ONCE = 5
REPORTED_AT_ONCE = 4
LEASE_S = 60
ATTEMPTS = 20
"""More than a server dies while one call is under way."""

STATE_OF_ORDER: Mapping[int, int] = MappingProxyType(
    {
        pb.DIRECTIVE_KIND_BLOCK_OUTGOING: subscription_pb2.SERVICE_STATE_OUTGOING_BLOCKED,
        pb.DIRECTIVE_KIND_SUSPEND: subscription_pb2.SERVICE_STATE_SUSPENDED,
        pb.DIRECTIVE_KIND_TERMINATE: subscription_pb2.SERVICE_STATE_TERMINATED,
        pb.DIRECTIVE_KIND_RESTORE: subscription_pb2.SERVICE_STATE_ACTIVE,
    }
)

CHANNEL_OPTIONS = (
    # Without a pool of its own a channel would share the connection of one that is dying.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
)

_TABLES = """
CREATE TABLE IF NOT EXISTS service (msisdn TEXT PRIMARY KEY, state INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effect (place INTEGER PRIMARY KEY AUTOINCREMENT,
 directive_id TEXT NOT NULL UNIQUE, msisdn TEXT NOT NULL, kind INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (place INTEGER PRIMARY KEY AUTOINCREMENT,
 method TEXT NOT NULL, request BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reported (name TEXT PRIMARY KEY);
"""

_Answer = TypeVar("_Answer")


def again(call: Callable[[], _Answer]) -> _Answer:
    """Send the same until it is answered, however often the server dies meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
    raise AssertionError("the server is never there")


@dataclass(frozen=True, slots=True)
class Effect:
    """What an order has done to the network, once."""

    directive_id: str
    msisdn: str
    kind: int


@dataclass(frozen=True, slots=True)
class Network:
    """The file of an operator; whatever is committed has reached the disk."""

    path: Path

    def build(self, numbers: Iterable[str]) -> None:
        """Make the file, with numbers in service."""
        with closing(self._open()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")  # one fsync for each commit
            connection.executescript(_TABLES)
            active = subscription_pb2.SERVICE_STATE_ACTIVE
            connection.executemany(
                "INSERT INTO service VALUES (?, ?)", [(number, active) for number in numbers]
            )

    def execute(self, order: pb.Directive, *, before_commit: Callable[[], None]) -> None:
        """Do what is ordered, unless this very order was done before."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            done = connection.execute(
                "INSERT OR IGNORE INTO effect (directive_id, msisdn, kind) VALUES (?, ?, ?)",
                (order.directive_id, order.msisdn, int(order.kind)),
            )
            if done.rowcount and order.kind in STATE_OF_ORDER:
                self._set(connection, order.msisdn, STATE_OF_ORDER[order.kind])
            before_commit()
            connection.execute("COMMIT")

    def fall_back(self, msisdn: str, state: int) -> None:
        """A number changes in the network although nobody ordered it."""
        with closing(self._open()) as connection:
            self._set(connection, msisdn, state)

    def states(self) -> Mapping[str, int]:
        """The state of each number that is not withdrawn."""
        withdrawn = subscription_pb2.SERVICE_STATE_TERMINATED
        return {msisdn: state for msisdn, state in self._rows("service") if state != withdrawn}

    def effects(self) -> Sequence[Effect]:
        """What was done, in its order."""
        return [Effect(*row[1:]) for row in self._rows("effect")]

    def unanswered(self) -> Sequence[tuple[str, bytes]]:
        """What was sent, by method, and not answered yet."""
        return [(method, request) for _, method, request in self._rows("outbox")]

    def send_next(self, requests: Iterable[tuple[str, Message]], *, reported: str = "") -> None:
        """Write down what is sent next; what was sent before is answered."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM outbox")
            connection.executemany(
                "INSERT INTO outbox (method, request) VALUES (?, ?)",
                [(method, request.SerializeToString()) for method, request in requests],
            )
            if reported:
                connection.execute("INSERT INTO reported VALUES (?)", (reported,))
            connection.execute("COMMIT")

    def has_reported(self, name: str) -> bool:
        """Whether a report was answered to its end."""
        return (name,) in self._rows("reported")

    def forget_pulls(self) -> None:
        """Lose what was pulled and not answered: the lease must end first."""
        with closing(self._open()) as connection:
            connection.execute("DELETE FROM outbox WHERE method <> 'report'")

    def _rows(self, table: str) -> list[Any]:
        with closing(self._open()) as connection:
            return list(connection.execute(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608 - our own

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")  # fsync before a commit returns
        return connection

    @staticmethod
    def _set(connection: sqlite3.Connection, msisdn: str, state: int) -> None:
        connection.execute("UPDATE service SET state = ? WHERE msisdn = ?", (state, msisdn))


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableOperator:
    """An operator at work.

    Attributes:
        network: Its network and what it has sent.
        stubs: The registry, and the key that it signs with.
        pass_point: Told at each point at which it may die.
    """

    network: Network
    stubs: Stubs
    pass_point: Callable[[], None] = field(default=lambda: None)

    def obey(self) -> None:
        """Pull, execute and acknowledge until nothing is left."""
        while True:
            if not self.network.unanswered():
                self.network.send_next([("pull", _new_pull())])
            self.pass_point()
            ((method, sent),) = self.network.unanswered()
            if method == "pull":
                pulled = self._pull(pb.PullDirectivesRequest.FromString(sent))
                if not pulled.directives:
                    self.network.send_next([])
                    return
                self._execute(pulled)
            else:
                self._acknowledge(pb.AcknowledgeDirectivesRequest.FromString(sent))

    def report(self, name: str) -> None:
        """Report the whole network once under a name, in several messages."""
        if self.network.has_reported(name):
            return
        if not self.network.unanswered():
            states = sorted(self.network.states().items())
            self.network.send_next([("report", each) for each in _messages(states)])
        self.pass_point()
        again(self._stream)
        self.network.send_next([], reported=name)
        self.pass_point()

    def _pull(self, request: pb.PullDirectivesRequest) -> pb.PullDirectivesResponse:
        method = self.stubs.enforcement.PullDirectives
        pulled: pb.PullDirectivesResponse = again(
            lambda: method(request, timeout=TIMEOUT_S, wait_for_ready=True)
        )
        self.pass_point()
        return pulled

    def _execute(self, pulled: pb.PullDirectivesResponse) -> None:
        for order in pulled.directives:
            self.network.execute(order, before_commit=self.pass_point)
            self.pass_point()
        request = pb.AcknowledgeDirectivesRequest(
            request_id=str(uuid4()),
            lease_id=pulled.lease_id,
            acknowledgements=[
                pb.Acknowledgement(
                    directive_id=order.directive_id,
                    outcome=pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
                    # The same whenever it was really done, so that stories can be compared.
                    execute_time=order.create_time,
                )
                for order in pulled.directives
            ],
        )
        self.network.send_next([("acknowledge", signed(request, self.stubs.private_key))])

    def _acknowledge(self, request: pb.AcknowledgeDirectivesRequest) -> None:
        method = self.stubs.enforcement.AcknowledgeDirectives
        again(lambda: method(request, timeout=TIMEOUT_S, wait_for_ready=True))
        self.pass_point()
        self.network.send_next([])

    def _stream(self) -> None:
        messages = [
            pb.ReconcileServiceStateRequest.FromString(sent)
            for _, sent in self.network.unanswered()
        ]
        method = self.stubs.enforcement.ReconcileServiceState
        for _ in method(iter(messages), timeout=TIMEOUT_S, wait_for_ready=True):
            self.pass_point()


def _new_pull() -> pb.PullDirectivesRequest:
    return pb.PullDirectivesRequest(
        request_id=str(uuid4()),
        directive_count_max=PULLED_AT_ONCE,
        lease_duration=Duration(seconds=LEASE_S),
    )


def _messages(states: Sequence[tuple[str, int]]) -> list[pb.ReconcileServiceStateRequest]:
    request_id = str(uuid4())
    starts = range(0, len(states), REPORTED_AT_ONCE)
    return [
        pb.ReconcileServiceStateRequest(
            request_id=request_id,
            batch_index=index,
            states=[
                pb.ReportedState(msisdn=msisdn, service_state=state)  # type: ignore[arg-type] # an enum is an int
                for msisdn, state in states[start : start + REPORTED_AT_ONCE]
            ],
            is_last=start == starts[-1],
        )
        for index, start in enumerate(starts)
    ]
