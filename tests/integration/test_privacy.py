"""People's rights over the wire: what they are told, what stops, and what is gone for good."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from identity.cli import app as command_line
from identity.domain.personal_id import PersonalID
from identity.security.key_source import FileKeys
from identity.security.service_signing import SigningPurpose, format_key_set, parse_key_set
from identity.security.vault import Vault
from identity.services.export_data import open_document
from identity.services.signing_keys import all_public_keys
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork, connect
from identity.storage.personal_tables import PERSONAL_TABLES
from subid.v1 import agency_pb2
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import privacy_service_pb2 as pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from tests.integration.conftest import World
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import Refused, new_id, refused

ACCESS_COUNT = 10_000


@pytest.fixture
def subscriber(scene: Scene) -> Subscriber:
    """Somebody with a number in service that was never verified."""
    return scene.imported(scene.people.operator_name())


def vault_of(world: World) -> Vault:
    ring = FileKeys(world.settings.state / "keys.json").read()
    assert ring is not None
    return Vault(ring)


def public_keys(world: World) -> str:
    """What `identity export keys` prints."""
    engine = connect(str(world.settings.database))
    with engine.begin() as connection:
        keys = all_public_keys(UnitOfWork(connection, vault_of(world)), at=datetime.now(UTC))
    engine.dispose()
    return format_key_set(keys)


def opened(world: World, document: bytes | str) -> tuple[SigningPurpose, dict[str, Any]]:
    token = document if isinstance(document, str) else document.decode()
    purpose, payload = open_document(token, parse_key_set(public_keys(world)))
    return purpose, json.loads(payload)


def key_of(world: World, personal_id: str) -> bytes:
    return citizen_key(vault_of(world), PersonalID(personal_id))


def export_of(scene: Scene, personal_id: str) -> list[bytes]:
    """The chunks of an export that is asked for now."""
    asked = scene.app.privacy.RequestExport(
        pb.RequestExportRequest(request_id=new_id(), personal_id=personal_id)
    ).data_request
    assert asked.outcome == pb.DATA_REQUEST_OUTCOME_DONE
    request = pb.GetExportRequest(personal_id=personal_id, data_request_id=asked.data_request_id)
    return [answer.chunk for answer in scene.app.privacy.GetExport(request)]


def erasure_of(personal_id: str) -> pb.RequestErasureRequest:
    return pb.RequestErasureRequest(request_id=new_id(), personal_id=personal_id)


def granting(data_request_id: str) -> pb.DecideDataRequestRequest:
    return pb.DecideDataRequestRequest(
        request_id=new_id(), data_request_id=data_request_id, is_granted=True
    )


def release(scene: Scene, subscriber: Subscriber) -> None:
    """Have the number given up, and everything told of it that must be kept for a time."""
    event = subscription_pb.SubscriptionEvent(
        msisdn=subscriber.msisdn,
        kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_RELEASE,
        occur_time=scene.advance().as_of_time,
    )
    answer = scene.operator(subscriber.operator).subscriptions.ReportEvents(
        subscription_pb.ReportEventsRequest(request_id=new_id(), events=[event])
    )
    assert [each.reason for each in answer.results] == [""]


def test_an_export_is_signed_and_checked_without_the_service(
    scene: Scene, world: World, subscriber: Subscriber, tmp_path: Path
) -> None:
    chunks = export_of(scene, subscriber.citizen.personal_id)
    purpose, told = opened(world, b"".join(chunks))
    assert purpose is SigningPurpose.EXPORT
    assert told["population_record"][0]["record"]["full_name"] == subscriber.citizen.full_name
    assert [each["msisdn"] for each in told["subscriptions"]] == [subscriber.msisdn]
    file, key, out = tmp_path / "export.json", tmp_path / "keys.json", tmp_path / "plain.json"
    file.write_bytes(b"".join(chunks))
    key.write_text(public_keys(world))
    arguments = ["export", "verify", str(file), "--keys", str(key), "--out", str(out)]
    done = CliRunner().invoke(command_line, arguments)
    assert (done.exit_code, json.loads(out.read_bytes())) == (0, told)
    file.write_bytes(b"".join(chunks).replace(b".ew", b".fw"))
    assert CliRunner().invoke(command_line, arguments).exit_code == 1


def test_ten_thousand_accesses_come_in_chunks_that_every_client_takes(
    scene: Scene, world: World
) -> None:
    personal_id = scene.citizen().personal_id
    engine = connect(str(world.settings.database))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_entry (occurred_at, caller, action, outcome, citizen_key,"
                " purpose, legal_basis, details) SELECT now(), 'agency:tax', 'get_contact',"
                " 'available', :key, 'legal_notice', 'Law 26/2023/QH15, art. 10', '{}'"
                " FROM generate_series(1, :count)"
            ),
            {"key": key_of(world, personal_id), "count": ACCESS_COUNT},
        )
    engine.dispose()
    chunks = export_of(scene, personal_id)
    assert len(chunks) > 4
    assert max(map(len, chunks)) <= 256 * 1024
    _, told = opened(world, b"".join(chunks))
    assert sum(each["action"] == "get_contact" for each in told["accesses"]) == ACCESS_COUNT


def test_nobody_reads_an_export_that_another_asked_for(
    scene: Scene, subscriber: Subscriber
) -> None:
    asked = scene.app.privacy.RequestExport(
        pb.RequestExportRequest(request_id=new_id(), personal_id=subscriber.citizen.personal_id)
    ).data_request
    request = pb.GetExportRequest(
        personal_id=scene.citizen().personal_id, data_request_id=asked.data_request_id
    )
    with pytest.raises(grpc.RpcError) as caught:
        list(scene.app.privacy.GetExport(request))
    assert Refused.of(caught.value).reason == "DATA_REQUEST_NOT_FOUND"


def test_objections_and_restrictions_come_and_go(scene: Scene) -> None:
    stub, personal_id = scene.app.privacy, scene.citizen().personal_id
    services = [agency_pb2.PURPOSE_SERVICE_DELIVERY]
    whose = {"personal_id": personal_id}
    asked = [
        stub.Object(pb.ObjectRequest(request_id=new_id(), purposes=services, **whose)),
        stub.Restrict(pb.RestrictRequest(request_id=new_id(), **whose)),
        stub.LiftRestriction(pb.LiftRestrictionRequest(request_id=new_id(), **whose)),
        stub.WithdrawObjection(
            pb.WithdrawObjectionRequest(request_id=new_id(), purposes=services, **whose)
        ),
    ]
    told = stub.ListDataRequests(pb.ListDataRequestsRequest(personal_id=personal_id))
    assert {each.data_request.data_request_id for each in asked} == {
        each.data_request_id for each in told.data_requests
    }
    assert {each.state for each in told.data_requests} == {pb.DATA_REQUEST_STATE_CLOSED}
    assert not any(each.is_overdue for each in told.data_requests)


@pytest.mark.parametrize("purpose", ["LEGAL_NOTICE", "PUBLIC_SAFETY", "UNSPECIFIED"])
def test_nobody_objects_to_legal_notices_or_warnings_of_danger(scene: Scene, purpose: str) -> None:
    request = pb.ObjectRequest(
        request_id=new_id(),
        personal_id=scene.citizen().personal_id,
        purposes=[f"PURPOSE_{purpose}"],
    )
    assert refused(scene.app.privacy.Object, request).status == "INVALID_ARGUMENT"


def test_who_has_a_number_is_refused_and_told_why(scene: Scene, subscriber: Subscriber) -> None:
    answer = refused(scene.app.privacy.RequestErasure, erasure_of(subscriber.citizen.personal_id))
    assert (answer.status, answer.reason) == ("FAILED_PRECONDITION", "ERASURE_NOT_YET")
    assert "SUBSCRIPTION_IN_SERVICE" in answer.message


def test_a_person_who_gave_the_number_up_is_erased_after_its_time(
    scene: Scene, world: World, subscriber: Subscriber
) -> None:
    app, regulator = scene.app.privacy, scene.regulator.privacy
    personal_id = subscriber.citizen.personal_id
    release(scene, subscriber)
    early = refused(app.RequestErasure, erasure_of(personal_id))
    assert early.reason == "ERASURE_NOT_YET"
    assert "RETENTION" in early.message
    assert early.retry_after_s is not None
    scene.advance(seconds=early.retry_after_s + 1)
    asked = app.RequestErasure(erasure_of(personal_id)).data_request
    waiting = regulator.ListOpenDataRequests(pb.ListOpenDataRequestsRequest(page_size=1_000))
    assert asked.data_request_id in {each.data_request_id for each in waiting.data_requests}
    regulator.AcknowledgeDataRequest(
        pb.AcknowledgeDataRequestRequest(request_id=new_id(), data_request_id=asked.data_request_id)
    )
    done = regulator.DecideDataRequest(granting(asked.data_request_id)).data_request
    assert done.outcome == pb.DATA_REQUEST_OUTCOME_DONE
    kept = app.GetDataRequest(
        pb.GetDataRequestRequest(personal_id=personal_id, data_request_id=asked.data_request_id)
    )
    purpose, told = opened(world, kept.proof)
    assert (purpose, told["personal_id"]) == (SigningPurpose.ERASURE, personal_id)
    assert told["deleted"]["subscriptions"] == 1
    numbers = scene.app.citizens.ListSubscriptions(
        citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=personal_id)
    )
    assert not numbers.subscriptions
    _, left = opened(world, b"".join(export_of(scene, personal_id)))
    gone = {each.section for each in PERSONAL_TABLES if each.is_erased}
    assert not any(left[section] for section in gone)


def test_a_refusal_has_a_reason_that_the_citizen_reads(scene: Scene) -> None:
    personal_id = scene.citizen().personal_id
    asked = scene.app.privacy.RequestErasure(erasure_of(personal_id)).data_request
    refusal = pb.DecideDataRequestRequest(
        request_id=new_id(),
        data_request_id=asked.data_request_id,
        reason="Law 91/2025/QH15, art. 14",
    )
    scene.regulator.privacy.DecideDataRequest(refusal)
    found = scene.app.privacy.GetDataRequest(
        pb.GetDataRequestRequest(personal_id=personal_id, data_request_id=asked.data_request_id)
    )
    assert found.data_request.outcome == pb.DATA_REQUEST_OUTCOME_REFUSED
    assert found.data_request.reason == refusal.reason
    assert found.proof == ""
    again = refused(scene.regulator.privacy.DecideDataRequest, granting(asked.data_request_id))
    assert again.reason == "DATA_REQUEST_CLOSED"


@pytest.mark.parametrize(
    "said",
    [{"is_granted": True, "reason": "none"}, {"reason": ""}, {"reason": "of 001090123456"}],
)
def test_a_decision_has_a_reason_exactly_where_it_is_a_refusal(
    scene: Scene, said: dict[str, Any]
) -> None:
    request = pb.DecideDataRequestRequest(request_id=new_id(), data_request_id=new_id(), **said)
    answer = refused(scene.regulator.privacy.DecideDataRequest, request)
    assert answer.status == "INVALID_ARGUMENT"
