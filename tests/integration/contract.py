"""The contract as data: every method, who may call it, and a request that it would take.

Owns one well-formed example for each method, so that a test can break one thing at a time, and
walk all methods without naming any. A method without an example fails the walk.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from identity.domain.caller import Role
from identity.rpc.server import SERVICES
from identity.security.callers import PERMISSIONS
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import quality_service_pb2 as quality_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import verification_service_pb2 as verification_pb
from subid.v1.date_pb2 import Date
from tests.integration.wire import method_key, new_id

METHODS: tuple[MethodDescriptor, ...] = tuple(
    method for service in SERVICES for method in service.methods
)

PERSONAL_ID = "001090123456"
MSISDN = "+84912345678"
BIRTH_DATE = Date(year=1990, month=5, day=17)

_HOLDER = subscription_pb.HolderClaim(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)
_RECORD = population_pb.PopulationRecord(
    personal_id=PERSONAL_ID, full_name="Nguyễn Thị Thử", birth_date=BIRTH_DATE
)

EXAMPLES: Mapping[str, Callable[[], Message]] = MappingProxyType(
    {
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
            request_id=new_id(), msisdn=MSISDN
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
        "CitizenService/ListSubscriptions": lambda: (
            citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=PERSONAL_ID)
        ),
        "CitizenService/SetPrimaryNumber": lambda: citizen_pb.SetPrimaryNumberRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, msisdn=MSISDN
        ),
        "CitizenService/GetPrimaryNumber": lambda: citizen_pb.GetPrimaryNumberRequest(
            personal_id=PERSONAL_ID
        ),
        "CitizenService/DisownSubscription": lambda: citizen_pb.DisownSubscriptionRequest(
            request_id=new_id(), personal_id=PERSONAL_ID, msisdn=MSISDN
        ),
        "ContactService/GetContact": lambda: contact_pb.GetContactRequest(
            personal_id=PERSONAL_ID,
            purpose=contact_pb.PURPOSE_LEGAL_NOTICE,
            legal_basis="Law 26/2023/QH15, art. 10",
        ),
        "ContactService/BatchGetContacts": lambda: contact_pb.BatchGetContactsRequest(
            personal_ids=[PERSONAL_ID],
            purpose=contact_pb.PURPOSE_LEGAL_NOTICE,
            legal_basis="Law 26/2023/QH15, art. 10",
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
            )
        ),
        "EnforcementService/ExplainSubscription": lambda: enforcement_pb.ExplainSubscriptionRequest(
            msisdn=MSISDN
        ),
        "QualityService/GetReport": lambda: quality_pb.GetReportRequest(trend_days=7),
    }
)


def example(method: MethodDescriptor) -> Message:
    """A request that the method takes, fresh each time."""
    return EXAMPLES[method_key(method)]()


def allowed_role(method: MethodDescriptor) -> Role:
    """One of the roles that may call a method: the first by name."""
    return min(PERMISSIONS[method_key(method)])
