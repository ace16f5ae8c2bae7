"""Let each live photograph count once.

Owns whom a photograph is for, and what is noted when it was for somebody else before. How
photographs are told from each other is `biometrics.face.look`'s; which are kept, storage's.
"""

from dataclasses import replace
from itertools import zip_longest

from identity.audit.log import AuditEntry, append
from identity.domain.probe_replay import ProbeReplay
from identity.domain.verification import FaceEvidence
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.probes import Photograph, ProbeUse


def with_replay(uow: UnitOfWork, call: Call, face: FaceEvidence, use: ProbeUse) -> FaceEvidence:
    """The findings of a face, with how its photographs were used before; they are used now.

    Photographs that were not compared are neither looked for nor remembered: they proved nothing.

    Args:
        uow: The transaction that stores the verdict.
        call: The circumstances.
        face: The findings.
        use: For whom, and in which session.
    """
    if face.dissimilarity is None:
        return face
    pairs = zip_longest(face.probe_digests, face.probe_looks, fillvalue=b"")
    photographs = [Photograph(digest=digest, look=look) for digest, look in pairs]
    users = uow.probes.take(photographs, use, since=use.at - call.rules.probes.kept)
    others = users - {use.citizen_key}
    if others:
        uow.probes.flag({use.citizen_key, *others}, use)
        append(uow.connection, [_entry(call, key) for key in sorted({use.citizen_key, *others})])
        return replace(face, replay=ProbeReplay.OTHER_PERSON)
    return replace(face, replay=ProbeReplay.SAME_PERSON) if users else face


def _entry(call: Call, citizen_key: bytes) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="flag_probe",
        outcome=ProbeReplay.OTHER_PERSON.value,
        citizen_key=citizen_key,
    )
