"""The server that benchmarks measure: it starts on a registry that they filled themselves."""

from datetime import UTC, date, datetime

import grpc
import pytest

from identity.domain.caller import Caller, Role
from identity.domain.holder import PopulationRecord
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.storage.database import UnitOfWork
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub
from tests.benchmarks.running import running_target, subscription
from tests.benchmarks.server_process import EMPTY_METHOD

MSISDN_TEXT = "+84912345678"
TIMEOUT_S = 30.0


def fill(uow: UnitOfWork) -> None:
    """One citizen with one number."""
    record = PopulationRecord(
        personal_id=PersonalID("001190000001"),
        full_name=PersonName("Nguyễn Văn An"),
        birth_date=date(1990, 1, 1),
    )
    uow.citizens.save_many([record], at=datetime.now(UTC))
    uow.subscriptions.save_many([subscription(record, MSISDN(MSISDN_TEXT))])


def test_benchmarks_have_a_server_that_knows_what_they_filled_in() -> None:
    with running_target(fill) as target:
        credentials = target.credentials(Caller(Role.OPERATOR, "benchmark"))
        with grpc.secure_channel(target.address, credentials) as channel:
            page = SubscriptionServiceStub(channel).ListSubscriptions(
                pb.ListSubscriptionsRequest(), timeout=TIMEOUT_S
            )
            call_empty: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                EMPTY_METHOD
            )
            empty = call_empty(b"", timeout=TIMEOUT_S)
        anybody = target.credentials(Caller(Role.AGENCY, "benchmark"))
        with (
            grpc.secure_channel(target.address, anybody) as channel,
            pytest.raises(grpc.RpcError) as refused,
        ):
            SubscriptionServiceStub(channel).ListSubscriptions(
                pb.ListSubscriptionsRequest(), timeout=TIMEOUT_S
            )
    assert [each.msisdn for each in page.subscriptions] == [MSISDN_TEXT]
    assert empty == b""
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
