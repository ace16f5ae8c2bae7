"""Writes of arrangements that will be accepted, and the people that they begin with.

Owns the steps before each of them. What a write is, is `writes.py`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from identity.domain.caller import Caller, Role
from subid.v1 import arrangement_service_pb2 as pb
from telco_sim.population import Citizen
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.integration.wire import new_id
from tests.integration.writes import REGULATOR, Write, with_other

APP = Caller(Role.CITIZEN_APP, "app")
ORGANISATION = "0100109106-001"
_YEAR = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A guardian and a child, whom the register knows."""

    guardian: Citizen
    child: Citizen


def family(scene: Scene, *, child_years: int = 5) -> Family:
    """A guardian, and a child some weeks older than so many years."""
    born_on = datetime.now(UTC).date() - child_years * _YEAR
    child = replace(scene.people.citizen(), birth_date=born_on)
    scene.record(child)
    return Family(guardian=scene.citizen(), child=child)


def proposing(home: Family) -> pb.ProposeGuardianshipRequest:
    return pb.ProposeGuardianshipRequest(
        request_id=new_id(),
        guardian_personal_id=home.guardian.personal_id,
        child_personal_id=home.child.personal_id,
    )


def proposed(scene: Scene, home: Family) -> str:
    """The identifier of a guardianship that waits for papers."""
    answer = scene.app.arrangements.ProposeGuardianship(proposing(home))
    return str(answer.arrangement.arrangement_id)


def attesting(home: Family, arrangement_id: str) -> pb.AttestGuardianshipRequest:
    return pb.AttestGuardianshipRequest(
        request_id=new_id(),
        arrangement_id=arrangement_id,
        guardian_personal_id=home.guardian.personal_id,
        child_personal_id=home.child.personal_id,
        document_digest=bytes(range(32)),
    )


def guarded(scene: Scene) -> tuple[Family, str]:
    """A guardianship that holds."""
    home = family(scene)
    arrangement_id = proposed(scene, home)
    scene.regulator.arrangements.AttestGuardianship(attesting(home, arrangement_id))
    return home, arrangement_id


def proposing_line(subscriber: Subscriber) -> pb.ProposeCompanyLineRequest:
    return pb.ProposeCompanyLineRequest(
        request_id=new_id(),
        msisdn=subscriber.msisdn,
        organisation_code=ORGANISATION,
        employee_personal_id=subscriber.citizen.personal_id,
    )


def line(scene: Scene) -> tuple[Subscriber, str]:
    """A company's line that waits for its user."""
    subscriber = scene.imported(scene.people.operator_name())
    stub = scene.operator(subscriber.operator).arrangements
    answer = stub.ProposeCompanyLine(proposing_line(subscriber))
    return subscriber, str(answer.arrangement.arrangement_id)


def propose_guardianship(scene: Scene) -> Write:
    request = proposing(family(scene))
    other = with_other(request, child_personal_id=scene.citizen().personal_id)
    return Write(caller=APP, request=request, other=other)


def attest_guardianship(scene: Scene) -> Write:
    home = family(scene)
    request = attesting(home, proposed(scene, home))
    other = with_other(request, document_digest=bytes(32))
    return Write(caller=REGULATOR, request=request, other=other)


def propose_company_line(scene: Scene) -> Write:
    subscriber = scene.imported(scene.people.operator_name())
    request = proposing_line(subscriber)
    other = with_other(request, organisation_code="0100109106")
    return Write(caller=Caller(Role.OPERATOR, subscriber.operator), request=request, other=other)


def accept_arrangement(scene: Scene) -> Write:
    subscriber, arrangement_id = line(scene)
    request = pb.AcceptArrangementRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        arrangement_id=arrangement_id,
    )
    return Write(caller=APP, request=request, other=with_other(request, arrangement_id=new_id()))


def refuse_arrangement(scene: Scene) -> Write:
    subscriber, arrangement_id = line(scene)
    request = pb.RefuseArrangementRequest(
        request_id=new_id(),
        personal_id=subscriber.citizen.personal_id,
        arrangement_id=arrangement_id,
    )
    return Write(caller=APP, request=request, other=with_other(request, arrangement_id=new_id()))


def end_arrangement(scene: Scene) -> Write:
    _, arrangement_id = guarded(scene)
    request = pb.EndArrangementRequest(request_id=new_id(), arrangement_id=arrangement_id)
    other = with_other(request, arrangement_id=new_id())
    return Write(caller=REGULATOR, request=request, other=other)


WRITES_OF_ARRANGEMENTS: MappingProxyType[str, Callable[[Scene], Write]] = MappingProxyType(
    {
        "ArrangementService/ProposeGuardianship": propose_guardianship,
        "ArrangementService/AttestGuardianship": attest_guardianship,
        "ArrangementService/ProposeCompanyLine": propose_company_line,
        "ArrangementService/AcceptArrangement": accept_arrangement,
        "ArrangementService/RefuseArrangement": refuse_arrangement,
        "ArrangementService/EndArrangement": end_arrangement,
    }
)
