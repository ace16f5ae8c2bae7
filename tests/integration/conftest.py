"""A real server for a test run's worker: real PostgreSQL, real gRPC, real mutual TLS.

Owns starting it once and handing out channels by role. Tests share it and keep apart by using
citizens and numbers of their own.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import grpc
import pytest

from identity.bootstrap import running_server
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.security.certificates import Identity, load_or_create_authority
from telco_sim.cards import CardAuthority
from telco_sim.photographs import PhotographedPerson, PhotographLibrary, PhotographsUnavailableError
from tests.databases import own_database
from tests.integration.assertions import asserting
from tests.integration.counters import register_counters
from tests.integration.matching import MATCHER, register_matcher
from tests.integration.people import People
from tests.integration.scene import AGENCY, RIGHTS_OF_AGENCY, Scene
from tests.integration.wire import Stubs
from tests.integration.witnessing import register_ombudsman

START_TIMEOUT_S = 300.0
"""Far longer than any start takes, on any machine: one that hangs fails its test, not the run."""

Connect = Callable[[Role, str], grpc.Channel]
ActAs = Callable[[Role, str], Stubs]
IdentityOf = Callable[[Role, str], Identity]


@dataclass(frozen=True)
class World:
    """What a server was started with."""

    address: str
    settings: Settings
    cards: CardAuthority


@pytest.fixture(scope="session")
def world(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A running server on a simulated clock, and the card authority that it trusts.

    On a database of its own: it seals with keys of its own and moves its clock far ahead.
    """
    state = tmp_path_factory.mktemp("state")
    cards = CardAuthority(
        # Last year, so that a card can be some weeks old on any day.
        established_on=date(datetime.now(UTC).year - 1, 1, 1),
        active_authentication_keys=2,
    )
    (state / "trust").mkdir()
    (state / "trust" / "csca.der").write_bytes(cards.certificate)
    revoked = cards.revocation_list(at=datetime.now(UTC), good_for=timedelta(days=3_650))
    (state / "trust" / "csca.crl").write_bytes(revoked)
    with own_database(postgres_url, f"world_{worker_id}") as url:
        settings = Settings(
            state=state, database=url, listen="127.0.0.1:0", face_workers=1, simulated_clock=True
        )
        with served(settings) as address:
            register_ombudsman(settings)
            yield World(address=address, settings=settings, cards=cards)


class served:  # noqa: N801 - used as a function
    """Run a server on an event loop of its own thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        assert self._started.wait(START_TIMEOUT_S), "the server did not start"
        return self._address

    def __exit__(self, *_exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with running_server(self._settings) as listening:
            self._address = listening.address
            self._started.set()
            await self._stopping.wait()


@pytest.fixture(scope="session")
def identity_of(world: World) -> IdentityOf:
    """Certificates and keys of callers, each made once."""
    return cache(lambda role, name: issue(world.settings.state, Caller(role, name)))


@pytest.fixture(scope="session")
def connect_as(world: World, identity_of: IdentityOf) -> Iterator[Connect]:
    """Channels with a client certificate of a role and name."""
    channels: dict[Caller, grpc.Channel] = {}

    def connect(role: Role, name: str) -> grpc.Channel:
        caller = Caller(role, name)
        if caller not in channels:
            channels[caller] = open_channel(
                world.address, world.settings.state, caller, identity=identity_of(role, name)
            )
        return channels[caller]

    yield connect
    for channel in channels.values():
        channel.close()


def issue(state: Path, caller: Caller) -> Identity:
    """A certificate of the server's own authority, and its key."""
    now = datetime.now(UTC)
    return load_or_create_authority(state / "certificates", at=now).issue_caller(caller, at=now)


def open_channel(
    address: str, state: Path, caller: Caller, *, identity: Identity | None = None
) -> grpc.Channel:
    """A channel that presents a certificate of the server's own authority; a new one by default."""
    issued = identity or issue(state, caller)
    channel = plain_channel(address, state, issued)
    if caller.role is Role.CITIZEN_APP:
        return asserting(channel, state, issued.certificate)
    return channel


def plain_channel(address: str, state: Path, identity: Identity) -> grpc.Channel:
    """A channel that presents a certificate and shows no citizen."""
    authority = load_or_create_authority(state / "certificates", at=datetime.now(UTC))
    credentials = grpc.ssl_channel_credentials(
        authority.certificate_pem, identity.private_key, identity.certificate
    )
    # Without a pool of its own a channel would share the connection of another.
    return grpc.secure_channel(
        address, credentials, options=[("grpc.use_local_subchannel_pool", 1)]
    )


@pytest.fixture(scope="session")
def act_as(connect_as: Connect, identity_of: IdentityOf) -> ActAs:
    """Every service's stub for a role and name."""
    return lambda role, name: Stubs(connect_as(role, name), identity_of(role, name).private_key)


@pytest.fixture(scope="session")
def people(world: World) -> People:
    """Citizens and numbers that no other test of this worker uses."""
    del world  # only its database makes them necessary
    return People(seed=20260415, today=datetime.now(UTC).date())


@pytest.fixture(scope="session")
def faces() -> tuple[PhotographedPerson, ...]:
    """Photographed people, or a skip where their photographs cannot be had."""
    try:
        return PhotographLibrary.built_in().people
    except PhotographsUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def scene(world: World, act_as: ActAs, people: People) -> Scene:
    """People with numbers and cards before the shared server, and agencies that may ask."""
    scene = Scene(act_as=act_as, people=people, cards=world.cards)
    scene.register_agency(AGENCY, *RIGHTS_OF_AGENCY)
    register_matcher(scene, MATCHER.name)
    register_counters(scene)
    return scene
