"""A small country at the service that believes everything.

Owns a world for tests of chapters and cheats, with faces that are plain walls.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from PIL import Image

from telco_sim.camera import HeadFinder
from telco_sim.cards import CardAuthority
from telco_sim.country import CALLERS, build_world
from telco_sim.intrusions import HOME_MADE_CERTIFICATE, NO_CERTIFICATE
from telco_sim.journal import Finding, Invariant
from telco_sim.measurements import Measurements
from telco_sim.photographs import PhotographedPerson, PhotographLibrary
from telco_sim.wire import Wiretap
from telco_sim.world import Plan, World
from tests.unit.telco_sim.credulous_service import Country, caller, serve

ESTABLISHED_ON = date(2023, 6, 1)


def faceless(colour: int) -> PhotographedPerson:
    """Somebody whose photographs show a plain wall: the credulous service does not mind."""
    return PhotographedPerson(
        name=f"wall {colour}",
        sources=(lambda: Image.new("RGB", (200, 200), (colour, colour, colour)),),
        head_finder=HeadFinder(),
    )


def library() -> PhotographLibrary:
    """Two walls that differ."""
    return PhotographLibrary((faceless(80), faceless(160)))


@contextmanager
def open_world(country: Country) -> Iterator[World]:
    """Serve a country and build a world in front of it, with three holders verified already."""
    wiretap = Wiretap(Measurements())
    names = [*(each.name for each in CALLERS), NO_CERTIFICATE, HOME_MADE_CERTIFICATE]
    authority = CardAuthority(established_on=ESTABLISHED_ON, active_authentication_keys=1)
    with serve(country) as channel:
        world = build_world(
            Plan(citizen_count=80),
            callers={name: caller(channel, name=name, wiretap=wiretap) for name in names},
            library=library(),
            authority=authority,
            wiretap=wiretap,
        )
        verified = world.cast.take(6)
        world.verified.extend(verified)
        world.released.append(verified[-1])
        world.primaries[verified[0].holder.personal_id] = verified[0].msisdn
        yield world


def finding(world: World, invariant: Invariant) -> Finding:
    """What a world's journal has about one invariant: one finding."""
    (found,) = world.journal.findings(invariant)
    return found
