"""A server to measure against, with citizens in it.

Owns starting and stopping the process and filling the registry. Citizens are stored straight
through the repositories: how they got there is not what is measured.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
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
from identity.security.certificates import load_or_create_authority
from identity.storage.database import UnitOfWork, migrate
from tests.benchmarks.harness import ROOT

CITIZEN_COUNT = 10_000


@dataclass(frozen=True)
class Target:
    """A running server."""

    address: str
    state: Path

    def credentials(self, caller: Caller) -> grpc.ChannelCredentials:
        """What a caller presents."""
        now = datetime.now(UTC)
        authority = load_or_create_authority(self.state / "certificates", at=now)
        issued = authority.issue_caller(caller, at=now)
        return grpc.ssl_channel_credentials(
            authority.certificate_pem, issued.private_key, issued.certificate
        )


@contextmanager
def running_target(*, trust_anchor: bytes | None = None, is_filled: bool = False) -> Iterator[Target]:
    """A server process, stopped at the end."""
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        if trust_anchor is not None:
            (state / "trust").mkdir()
            (state / "trust" / "anchor.der").write_bytes(trust_anchor)
        if is_filled:
            _fill(state)
        command = [sys.executable, "-m", "tests.benchmarks.server_process", str(state)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            yield Target(address=process.stdout.readline().strip(), state=state)
        finally:
            process.terminate()
            process.wait(60)


def personal_ids() -> Sequence[str]:
    """The citizens that a filled server knows."""
    return [f"001190{number:06d}" for number in range(CITIZEN_COUNT)]


def _fill(state: Path) -> None:
    with open_database(Settings(state=state)) as database:
        migrate(database.engine, METADATA)
        with database.transaction() as uow:
            for number, personal_id in enumerate(personal_ids()):
                _store(uow, PersonalID(personal_id), MSISDN(f"+8491{number:07d}"))


def _store(uow: UnitOfWork, personal_id: PersonalID, msisdn: MSISDN) -> None:
    now = datetime.now(UTC)
    claim = HolderClaim(
        personal_id=personal_id, full_name=PersonName("Nguyễn Văn An"), birth_date=date(1990, 1, 1)
    )
    record = PopulationRecord(
        personal_id=personal_id, full_name=claim.full_name, birth_date=claim.birth_date
    )
    item = Subscription(
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
    uow.subscriptions.save(item)
    uow.primaries.set(item, at=now)
