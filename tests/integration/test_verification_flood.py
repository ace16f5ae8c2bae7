"""More verifications than the machine can judge: some are judged, the rest are told to come again.

How long anybody waits follows from how many may wait; times belong to the benchmarks.
"""

from dataclasses import dataclass, replace
from typing import Any

from identity.services.face_pool import WAITING_PER_WORKER_MAX
from subid.v1 import verification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import complete_request, probes_of
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, Stubs

FLOOD = 60
PHOTOGRAPHS = 5
ACCEPTED_MAX = 1 + WAITING_PER_WORKER_MAX
"""Of the one process that the shared server has."""


@dataclass(frozen=True)
class Ended:
    """A call that is over."""

    request: pb.CompleteVerificationRequest
    call: Any

    @property
    def refusal(self) -> Refused | None:
        """How it was refused, if it was."""
        error = self.call.exception()
        return None if error is None else Refused.of(error)


def test_what_is_accepted_in_a_flood_is_judged_and_the_rest_told_to_come_again(
    scene: Scene, faces: tuple[PhotographedPerson, ...]
) -> None:
    subscriber = scene.registered()
    evidence = replace(
        scene.evidence(subscriber.citizen, faces[0]),
        probes=probes_of(faces[0], seed=7, number=PHOTOGRAPHS),
    )
    stubs = scene.operator(subscriber.operator)
    requests = [complete_request(scene.start(subscriber), evidence) for _ in range(FLOOD)]

    ended = _together(stubs, requests)
    accepted = [each for each in ended if each.refusal is None]
    refused = [each for each in ended if each.refusal is not None]
    assert len(accepted) >= ACCEPTED_MAX
    assert len(refused) > FLOOD / 4
    for each in refused:
        assert each.refusal is not None
        assert each.refusal.status == "RESOURCE_EXHAUSTED"
        assert (each.refusal.reason, each.refusal.retry_after_s) == ("OVERLOADED", 1.0)
    assert _states(accepted) == {pb.VERDICT_STATE_VERIFIED}

    # Most were refused before their session was taken and their chip was read.
    read = stubs.verifications.GetVerification
    pending = [
        each
        for each in refused
        if read(pb.GetVerificationRequest(verification_id=each.request.verification_id)).state
        == pb.VERIFICATION_STATE_PENDING
    ]
    assert len(pending) > len(refused) / 2

    # Nothing was decided about the others: the same request, sent again, is judged.
    again = [_together(stubs, [each.request])[0] for each in refused[:3]]
    assert _states(again) == {pb.VERDICT_STATE_VERIFIED}


def _together(stubs: Stubs, requests: list[pb.CompleteVerificationRequest]) -> list[Ended]:
    """Send all at once; gives how each ended, when all have."""
    complete = stubs.verifications.CompleteVerification
    calls = [complete.future(request, timeout=TIMEOUT_S) for request in requests]
    for call in calls:
        call.exception()  # waits
    return [Ended(request, call) for request, call in zip(requests, calls, strict=True)]


def _states(ended: list[Ended]) -> set[int]:
    return {each.call.result().verdict.state for each in ended}
