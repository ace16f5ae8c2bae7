"""A dump of the database tells nothing of the people in it, and the search would find them.

The people are simulated, came in over the wire, and are searched for in what `pg_dump` writes.
"""

import base64
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from identity.config import Settings
from identity.domain.caller import Caller, Role
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.population import Citizen
from tests.databases import own_database
from tests.integration.conftest import open_channel, served
from tests.integration.dumps import Dump, dump_database, unaccented
from tests.integration.people import People, claim_of, record_of, row_of
from tests.integration.wire import Stubs, new_id

PEOPLE_COUNT = 300


@dataclass(frozen=True)
class Imported:
    """People who came in, with their numbers, and the database they are in."""

    url: str
    people: dict[str, Citizen]


@pytest.fixture(scope="module")
def imported(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Imported]:
    """A registry of a few hundred people, each with a number; some of them registered singly."""
    people = People(seed=552, today=datetime.now(UTC).date())
    holders = {people.msisdn(): people.citizen() for _ in range(PEOPLE_COUNT)}
    state = tmp_path_factory.mktemp("dump")
    with own_database(postgres_url, f"dump_{worker_id}") as url:
        settings = Settings(state=state, database=url, listen="127.0.0.1:0", face_workers=1)
        with served(settings) as address:
            hand_over(address, state, holders)
        yield Imported(url, holders)


def hand_over(address: str, state: Path, holders: dict[str, Citizen]) -> None:
    with (
        open_channel(address, state, Caller(Role.POPULATION, "register")) as register,
        open_channel(address, state, Caller(Role.OPERATOR, "song-hong")) as operator,
    ):
        records = [record_of(citizen) for citizen in holders.values()]
        known = population_pb.ImportPopulationRequest(request_id=new_id(), records=records)
        Stubs(register).population.ImportPopulation(iter([known]))
        *rest, last = [(citizen, msisdn) for msisdn, citizen in holders.items()]
        rows = [row_of(citizen, msisdn) for citizen, msisdn in rest]
        book = pb.ImportSubscriptionsRequest(request_id=new_id(), rows=rows)
        summary = Stubs(operator).subscriptions.ImportSubscriptions(iter([book])).summary
        assert summary.created_count == len(rows), summary
        Stubs(operator).subscriptions.RegisterSubscription(
            pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=last[1], holder=claim_of(last[0])
            )
        )
        found = Stubs(operator).subscriptions.GetSubscription(
            pb.GetSubscriptionRequest(msisdn=last[1])
        )
        assert found.subscription.msisdn == last[1]


def test_a_dump_holds_everybody_and_shows_nobody(imported: Imported) -> None:
    dump = Dump(dump_database(imported.url))
    rows = dump.text.count("\tsong-hong\t")
    assert rows >= PEOPLE_COUNT, "the dump does not hold the subscriptions"
    found = {
        msisdn: kinds
        for msisdn, citizen in imported.people.items()
        if (kinds := dump.kinds_found(citizen, msisdn))
    }
    assert found == {}


def in_base64(value: str) -> str:
    return base64.b64encode(f"holder: {value}.".encode()).decode()


def in_hexadecimal(value: str) -> str:
    return value.encode().hex()


def decomposed(value: str) -> str:
    return unicodedata.normalize("NFD", value.upper())


@pytest.mark.parametrize(
    "written",
    [str, str.lower, decomposed, in_hexadecimal, in_base64],
    ids=lambda form: form.__name__,
)
@pytest.mark.parametrize("kind", ["name", "personal ID", "birth date", "MSISDN"])
def test_one_value_in_the_clear_is_found(
    imported: Imported, kind: str, written: Callable[[str], str]
) -> None:
    """The canary: were a value of one person stored, this is how the search would tell."""
    msisdn, citizen = next(
        (msisdn, each) for msisdn, each in imported.people.items() if not each.full_name.isascii()
    )
    value = {
        "name": citizen.full_name,
        "personal ID": citizen.personal_id,
        "birth date": citizen.birth_date.strftime("%d/%m/%Y"),
        "MSISDN": msisdn,
    }[kind]
    with planted(imported.url, written(value)) as dump:
        assert dump.kinds_found(citizen, msisdn) == {kind}


@contextmanager
def planted(url: str, canary: str) -> Iterator[Dump]:
    """A dump with one more text in it."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE canary (note text)"))
        connection.execute(text("INSERT INTO canary VALUES (:note)"), {"note": canary})
    try:
        yield Dump(dump_database(url))
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE canary"))
        engine.dispose()


def test_a_name_without_its_accents_is_found(imported: Imported) -> None:
    msisdn, citizen = next(iter(imported.people.items()))
    with planted(imported.url, f"sold to {unaccented(citizen.full_name)} today") as dump:
        assert dump.kinds_found(citizen, msisdn) == {"name"}
