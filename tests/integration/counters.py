"""Agencies with counters before one server, and what people do there.

Owns which agencies there are and what each may do, and how evidence becomes messages. Judges no
answer.
"""

from identity.domain.caller import Role
from subid.v1 import agency_pb2
from subid.v1 import agency_service_pb2 as agency_pb
from subid.v1 import verification_service_pb2 as pb
from tests.integration.people import Evidence, complete_request
from tests.integration.scene import LEGAL_BASIS, Scene
from tests.integration.wire import Stubs, new_id

COUNTER = "counter"
CARD_COUNTER = "card-counter"
ID_COUNTER = "id-counter"
AGENCIES = {
    COUNTER: (agency_pb.RIGHT_CHIP_PRESENCE, agency_pb.RIGHT_FACE_PRESENCE),
    CARD_COUNTER: (agency_pb.RIGHT_CHIP_PRESENCE,),
    ID_COUNTER: (agency_pb.RIGHT_CHIP_PRESENCE, agency_pb.RIGHT_PERSONAL_ID),
}
GROUNDS = agency_pb2.Grounds(
    purpose=agency_pb2.PURPOSE_IDENTITY_CHECK, legal_basis=LEGAL_BASIS, case_id="file/7"
)


def register_counters(scene: Scene) -> None:
    """Register the agencies."""
    for name, rights in AGENCIES.items():
        scene.register_agency(name, *rights, purposes=[GROUNDS.purpose])


def counter(scene: Scene, name: str = COUNTER) -> Stubs:
    """An agency's stubs."""
    return scene.act_as(Role.AGENCY, name)


def start_request(*, with_face: bool = False) -> pb.StartPresenceRequest:
    """What opens a session."""
    return pb.StartPresenceRequest(request_id=new_id(), grounds=GROUNDS, with_face=with_face)


def start(
    scene: Scene, name: str = COUNTER, *, with_face: bool = False
) -> pb.StartPresenceResponse:
    """Open a session."""
    stub = counter(scene, name).verifications
    return stub.StartPresence(start_request(with_face=with_face))  # type: ignore[no-any-return] # an untyped stub


def presented(
    session: pb.StartPresenceResponse, evidence: Evidence, *, with_face: bool = False
) -> pb.CompletePresenceRequest:
    """Everything that a session asks for: what an operator would send, without the rest."""
    whole = complete_request(session, evidence)
    return pb.CompletePresenceRequest(
        request_id=whole.request_id,
        verification_id=whole.verification_id,
        chip_files=whole.chip_files,
        active_authentication_signature=whole.active_authentication_signature,
        probe_photographs=whole.probe_photographs if with_face else (),
    )


def present(
    scene: Scene, evidence: Evidence, name: str = COUNTER, *, with_face: bool = False
) -> pb.CompletePresenceResponse:
    """Open a session and present evidence in it."""
    request = presented(start(scene, name, with_face=with_face), evidence, with_face=with_face)
    return counter(scene, name).verifications.CompletePresence(request)  # type: ignore[no-any-return] # as above
