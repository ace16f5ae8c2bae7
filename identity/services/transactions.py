"""Where transactions begin and end, and repeated requests get their first answer.

Owns retries after deadlocks and the once-only rule. Knows no use case: it runs what it is given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import stamina

from identity.audit.log import AuditEntry, append
from identity.domain.errors import (
    ContendedError,
    DomainError,
    OverloadedError,
    RequestIDReusedError,
    StorageUnavailableError,
)
from identity.storage.database import Database, LostRaceError, UnitOfWork
from identity.storage.requests import RequestKey
from identity.telemetry.steps import Step, step

_Result = TypeVar("_Result")

RETRY_ATTEMPTS = 5
"""Attempts at a transaction that lost a race with another."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """Runs actions on the database."""

    database: Database

    def run(self, action: Callable[[UnitOfWork], _Result]) -> _Result:
        """Run an action in one transaction, again if it lost a race or its connection.

        A connection can be lost between a commit and its confirmation, so an action may come to
        run twice: every write is kept once by its request_id, a session by its claimant.

        Raises:
            StorageUnavailableError: The database cannot be reached.
            OverloadedError: No connection came free in time.
            ContendedError: It lost every race.
        """
        try:
            return self._run_again(action)
        except LostRaceError as error:
            raise ContendedError("others are changing the same at this moment") from error

    def run_each(self, actions: Iterable[Callable[[UnitOfWork], object]], *, workers: int) -> None:
        """`run` many actions, each in a transaction of its own, so many of them at a time."""
        with ThreadPoolExecutor(workers) as threads:
            for done in [threads.submit(self.run, action) for action in actions]:
                done.result()

    def _run_again(self, action: Callable[[UnitOfWork], _Result]) -> _Result:
        for attempt in stamina.retry_context(
            on=(LostRaceError, StorageUnavailableError),
            attempts=RETRY_ATTEMPTS,
            wait_initial=0.01,
            wait_max=0.5,
        ):
            with attempt, step(Step.DATABASE), self.database.transaction() as uow:
                return action(uow)
        raise AssertionError("stamina re-raises the last error")

    def run_once(
        self, key: RequestKey, action: Callable[[UnitOfWork], bytes], *, at: datetime
    ) -> bytes:
        """Run an action the first time its request comes; afterwards return the first answer.

        Raises:
            RequestIDReusedError: The identifier was used with another method or body.
        """

        def begin_act_finish(uow: UnitOfWork) -> bytes:
            first = uow.requests.begin(key, at=at)
            if first is not None:
                _refuse_other(is_same=first.is_same)
                return first.response
            response = action(uow)
            uow.requests.finish(key, response)
            return response

        with self.refusals_noted(key, at=at):
            return self.run(begin_act_finish)

    @contextmanager
    def refusals_noted(self, key: RequestKey, *, at: datetime) -> Iterator[None]:
        """Put on record how a request is refused."""
        try:
            yield
        except DomainError as error:
            self._note_refusal(key, error, at=at)
            raise

    def _note_refusal(self, key: RequestKey, error: DomainError, *, at: datetime) -> None:
        """A refusal undoes its transaction, so its entry needs one of its own."""
        if isinstance(error, StorageUnavailableError | OverloadedError | ContendedError):
            return  # nothing was decided
        entry = AuditEntry(
            occurred_at=at, caller=key.caller, action=key.method, outcome=error.reason
        )
        self.run(lambda uow: append(uow.connection, [entry]))

    def first_answer(self, key: RequestKey) -> bytes | None:
        """What was answered to a request that came before, if anything.

        Raises:
            RequestIDReusedError: The identifier was used with another method or body.
        """
        first = self.run(lambda uow: uow.requests.find(key))
        if first is None:
            return None
        _refuse_other(is_same=first.is_same)
        return first.response

    def run_batch_once(
        self,
        key: RequestKey,
        batch_index: int,
        action: Callable[[UnitOfWork], Mapping[str, Any]],
        *,
        at: datetime,
    ) -> Mapping[str, Any]:
        """`run_once` for one batch of many; a refusal is put on record as there.

        Raises:
            RequestIDReusedError: The batch was stored before with another body.
        """

        def begin_act_finish(uow: UnitOfWork) -> Mapping[str, Any]:
            stored = uow.requests.begin_batch(key, batch_index, at=at)
            if stored is not None:
                _refuse_other(is_same=stored.is_same)
                return stored.result
            result = action(uow)
            uow.requests.finish_batch(key, batch_index, result)
            return result

        with self.refusals_noted(key, at=at):
            return self.run(begin_act_finish)


def _refuse_other(*, is_same: bool) -> None:
    if not is_same:
        raise RequestIDReusedError("this request_id was used with another method or body")
