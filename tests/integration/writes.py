"""Writes that will be accepted, each with one that says something else under the same name.

Owns those of the regulator and of disputes, and what a write is; those that other tests share with
nobody stand beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from identity.domain.caller import Caller, Role
from subid.v1 import agency_pb2 as agency_pb
from subid.v1 import agency_service_pb2 as agency_service_pb
from subid.v1 import dispute_service_pb2 as dispute_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import privacy_service_pb2 as privacy_pb
from subid.v1 import subscription_pb2
from subid.v1 import wave_service_pb2 as wave_pb
from tests.integration.contract import METHODS
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import method_key, new_id, send

_Message = TypeVar("_Message", bound=Message)
METHOD_OF = MappingProxyType({method_key(method): method for method in METHODS})


@dataclass(frozen=True, kw_only=True)
class Write:
    """A write that will be accepted, and one under the same request_id that says something else."""

    caller: Caller
    request: Message
    other: Message

    def send(self, channel: grpc.Channel, key: str) -> bytes:
        """The answer, as bytes."""
        return send(channel, METHOD_OF[key], [self.request]).SerializeToString()


def with_other(request: _Message, **fields: object) -> _Message:
    other = type(request)()
    other.CopyFrom(request)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


REGULATOR = Caller(Role.REGULATOR, "regulator")


def previewed(scene: Scene) -> str:
    """A wave of no numbers that waits for approvals."""
    request = wave_pb.PreviewWaveRequest(request_id=new_id(), criteria=criteria(scene))
    return str(scene.regulator.waves.PreviewWave(request).wave_id)


def criteria(scene: Scene) -> wave_pb.WaveCriteria:
    return wave_pb.WaveCriteria(
        track="T2",
        step=enforcement_pb.DIRECTIVE_KIND_BLOCK_OUTGOING,
        operators=[scene.people.operator_name()],
    )


def approved(scene: Scene) -> str:
    """A wave that two have approved."""
    wave_id = previewed(scene)
    for name in ("regulator", "deputy"):
        scene.act_as(Role.REGULATOR, name).waves.ApproveWave(
            wave_pb.ApproveWaveRequest(request_id=new_id(), wave_id=wave_id)
        )
    return wave_id


def preview_wave(scene: Scene) -> Write:
    request = wave_pb.PreviewWaveRequest(request_id=new_id(), criteria=criteria(scene))
    other = wave_pb.PreviewWaveRequest(request_id=request.request_id, criteria=criteria(scene))
    return Write(caller=REGULATOR, request=request, other=other)


def approve_wave(scene: Scene) -> Write:
    request = wave_pb.ApproveWaveRequest(request_id=new_id(), wave_id=previewed(scene))
    return Write(caller=REGULATOR, request=request, other=with_other(request, wave_id=new_id()))


def execute_wave(scene: Scene) -> Write:
    request = wave_pb.ExecuteWaveRequest(
        request_id=new_id(), wave_id=approved(scene), slice_count_max=1
    )
    return Write(caller=REGULATOR, request=request, other=with_other(request, slice_count_max=2))


def stop_wave(scene: Scene) -> Write:
    request = wave_pb.StopWaveRequest(
        request_id=new_id(), wave_id=approved(scene), reason="too many complaints"
    )
    return Write(caller=REGULATOR, request=request, other=with_other(request, reason="none"))


def revert_wave(scene: Scene) -> Write:
    request = wave_pb.RevertWaveRequest(
        request_id=new_id(), wave_id=approved(scene), reason="the wrong province"
    )
    return Write(caller=REGULATOR, request=request, other=with_other(request, reason="none"))


def some_number(scene: Scene) -> Subscriber:
    """A number in service of an operator that has no other."""
    return scene.imported(scene.people.operator_name())


def open_case(scene: Scene) -> Write:
    subscriber = some_number(scene)
    request = enforcement_pb.OpenCaseRequest(
        request_id=new_id(),
        msisdn=subscriber.msisdn,
        cause=enforcement_pb.CASE_CAUSE_OPERATOR_REPORT,
        case_reference="2026/17",
    )
    other = with_other(request, case_reference="2026/18")
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def file_complaint(scene: Scene) -> Write:
    subscriber = some_number(scene)
    request = enforcement_pb.FileComplaintRequest(request_id=new_id(), msisdn=subscriber.msisdn)
    other = with_other(request, msisdn=scene.people.msisdn())
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def reconcile(scene: Scene) -> Write:
    subscriber = some_number(scene)
    request = enforcement_pb.ReconcileServiceStateRequest(
        request_id=new_id(),
        is_last=True,
        states=[
            enforcement_pb.ReportedState(
                msisdn=subscriber.msisdn, service_state=subscription_pb2.SERVICE_STATE_SUSPENDED
            )
        ],
    )
    other = with_other(request, is_last=False)
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def open_dispute(scene: Scene) -> Write:
    request = dispute_pb.OpenDisputeRequest(
        request_id=new_id(),
        msisdn=some_number(scene).msisdn,
        claimant_personal_id=scene.citizen().personal_id,
    )
    other = with_other(request, claimant_personal_id=scene.citizen().personal_id)
    return Write(caller=REGULATOR, request=request, other=other)


def disputed(scene: Scene) -> str:
    """A number in dispute."""
    request = open_dispute(scene).request
    assert isinstance(request, dispute_pb.OpenDisputeRequest)
    return str(scene.regulator.disputes.OpenDispute(request).dispute.dispute_id)


def add_evidence(scene: Scene) -> Write:
    evidence = dispute_pb.Evidence(
        kind=dispute_pb.EVIDENCE_KIND_BILLS, document_digest=bytes(32), place="file 7"
    )
    request = dispute_pb.AddEvidenceRequest(
        request_id=new_id(), dispute_id=disputed(scene), evidence=[evidence]
    )
    return Write(caller=REGULATOR, request=request, other=with_other(request, dispute_id=new_id()))


def decide_dispute(scene: Scene) -> Write:
    request = dispute_pb.DecideDisputeRequest(
        request_id=new_id(),
        dispute_id=disputed(scene),
        decision=dispute_pb.DISPUTE_DECISION_HOLDER,
    )
    other = with_other(request, decision=dispute_pb.DISPUTE_DECISION_NOBODY)
    return Write(caller=REGULATOR, request=request, other=other)


def appeal_dispute(scene: Scene) -> Write:
    opening = open_dispute(scene).request
    assert isinstance(opening, dispute_pb.OpenDisputeRequest)
    claimant = opening.claimant_personal_id
    dispute_id = str(scene.regulator.disputes.OpenDispute(opening).dispute.dispute_id)
    for name in ("regulator", "deputy"):
        scene.act_as(Role.REGULATOR, name).disputes.DecideDispute(
            dispute_pb.DecideDisputeRequest(
                request_id=new_id(),
                dispute_id=dispute_id,
                decision=dispute_pb.DISPUTE_DECISION_HOLDER,
            )
        )
    request = dispute_pb.AppealDisputeRequest(
        request_id=new_id(), dispute_id=dispute_id, personal_id=claimant
    )
    other = with_other(request, dispute_id=new_id())
    return Write(caller=Caller(Role.CITIZEN_APP, "app"), request=request, other=other)


def register_agency(scene: Scene) -> Write:
    del scene  # nobody needs to be there
    grant = agency_service_pb.Grant(
        purpose=agency_pb.PURPOSE_LEGAL_NOTICE,
        legal_bases=["Law 26/2023/QH15, art. 10"],
        rights=[agency_service_pb.RIGHT_NUMBER],
        people_per_day_max=10,
    )
    request = agency_service_pb.RegisterAgencyRequest(
        request_id=new_id(), name=new_agency(), grants=[grant]
    )
    return Write(caller=REGULATOR, request=request, other=with_other(request, name="another"))


def suspend_agency(scene: Scene) -> Write:
    name = new_agency()
    scene.register_agency(name)
    request = agency_service_pb.SuspendAgencyRequest(request_id=new_id(), name=name)
    return Write(caller=REGULATOR, request=request, other=with_other(request, name="another"))


def resume_agency(scene: Scene) -> Write:
    name = new_agency()
    scene.register_agency(name)
    request = agency_service_pb.ResumeAgencyRequest(request_id=new_id(), name=name)
    return Write(caller=REGULATOR, request=request, other=with_other(request, name="another"))


def resume_lookups(_scene: Scene) -> Write:
    request = agency_service_pb.ResumeLookupsRequest(
        request_id=new_id(), caller=f"agency:{new_agency()}"
    )
    other = with_other(request, caller="agency:another")
    return Write(caller=REGULATOR, request=request, other=other)


def new_agency() -> str:
    return f"agency-{new_id()[:8]}"


APP = Caller(Role.CITIZEN_APP, "app")


def of_citizen(kind: type[Message], **fields: object) -> Callable[[Scene], Write]:
    """A write of the citizen app's that names nobody but its citizen."""

    def make(scene: Scene) -> Write:
        request = kind(
            request_id=new_id(), personal_id=scene.people.citizen().personal_id, **fields
        )
        other = with_other(request, personal_id=scene.people.citizen().personal_id)
        return Write(caller=APP, request=request, other=other)

    return make


