"""More verifications than the machine can judge: some are judged, the rest are told to come again.

The process that compares is held still meanwhile, so that nothing here depends on how fast the
machine is. How long anybody waits follows from how many may; times belong to the benchmarks.
"""

import queue
from typing import Any

from identity.services.face_pool import WAITING_PER_WORKER_MAX
from subid.v1 import verification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.comparisons import nothing_compared
from tests.integration.people import Evidence, complete_request, probes_of
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, Stubs

Call = Any
"""grpc's own class of a call under way has no public name."""

FLOOD = 30
LATECOMERS = 5
PHOTOGRAPHS = 5
ACCEPTED = 1 + WAITING_PER_WORKER_MAX
"""Of the one process that the shared server has."""


def test_what_is_accepted_in_a_flood_is_judged_and_the_rest_told_to_come_again(
    scene: Scene, faces: tuple[PhotographedPerson, ...]
) -> None:
    first = scene.verified(faces[0])  # with one process in turn: nothing older is under way
    stubs = scene.operator(first.operator)
    requests = [_request(scene, first.operator, faces[0]) for _ in range(FLOOD + LATECOMERS)]

    with nothing_compared():
        calls = _send(stubs, requests[:FLOOD])
        refused = _the_first_to_end(calls, FLOOD - ACCEPTED)
        late = _send(stubs, requests[FLOOD:])
        _the_first_to_end(late, LATECOMERS)
    assert {_refusal(each) for each in refused + late} == {
        ("RESOURCE_EXHAUSTED", "OVERLOADED", 1.0)
    }
    accepted = [each for each in calls if each not in refused]
    assert [_state(each) for each in accepted] == [pb.VERDICT_STATE_VERIFIED] * ACCEPTED

    # Who comes when all places are taken is refused before the session and the chip are touched.
    read = stubs.verifications.GetVerification
    assert {
        read(pb.GetVerificationRequest(verification_id=each.verification_id)).state
        for each in requests[FLOOD:]
    } == {pb.VERIFICATION_STATE_PENDING}

    # Nothing was decided about the others: the same request, sent again, is judged.
    turned_away = [requests[calls.index(each)] for each in refused[:2]] + requests[-1:]
    assert [_state(_send(stubs, [each])[0]) for each in turned_away] == [
        pb.VERDICT_STATE_VERIFIED
    ] * len(turned_away)


def _request(
    scene: Scene, operator: str, person: PhotographedPerson
) -> pb.CompleteVerificationRequest:
    """Somebody new with a card: the attempts of one are held back by another rule."""
    subscriber = scene.imported(operator)
    card = scene.card(subscriber.citizen, person)
    probes = probes_of(person, number=PHOTOGRAPHS)
    return complete_request(scene.start(subscriber), Evidence(card=card, probes=probes))


def _send(stubs: Stubs, requests: list[pb.CompleteVerificationRequest]) -> list[Call]:
    """Send all at once."""
    complete = stubs.verifications.CompleteVerification
    return [complete.future(request, timeout=TIMEOUT_S) for request in requests]


def _the_first_to_end(calls: list[Call], number: int) -> list[Call]:
    """Wait until that many are over; gives them."""
    over: queue.SimpleQueue[Call] = queue.SimpleQueue()
    for call in calls:
        call.add_done_callback(over.put)
    return [over.get(timeout=TIMEOUT_S) for _ in range(number)]


def _refusal(call: Call) -> tuple[str, str, float | None]:
    refused = Refused.of(call.exception())
    return refused.status, refused.reason, refused.retry_after_s


def _state(call: Call) -> int:
    return int(call.result().verdict.state)
