"""Look-ups stay quick while faces are compared.

Owns one bound, relative to the same machine at rest: absolute times belong to the benchmarks.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from subid.v1 import verification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.people import Subscriber, complete_request, probes_of
from tests.integration.scene import Scene

SLOWER_AT_MOST = 10
FLOOR_S = 0.1
"""On two busy cores a single look-up may wait this long for its turn whatever the service does."""

PARALLEL = 4
LOOKUPS_AT_REST = 60
PROBES = 3


def test_look_ups_stay_quick_while_photographs_are_compared(
    scene: Scene, faces: tuple[PhotographedPerson, ...]
) -> None:
    subscriber = scene.verified(faces[0])
    scene.set_primary(subscriber)
    others = [scene.registered() for _ in range(PARALLEL)]
    requests = [_request(scene, other, faces[0]) for other in others]
    at_rest = [_look_up(scene, subscriber) for _ in range(LOOKUPS_AT_REST)]

    with ThreadPoolExecutor(PARALLEL) as threads:
        calls = [
            threads.submit(_complete, scene, other, request)
            for other, request in zip(others, requests, strict=True)
        ]
        under_load = _look_up_until(scene, subscriber, calls)
        states = {call.result().verdict.state for call in calls}
    assert states == {pb.VERDICT_STATE_VERIFIED}
    assert len(under_load) >= PARALLEL
    assert _p95(under_load) < SLOWER_AT_MOST * max(_p95(at_rest), FLOOR_S / SLOWER_AT_MOST)


def _look_up_until(
    scene: Scene, subscriber: Subscriber, calls: list[Future[pb.CompleteVerificationResponse]]
) -> list[float]:
    durations = []
    while not all(call.done() for call in calls):
        durations.append(_look_up(scene, subscriber))
    return durations


def _request(
    scene: Scene, subscriber: Subscriber, face: PhotographedPerson
) -> pb.CompleteVerificationRequest:
    evidence = scene.evidence(subscriber.citizen, face)
    several = replace(evidence, probes=probes_of(face, seed=3, number=PROBES))
    return complete_request(scene.start(subscriber), several)


def _complete(
    scene: Scene, subscriber: Subscriber, request: pb.CompleteVerificationRequest
) -> pb.CompleteVerificationResponse:
    stub = scene.operator(subscriber.operator).verifications
    return stub.CompleteVerification(request)  # type: ignore[no-any-return] # an untyped stub


def _look_up(scene: Scene, subscriber: Subscriber) -> float:
    began_at = time.perf_counter()
    contact = scene.contact(subscriber.citizen.personal_id).contact
    duration_s = time.perf_counter() - began_at
    assert contact.msisdn == subscriber.msisdn
    return duration_s


def _p95(durations: list[float]) -> float:
    return sorted(durations)[int(0.95 * len(durations))]
