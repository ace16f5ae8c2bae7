"""How long a whole verification takes, against the bare face_recognition calls."""

import io
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

import grpc
import numpy as np
import numpy.typing as npt
from PIL import Image

from identity.domain.caller import Caller, Role
from identity.domain.holder import PopulationRecord
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.storage.database import UnitOfWork
from subid.v1 import verification_service_pb2 as pb
from subid.v1 import verification_service_pb2_grpc
from telco_sim.cards import Card, CardAuthority
from telco_sim.photographs import PhotographedPerson, PhotographLibrary
from telco_sim.population import Citizen, citizens
from tests.benchmarks.harness import Benchmark, benchmark
from tests.benchmarks.running import Target, running_target, subscription

ROUNDS = 25
WARM_UP_ROUNDS = 2
NUMBER = MSISDN("+84912345678")


def complete_verification() -> Benchmark:
    """CompleteVerification, chip and all, against face_recognition on the same photographs."""
    today = datetime.now(UTC).date()
    citizen = next(c for c in citizens(seed=1, today=today) if _is_adult(c))
    person = PhotographLibrary.built_in().people[0]
    authority = CardAuthority(established_on=today - timedelta(days=400))
    portrait = person.portrait()
    card = authority.issue(citizen, portrait=portrait, issued_on=today - timedelta(days=200))

    def fill(uow: UnitOfWork) -> None:
        record = _record(citizen)
        uow.citizens.save_many([record], at=datetime.now(UTC))
        uow.subscriptions.save(subscription(record, NUMBER))

    trust = {
        "anchor.der": authority.certificate,
        "anchor.crl": authority.revocation_list(at=datetime.now(UTC)),
    }
    with running_target(fill, trust=trust) as target:
        ours_ms, theirs_ms = _compare(target, card, person, portrait)
    return benchmark(
        "complete_verification",
        ratio=median(o / t for o, t in zip(ours_ms, theirs_ms, strict=True)),
        goal=1.1,
        is_at_most=True,
        times_ms=ours_ms,
        notes=(
            f"CompleteVerification {median(ours_ms):.0f} ms of face_recognition's face_locations "
            f"and face_encodings on the same two photographs {median(theirs_ms):.0f} ms, at most"
        ),
    )


def _compare(
    target: Target, card: Card, person: PhotographedPerson, portrait: bytes
) -> tuple[list[float], list[float]]:
    generator = random.Random(1)
    ours_ms: list[float] = []
    theirs_ms: list[float] = []
    credentials = target.credentials(Caller(Role.OPERATOR, "benchmark"))
    with grpc.secure_channel(target.address, credentials) as channel:
        stub = verification_service_pb2_grpc.VerificationServiceStub(channel)
        for _ in range(WARM_UP_ROUNDS + ROUNDS):
            probe = person.probe(generator=generator)
            ours_ms.append(_time_ours(stub, card, probe))
            theirs_ms.append(_time_theirs([portrait, probe]))
    return ours_ms[WARM_UP_ROUNDS:], theirs_ms[WARM_UP_ROUNDS:]


def _time_ours(
    stub: verification_service_pb2_grpc.VerificationServiceStub, card: Card, probe: bytes
) -> float:
    started = stub.StartVerification(
        pb.StartVerificationRequest(request_id=str(uuid4()), msisdn=NUMBER.value)
    )
    groups = card.data_groups
    request = pb.CompleteVerificationRequest(
        request_id=str(uuid4()),
        verification_id=started.verification_id,
        chip_files=pb.ChipFiles(
            sod=card.sod, dg1=groups[1], dg2=groups[2], dg13=groups[13], dg15=groups[15]
        ),
        active_authentication_signature=card.answer(started.chip_nonce),
        probe_photographs=[probe],
    )
    began_at = time.perf_counter()
    verdict = stub.CompleteVerification(request).verdict
    elapsed_ms = 1000 * (time.perf_counter() - began_at)
    assert verdict.state == pb.VERDICT_STATE_VERIFIED, verdict
    return elapsed_ms


def _time_theirs(images: Sequence[bytes]) -> float:
    # Imported here: it makes Pillow accept broken files in the whole process.
    import face_recognition  # noqa: PLC0415 - explained above

    began_at = time.perf_counter()
    for image in images:
        pixels = _pixels(image)
        boxes = face_recognition.face_locations(pixels)
        assert face_recognition.face_encodings(pixels, boxes)
    return 1000 * (time.perf_counter() - began_at)


def _pixels(image: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))


def _is_adult(citizen: Citizen) -> bool:
    return citizen.is_alive and citizen.birth_date.year < datetime.now(UTC).year - 20


def _record(citizen: Citizen) -> PopulationRecord:
    return PopulationRecord(
        personal_id=PersonalID(citizen.personal_id),
        full_name=PersonName(citizen.full_name),
        birth_date=citizen.birth_date,
    )
