"""AgencyService on the wire."""

from collections.abc import Mapping
from types import MappingProxyType

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.errors import PageTokenInvalidError
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.rpc.grounds import PURPOSES
from identity.services.agencies import (
    get_agency,
    list_agencies,
    register_agency,
    set_agency_active,
)
from identity.services.call import Call
from identity.services.lookup_watch import resume_lookups
from subid.v1 import agency_pb2, agency_service_pb2_grpc
from subid.v1 import agency_service_pb2 as pb

_PURPOSES: Mapping[Purpose, "agency_pb2.Purpose"] = MappingProxyType(
    {purpose: number for number, purpose in PURPOSES.items()}
)
RIGHTS: Mapping[Right, "pb.Right"] = MappingProxyType(
    {
        Right.NUMBER: pb.RIGHT_NUMBER,
        Right.MASKED_NUMBER: pb.RIGHT_MASKED_NUMBER,
        Right.RELAY_TOKEN: pb.RIGHT_RELAY_TOKEN,
        Right.REACHABILITY: pb.RIGHT_REACHABILITY,
        Right.ABSENCE_CAUSE: pb.RIGHT_ABSENCE_CAUSE,
        Right.CONTACT_CHANGES: pb.RIGHT_CONTACT_CHANGES,
        Right.NOTIFY: pb.RIGHT_NOTIFY,
        Right.DELIVERY_STATE: pb.RIGHT_DELIVERY_STATE,
        Right.RECORD_MATCH: pb.RIGHT_RECORD_MATCH,
        Right.CHIP_PRESENCE: pb.RIGHT_CHIP_PRESENCE,
        Right.FACE_PRESENCE: pb.RIGHT_FACE_PRESENCE,
        Right.PERSONAL_ID: pb.RIGHT_PERSONAL_ID,
        Right.EMBARGO: pb.RIGHT_EMBARGO,
    }
)
_RIGHTS = MappingProxyType({number: right for right, number in RIGHTS.items()})


class AgencyServicer(agency_service_pb2_grpc.AgencyServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def RegisterAgency(
        self, request: pb.RegisterAgencyRequest, call: Call
    ) -> pb.RegisterAgencyResponse:
        """Register an agency, or replace what it was granted."""
        grants = [_grant(each) for each in request.grants]
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.RegisterAgencyResponse(
                agency=_agency(register_agency(uow, call, request.name, grants))
            ),
            pb.RegisterAgencyResponse,
        )

    def SuspendAgency(
        self, request: pb.SuspendAgencyRequest, call: Call
    ) -> pb.SuspendAgencyResponse:
        """Suspend."""
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.SuspendAgencyResponse(
                agency=_agency(set_agency_active(uow, call, request.name, is_active=False))
            ),
            pb.SuspendAgencyResponse,
        )

    def ResumeAgency(self, request: pb.ResumeAgencyRequest, call: Call) -> pb.ResumeAgencyResponse:
        """End a suspension."""
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.ResumeAgencyResponse(
                agency=_agency(set_agency_active(uow, call, request.name, is_active=True))
            ),
            pb.ResumeAgencyResponse,
        )

    def ResumeLookups(
        self, request: pb.ResumeLookupsRequest, call: Call
    ) -> pb.ResumeLookupsResponse:
        """Let a caller look people and numbers up again."""
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.ResumeLookupsResponse(
                was_stopped=resume_lookups(uow, call, request.caller)
            ),
            pb.ResumeLookupsResponse,
        )

    def GetAgency(self, request: pb.GetAgencyRequest, call: Call) -> pb.GetAgencyResponse:
        """Say what an agency may do, and has used today."""
        view = self._edge.transactions.run(lambda uow: get_agency(uow, call, request.name))
        return pb.GetAgencyResponse(
            agency=_agency(view.agency),
            uses_today=[
                pb.GrantUse(purpose=_PURPOSES[purpose], people_count=count)
                for purpose, count in sorted(
                    view.used_today.items(), key=lambda use: _place(use[0])
                )
            ],
            register_time=encode.timestamp(view.registration.registered_at),
            update_time=encode.timestamp(view.registration.changed_at),
            updater=view.registration.changed_by,
        )

    def ListAgencies(self, request: pb.ListAgenciesRequest, call: Call) -> pb.ListAgenciesResponse:
        """Return a page by name."""
        del call  # no part of it matters to what is registered
        limit = decode.page_size(request.page_size)
        after = _name_in(request.page_token)
        found, following = self._edge.transactions.run(
            lambda uow: list_agencies(uow, after=after, limit=limit)
        )
        return pb.ListAgenciesResponse(
            agencies=[_agency(each) for each in found], next_page_token=following.encode().hex()
        )


def _name_in(page_token: str) -> str:
    """After which name a page begins.

    Raises:
        PageTokenInvalidError: We issued no such token.
    """
    try:
        name = bytes.fromhex(page_token).decode("ascii")
        # Anything else is in no row, and some of it, such as a NUL, may not even be looked for.
        return Caller(Role.AGENCY, name).name if name else ""
    except ValueError as error:
        raise PageTokenInvalidError("this page token was not issued here") from error


def _grant(message: pb.Grant) -> Grant:
    return Grant(
        purpose=PURPOSES[message.purpose],
        legal_bases=frozenset(message.legal_bases),
        rights=frozenset(_RIGHTS[right] for right in message.rights),
        people_per_day_max=message.people_per_day_max,
    )


def _agency(agency: Agency) -> pb.Agency:
    state = pb.AGENCY_STATE_ACTIVE if agency.is_active else pb.AGENCY_STATE_SUSPENDED
    grants = sorted(agency.grants, key=lambda grant: _place(grant.purpose))
    return pb.Agency(name=agency.name, state=state, grants=[_told(grant) for grant in grants])


def _place(purpose: Purpose) -> int:
    return int(_PURPOSES[purpose])


def _told(grant: Grant) -> pb.Grant:
    return pb.Grant(
        purpose=_PURPOSES[grant.purpose],
        legal_bases=sorted(grant.legal_bases),
        rights=sorted(RIGHTS[right] for right in grant.rights),
        people_per_day_max=grant.people_per_day_max,
    )
