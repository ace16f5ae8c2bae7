"""A client that means to be answered: what it repeats, what it gives up, what it remembers."""

from collections.abc import Sequence

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError, Metadata

from subid.v1 import subscription_service_pb2 as pb
from telco_sim.load.caller import LATER_BY_AT_MOST, Call, Journal, Minute, insist
from telco_sim.load.plan import Fault, LoadPlan, Work

ANSWER = pb.RegisterSubscriptionResponse()
REQUEST = pb.RegisterSubscriptionRequest(request_id="one", msisdn="+84912345678")


class Service:
    """Refuses with some statuses, then answers."""

    def __init__(self, refusals: Sequence[grpc.StatusCode | AioRpcError]) -> None:
        self._refusals = [
            AioRpcError(each, Metadata(), Metadata()) if isinstance(each, grpc.StatusCode) else each
            for each in refusals
        ]
        self.seen: list[str] = []

    async def answer(
        self, request: pb.RegisterSubscriptionRequest, **limits: float
    ) -> pb.RegisterSubscriptionResponse:
        """As a stub's method."""
        assert limits["timeout"] > 0
        self.seen.append(request.request_id)
        if self._refusals:
            raise self._refusals.pop(0)
        return ANSWER


async def made(
    *refusals: grpc.StatusCode | AioRpcError, patience_s: float = 60.0
) -> tuple[Service, Minute, Journal, list[float]]:
    service, minute, journal, pauses = Service(refusals), Minute(), Journal(), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    call = Call(work=Work.REGISTER, method=service.answer, request=REQUEST, is_write=True)
    await insist(call, patience_s=patience_s, minute=minute, journal=journal, pause=pause)
    return service, minute, journal, pauses


def are_of(pauses: list[float], least: list[float]) -> bool:
    """Whether each lasts as long as it has to, and by chance a little longer."""
    return len(pauses) == len(least) and all(
        shortest <= pause <= LATER_BY_AT_MOST * shortest
        for pause, shortest in zip(pauses, least, strict=True)
    )


async def test_what_passes_is_asked_again_under_its_own_name_and_later_each_time() -> None:
    passing = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
    service, minute, journal, pauses = await made(*passing, *passing, *passing)
    assert service.seen == ["one"] * 7
    assert are_of(pauses, [0.2, 0.4, 0.8, 1.6, 2.0, 2.0])
    assert minute.refusals.total() == 6
    assert not minute.failures
    assert [answer for _, answer in journal.acknowledged] == [ANSWER.SerializeToString()]


async def test_a_reason_is_told_and_the_service_says_how_long_to_wait() -> None:
    info = ErrorInfo(reason="OVERLOADED", domain="subid")
    later = RetryInfo(retry_delay=Duration(seconds=5))
    status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
    for each in (info, later):
        status.details.add().Pack(each)
    told = Metadata(("grpc-status-details-bin", status.SerializeToString()))
    refusal = AioRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, Metadata(), told, details="")
    _, minute, _, pauses = await made(refusal)
    assert are_of(pauses, [5.0])
    assert dict(minute.refusals) == {"OVERLOADED": 1}


@pytest.mark.parametrize(
    ("status", "patience_s"),
    [(grpc.StatusCode.INVALID_ARGUMENT, 60.0), (grpc.StatusCode.UNAVAILABLE, -1.0)],
)
async def test_what_does_not_pass_in_time_has_failed_and_is_in_doubt(
    status: grpc.StatusCode, patience_s: float
) -> None:
    service, minute, journal, _ = await made(status, patience_s=patience_s)
    assert service.seen == ["one"]
    assert dict(minute.failures) == {status.name: 1}
    assert not journal.acknowledged
    assert len(journal.in_doubt) == 1


def test_each_fault_has_its_turn_and_none_comes_unasked() -> None:
    plan = LoadPlan(minutes=30, share=0.8, has_faults=True)
    assert {plan.fault_of(minute) for minute in range(5)} == set(Fault) - {Fault.NONE}
    quiet = LoadPlan(minutes=30, share=0.8, has_faults=False)
    assert {quiet.fault_of(minute) for minute in range(30)} == {Fault.NONE}
