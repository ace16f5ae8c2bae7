"""Putting the country together.

Owns how a world is built from a plan, photographs, a card authority and connections. It refuses
to know whether the service was started for it or was there before.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from telco_sim.authorities import Agency, PopulationAuthority, Regulator
from telco_sim.books import Bookkeeper
from telco_sim.cards import CardAuthority
from telco_sim.citizens import CitizenApp
from telco_sim.clock import SimulatedClock
from telco_sim.directives import DirectiveDesk, Habit
from telco_sim.intrusions import HOME_MADE_CERTIFICATE, NO_CERTIFICATE
from telco_sim.journal import Journal
from telco_sim.ledger import DirectiveLedger
from telco_sim.messages import instant_of
from telco_sim.numbering import OPERATORS, NumberGenerator
from telco_sim.operators import Operator
from telco_sim.photographs import PhotographLibrary
from telco_sim.population import draw_population
from telco_sim.server import CallerIdentity
from telco_sim.strangers import home_made
from telco_sim.studio import ACTIVE_AUTHENTICATION_KEYS, Studio
from telco_sim.wire import Caller, CallerKeys, Wiretap, open_channel
from telco_sim.world import Cast, Plan, World

POPULATION, AGENCY, REGULATOR, APP = "population", "agency", "regulator", "citizen-app"
"""Names of the callers that are not operators; each is also the name of its role."""

CALLERS = (
    *(CallerIdentity(role="operator", name=name) for name in OPERATORS),
    *(CallerIdentity(role=name, name=name) for name in (POPULATION, AGENCY, REGULATOR, APP)),
)
"""Everybody who needs a certificate of the service."""

HABITS: Mapping[str, Habit] = MappingProxyType(dict(zip(OPERATORS, Habit, strict=True)))
"""One operator is prompt, one clumsy, one late."""

_CARDS_SINCE = timedelta(days=1_200)
"""The card authority is this old: under five years, in which its key signs cards."""

_CERTIFICATE_FILE = "csca-simulated.der"
_REVOCATION_LIST_FILE = "csca-simulated.crl"


def found_card_authority(*, now: datetime, trust_anchors: Path) -> CardAuthority:
    """Found an authority for ID cards, and give its certificate to whoever verifies cards.

    Args:
        now: The present; the revocation list is good for 90 days from then.
        trust_anchors: Folder for the certificate and the revocation list, made when absent.
    """
    authority = CardAuthority(
        established_on=(now - _CARDS_SINCE).date(),
        active_authentication_keys=ACTIVE_AUTHENTICATION_KEYS,
    )
    trust_anchors.mkdir(parents=True, exist_ok=True)
    (trust_anchors / _CERTIFICATE_FILE).write_bytes(authority.certificate)
    (trust_anchors / _REVOCATION_LIST_FILE).write_bytes(authority.revocation_list(at=now))
    return authority


@contextmanager
def open_callers(address: str, *, folder: Path, wiretap: Wiretap) -> Iterator[Mapping[str, Caller]]:
    """Connect every caller, and two strangers; disconnect them at the end.

    Raises:
        FileNotFoundError: A caller's certificate is not in the folder.
    """
    keys = {each.name: CallerKeys.read(folder, name=each.name) for each in CALLERS}
    keys[NO_CERTIFICATE] = keys[AGENCY].without_certificate()
    keys[HOME_MADE_CERTIFICATE] = home_made(keys[AGENCY])
    with ExitStack() as channels:
        yield {
            name: Caller(
                name=name,
                channel=channels.enter_context(open_channel(address, keys=each)),
                wiretap=wiretap,
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
    return World(
        plan=plan,
        people=people,
        operators=operators,
        desks=_open_desks(operators, ledger=ledger, journal=journal),
        population=PopulationAuthority(callers[POPULATION]),
        agency=Agency(callers[AGENCY]),
        regulator=regulator,
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


def _open_desks(
    operators: tuple[Operator, ...], *, ledger: DirectiveLedger, journal: Journal
) -> dict[str, DirectiveDesk]:
    return {
        each.name: DirectiveDesk(each, habit=HABITS[each.name], ledger=ledger, journal=journal)
        for each in operators
    }
