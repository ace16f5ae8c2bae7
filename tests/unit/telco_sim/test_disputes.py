"""The calls of a dispute, over real gRPC."""

from collections.abc import Iterator

import pytest

from subid.v1.dispute_service_pb2 import DISPUTE_DECISION_HOLDER, DISPUTE_STATE_CLOSED
from telco_sim.disputes import DisputeDesk
from tests.unit.telco_sim.credulous_service import Country, caller, serve


@pytest.fixture
def desk() -> Iterator[DisputeDesk]:
    with serve(Country()) as channel:
        yield DisputeDesk(caller(channel, name="regulator"))


def test_a_dispute_is_opened_heard_and_decided(desk: DisputeDesk) -> None:
    opened = desk.open("+84599999999", claimant_id="001090999999")
    for is_for_claimant in (True, False):
        heard = desk.add_evidence(opened.dispute_id, is_for_claimant=is_for_claimant)
    evidence = [each.evidence for each in heard.evidence]
    assert [each.is_for_claimant for each in evidence] == [True, False]
    assert len({each.document_digest for each in evidence}) == 2
    assert desk.appeal(opened.dispute_id, personal_id="001090999999") == heard
    decided = desk.decide(opened.dispute_id, DISPUTE_DECISION_HOLDER)
    assert (decided.decision, decided.state) == (DISPUTE_DECISION_HOLDER, DISPUTE_STATE_CLOSED)
    assert desk.read(opened.dispute_id) == decided
