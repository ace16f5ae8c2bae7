"""A citizen app proves whom it acts for, in every method that it may call, over real TLS."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from joserfc.jwk import ECKey, OKPKey

from identity.domain.caller import Caller, Role
from identity.security.certificates import Identity
from identity.security.permissions import Scope, permissions
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import verification_service_pb2 as verification_pb
from subid.v1.citizen_service_pb2_grpc import CitizenServiceStub
from subid.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.integration.assertions import assertion, claims_for, trust_issuer
from tests.integration.conftest import World, issue, plain_channel
from tests.integration.contract import METHODS, PERSONAL_ID, example
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, method_key, method_path, new_id

ANOTHER = "001090654321"
VNEID = Caller(Role.CITIZEN_APP, "vneid")
OF_CITIZENS = [
    method
    for method in METHODS
    if permissions()[method_key(method)].scopes.get(Role.CITIZEN_APP) is Scope.CITIZEN
]
NOT_BELIEVED = ("UNAUTHENTICATED", "ASSERTION_INVALID")


@pytest.fixture(scope="module")
def identity(world: World) -> Identity:
    trust_issuer(world.settings.state)
    return issue(world.settings.state, VNEID)


@pytest.fixture(scope="module")
def channel(world: World, identity: Identity) -> Iterator[grpc.Channel]:
    with plain_channel(world.address, world.settings.state, identity) as opened:
        yield opened


def refusal(
    channel: grpc.Channel, method: MethodDescriptor, *tokens: str
) -> tuple[str, str] | None:
    """How a call with these assertions is refused, by status and reason."""
    call: Any = channel.stream_stream(method_path(method))
    metadata = [("authorization", f"Bearer {token}") for token in tokens]
    body = example(method).SerializeToString()
    try:
        list(call(iter([body]), timeout=TIMEOUT_S, metadata=metadata))
    except grpc.RpcError as error:
        refused = Refused.of(error)
        return refused.status, refused.reason
    return None


@pytest.mark.parametrize("method", OF_CITIZENS, ids=method_key)
def test_every_method_of_an_app_demands_the_citizens_assertion(
    channel: grpc.Channel, identity: Identity, method: MethodDescriptor
) -> None:
    assert refusal(channel, method) == ("UNAUTHENTICATED", "ASSERTION_MISSING")
    another = refusal(channel, method, assertion(claims_for(ANOTHER, identity.certificate)))
    if permissions()[method_key(method)].person:
        assert another == ("PERMISSION_DENIED", "PERMISSION_REFUSED")
    else:
        assert another == ("NOT_FOUND", "VERIFICATION_NOT_FOUND")
    own = refusal(channel, method, assertion(claims_for(PERSONAL_ID, identity.certificate)))
    assert own is None or own[1] not in {"PERMISSION_REFUSED", *NOT_BELIEVED, "ASSERTION_MISSING"}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda said: assertion(said, typ="JWT"), id="another type"),
        pytest.param(lambda said: assertion(said | {"aud": "x"}), id="for somebody else"),
        pytest.param(
            lambda said: assertion(said | {"iat": said["iat"] - 900, "exp": said["exp"] - 900}),
            id="ended",
        ),
        pytest.param(
            lambda said: assertion(said, key=OKPKey.generate_key("Ed25519", {"kid": "x"})),
            id="a stranger's",
        ),
        pytest.param(lambda _: "e30.e30.", id="unsigned"),
        pytest.param(lambda _: "x" * 5000, id="too long"),
    ],
)
def test_what_proves_nobody_is_refused_with_one_reason(
    channel: grpc.Channel, identity: Identity, make: Callable[[dict[str, Any]], str]
) -> None:
    token = make(claims_for(PERSONAL_ID, identity.certificate))
    assert refusal(channel, OF_CITIZENS[0], token) == NOT_BELIEVED


def test_two_assertions_in_one_call_are_refused(channel: grpc.Channel, identity: Identity) -> None:
    token = assertion(claims_for(PERSONAL_ID, identity.certificate))
    assert refusal(channel, OF_CITIZENS[0], token, token) == NOT_BELIEVED


def test_an_assertion_of_one_certificate_is_refused_with_another(
    world: World, channel: grpc.Channel
) -> None:
    thief = issue(world.settings.state, Caller(Role.CITIZEN_APP, "thief"))
    token = assertion(claims_for(PERSONAL_ID, thief.certificate))
    assert refusal(channel, OF_CITIZENS[0], token) == NOT_BELIEVED


def test_a_session_is_its_citizens_alone(
    scene: Scene, channel: grpc.Channel, identity: Identity
) -> None:
    subscriber = scene.registered()
    own, stub = subscriber.citizen.personal_id, VerificationServiceStub(channel)

    def shown(person: str) -> Any:  # noqa: ANN401 - grpc's arguments
        token = assertion(claims_for(person, identity.certificate))
        return {"timeout": TIMEOUT_S, "metadata": [("authorization", f"Bearer {token}")]}

    start = verification_pb.StartVerificationRequest(
        request_id=new_id(), msisdn=subscriber.msisdn, personal_id=own
    )
    opened = stub.StartVerification(start, **shown(own))
    read = verification_pb.GetVerificationRequest(verification_id=opened.verification_id)
    complete: Any = example(
        next(m for m in METHODS if method_key(m) == "VerificationService/CompleteVerification")
    )
    complete.verification_id = opened.verification_id
    for call, request in ((stub.GetVerification, read), (stub.CompleteVerification, complete)):
        with pytest.raises(grpc.RpcError) as caught:
            call(request, **shown(ANOTHER))
        assert Refused.of(caught.value).reason == "VERIFICATION_NOT_FOUND"
    assert stub.GetVerification(read, **shown(own)).state == (
        verification_pb.VERIFICATION_STATE_PENDING
    )


def test_keys_of_an_issuer_change_without_a_restart(
    world: World, channel: grpc.Channel, identity: Identity
) -> None:
    old, new = (ECKey.generate_key("P-256", {"kid": name}) for name in ("old", "new"))
    file = world.settings.state / "issuers" / "rotated.json"

    def publish(*keys: ECKey) -> None:
        public = [key.as_dict(private=False) for key in keys]
        scratch = file.with_name(".rotated")
        scratch.write_text(json.dumps({"issuer": "https://rotated.test", "keys": public}))
        scratch.replace(file)

    def answer_to(key: ECKey) -> str:
        said = claims_for(PERSONAL_ID, identity.certificate, iss="https://rotated.test")
        return _reason(channel, assertion(said, key=key, alg="ES256"))

    try:
        seen = []
        for published in ((old,), (old, new), (new,)):
            publish(*published)
            seen.append((answer_to(old), answer_to(new)))
        refused = "ASSERTION_INVALID"
        assert seen == [("", refused), ("", ""), (refused, "")]
        file.write_text("{")  # broken: the last good keys stay
        assert not answer_to(new)
    finally:
        file.unlink()
    assert answer_to(new) == refused


def _reason(channel: grpc.Channel, token: str) -> str:
    """Why a call with an assertion is refused; empty when it is not."""
    request = citizen_pb.GetPrimaryNumberRequest(personal_id=PERSONAL_ID)
    try:
        CitizenServiceStub(channel).GetPrimaryNumber(
            request, timeout=TIMEOUT_S, metadata=[("authorization", f"Bearer {token}")]
        )
    except grpc.RpcError as error:
        return Refused.of(error).reason
    return ""
