"""The contract as data: every method, who may call it, and a request that it would take.

Owns one well-formed example for each method, so that a test can break one thing at a time, and
walk all methods without naming any. A method without an example fails the walk.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.caller import Role
from identity.rpc.server import SERVICES
from identity.security.permissions import permissions
from subid.v1 import agency_pb2 as agency_pb
from subid.v1 import agency_service_pb2 as agency_service_pb
from subid.v1 import arrangement_service_pb2 as arrangement_pb
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import compliance_service_pb2 as compliance_pb
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import dispute_service_pb2 as dispute_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import kyc_service_pb2 as kyc_pb
from subid.v1 import match_service_pb2 as match_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import privacy_service_pb2 as privacy_pb
from subid.v1 import quality_service_pb2 as quality_pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from subid.v1 import wave_service_pb2 as wave_pb
from subid.v1.date_pb2 import Date
from tests.integration.audit_contract import EXAMPLES_OF_AUDIT
from tests.integration.notification_contract import EXAMPLES_OF_NOTIFICATIONS
from tests.integration.wire import method_key, new_id

METHODS: tuple[MethodDescriptor, ...] = tuple(
    method for service in SERVICES for method in service.methods
)

PERSONAL_ID = "001090123456"
CHILD_PERSONAL_ID = "001220654321"
MSISDN = "+84912345678"
BIRTH_DATE = Date(year=1990, month=5, day=17)

_HOLDER = subscription_pb.HolderClaim(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)
_RECORD = population_pb.PopulationRecord(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)

_CLAIM = match_pb.RecordClaim(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)
_GROUNDS = agency_pb.Grounds(
    purpose=agency_pb.PURPOSE_LEGAL_NOTICE, legal_basis="Law 26/2023/QH15, art. 10"
)
_EVIDENCE = dispute_pb.Evidence(
    kind=dispute_pb.EVIDENCE_KIND_BILLS, document_digest=bytes(32), place="file 7"
)

EXAMPLES: Mapping[str, Callable[[], Message]] = MappingProxyType(
    {
        **EXAMPLES_OF_NOTIFICATIONS,
        **EXAMPLES_OF_AUDIT,
        "PopulationService/ImportPopulation": lambda: population_pb.ImportPopulationRequest(
            request_id=new_id(), records=[_RECORD]
        ),
        "PopulationService/GetPopulationImport": lambda: population_pb.GetPopulationImportRequest(
            import_id=new_id()
        ),
        "PopulationService/ListPopulationImportErrors": lambda: (
            population_pb.ListPopulationImportErrorsRequest(import_id=new_id())
        ),
        "PopulationService/ApplyPopulationChanges": lambda: (
            population_pb.ApplyPopulationChangesRequest(
                request_id=new_id(),
                changes=[
                    population_pb.PopulationChange(
                        correction=population_pb.Correction(record=_RECORD)
                    )
                ],
            )
        ),
        "PopulationService/PullSubscriberUpdates": lambda: (
            population_pb.PullSubscriberUpdatesRequest(request_id=new_id(), update_count_max=10)
        ),
        "PopulationService/AcknowledgeSubscriberUpdates": lambda: (
            population_pb.AcknowledgeSubscriberUpdatesRequest(
                request_id=new_id(),
                lease_id=new_id(),
                acknowledgements=[
                    population_pb.SubscriberUpdateAcknowledgement(
                        personal_id=PERSONAL_ID, subscription_id=new_id(), sequence=1
                    )
                ],
            )
        ),
        "SubscriptionService/ImportSubscriptions": lambda: (
            subscription_pb.ImportSubscriptionsRequest(
                request_id=new_id(),
                rows=[subscription_pb.SubscriptionRow(msisdn=MSISDN, holder=_HOLDER)],
            )
        ),
        "SubscriptionService/GetSubscriptionImport": lambda: (
            subscription_pb.GetSubscriptionImportRequest(import_id=new_id())
        ),
        "SubscriptionService/ListSubscriptionImportErrors": lambda: (
            subscription_pb.ListSubscriptionImportErrorsRequest(import_id=new_id())
        ),
        "SubscriptionService/RegisterSubscription": lambda: (
            subscription_pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=MSISDN, holder=_HOLDER
            )
        ),
        "SubscriptionService/GetSubscription": lambda: subscription_pb.GetSubscriptionRequest(
            msisdn=MSISDN
        ),
        "SubscriptionService/ListSubscriptions": subscription_pb.ListSubscriptionsRequest,
        "SubscriptionService/ReportEvents": lambda: subscription_pb.ReportEventsRequest(
            request_id=new_id(),
            events=[
                subscription_pb.SubscriptionEvent(
                    msisdn=MSISDN,
                    kind=subscription_pb.SUBSCRIPTION_EVENT_KIND_SIM_SWAP,
                    occur_time=Timestamp(seconds=1_770_000_000),
                )
            ],
        ),
        "VerificationService/StartVerification": lambda: verification_pb.StartVerificationRequest(
            request_id=new_id(), msisdn=MSISDN, personal_id=PERSONAL_ID
        ),
        "VerificationService/CompleteVerification": lambda: (
            verification_pb.CompleteVerificationRequest(
                request_id=new_id(),
                verification_id=new_id(),
                chip_files=verification_pb.ChipFiles(sod=b"\x77\x00", dg1=b"\x61", dg2=b"\x75"),
                probe_photographs=[b"\xff\xd8\xff"],
            )
        ),
        "VerificationService/GetVerification": lambda: verification_pb.GetVerificationRequest(
            verification_id=new_id()
        ),
        "VerificationService/StartPresence": lambda: verification_pb.StartPresenceRequest(
            request_id=new_id(), grounds=_GROUNDS
        ),
        "VerificationService/CompletePresence": lambda: verification_pb.CompletePresenceRequest(
            request_id=new_id(),
            verification_id=new_id(),
            chip_files=verification_pb.ChipFiles(sod=b"\x77\x00", dg1=b"\x61", dg2=b"\x75"),
        ),
        "VerificationService/GetPresenceKeys": verification_pb.GetPresenceKeysRequest,
        "CitizenService/ListSubscriptions": lambda: (
            citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=PERSONAL_ID)
        ),
        "CitizenService/SetPrimaryNumber": lambda: citizen_pb.SetPrimaryNumberRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, msisdn=MSISDN
        ),
        "CitizenService/GetPrimaryNumber": lambda: citizen_pb.GetPrimaryNumberRequest(
            personal_id=PERSONAL_ID
        ),
        "CitizenService/VetoPrimaryChange": lambda: citizen_pb.VetoPrimaryChangeRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, change_id=new_id()
        ),
        "CitizenService/ConfirmPrimaryNumber": lambda: citizen_pb.ConfirmPrimaryNumberRequest(
            request_id=new_id(), personal_id=PERSONAL_ID
        ),
        "CitizenService/SetFallbackNumbers": lambda: citizen_pb.SetFallbackNumbersRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, msisdns=[MSISDN]
        ),
        "CitizenService/SetLock": lambda: citizen_pb.SetLockRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, is_locked=True, open_minutes=10
        ),
        "CitizenService/ListChoices": lambda: citizen_pb.ListChoicesRequest(
            personal_id=PERSONAL_ID
        ),
        "CitizenService/ListAccesses": lambda: citizen_pb.ListAccessesRequest(
            personal_id=PERSONAL_ID
        ),
        "CitizenService/DisownSubscription": lambda: citizen_pb.DisownSubscriptionRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, msisdn=MSISDN
        ),
        "ContactService/GetContact": lambda: contact_pb.GetContactRequest(
            personal_id=PERSONAL_ID, grounds=_GROUNDS
        ),
        "ContactService/WatchContactChanges": contact_pb.WatchContactChangesRequest,
        "ContactService/BatchGetContacts": lambda: contact_pb.BatchGetContactsRequest(
            personal_ids=[PERSONAL_ID], grounds=_GROUNDS
        ),
        "ContactService/CanNotify": lambda: contact_pb.CanNotifyRequest(
            personal_ids=[PERSONAL_ID], grounds=_GROUNDS
        ),
        "AgencyService/RegisterAgency": lambda: agency_service_pb.RegisterAgencyRequest(
            request_id=new_id(),
            name="labour",
            grants=[
                agency_service_pb.Grant(
                    purpose=agency_pb.PURPOSE_LEGAL_NOTICE,
                    legal_bases=[_GROUNDS.legal_basis],
                    rights=[agency_service_pb.RIGHT_NUMBER],
                    people_per_day_max=1_000,
                )
            ],
        ),
        "AgencyService/SuspendAgency": lambda: agency_service_pb.SuspendAgencyRequest(
            request_id=new_id(), name="labour"
        ),
        "AgencyService/ResumeAgency": lambda: agency_service_pb.ResumeAgencyRequest(
            request_id=new_id(), name="labour"
        ),
        "AgencyService/ResumeLookups": lambda: agency_service_pb.ResumeLookupsRequest(
            request_id=new_id(), caller="agency:labour"
        ),
        "AgencyService/GetAgency": lambda: agency_service_pb.GetAgencyRequest(name="labour"),
        "AgencyService/ListAgencies": agency_service_pb.ListAgenciesRequest,
        "DisputeService/OpenDispute": lambda: dispute_pb.OpenDisputeRequest(
            request_id=new_id(), msisdn=MSISDN, claimant_personal_id=PERSONAL_ID
        ),
        "DisputeService/AddEvidence": lambda: dispute_pb.AddEvidenceRequest(
            request_id=new_id(),
            dispute_id=new_id(),
            personal_id=PERSONAL_ID,
            evidence=[
                dispute_pb.Evidence(
                    kind=dispute_pb.EVIDENCE_KIND_BILLS,
                    document_digest=bytes(32),
                    place="Hoan Kiem shop, file 2026/118",
                )
            ],
        ),
        "DisputeService/DecideDispute": lambda: dispute_pb.DecideDisputeRequest(
            request_id=new_id(), dispute_id=new_id(), decision=dispute_pb.DISPUTE_DECISION_HOLDER
        ),
        "DisputeService/AppealDispute": lambda: dispute_pb.AppealDisputeRequest(
            request_id=new_id(), dispute_id=new_id(), personal_id=PERSONAL_ID
        ),
        "DisputeService/GetDispute": lambda: dispute_pb.GetDisputeRequest(
            dispute_id=new_id(), personal_id=PERSONAL_ID
        ),
        "ArrangementService/ProposeGuardianship": lambda: arrangement_pb.ProposeGuardianshipRequest(
            request_id=new_id(),
            guardian_personal_id=PERSONAL_ID,
            child_personal_id=CHILD_PERSONAL_ID,
        ),
        "ArrangementService/AttestGuardianship": lambda: arrangement_pb.AttestGuardianshipRequest(
            request_id=new_id(),
            arrangement_id=new_id(),
            guardian_personal_id=PERSONAL_ID,
            child_personal_id=CHILD_PERSONAL_ID,
            document_digest=bytes(32),
        ),
        "ArrangementService/ProposeCompanyLine": lambda: arrangement_pb.ProposeCompanyLineRequest(
            request_id=new_id(),
            msisdn=MSISDN,
            organisation_code="0100109106",
            employee_personal_id=PERSONAL_ID,
        ),
        "ArrangementService/AcceptArrangement": lambda: arrangement_pb.AcceptArrangementRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, arrangement_id=new_id()
        ),
        "ArrangementService/RefuseArrangement": lambda: arrangement_pb.RefuseArrangementRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, arrangement_id=new_id()
        ),
        "ArrangementService/EndArrangement": lambda: arrangement_pb.EndArrangementRequest(
            request_id=new_id(), arrangement_id=new_id(), personal_id=PERSONAL_ID
        ),
        "ArrangementService/ListArrangements": lambda: arrangement_pb.ListArrangementsRequest(
            personal_id=PERSONAL_ID
        ),
        "ArrangementService/GetArrangement": lambda: arrangement_pb.GetArrangementRequest(
            arrangement_id=new_id()
        ),
        "EnforcementService/AdvanceEnforcement": lambda: enforcement_pb.AdvanceEnforcementRequest(
            request_id=new_id()
        ),
        "EnforcementService/PullDirectives": lambda: enforcement_pb.PullDirectivesRequest(
            request_id=new_id(), directive_count_max=10
        ),
        "EnforcementService/AcknowledgeDirectives": lambda: (
            enforcement_pb.AcknowledgeDirectivesRequest(
                request_id=new_id(),
                lease_id=new_id(),
                acknowledgements=[
                    enforcement_pb.Acknowledgement(
                        directive_id=new_id(),
                        outcome=enforcement_pb.ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
                    )
                ],
                signature=b"as long as a signature, and none",
            )
        ),
        "EnforcementService/ReconcileServiceState": lambda: (
            enforcement_pb.ReconcileServiceStateRequest(
                request_id=new_id(),
                states=[
                    enforcement_pb.ReportedState(
                        msisdn=MSISDN, service_state=subscription_pb2.SERVICE_STATE_ACTIVE
                    )
                ],
            )
        ),
        "EnforcementService/OpenCase": lambda: enforcement_pb.OpenCaseRequest(
            request_id=new_id(),
            msisdn=MSISDN,
            cause=enforcement_pb.CASE_CAUSE_OPERATOR_REPORT,
            case_reference="F-2026/118",
        ),
        "EnforcementService/FileComplaint": lambda: enforcement_pb.FileComplaintRequest(
            request_id=new_id(), msisdn=MSISDN, personal_id=PERSONAL_ID
        ),
        "EnforcementService/ExplainSubscription": lambda: enforcement_pb.ExplainSubscriptionRequest(
            msisdn=MSISDN, personal_id=PERSONAL_ID
        ),
        "WaveService/PreviewWave": lambda: wave_pb.PreviewWaveRequest(
            request_id=new_id(),
            criteria=wave_pb.WaveCriteria(
                track="T2", step=enforcement_pb.DIRECTIVE_KIND_BLOCK_OUTGOING
            ),
        ),
        "WaveService/ApproveWave": lambda: wave_pb.ApproveWaveRequest(
            request_id=new_id(), wave_id=new_id()
        ),
        "WaveService/ExecuteWave": lambda: wave_pb.ExecuteWaveRequest(
            request_id=new_id(), wave_id=new_id(), slice_count_max=1
        ),
        "WaveService/StopWave": lambda: wave_pb.StopWaveRequest(
            request_id=new_id(), wave_id=new_id(), reason="too many complaints"
        ),
        "WaveService/RevertWave": lambda: wave_pb.RevertWaveRequest(
            request_id=new_id(), wave_id=new_id(), reason="the wrong province"
        ),
        "WaveService/GetWave": lambda: wave_pb.GetWaveRequest(wave_id=new_id()),
        "ComplianceService/GetKpis": compliance_pb.GetKpisRequest,
        "ComplianceService/GetMonthlyScore": lambda: compliance_pb.GetMonthlyScoreRequest(
            year=2026, month=5
        ),
        "MatchService/MatchRecord": lambda: match_pb.MatchRecordRequest(
            request_id=new_id(), grounds=_GROUNDS, record=_CLAIM
        ),
        "MatchService/MatchRecords": lambda: match_pb.MatchRecordsRequest(
            request_id=new_id(), grounds=_GROUNDS, records=[_CLAIM]
        ),
        "MatchService/ResumeMatching": lambda: match_pb.ResumeMatchingRequest(
            request_id=new_id(), agency="tax"
        ),
        "KycService/MatchIdentity": lambda: kyc_pb.MatchIdentityRequest(
            request_id=new_id(), msisdn=MSISDN, full_name="Nguyễn Thị Thử"
        ),
        "KycService/CheckSimSwap": lambda: kyc_pb.CheckSimSwapRequest(
            msisdn=MSISDN, max_age_hours=240
        ),
        "KycService/GetSimSwap": lambda: kyc_pb.GetSimSwapRequest(msisdn=MSISDN),
        "KycService/CheckDeviceSwap": lambda: kyc_pb.CheckDeviceSwapRequest(
            msisdn=MSISDN, max_age_hours=240
        ),
        "KycService/GetDeviceSwap": lambda: kyc_pb.GetDeviceSwapRequest(msisdn=MSISDN),
        "KycService/CheckNumberRecycling": lambda: kyc_pb.CheckNumberRecyclingRequest(
            msisdn=MSISDN, specified_date=BIRTH_DATE
        ),
        "KycService/CheckTenure": lambda: kyc_pb.CheckTenureRequest(
            msisdn=MSISDN, tenure_date=BIRTH_DATE
        ),
        "PrivacyService/RequestExport": lambda: privacy_pb.RequestExportRequest(
            request_id=new_id(), personal_id=PERSONAL_ID
        ),
        "PrivacyService/GetExport": lambda: privacy_pb.GetExportRequest(
            personal_id=PERSONAL_ID, data_request_id=new_id()
        ),
        "PrivacyService/Object": lambda: privacy_pb.ObjectRequest(
            request_id=new_id(),
            personal_id=PERSONAL_ID,
            purposes=[agency_pb.PURPOSE_SERVICE_DELIVERY],
        ),
        "PrivacyService/WithdrawObjection": lambda: privacy_pb.WithdrawObjectionRequest(
            request_id=new_id(),
            personal_id=PERSONAL_ID,
            purposes=[agency_pb.PURPOSE_SERVICE_DELIVERY],
        ),
        "PrivacyService/Restrict": lambda: privacy_pb.RestrictRequest(
            request_id=new_id(), personal_id=PERSONAL_ID
        ),
        "PrivacyService/LiftRestriction": lambda: privacy_pb.LiftRestrictionRequest(
            request_id=new_id(), personal_id=PERSONAL_ID
        ),
        "PrivacyService/RequestErasure": lambda: privacy_pb.RequestErasureRequest(
            request_id=new_id(), personal_id=PERSONAL_ID
        ),
        "PrivacyService/GetDataRequest": lambda: privacy_pb.GetDataRequestRequest(
            personal_id=PERSONAL_ID, data_request_id=new_id()
        ),
        "PrivacyService/ListDataRequests": lambda: privacy_pb.ListDataRequestsRequest(
            personal_id=PERSONAL_ID
        ),
        "PrivacyService/AcknowledgeDataRequest": lambda: privacy_pb.AcknowledgeDataRequestRequest(
            request_id=new_id(), data_request_id=new_id()
        ),
        "PrivacyService/DecideDataRequest": lambda: privacy_pb.DecideDataRequestRequest(
            request_id=new_id(), data_request_id=new_id(), is_granted=True
        ),
        "PrivacyService/ListOpenDataRequests": privacy_pb.ListOpenDataRequestsRequest,
        "QualityService/GetReport": lambda: quality_pb.GetReportRequest(trend_days=7),
    }
)


def example(method: MethodDescriptor) -> Message:
    """A request that the method takes, fresh each time."""
    return EXAMPLES[method_key(method)]()


def allowed_roles(method: MethodDescriptor) -> Sequence[Role]:
    """The roles that may call a method, by name."""
    return sorted(permissions()[method_key(method)].scopes)


def allowed_role(method: MethodDescriptor) -> Role:
    """One of the roles that may call a method: the first by name."""
    return allowed_roles(method)[0]
