"""Agencies, messages and rights at a service that believes everything.

Owns the opposite of the contract: every agency may have every number, no quota ends, every message
is acknowledged by anybody, and whoever asks is given anybody's data.
"""

# Servicers and their methods have the names of the contract, and its comments say what they do.
# ruff: noqa: D101, D102, N802

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import grpc
from joserfc import jws
from joserfc.jwk import OKPKey

from subid.v1 import (
    agency_service_pb2,
    agency_service_pb2_grpc,
    contact_service_pb2,
    contact_service_pb2_grpc,
    kyc_service_pb2,
    kyc_service_pb2_grpc,
    localized_text_pb2,
    match_service_pb2,
    match_service_pb2_grpc,
    notification_service_pb2,
    notification_service_pb2_grpc,
    privacy_service_pb2,
    privacy_service_pb2_grpc,
    verification_service_pb2,
)

NUMBER = "+84912345678"
_KEY = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
_REGISTRY = jws.JWSRegistry(algorithms=["Ed25519"])


@dataclass
class Offices:
    """What agencies were told, and what they will be told, open to tests."""

    contacts: dict[str, contact_service_pb2.Contact] = field(default_factory=dict)
    can_notify: bool = True
    audience: str = "agency-writer"
    export: dict[str, object] = field(default_factory=dict)
    messages: list[notification_service_pb2.OutgoingMessage] = field(default_factory=list)
    counts: list[notification_service_pb2.NotificationCount] = field(default_factory=list)


def sign(claims: dict[str, object], *, kind: str) -> str:
    """Sign whatever it is."""
    header = {"alg": "Ed25519", "kid": _KEY.kid, "typ": kind}
    return str(jws.serialize_compact(header, json.dumps(claims), _KEY, registry=_REGISTRY))


def key_set() -> str:
    """The public key."""
    return json.dumps({"keys": [_KEY.as_dict(private=False)]})


class AgencyServicer(agency_service_pb2_grpc.AgencyServiceServicer):
    def RegisterAgency(
        self, request: agency_service_pb2.RegisterAgencyRequest, _: grpc.ServicerContext
    ) -> agency_service_pb2.RegisterAgencyResponse:
        agency = agency_service_pb2.Agency(name=request.name, grants=request.grants)
        return agency_service_pb2.RegisterAgencyResponse(agency=agency)


class ContactsOfAll(contact_service_pb2_grpc.ContactServiceServicer):
    """Gives everybody's number to everybody."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    def of(self, personal_id: str) -> contact_service_pb2.Contact:
        number = contact_service_pb2.Contact(
            status=contact_service_pb2.CONTACT_STATUS_AVAILABLE, msisdn=NUMBER
        )
        return self._offices.contacts.get(personal_id, number)

    def BatchGetContacts(
        self, request: contact_service_pb2.BatchGetContactsRequest, _: grpc.ServicerContext
    ) -> contact_service_pb2.BatchGetContactsResponse:
        contacts = [self.of(each) for each in request.personal_ids]
        return contact_service_pb2.BatchGetContactsResponse(contacts=contacts)

    def CanNotify(
        self, request: contact_service_pb2.CanNotifyRequest, _: grpc.ServicerContext
    ) -> contact_service_pb2.CanNotifyResponse:
        answers = [self._offices.can_notify] * len(request.personal_ids)
        return contact_service_pb2.CanNotifyResponse(can_notify=answers)

    def WatchContactChanges(
        self, _: contact_service_pb2.WatchContactChangesRequest, __: grpc.ServicerContext
    ) -> Iterator[contact_service_pb2.WatchContactChangesResponse]:
        """Names nobody, and ends."""
        yield contact_service_pb2.WatchContactChangesResponse(position="1")


class MatchServicer(match_service_pb2_grpc.MatchServiceServicer):
    def MatchRecords(
        self,
        request_iterator: Iterator[match_service_pb2.MatchRecordsRequest],
        _: grpc.ServicerContext,
    ) -> Iterator[match_service_pb2.MatchRecordsResponse]:
        """Never has enough."""
        for request in request_iterator:
            yield match_service_pb2.MatchRecordsResponse(
                matches=[match_service_pb2.RecordMatch() for _ in request.records]
            )


class KycServicer(kyc_service_pb2_grpc.KycServiceServicer):
    def MatchIdentity(
        self, _: kyc_service_pb2.MatchIdentityRequest, __: grpc.ServicerContext
    ) -> kyc_service_pb2.MatchIdentityResponse:
        return kyc_service_pb2.MatchIdentityResponse()

    def CheckTenure(
        self, _: kyc_service_pb2.CheckTenureRequest, __: grpc.ServicerContext
    ) -> kyc_service_pb2.CheckTenureResponse:
        return kyc_service_pb2.CheckTenureResponse()


class NotificationServicer(notification_service_pb2_grpc.NotificationServiceServicer):
    """Hands every message to whoever asks first, and believes every receipt."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    def RegisterTemplate(
        self, request: notification_service_pb2.RegisterTemplateRequest, _: grpc.ServicerContext
    ) -> notification_service_pb2.RegisterTemplateResponse:
        template = notification_service_pb2.Template(agency=request.agency, name=request.name)
        return notification_service_pb2.RegisterTemplateResponse(template=template)

    def SendNotification(
        self, request: notification_service_pb2.SendNotificationRequest, _: grpc.ServicerContext
    ) -> notification_service_pb2.SendNotificationResponse:
        """Sends it to one number, whoever it is for."""
        message_id = str(uuid.uuid4())
        words = localized_text_pb2.LocalizedText(vi=" ".join(each.value for each in request.values))
        self._offices.messages.append(
            notification_service_pb2.OutgoingMessage(
                message_id=message_id, msisdn=NUMBER, text=words
            )
        )
        return notification_service_pb2.SendNotificationResponse(notification_id=message_id)

    def GetNotification(
        self, request: notification_service_pb2.GetNotificationRequest, _: grpc.ServicerContext
    ) -> notification_service_pb2.GetNotificationResponse:
        """Says of each that it was delivered."""
        notification = notification_service_pb2.Notification(
            notification_id=request.notification_id,
            state=notification_service_pb2.NOTIFICATION_STATE_DELIVERED,
        )
        return notification_service_pb2.GetNotificationResponse(notification=notification)

    def GetNotificationStatistics(
        self, _: notification_service_pb2.GetNotificationStatisticsRequest, __: grpc.ServicerContext
    ) -> notification_service_pb2.GetNotificationStatisticsResponse:
        return notification_service_pb2.GetNotificationStatisticsResponse(
            counts=self._offices.counts
        )

    def PullMessages(
        self, _: notification_service_pb2.PullMessagesRequest, __: grpc.ServicerContext
    ) -> notification_service_pb2.PullMessagesResponse:
        waiting, self._offices.messages = self._offices.messages, []
        return notification_service_pb2.PullMessagesResponse(
            messages=waiting, lease_id=str(uuid.uuid4())
        )

    def AcknowledgeMessages(
        self, request: notification_service_pb2.AcknowledgeMessagesRequest, _: grpc.ServicerContext
    ) -> notification_service_pb2.AcknowledgeMessagesResponse:
        accepted = notification_service_pb2.RECEIPT_RESULT_ACCEPTED
        return notification_service_pb2.AcknowledgeMessagesResponse(
            results=[accepted] * len(request.receipts)
        )


