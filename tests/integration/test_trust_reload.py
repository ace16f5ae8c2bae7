"""Trust changes while the server runs: no restart, and nobody who had begun notices.

The server is told by its directory alone; health says when it has taken a change up.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typer.testing import CliRunner

from identity.cli import app
from identity.config import Settings
from identity.domain.caller import Caller, Role
from subid.v1 import verification_service_pb2 as pb
from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographedPerson
from tests.databases import own_database
from tests.integration.conftest import open_channel, served
from tests.integration.people import People, Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import Stubs

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    year = datetime.now(UTC).year - 1
    first = datetime(year, 1, 1, tzinfo=UTC).date()
    return CardAuthority(established_on=first, active_authentication_keys=1)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def address(postgres_url: str, worker_id: str, state: Path) -> Iterator[str]:
    """A server that trusts nobody yet."""
    with own_database(postgres_url, f"trust_{worker_id}") as url:
        settings = Settings(state=state, database=url, listen="127.0.0.1:0", face_workers=1)
        with served(settings) as address:
            yield address


def tell(state: Path, *arguments: str) -> None:
    done = CliRunner().invoke(app, ["trust", *arguments, "--state", str(state)])
    assert done.exit_code == 0, done.output


def test_an_authority_is_trusted_and_a_signer_revoked_without_a_restart(
    address: str,
    state: Path,
    authority: CardAuthority,
    faces: tuple[PhotographedPerson, ...],
) -> None:
    channels: dict[Caller, grpc.Channel] = {}

    def act_as(role: Role, name: str) -> Stubs:
        caller = Caller(role, name)
        if caller not in channels:
            channels[caller] = open_channel(address, state, caller)
        return Stubs(channels[caller])

    people = People(seed=5, today=datetime.now(UTC).date())
    scene = Scene(act_as=act_as, people=people, cards=authority)
    subscriber = scene.registered("song-hong")
    evidence = scene.evidence(subscriber.citizen, faces[0])

    def verify(someone: Subscriber) -> pb.Verdict:
        return scene.verify(someone, evidence).verdict

    health = health_pb2_grpc.HealthStub(channels[Caller(Role.OPERATOR, "song-hong")])
    watched = health.Watch(
        health_pb2.HealthCheckRequest(service="subid.trust.vn-cccd"), timeout=120
    )
    assert next(watched).status == NOT_SERVING
    refused = verify(subscriber)
    assert refused.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "TRUST_ANCHOR_NOT_FOUND" in refused.chip_codes

    handed_out = state / "handed-out"
    handed_out.mkdir()
    (handed_out / "csca.der").write_bytes(authority.certificate)
    now = datetime.now(UTC) - timedelta(minutes=5)
    (handed_out / "csca.crl").write_bytes(authority.revocation_list(at=now))
    tell(state, "add", str(handed_out / "csca.der"))
    tell(state, "import-crl", str(handed_out / "csca.crl"))
    assert next(watched).status == SERVING
    accepted = verify(subscriber)
    assert accepted.state == pb.VERDICT_STATE_VERIFIED, accepted

    # The signer's key is stolen: a new list, and the same card is refused, still without a restart.
    authority.revoke_signer_of(evidence.card, at=now)
    (handed_out / "csca.crl").write_bytes(authority.revocation_list(at=datetime.now(UTC)))
    tell(state, "import-crl", str(handed_out / "csca.crl"))
    (state / "trust" / "trust.json").rename(state / "trust" / "away.json")
    assert next(watched).status == NOT_SERVING
    (state / "trust" / "away.json").rename(state / "trust" / "trust.json")
    assert next(watched).status == SERVING
    revoked = verify(subscriber)
    assert revoked.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "DSC_REVOKED" in revoked.chip_codes

    # The authority's own key is stolen: it is no anchor any more.
    tell(state, "distrust", str(handed_out / "csca.der"), "--reason", "key stolen")
    assert next(watched).status == NOT_SERVING
    distrusted = verify(subscriber)
    assert distrusted.state == pb.VERDICT_STATE_NOT_VERIFIED
    assert "TRUST_ANCHOR_NOT_FOUND" in distrusted.chip_codes
    watched.cancel()
    for channel in channels.values():
        channel.close()
