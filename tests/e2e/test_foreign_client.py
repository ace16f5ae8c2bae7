"""Clients that share no code with the service: Node.js, health checkers, reflection."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from identity.domain.caller import Role
from identity.rpc.server import SERVICES
from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographLibrary, PhotographsUnavailableError
from tests.e2e.server_process import ServerProcess
from tests.integration.people import People
from tests.integration.scene import AGENCY, Scene

PROJECT_ROOT = Path(__file__).resolve().parents[2]
IDENTITY = Path(sys.executable).with_name("identity")
UNAUTHENTICATED_OR_UNAVAILABLE = {14, 16}


@pytest.fixture(scope="module")
def cards() -> CardAuthority:
    established_on = datetime.now(UTC).date().replace(day=1, month=1)
    return CardAuthority(
        established_on=established_on.replace(year=established_on.year - 1),
        active_authentication_keys=1,
    )


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, cards: CardAuthority
) -> Iterator[ServerProcess]:
    state = tmp_path_factory.mktemp("foreign") / "state"
    (state / "trust").mkdir(parents=True)
    (state / "trust" / "csca.der").write_bytes(cards.certificate)
    (state / "trust" / "csca.crl").write_bytes(cards.revocation_list(at=datetime.now(UTC)))
    with ServerProcess(state) as running:
        yield running


@pytest.fixture(scope="module")
def scene(server: ServerProcess, cards: CardAuthority) -> Scene:
    people = People(seed=11, today=datetime.now(UTC).date())
    scene = Scene(act_as=server.act_as, people=people, cards=cards)
    scene.register_agency(AGENCY)
    return scene


@pytest.fixture(scope="module")
def keys(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `identity callers issue` gives to an agency."""
    folder = tmp_path_factory.mktemp("keys")
    assert server.address  # it has made its certificates
    command = [str(IDENTITY), "callers", "issue", "--role", "agency", "--name", "tax"]
    command += ["--out", str(folder), "--state", str(server.state)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def ask_with_node(server: ServerProcess, keys: Path, personal_id: str) -> dict[str, Any]:
    beside = Path(sys.executable).with_name("node")
    node = str(beside) if beside.exists() else shutil.which("node")
    if node is None:
        pytest.skip("there is no node: install the development dependencies")
    if not (PROJECT_ROOT / "node_modules" / "@grpc" / "grpc-js").is_dir():
        pytest.skip("node_modules has no @grpc/grpc-js: run `npm ci`")
    script = "tests/e2e/node_client.mjs"
    done = subprocess.run(
        [node, script, server.address, str(keys), "tax", personal_id],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_client_in_another_language_reads_the_primary_number(
    scene: Scene, server: ServerProcess, keys: Path
) -> None:
    try:
        face = PhotographLibrary.built_in().people[0]
    except PhotographsUnavailableError as error:
        pytest.skip(str(error))
    subscriber = scene.verified(face)
    personal_id = subscriber.citizen.personal_id
    none = ask_with_node(server, keys, personal_id)
    assert none["status"] == "CONTACT_STATUS_NOT_AVAILABLE"
    assert not none.get("msisdn")
    scene.set_primary(subscriber)
    contact = ask_with_node(server, keys, personal_id)
    assert contact["status"] == "CONTACT_STATUS_AVAILABLE"
    assert contact["msisdn"] == subscriber.msisdn


def test_a_client_in_another_language_reads_why_it_is_refused(
    server: ServerProcess, keys: Path
) -> None:
    refusal = ask_with_node(server, keys, "not a personal ID")
    assert refusal["code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "not a personal ID" not in refusal["details"]


def test_a_health_checker_is_told_of_each_service(server: ServerProcess) -> None:
    with server.channel(Role.AGENCY, "monitor") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", *(service.full_name for service in SERVICES)):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=20)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="subid.v1.Nothing"), timeout=20)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_every_service_and_gives_the_contract(server: ServerProcess) -> None:
    names = [service.full_name for service in SERVICES]
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        *(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in names),
    ]
    with server.channel(Role.AGENCY, "developer") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        listed, *files = stub.ServerReflectionInfo(iter(requests), timeout=20)
    listed_names = {each.name for each in listed.list_services_response.service}
    assert listed_names >= {*names, "grpc.health.v1.Health"}
    for service, answer in zip(SERVICES, files, strict=True):
        (encoded, *_) = answer.file_descriptor_response.file_descriptor_proto
        assert encoded == service.file.serialized_pb


def test_health_and_reflection_are_for_those_with_a_certificate_too(
    server: ServerProcess,
) -> None:
    address = server.address  # waits until the server has made its certificates
    ca = (server.state / "certificates" / "ca.crt.pem").read_bytes()
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(ca)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert caught.value.code().value[0] in UNAUTHENTICATED_OR_UNAVAILABLE
