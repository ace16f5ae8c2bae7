"""An agency that may match its records, and the writes of matching and KYC.

Owns what such an agency is granted.
"""

from collections.abc import Callable

from identity.domain.caller import Caller, Role
from subid.v1 import agency_pb2
from subid.v1 import agency_service_pb2 as agency_pb
from subid.v1 import kyc_service_pb2 as kyc_pb
from subid.v1 import match_service_pb2 as pb
from telco_sim.population import Citizen
from tests.integration.people import date_message
from tests.integration.scene import LEGAL_BASIS, Scene
from tests.integration.wire import Stubs, new_id
from tests.integration.writes import REGULATOR, Write

MATCHER = Caller(Role.AGENCY, "social-security")
GROUNDS = agency_pb2.Grounds(
    purpose=agency_pb2.PURPOSE_RECORD_UPKEEP, legal_basis=LEGAL_BASIS, case_id="BHXH-2026/0042"
)


def register_matcher(scene: Scene, name: str, **given: int) -> Stubs:
    """Register an agency that may match its records; what it calls with."""
    purposes = [GROUNDS.purpose]
    return scene.register_agency(name, agency_pb.RIGHT_RECORD_MATCH, purposes=purposes, **given)


def claim_of(citizen: Citizen) -> pb.RecordClaim:
    """What an agency holds of a citizen, as the register has it."""
    return pb.RecordClaim(
        personal_id=citizen.personal_id,
        full_name=citizen.full_name,
        birth_date=date_message(citizen.birth_date),
    )


def batch_of(
    *claims: pb.RecordClaim, request_id: str = "", index: int = 0
) -> pb.MatchRecordsRequest:
    """One batch."""
    return pb.MatchRecordsRequest(
        request_id=request_id or new_id(), batch_index=index, grounds=GROUNDS, records=claims
    )


def _match_one(scene: Scene) -> Write:
    request = pb.MatchRecordRequest(
        request_id=new_id(), grounds=GROUNDS, record=claim_of(scene.citizen())
    )
    other = pb.MatchRecordRequest(
        request_id=request.request_id, grounds=GROUNDS, record=claim_of(scene.citizen())
    )
    return Write(caller=MATCHER, request=request, other=other)


def _match_many(scene: Scene) -> Write:
    request = batch_of(claim_of(scene.citizen()))
    other = batch_of(claim_of(scene.citizen()), request_id=request.request_id)
    return Write(caller=MATCHER, request=request, other=other)


def _resume(scene: Scene) -> Write:
    del scene
    request = pb.ResumeMatchingRequest(request_id=new_id(), agency=MATCHER.name)
    other = pb.ResumeMatchingRequest(request_id=request.request_id, agency="another")
    return Write(caller=REGULATOR, request=request, other=other)


def _match_identity(scene: Scene) -> Write:
    subscriber = scene.registered()
    request = kyc_pb.MatchIdentityRequest(
        request_id=new_id(), msisdn=subscriber.msisdn, full_name="Trần Quốc Bảo"
    )
    other = kyc_pb.MatchIdentityRequest(
        request_id=request.request_id, msisdn=subscriber.msisdn, full_name="Trần Quốc Bình"
    )
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


WRITES_OF_MATCHING: dict[str, Callable[[Scene], Write]] = {
    "MatchService/MatchRecord": _match_one,
    "MatchService/MatchRecords": _match_many,
    "MatchService/ResumeMatching": _resume,
    "KycService/MatchIdentity": _match_identity,
}
