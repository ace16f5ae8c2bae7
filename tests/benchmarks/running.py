"""A server to measure against, with citizens in it.

Owns starting and stopping the process and filling the registry. Citizens are stored straight
through the repositories: how they got there is not what is measured.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import grpc

from identity.bootstrap import METADATA, open_database
from identity.config import Settings
from identity.domain.caller import Caller
from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.link import compare_holder
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.subscription import ServiceState, Subscription
from identity.security.certificates import Identity, load_or_create_authority
from identity.storage.database import UnitOfWork
from identity.storage.schema import migrate
from tests.benchmarks.harness import ROOT
from tests.integration.assertions import asserting

CITIZEN_COUNT = 10_000


@dataclass(frozen=True)
class Target:
    """A running server."""

    address: str
    state: Path

    def credentials(self, caller: Caller) -> grpc.ChannelCredentials:
        """What a caller presents."""
        return self._credentials(self._issue(caller))

    def app_channel(self, caller: Caller) -> grpc.Channel:
        """A connection of a citizen app, which shows who acts in each call."""
        issued = self._issue(caller)
        channel = grpc.secure_channel(self.address, self._credentials(issued))
        return asserting(channel, self.state, issued.certificate)

    def _issue(self, caller: Caller) -> Identity:
        now = datetime.now(UTC)
        return load_or_create_authority(self.state / "certificates", at=now).issue_caller(
            caller, at=now
        )

    def _credentials(self, issued: Identity) -> grpc.ChannelCredentials:
        authority = load_or_create_authority(self.state / "certificates", at=datetime.now(UTC))
        return grpc.ssl_channel_credentials(
            authority.certificate_pem, issued.private_key, issued.certificate
        )


@contextmanager
def running_target(
    fill: Callable[[UnitOfWork], None], *, trust: Mapping[str, bytes] | None = None
) -> Iterator[Target]:
    """A server process on a filled registry, stopped at the end.

    Args:
        fill: Stores what the server is to know.
        trust: Files of its trust directory by their names.
    """
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        (state / "trust").mkdir()
        for name, content in (trust or {}).items():
            (state / "trust" / name).write_bytes(content)
        with open_database(Settings(state=state), may_begin=True) as database:
            migrate(database.engine, METADATA)
            with database.transaction() as uow:
                fill(uow)
        command = [sys.executable, "-m", "tests.benchmarks.server_process", str(state)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield Target(address=process.stdout.readline().strip(), state=state)
            finally:
                process.terminate()


def personal_ids() -> Sequence[str]:
    """The citizens of `fill_with_citizens`."""
    return [personal_id(number) for number in range(CITIZEN_COUNT)]


def personal_id(number: int) -> str:
    """The one of a citizen, who has a number from 0 to below CITIZEN_COUNT."""
    return f"001190{number:06d}"


def fill_with_citizens(uow: UnitOfWork) -> None:
    """Citizens whom the register knows, with a verified primary number each."""
    records = [
        PopulationRecord(
            personal_id=PersonalID(each),
            full_name=PersonName("Nguyễn Văn An"),
            birth_date=date(1990, 1, 1),
        )
        for each in personal_ids()
    ]
    uow.citizens.save_many(records, at=datetime.now(UTC))
    items = [
        subscription(record, MSISDN(f"+8491{number:07d}")) for number, record in enumerate(records)
    ]
    uow.subscriptions.save_many(items)
    for item in items:
        uow.primaries.set(item, at=item.created_at)


def subscription(record: PopulationRecord, msisdn: MSISDN) -> Subscription:
    """A verified number of a person."""
    now = datetime.now(UTC)
    claim = HolderClaim(
        personal_id=record.personal_id, full_name=record.full_name, birth_date=record.birth_date
    )
    return Subscription(
        subscription_id=uuid4(),
        msisdn=msisdn,
        operator_id="benchmark",
        claim=claim,
        link=compare_holder(claim, record, score_names=lambda _left, _right: 0.0),
        service_state=ServiceState.ACTIVE,
        applied_state=ServiceState.ACTIVE,
        verified_at=now,
        created_at=now,
        updated_at=now,
    )
