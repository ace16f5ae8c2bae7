"""CitizenService on the wire."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message

from identity.domain.arrangement import GuardianAct
from identity.domain.errors import ActingRefusedError
from identity.domain.personal_id import PersonalID
from identity.rpc import access_lines, decode, encode, encode_choices
from identity.rpc.edge import Edge
from identity.services.act_for import may_act_for
from identity.services.call import Call
from identity.services.citizen_locks import set_fallback_numbers, set_lock
from identity.services.disown_subscription import DisownKind, disown_subscription
from identity.services.explain_subscription import explain_cases
from identity.services.list_accesses import list_accesses
from identity.services.list_choices import list_choices
from identity.services.primary_number import (
    confirm_primary_number,
    get_primary_number,
    set_primary_number,
    veto_primary_change,
)
from identity.services.read_subscriptions import list_of_citizen
from identity.storage.database import UnitOfWork
from subid.v1 import citizen_service_pb2 as pb
from subid.v1 import citizen_service_pb2_grpc

_DISOWN_KINDS = {
    pb.DISOWN_KIND_UNSPECIFIED: DisownKind.NOT_MINE,
    pb.DISOWN_KIND_NOT_MINE: DisownKind.NOT_MINE,
    pb.DISOWN_KIND_NO_LONGER_USED: DisownKind.NO_LONGER_USED,
}


_ByCitizen = (
    pb.CitizenServiceListSubscriptionsRequest
    | pb.SetPrimaryNumberRequest
    | pb.GetPrimaryNumberRequest
    | pb.VetoPrimaryChangeRequest
    | pb.ConfirmPrimaryNumberRequest
    | pb.SetFallbackNumbersRequest
    | pb.SetLockRequest
    | pb.ListChoicesRequest
    | pb.DisownSubscriptionRequest
)
_ACTS: Mapping[type[Message], GuardianAct] = MappingProxyType(
    {
        pb.CitizenServiceListSubscriptionsRequest: GuardianAct.LIST_SUBSCRIPTIONS,
        pb.SetPrimaryNumberRequest: GuardianAct.SET_PRIMARY_NUMBER,
        pb.GetPrimaryNumberRequest: GuardianAct.GET_PRIMARY_NUMBER,
        pb.VetoPrimaryChangeRequest: GuardianAct.VETO_PRIMARY_CHANGE,
        pb.ConfirmPrimaryNumberRequest: GuardianAct.CONFIRM_PRIMARY_NUMBER,
        pb.SetFallbackNumbersRequest: GuardianAct.SET_FALLBACK_NUMBERS,
        pb.SetLockRequest: GuardianAct.SET_LOCK,
        pb.ListChoicesRequest: GuardianAct.LIST_CHOICES,
        pb.DisownSubscriptionRequest: GuardianAct.DISOWN_SUBSCRIPTION,
    }
)

_Response = TypeVar("_Response", bound=Message)
_Result = TypeVar("_Result")


class CitizenServicer(citizen_service_pb2_grpc.CitizenServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def _answer_once(
        self,
        request: _ByCitizen,
        call: Call,
        action: Callable[[UnitOfWork], _Response],
        response_type: type[_Response],
    ) -> _Response:
        """Do once what the citizen, or who may act for the citizen, asks."""

        def act(uow: UnitOfWork) -> _Response:
            if not _may_ask(uow, call, request):
                raise _refused()
            return action(uow)

        return self._edge.answer_once(request, call, act, response_type)

    def _read(
        self, request: _ByCitizen, call: Call, read: Callable[[UnitOfWork], _Result]
    ) -> _Result:
        """Read it; that somebody was refused stays on record."""
        found = self._edge.transactions.run(
            lambda uow: (read(uow),) if _may_ask(uow, call, request) else None
        )
        if found is None:
            raise _refused()
        return found[0]

    def ListSubscriptions(
        self, request: pb.CitizenServiceListSubscriptionsRequest, call: Call
    ) -> pb.CitizenServiceListSubscriptionsResponse:
        """Read a page of the citizen's numbers."""
        personal_id = PersonalID.parse(request.personal_id)
        after = decode.page_token(request.page_token)
        limit = decode.page_size(request.page_size)
        page = self._read(
            request,
            call,
            lambda uow: list_of_citizen(uow, call, personal_id, after=after, limit=limit),
        )
        return pb.CitizenServiceListSubscriptionsResponse(
            subscriptions=[encode.subscription(item) for item in page.views],
            next_page_token="" if page.next_after is None else page.next_after.hex,
            open_cases=[
                encode_choices.open_cases(
                    view.subscription.subscription_id,
                    explain_cases(call, view.cases, is_primary=view.is_primary),
                )
                for view in page.views
                if view.cases
            ],
        )

    def SetPrimaryNumber(
        self, request: pb.SetPrimaryNumberRequest, call: Call
    ) -> pb.SetPrimaryNumberResponse:
        """Mark a number."""
        personal_id = PersonalID.parse(request.personal_id)
        msisdn = decode.msisdn(request.msisdn)
        fresh = UUID(request.verification_id) if request.verification_id else None

        def mark(uow: UnitOfWork) -> pb.SetPrimaryNumberResponse:
            chosen = set_primary_number(uow, call, personal_id, msisdn, verification_id=fresh)
            return pb.SetPrimaryNumberResponse(
                primary_number=encode_choices.primary_number(chosen.primary),
                pending_change=encode_choices.pending_change(chosen),
            )

        return self._answer_once(request, call, mark, pb.SetPrimaryNumberResponse)

    def GetPrimaryNumber(
        self, request: pb.GetPrimaryNumberRequest, call: Call
    ) -> pb.GetPrimaryNumberResponse:
        """Read the marked number."""
        personal_id = PersonalID.parse(request.personal_id)
        chosen = self._read(request, call, lambda uow: get_primary_number(uow, call, personal_id))
        return pb.GetPrimaryNumberResponse(
            primary_number=encode_choices.primary_number(chosen.primary),
            pending_change=encode_choices.pending_change(chosen),
            fallback_msisdns=[each.value for each in chosen.fallbacks],
            is_locked=chosen.choices.is_locked,
            open_until_time=encode.timestamp(chosen.choices.open_until(at=call.at)),
            is_confirmation_due=chosen.is_confirmation_due,
        )

    def VetoPrimaryChange(
        self, request: pb.VetoPrimaryChangeRequest, call: Call
    ) -> pb.VetoPrimaryChangeResponse:
        """Say no to a change."""
        personal_id = PersonalID.parse(request.personal_id)
        change_id = UUID(request.change_id)

        def veto(uow: UnitOfWork) -> pb.VetoPrimaryChangeResponse:
            veto_primary_change(uow, call, personal_id, change_id)
            return pb.VetoPrimaryChangeResponse()

        return self._answer_once(request, call, veto, pb.VetoPrimaryChangeResponse)

    def ConfirmPrimaryNumber(
        self, request: pb.ConfirmPrimaryNumberRequest, call: Call
    ) -> pb.ConfirmPrimaryNumberResponse:
        """Confirm the marked number."""
        personal_id = PersonalID.parse(request.personal_id)

        def confirm(uow: UnitOfWork) -> pb.ConfirmPrimaryNumberResponse:
            found = confirm_primary_number(uow, call, personal_id)
            return pb.ConfirmPrimaryNumberResponse(
                primary_number=encode_choices.primary_number(found)
            )

        return self._answer_once(request, call, confirm, pb.ConfirmPrimaryNumberResponse)

    def SetFallbackNumbers(
        self, request: pb.SetFallbackNumbersRequest, call: Call
    ) -> pb.SetFallbackNumbersResponse:
        """Rank the numbers that stand in."""
        personal_id = PersonalID.parse(request.personal_id)
        numbers = [decode.msisdn(each) for each in request.msisdns]
        fresh = UUID(request.verification_id) if request.verification_id else None

        def rank(uow: UnitOfWork) -> pb.SetFallbackNumbersResponse:
            ranked = set_fallback_numbers(uow, call, personal_id, numbers, verification_id=fresh)
            return pb.SetFallbackNumbersResponse(msisdns=[each.value for each in ranked])

        return self._answer_once(request, call, rank, pb.SetFallbackNumbersResponse)

    def SetLock(self, request: pb.SetLockRequest, call: Call) -> pb.SetLockResponse:
        """Lock, unlock, or open a lock for a time."""
        personal_id = PersonalID.parse(request.personal_id)
        open_for = timedelta(minutes=request.open_minutes)

        def lock(uow: UnitOfWork) -> pb.SetLockResponse:
            choices = set_lock(
                uow, call, personal_id, is_locked=request.is_locked, open_for=open_for
            )
            return pb.SetLockResponse(
                is_locked=choices.is_locked,
                open_until_time=encode.timestamp(choices.open_until(at=call.at)),
            )

        return self._answer_once(request, call, lock, pb.SetLockResponse)

    def ListChoices(self, request: pb.ListChoicesRequest, call: Call) -> pb.ListChoicesResponse:
        """Read a page of the citizen's history."""
        personal_id = PersonalID.parse(request.personal_id)
        before = decode.place_token(request.page_token)
        limit = decode.page_size(request.page_size)
        page = self._read(
            request,
            call,
            lambda uow: list_choices(uow, call, personal_id, before=before, limit=limit),
        )
        return pb.ListChoicesResponse(
            choices=[encode_choices.choice(each) for each in page.events],
            next_page_token="" if page.next_before is None else str(page.next_before),
        )

    def ListAccesses(self, request: pb.ListAccessesRequest, call: Call) -> pb.ListAccessesResponse:
        """Read a page of who did what with the citizen's data."""
        personal_id = PersonalID.parse(request.personal_id)
        before = decode.place_token(request.page_token)
        limit = decode.page_size(request.page_size)
        page = self._edge.transactions.run(
            lambda uow: list_accesses(uow, call, personal_id, before=before, limit=limit)
        )
        return access_lines.response(page)

    def DisownSubscription(
        self, request: pb.DisownSubscriptionRequest, call: Call
    ) -> pb.DisownSubscriptionResponse:
        """Open the case of a number that is given up."""
        personal_id = PersonalID.parse(request.personal_id)
        msisdn = decode.msisdn(request.msisdn)
        kind = _DISOWN_KINDS[request.kind]

        def disown(uow: UnitOfWork) -> pb.DisownSubscriptionResponse:
            next_step_at = disown_subscription(uow, call, personal_id, msisdn, kind=kind)
            return pb.DisownSubscriptionResponse(next_step_time=encode.timestamp(next_step_at))

        return self._answer_once(request, call, disown, pb.DisownSubscriptionResponse)


def _may_ask(uow: UnitOfWork, call: Call, request: _ByCitizen) -> bool:
    actor = decode.optional_personal_id(request.acting_personal_id)
    subject = PersonalID.parse(request.personal_id)
    return may_act_for(uow, call, actor, subject, act=_ACTS[type(request)])


def _refused() -> ActingRefusedError:
    return ActingRefusedError("you cannot do this for that person")