def erasure(scene: Scene) -> str:
    """An erasure that somebody without any number has asked for."""
    request = privacy_pb.RequestErasureRequest(
        request_id=new_id(), personal_id=scene.citizen().personal_id
    )
    return str(scene.app.privacy.RequestErasure(request).data_request.data_request_id)


def acknowledge_data_request(scene: Scene) -> Write:
    request = privacy_pb.AcknowledgeDataRequestRequest(
        request_id=new_id(), data_request_id=erasure(scene)
    )
    other = with_other(request, data_request_id=new_id())
    return Write(caller=REGULATOR, request=request, other=other)


def decide_data_request(scene: Scene) -> Write:
    request = privacy_pb.DecideDataRequestRequest(
        request_id=new_id(), data_request_id=erasure(scene), is_granted=True
    )
    other = with_other(request, is_granted=False, reason="an inquiry is open")
    return Write(caller=REGULATOR, request=request, other=other)


_SERVICES = [agency_pb.PURPOSE_SERVICE_DELIVERY]
WRITES_OF_PRIVACY: MappingProxyType[str, Callable[[Scene], Write]] = MappingProxyType(
    {
        "PrivacyService/RequestExport": of_citizen(privacy_pb.RequestExportRequest),
        "PrivacyService/Object": of_citizen(privacy_pb.ObjectRequest, purposes=_SERVICES),
        "PrivacyService/WithdrawObjection": of_citizen(
            privacy_pb.WithdrawObjectionRequest, purposes=_SERVICES
        ),
        "PrivacyService/Restrict": of_citizen(privacy_pb.RestrictRequest),
        "PrivacyService/LiftRestriction": of_citizen(privacy_pb.LiftRestrictionRequest),
        "PrivacyService/RequestErasure": of_citizen(privacy_pb.RequestErasureRequest),
        "PrivacyService/AcknowledgeDataRequest": acknowledge_data_request,
        "PrivacyService/DecideDataRequest": decide_data_request,
    }
)

WRITES_OF_ENFORCEMENT: MappingProxyType[str, Callable[[Scene], Write]] = MappingProxyType(
    {
        "EnforcementService/OpenCase": open_case,
        "EnforcementService/FileComplaint": file_complaint,
        "EnforcementService/ReconcileServiceState": reconcile,
        "WaveService/PreviewWave": preview_wave,
        "WaveService/ApproveWave": approve_wave,
        "WaveService/ExecuteWave": execute_wave,
        "WaveService/StopWave": stop_wave,
        "WaveService/RevertWave": revert_wave,
        "DisputeService/OpenDispute": open_dispute,
        "DisputeService/AddEvidence": add_evidence,
        "DisputeService/DecideDispute": decide_dispute,
        "DisputeService/AppealDispute": appeal_dispute,
        "AgencyService/RegisterAgency": register_agency,
        "AgencyService/SuspendAgency": suspend_agency,
        "AgencyService/ResumeAgency": resume_agency,
        "AgencyService/ResumeLookups": resume_lookups,
    }
)
