"""Putting the country together.

Owns how a world is built from a plan, photographs, a card authority and connections. It refuses
to know whether the service was started for it or was there before.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from types import MappingProxyType

from telco_sim.agencies import FISHER, GUESSER, HASTY, STRANGER, WRITER, Agency, Look
from telco_sim.assertions import AssertionIssuer, CitizenProofs
from telco_sim.authorities import PopulationAuthority, Regulator
from telco_sim.books import Bookkeeper, e164, new_number
from telco_sim.cards import CardAuthority, Companion
from telco_sim.citizens import CitizenApp
from telco_sim.clock import SimulatedClock
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.intrusions import HOME_MADE_CERTIFICATE, NO_CERTIFICATE
from telco_sim.journal import Journal
from telco_sim.ledger import DirectiveLedger
from telco_sim.message_desks import MessageDesk, MessageHabit
from telco_sim.messages import instant_of
from telco_sim.networks import Network
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.operators import Operator
from telco_sim.photographs import PhotographLibrary
from telco_sim.population import draw_population
from telco_sim.server import CallerIdentity
from telco_sim.strangers import home_made
from telco_sim.studio import ACTIVE_AUTHENTICATION_KEYS, Studio
from telco_sim.updates import UpdateDesk
from telco_sim.wire import Caller, CallerKeys, Wiretap, open_channel
from telco_sim.world import Cast, Plan, World

POPULATION, AGENCY, REGULATOR, APP = "population", "agency", "regulator", "citizen-app"
"""Names of the callers that are not operators; each is also the name of its role."""

SECOND_REGULATOR = "regulator-second"
"""A colleague at the regulator: nobody approves a wave alone."""

APPEAL_REGULATORS = ("regulator-third", "regulator-fourth")
"""Two more: an appeal is decided by others than the dispute was."""

AGENCIES = (AGENCY, WRITER, FISHER, GUESSER, HASTY, STRANGER)
"""Every agency; the first one is granted numbers."""

CALLERS = (
    *(CallerIdentity(role="operator", name=name) for name in OPERATORS),
    *(CallerIdentity(role=name, name=name) for name in (POPULATION, REGULATOR, APP)),
    *(CallerIdentity(role=AGENCY, name=name) for name in AGENCIES),
    *(CallerIdentity(role=REGULATOR, name=name) for name in (SECOND_REGULATOR, *APPEAL_REGULATORS)),
)
"""Everybody who needs a certificate of the service."""

HABITS: Mapping[str, Habit] = MappingProxyType(dict(zip(OPERATORS, Habit, strict=True)))
"""No two operators are alike."""

MESSAGE_HABITS: Mapping[str, MessageHabit] = MappingProxyType(
    dict(zip(OPERATORS, cycle(MessageHabit)))
)
"""How each sends messages."""

_CARDS_SINCE = timedelta(days=1_200)
"""The card authority is this old: under five years, in which its key signs cards."""

_LIST_GOOD_FOR = timedelta(days=370)
"""Longer than any simulation lasts: nobody would fetch the next list. Real ones are renewed at
least every 90 days (Doc 9303-12, 4.1.4)."""

_OVERDUE = timedelta(days=180)
"""So long ago the authority that is late published its last list."""

_CERTIFICATE_FILE = "csca-simulated.der"
_REVOCATION_LIST_FILE = "csca-simulated.crl"


def found_card_authority(*, now: datetime, trust_anchors: Path) -> CardAuthority:
    """Found an authority for ID cards, and give its certificate to whoever verifies cards.

    Args:
        now: The present, from which the revocation list is good.
        trust_anchors: Folder for the certificate and the revocation list, made when absent.
    """
    authority = CardAuthority(
        established_on=(now - _CARDS_SINCE).date(),
        active_authentication_keys=ACTIVE_AUTHENTICATION_KEYS,
    )
    trust_anchors.mkdir(parents=True, exist_ok=True)
    (trust_anchors / _CERTIFICATE_FILE).write_bytes(authority.certificate)
    (trust_anchors / _REVOCATION_LIST_FILE).write_bytes(
        authority.revocation_list(at=now, good_for=_LIST_GOOD_FOR)
    )
    return authority


def found_companions(authority: CardAuthority, *, now: datetime, trust_anchors: Path) -> None:
    """Give away the certificates and lists of authorities beside the real one, too.

    A verifier's folder is not always as it should be: an overdue list, none at all, a neighbour's
    authority. Nobody may pass for that.

    Args:
        authority: The real one.
        now: The present.
        trust_anchors: The folder, which is there.
    """
    for kind in Companion:
        companion, path = authority.companion(kind), trust_anchors / f"csca-{kind}"
        path.with_suffix(".der").write_bytes(companion.certificate)
        if kind is Companion.REVOKED:
            companion.revoke_all_signers(until=now.date(), at=now)
        if kind is not Companion.SILENT:
            issued_at = now - _OVERDUE if kind is Companion.LATE else now
            good_for = _OVERDUE / 2 if kind is Companion.LATE else _LIST_GOOD_FOR
            revoked = companion.revocation_list(at=issued_at, good_for=good_for)
            path.with_suffix(".crl").write_bytes(revoked)


@contextmanager
def open_callers(address: str, *, folder: Path, wiretap: Wiretap) -> Iterator[Mapping[str, Caller]]:
    """Connect every caller, and two strangers; disconnect them at the end.

    Raises:
        FileNotFoundError: A caller's certificate is not in the folder.
    """
    keys = {each.name: CallerKeys.read(folder, name=each.name) for each in CALLERS}
    proofs = CitizenProofs(
        AssertionIssuer.of_folder(folder), certificate=keys[APP].certificate or b""
    )
    keys[NO_CERTIFICATE] = keys[AGENCY].without_certificate()
    keys[HOME_MADE_CERTIFICATE] = home_made(keys[AGENCY])
    with ExitStack() as channels:
        yield {
            name: Caller(
                name=name,
                channel=channels.enter_context(open_channel(address, keys=each)),
                wiretap=wiretap,
                keys=each,
                proofs=proofs if name == APP else None,
            )
            for name, each in keys.items()
        }


def build_world(
    plan: Plan,
    *,
    callers: Mapping[str, Caller],
    library: PhotographLibrary,
    authority: CardAuthority,
    wiretap: Wiretap,
) -> World:
    """Draw the people and their numbers, and give everybody a connection.

    The simulated clock is set by what the regulator hears from the service.

    Raises:
        Refusal: The service did not say what time it is.
    """
    regulator = Regulator(callers[REGULATOR])
    clock = SimulatedClock(instant_of(regulator.advance().as_of_time))
    today = clock.today()
    people = draw_population(plan.citizen_count, seed=plan.seed, today=today)
    numbers = NumberGenerator(seed=plan.seed)
    bookkeeper = Bookkeeper(people, numbers=numbers, seed=plan.seed, today=today)
    books = bookkeeper.draw(tuple(OPERATORS))
    operators = tuple(Operator(callers[name], book=book) for name, book in books.items())
    studio = Studio(library, authority=authority, seed=plan.seed, today=today)
    journal = Journal()
    ledger = DirectiveLedger(started_at=clock.now())
    population = PopulationAuthority(callers[POPULATION])
    looks: list[Look] = []
    agencies = {name: Agency(callers[name], looks=looks) for name in AGENCIES}
    return World(
        plan=plan,
        started_on=today,
        people=people,
        operators=operators,
        desks={
            each.name: DirectiveDesk(
                each,
                habit=HABITS[each.name],
                network=_network_of(each, numbers=numbers),
                clock=clock,
                ledger=ledger,
                journal=journal,
            )
            for each in operators
        },
        population=population,
        update_desk=UpdateDesk(population, journal=journal),
        message_desks={
            name: MessageDesk(callers[name], habit=habit) for name, habit in MESSAGE_HABITS.items()
        },
        agency=agencies[AGENCY],
        agencies=agencies,
        looks=looks,
        regulator=regulator,
        second_regulator=Regulator(callers[SECOND_REGULATOR]),
        appeal_regulators=tuple(Regulator(callers[name]) for name in APPEAL_REGULATORS),
        app=CitizenApp(callers[APP]),
        callers=callers,
        studio=studio,
        numbers=numbers,
        cast=Cast(operators, generator=studio.chance("cast")),
        clock=clock,
        journal=journal,
        ledger=ledger,
        wiretap=wiretap,
    )


def _network_of(operator: Operator, *, numbers: NumberGenerator) -> Network:
    return Network(
        operator.lines,
        new_number=lambda: e164(new_number(numbers, operator_name=operator.name)),
    )
