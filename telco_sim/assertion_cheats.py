"""Cheats with assertions.

Owns the attempts of an app to act for a citizen who is not there: with no proof, with somebody
else's, with one that has ended, was stolen or was made up.
"""

from subid.v1.citizen_service_pb2 import GetPrimaryNumberRequest
from telco_sim.assertions import AssertionIssuer, CitizenProofs, thumbprint
from telco_sim.attackers import Answer, Cheat
from telco_sim.wire import Caller
from telco_sim.world import World

_HOUR_S = 3_600
_NOT_BELIEVED = ("UNAUTHENTICATED", "ASSERTION_INVALID")


def no_assertion(world: World) -> Answer:
    """The app names a citizen and proves nobody."""
    return _ask(world, "")


def anothers_assertion(world: World) -> Answer:
    """The app shows that one citizen is there, and asks for another."""
    proofs = _proofs(world)
    return _ask(world, _bearer(proofs.issuer.sign(proofs.claims(_another(world)))))


def ended_assertion(world: World) -> Answer:
    """The app shows what was true an hour ago."""
    proofs = _proofs(world)
    claims = proofs.claims(_citizen(world))
    claims |= {"iat": claims["iat"] - _HOUR_S, "exp": claims["exp"] - _HOUR_S}
    return _ask(world, _bearer(proofs.issuer.sign(claims)))


def stolen_assertion(world: World) -> Answer:
    """The app shows an assertion that was made for another certificate."""
    proofs, other = _proofs(world), world.callers[world.operators[0].name]
    bound_to = thumbprint(other.certificate or b"")
    claims = proofs.claims(_citizen(world)) | {"cnf": {"x5t#S256": bound_to}}
    return _ask(world, _bearer(proofs.issuer.sign(claims)))


def strangers_assertion(world: World) -> Answer:
    """The app shows an assertion that it has signed itself, in the issuer's name."""
    claims = _proofs(world).claims(_citizen(world))
    return _ask(world, _bearer(AssertionIssuer.founded().sign(claims)))


def unsigned_assertion(world: World) -> Answer:
    """The app shows an assertion that nobody has signed, and says so: `alg: none`."""
    proofs = _proofs(world)
    token = proofs.issuer.sign(proofs.claims(_citizen(world)), algorithm="none")
    return _ask(world, _bearer(token))


def _app(world: World) -> Caller:
    return world.callers["citizen-app"]


def _proofs(world: World) -> CitizenProofs:
    proofs = _app(world).proofs
    if proofs is None:
        raise AssertionError("the app has nothing to prove its citizens with")
    return proofs


def _citizen(world: World) -> str:
    return world.people[0].personal_id


def _another(world: World) -> str:
    return world.people[1].personal_id


def _bearer(token: str) -> str:
    return f"Bearer {token}"


def _ask(world: World, authorization: str) -> Answer:
    app = _app(world)
    request = GetPrimaryNumberRequest(personal_id=_citizen(world))
    return Answer.of_success(
        app.ask(app.citizens.GetPrimaryNumber, request, authorization=authorization)
    )


ASSERTION_CHEATS = (
    Cheat(
        name="no assertion",
        tried="act for a citizen without proof that they are there",
        expected=("UNAUTHENTICATED", "ASSERTION_MISSING"),
        attempt=no_assertion,
    ),
    Cheat(
        name="somebody else's assertion",
        tried="act for a citizen while another one is there",
        expected=("PERMISSION_DENIED", "PERMISSION_REFUSED"),
        attempt=anothers_assertion,
    ),
    Cheat(
        name="ended assertion",
        tried="act for a citizen who was there an hour ago",
        expected=_NOT_BELIEVED,
        attempt=ended_assertion,
    ),
    Cheat(
        name="stolen assertion",
        tried="show an assertion that is bound to another certificate",
        expected=_NOT_BELIEVED,
        attempt=stolen_assertion,
    ),
    Cheat(
        name="stranger's assertion",
        tried="sign an assertion oneself, in the issuer's name",
        expected=_NOT_BELIEVED,
        attempt=strangers_assertion,
    ),
    Cheat(
        name="unsigned assertion",
        tried="show an assertion with the algorithm none",
        expected=_NOT_BELIEVED,
        attempt=unsigned_assertion,
    ),
)
"""Every cheat with an assertion."""
