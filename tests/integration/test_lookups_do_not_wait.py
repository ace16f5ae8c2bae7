"""Look-ups do not wait for faces to be compared.

The processes that compare are held still meanwhile, so that nothing depends on how fast the machine
is: a look-up that waited for one would not be answered at all. Times belong to the benchmarks.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from identity.services.face_pool import WAITING_PER_WORKER_MAX
from subid.v1 import verification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.comparisons import nothing_compared
from tests.integration.people import Subscriber, complete_request, probes_of
from tests.integration.scene import Scene

PARALLEL = 1 + WAITING_PER_WORKER_MAX
"""As many comparisons as the one process of the shared server takes on."""

LOOKUPS = 60
PROBES = 3


def test_look_ups_are_answered_while_every_comparison_stands_still(
    scene: Scene, faces: tuple[PhotographedPerson, ...]
) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    others = [scene.registered() for _ in range(PARALLEL)]
    requests = [_request(scene, other, faces[0]) for other in others]

    with ThreadPoolExecutor(PARALLEL) as threads, nothing_compared():
        calls = [
            threads.submit(_complete, scene, other, request)
            for other, request in zip(others, requests, strict=True)
        ]
        for _ in range(LOOKUPS):
            contact = scene.contact(subscriber.citizen.personal_id).contact
            assert contact.msisdn == subscriber.msisdn
        assert not any(call.done() for call in calls)
    assert {call.result().verdict.state for call in calls} == {pb.VERDICT_STATE_VERIFIED}


def _request(
    scene: Scene, subscriber: Subscriber, face: PhotographedPerson
) -> pb.CompleteVerificationRequest:
    evidence = scene.evidence(subscriber.citizen, face)
    several = replace(evidence, probes=probes_of(face, number=PROBES))
    return complete_request(scene.start(subscriber), several)


def _complete(
    scene: Scene, subscriber: Subscriber, request: pb.CompleteVerificationRequest
) -> pb.CompleteVerificationResponse:
    stub = scene.operator(subscriber.operator).verifications
    return stub.CompleteVerification(request)  # type: ignore[no-any-return] # an untyped stub
