"""KycService on the wire."""

from collections.abc import Callable
from datetime import datetime, timedelta

from identity.domain.errors import SubscriptionNotFoundError
from identity.domain.kyc import IdentityClaim
from identity.domain.link import FieldOutcome, FieldResult
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.rpc import decode, encode
from identity.rpc.edge import Edge
from identity.services.answer_kyc import (
    Part,
    Question,
    Said,
    check_recycling,
    check_swap,
    check_tenure,
    get_swap,
    match_identity,
)
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key
from subid.v1 import kyc_service_pb2 as pb
from subid.v1 import kyc_service_pb2_grpc

_MATCHES = {
    FieldResult.MATCH: pb.ATTRIBUTE_MATCH_TRUE,
    FieldResult.MISMATCH: pb.ATTRIBUTE_MATCH_FALSE,
    FieldResult.NOT_AVAILABLE: pb.ATTRIBUTE_MATCH_NOT_AVAILABLE,
}


class KycServicer(kyc_service_pb2_grpc.KycServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def MatchIdentity(
        self, request: pb.MatchIdentityRequest, call: Call
    ) -> pb.MatchIdentityResponse:
        """Compare attributes with the holder's."""
        claim = _claim(request)
        msisdn = self._counted(request.msisdn, call)

        def match(uow: UnitOfWork) -> pb.MatchIdentityResponse:
            outcomes = match_identity(Question(uow, call, msisdn), claim)
            if outcomes is None:
                return pb.MatchIdentityResponse()
            results = {name: _result(outcome) for name, outcome in outcomes.items()}
            return pb.MatchIdentityResponse(**results)

        answer = self._edge.answer_once(request, call, match, pb.MatchIdentityResponse)
        # At least one attribute is given, so an answer without any is none.
        if not answer.ByteSize():
            raise _not_served()
        return answer

    def CheckSimSwap(self, request: pb.CheckSimSwapRequest, call: Call) -> pb.CheckSimSwapResponse:
        """Whether the SIM was changed."""
        max_age = timedelta(hours=request.max_age_hours)
        said = self._ask(
            request.msisdn, call, lambda question: check_swap(question, Part.SIM, max_age=max_age)
        )
        return pb.CheckSimSwapResponse(is_swapped=_flag(said))

    def GetSimSwap(self, request: pb.GetSimSwapRequest, call: Call) -> pb.GetSimSwapResponse:
        """When the SIM was changed."""
        said = self._ask(request.msisdn, call, lambda question: get_swap(question, Part.SIM))
        return pb.GetSimSwapResponse(latest_change_time=encode.timestamp(_instant(said)))

    def CheckDeviceSwap(
        self, request: pb.CheckDeviceSwapRequest, call: Call
    ) -> pb.CheckDeviceSwapResponse:
        """Whether the device was changed."""
        max_age = timedelta(hours=request.max_age_hours)
        said = self._ask(
            request.msisdn,
            call,
            lambda question: check_swap(question, Part.DEVICE, max_age=max_age),
        )
        return pb.CheckDeviceSwapResponse(is_swapped=_flag(said))

    def GetDeviceSwap(
        self, request: pb.GetDeviceSwapRequest, call: Call
    ) -> pb.GetDeviceSwapResponse:
        """When the device was changed."""
        said = self._ask(request.msisdn, call, lambda question: get_swap(question, Part.DEVICE))
        return pb.GetDeviceSwapResponse(latest_change_time=encode.timestamp(_instant(said)))

    def CheckNumberRecycling(
        self, request: pb.CheckNumberRecyclingRequest, call: Call
    ) -> pb.CheckNumberRecyclingResponse:
        """Whether the number came to another person."""
        since = decode.day(request.specified_date, field="specified_date")
        said = self._ask(request.msisdn, call, lambda question: check_recycling(question, since))
        return pb.CheckNumberRecyclingResponse(is_recycled=_flag(said))

    def CheckTenure(self, request: pb.CheckTenureRequest, call: Call) -> pb.CheckTenureResponse:
        """Whether its holder has had the number since a day."""
        since = decode.day(request.tenure_date, field="tenure_date")
        said = self._ask(request.msisdn, call, lambda question: check_tenure(question, since))
        return pb.CheckTenureResponse(is_since_tenure_date=_flag(said))

    def _ask(self, text: str, call: Call, ask: Callable[[Question], Said | None]) -> Said:
        msisdn = self._counted(text, call)
        said = self._edge.transactions.run(lambda uow: ask(Question(uow, call, msisdn)))
        if said is None:
            raise _not_served()
        return said

    def _counted(self, text: str, call: Call) -> MSISDN:
        """The number of a question, which counts against the rates."""
        msisdn = decode.msisdn(text)
        key = msisdn_key(self._edge.transactions.database.sealer, msisdn)
        self._edge.rates.take_question(call.caller, key, call.rules.kyc)
        return msisdn


def _claim(request: pb.MatchIdentityRequest) -> IdentityClaim:
    fields = decode.Fields()
    full_name = fields.take(
        "full_name", lambda: PersonName.parse(request.full_name) if request.full_name else None
    )
    if fields.violations:
        raise fields.refuse()
    has_day = request.HasField("birth_date")
    return IdentityClaim(
        personal_id=decode.optional_personal_id(request.personal_id),
        full_name=full_name,
        birth_date=decode.day(request.birth_date, field="birth_date") if has_day else None,
        sex=decode.sex(request.sex),
    )


def _result(outcome: FieldOutcome) -> pb.AttributeResult:
    return pb.AttributeResult(match=_MATCHES[outcome.result], score=outcome.score)


def _flag(said: Said) -> bool | None:
    assert not isinstance(said.value, datetime), "a yes or a no was asked for"
    return said.value


def _instant(said: Said) -> datetime | None:
    assert not isinstance(said.value, bool), "an instant was asked for"
    return said.value


def _not_served() -> SubscriptionNotFoundError:
    return SubscriptionNotFoundError("you have no such subscription in service")