class PrivacyServicer(privacy_service_pb2_grpc.PrivacyServiceServicer):
    """Forgets objections, and gives anybody's data to anybody."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    def RequestExport(
        self, _: privacy_service_pb2.RequestExportRequest, __: grpc.ServicerContext
    ) -> privacy_service_pb2.RequestExportResponse:
        asked = privacy_service_pb2.DataRequest(data_request_id=str(uuid.uuid4()))
        return privacy_service_pb2.RequestExportResponse(data_request=asked)

    def GetExport(
        self, _: privacy_service_pb2.GetExportRequest, __: grpc.ServicerContext
    ) -> Iterator[privacy_service_pb2.GetExportResponse]:
        document = sign(self._offices.export, kind="subid-export+jwt")
        yield privacy_service_pb2.GetExportResponse(chunk=document.encode())

    def Object(
        self, _: privacy_service_pb2.ObjectRequest, __: grpc.ServicerContext
    ) -> privacy_service_pb2.ObjectResponse:
        return privacy_service_pb2.ObjectResponse()

    def WithdrawObjection(
        self, _: privacy_service_pb2.WithdrawObjectionRequest, __: grpc.ServicerContext
    ) -> privacy_service_pb2.WithdrawObjectionResponse:
        return privacy_service_pb2.WithdrawObjectionResponse()


def start_presence() -> verification_service_pb2.StartPresenceResponse:
    """Any session."""
    return verification_service_pb2.StartPresenceResponse(
        verification_id=str(uuid.uuid4()), chip_nonce=b"12345678"
    )


def complete_presence(offices: Offices) -> verification_service_pb2.CompletePresenceResponse:
    """Everybody is present, and the token is good wherever the test says."""
    claims: dict[str, object] = {"aud": offices.audience, "amr": ["chip"], "sub": "a pseudonym"}
    return verification_service_pb2.CompletePresenceResponse(
        state=verification_service_pb2.PRESENCE_STATE_PRESENT,
        token=sign(claims, kind="subid-presence+jwt"),
    )


def add_services(server: grpc.Server, offices: Offices) -> None:
    """Serve what agencies, operators and citizens ask for here, but for contacts."""
    agency_service_pb2_grpc.add_AgencyServiceServicer_to_server(AgencyServicer(), server)
    match_service_pb2_grpc.add_MatchServiceServicer_to_server(MatchServicer(), server)
    kyc_service_pb2_grpc.add_KycServiceServicer_to_server(KycServicer(), server)
    notification_service_pb2_grpc.add_NotificationServiceServicer_to_server(
        NotificationServicer(offices), server
    )
    privacy_service_pb2_grpc.add_PrivacyServiceServicer_to_server(PrivacyServicer(offices), server)
