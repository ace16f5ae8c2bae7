"""The server as a process: how it stops, what it refuses, what it writes."""

import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from identity.domain.caller import Role
from subid.v1 import contact_service_pb2 as contact_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.card_kinds import KINDS, CardKind, Order
from telco_sim.cards import Card, CardAuthority, swap_holder
from telco_sim.population import Citizen
from tests.e2e.server_process import START_TIMEOUT_S, STOP_TIMEOUT_S, ServerProcess, serve_command
from tests.integration.people import (
    Evidence,
    People,
    Subscriber,
    complete_request,
    record_of,
    row_of,
)
from tests.integration.scene import AGENCY, CARD_AGE, Scene, grounds
from tests.integration.wire import new_id, refused

Misdeed = Callable[[Scene, Subscriber, Card], None]


@pytest.fixture
def people() -> People:
    return People(seed=5, today=datetime.now(UTC).date())


class Held:
    """A stream whose second batch is sent when the test says so."""

    def __init__(self, batches: list[pb.ImportSubscriptionsRequest]) -> None:
        self._batches = batches
        self.is_first_taken = threading.Event()
        self.may_go_on = threading.Event()

    def __iter__(self) -> Iterator[pb.ImportSubscriptionsRequest]:
        yield self._batches[0]
        self.is_first_taken.set()
        assert self.may_go_on.wait(60)
        yield from self._batches[1:]


def test_a_server_that_is_asked_to_stop_finishes_its_calls_and_takes_no_new_ones(
    tmp_path: Path, people: People
) -> None:
    name = new_id()
    batches = [
        pb.ImportSubscriptionsRequest(
            request_id=name, batch_index=index, rows=[row_of(people.citizen(), people.msisdn())]
        )
        for index in range(2)
    ]
    with ServerProcess(tmp_path / "state") as server:
        stream = Held(batches)
        operator = server.act_as(Role.OPERATOR, "song-hong").subscriptions
        call = operator.ImportSubscriptions.future(iter(stream), timeout=90)
        assert stream.is_first_taken.wait(60)
        _until_stored(server, 1)
        server.ask_to_stop()
        with server.channel(Role.OPERATOR, "song-hong") as channel:
            _until_refused(channel)
        assert server.process.poll() is None
        stream.may_go_on.set()
        assert call.result().summary.created_count == 2
        assert server.wait() == 0
        assert '"event": "stopping"' in server.errors
        assert "Traceback" not in server.errors


def _until_stored(server: ServerProcess, count: int) -> None:
    stub = server.act_as(Role.OPERATOR, "song-hong").subscriptions
    while len(stub.ListSubscriptions(pb.ListSubscriptionsRequest()).subscriptions) < count:
        pass


def _until_refused(channel: grpc.Channel) -> None:
    """The signal takes a moment; from then on nobody is let in."""
    call: Any = channel.unary_unary("/subid.v1.SubscriptionService/ListSubscriptions")
    while True:
        try:
            call(b"", timeout=20)
        except grpc.RpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - one call in many
            return


def test_a_killed_server_leaves_its_database_and_nothing_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server:
        assert server.address
        workers = psutil.Process(server.process.pid).children()
        server.kill()
        _, left = psutil.wait_procs(workers, timeout=STOP_TIMEOUT_S)
    assert (len(workers) > 0, left) == (True, [])
    with ServerProcess(state) as again:
        assert again.address
        assert again.stop() == 0


def test_a_second_server_on_the_same_port_says_so_and_ends(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as first:
        second = subprocess.run(
            serve_command(state, listen=first.address),
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        assert second.returncode == 2
        assert second.stdout == ""
        told = [line for line in second.stderr.splitlines() if not line.startswith("{")]
        assert told == [f"error: cannot listen on {first.address}"]
        first.act_as(Role.OPERATOR, "song-hong").subscriptions.ListSubscriptions(
            pb.ListSubscriptionsRequest()
        )
        assert first.stop() == 0


def test_a_killed_database_is_told_over_health_and_started_again(
    tmp_path: Path, people: People
) -> None:
    state = tmp_path / "state"
    with ServerProcess(state) as server, server.channel(Role.OPERATOR, "song-hong") as channel:
        operator = server.act_as(Role.OPERATOR, "song-hong").subscriptions
        row = row_of(people.citizen(), people.msisdn())
        operator.ImportSubscriptions(
            iter([pb.ImportSubscriptionsRequest(request_id=new_id(), rows=[row])]), timeout=60
        )
        stub = health_pb2_grpc.HealthStub(channel)
        told, of_database = (
            stub.Watch(health_pb2.HealthCheckRequest(service=name), timeout=120)
            for name in ("", "subid.database")
        )
        assert next(told).status == health_pb2.HealthCheckResponse.SERVING
        assert next(of_database).status == health_pb2.HealthCheckResponse.SERVING
        postmaster = int((state / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        for status in ("NOT_SERVING", "SERVING"):
            expected = health_pb2.HealthCheckResponse.ServingStatus.Value(status)
            assert next(told).status == next(of_database).status == expected
        listed = operator.ListSubscriptions(pb.ListSubscriptionsRequest(), timeout=60)
        assert [item.msisdn for item in listed.subscriptions] == [row.msisdn]
        told.cancel()
        of_database.cancel()
        assert server.stop() == 0
        assert "Traceback" not in server.errors
    assert not (state / "postgres" / "postmaster.pid").exists()


def test_a_first_start_that_is_killed_anywhere_leaves_a_state_that_starts(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for made in ("postgres.unfinished/PG_VERSION", "postgres/PG_VERSION", "keys.json"):
        with ServerProcess(state) as server:
            while not (state / made).exists() and server.process.poll() is None:
                pass
            server.kill()
    with ServerProcess(state) as server:
        assert server.address
        assert server.stop() == 0
    assert "Traceback" not in server.errors
    assert not (state / "postgres.unfinished").exists()


def find_leaks(text: str, secrets: set[str]) -> set[str]:
    """The secrets that stand in a text, in any of the forms in which a log might hold them."""
    lowered = text.lower()
    return {secret for secret in secrets if any(form in lowered for form in _forms(secret))}


def _forms(secret: str) -> set[str]:
    escaped = secret.encode("unicode_escape").decode()
    return {
        secret.lower(),
        escaped.lower(),
        repr(secret.encode())[2:-1].lower(),
        secret.encode().hex(),
    }


def secrets_of(subscriber: Subscriber, card: Card) -> set[str]:
    """Everything personal that was sent about somebody."""
    citizen = subscriber.citizen
    national = subscriber.msisdn.removeprefix("+84")
    zone = card.data_groups[1][-90:].decode("ascii")
    lines = {zone[start : start + 30] for start in (0, 30, 60)}
    details = {citizen.father_name, citizen.mother_name, citizen.place_of_residence}
    # Any sixteen octets of a portrait or of a signature tell whose they are.
    octets = {card.data_groups[2][200:216].hex(), card.sod[-16:].hex(), card.sod[-16:].hex(" ")}
    return {citizen.personal_id, citizen.full_name, national, *lines, *details, *octets}


def test_the_scanner_finds_what_is_planted() -> None:
    name, number = "Nguyễn Thị Thử", "912345678"
    for text in (
        f"... {name} ...",
        name.encode("unicode_escape").decode(),
        f"b'{repr(name.encode())[2:-1]}'",
        name.encode().hex(),
        name.upper(),
    ):
        assert find_leaks(text, {name, number}) == {name}
    assert find_leaks("refused caller=operator:song-hong", {name, number}) == set()


def test_no_log_holds_anything_personal(tmp_path: Path, people: People) -> None:
    established_on = datetime.now(UTC).date().replace(day=1, month=1)
    cards = CardAuthority(
        established_on=established_on.replace(year=established_on.year - 1),
        active_authentication_keys=1,
    )
    trust = tmp_path / "state" / "trust"
    trust.mkdir(parents=True)
    (trust / "csca.der").write_bytes(cards.certificate)
    (trust / "csca.crl").write_bytes(cards.revocation_list(at=datetime.now(UTC)))
    secrets: set[str] = set()
    with ServerProcess(tmp_path / "state") as server:
        scene = Scene(act_as=server.act_as, people=people, cards=cards)
        misdeeds: tuple[Misdeed, ...] = (
            present,
            *(partial(present_odd_card, kind) for kind in KINDS),
            send_nonsense,
            ask_for_what_is_not_there,
        )
        for misbehave in misdeeds:
            subscriber = scene.imported("song-hong")
            card = issue(cards, subscriber.citizen)
            secrets |= secrets_of(subscriber, card)
            misbehave(scene, subscriber, card)
        assert server.stop() == 0
        written = server.errors
    assert '"event": "refused"' in written
    assert len(secrets) > 40
    assert find_leaks(written, secrets) == set()
    planted = f"{written}\n{min(secrets)}"
    assert find_leaks(planted, secrets) == {min(secrets)}


def issue(cards: CardAuthority, citizen: Citizen) -> Card:
    image = io.BytesIO()
    Image.new("RGB", (480, 640), (120, 90, 80)).save(image, "JPEG")
    issued_on = datetime.now(UTC).date() - CARD_AGE
    return cards.issue(citizen, portrait=image.getvalue(), issued_on=issued_on)


def present(scene: Scene, subscriber: Subscriber, card: Card) -> None:
    """Genuine and forged evidence, and one that is used twice."""
    scene.verify(subscriber, Evidence(card=card, probes=(b"no photograph",)))
    forged = swap_holder(issue(scene.cards, scene.citizen()), citizen=subscriber.citizen)
    scene.verify(subscriber, Evidence(card=forged, probes=(b"no photograph",)))
    scene.advance(days=1)
    scene.acknowledge(subscriber.operator, scene.pull(subscriber.operator))


def present_odd_card(kind: CardKind, scene: Scene, subscriber: Subscriber, card: Card) -> None:
    """A card of a kind, with the person's data, and an answer to a nonce of nobody's."""
    order = Order(
        authority=scene.cards,
        citizen=subscriber.citizen,
        portrait=card.data_groups[2][card.data_groups[2].index(b"\xff\xd8\xff") :],
        issued_on=card.dates.issued_on,
        today=datetime.now(UTC).date(),
    )
    session = scene.start(subscriber)
    request = complete_request(session, Evidence(card=kind.make(order), probes=(b"no photograph",)))
    request.chip_nonce = b"nobody's"
    stub = scene.operator(subscriber.operator).verifications
    codes = stub.CompleteVerification(request).verdict.chip_codes
    assert codes or not kind.code


def send_nonsense(scene: Scene, subscriber: Subscriber, card: Card) -> None:
    """Personal data where it does not belong, and bodies that are no message."""
    del card
    citizen = subscriber.citizen
    everything = f"{citizen.personal_id} {citizen.full_name} {subscriber.msisdn}"
    operator = scene.operator(subscriber.operator)
    refused(
        operator.subscriptions.GetSubscription, pb.GetSubscriptionRequest(msisdn=everything[:32])
    )
    refused(
        operator.subscriptions.ListSubscriptions,
        pb.ListSubscriptionsRequest(page_token=everything),
    )
    row = row_of(citizen, everything)
    row.holder.full_name = f"{everything}\x00"
    request = pb.RegisterSubscriptionRequest(
        request_id=new_id(), msisdn=subscriber.msisdn, holder=row.holder
    )
    refused(operator.subscriptions.RegisterSubscription, request)
    operator.subscriptions.ImportSubscriptions(
        iter([pb.ImportSubscriptionsRequest(request_id=new_id(), rows=[row])])
    )
    refused(
        scene.agency.contacts.GetContact,
        contact_pb.GetContactRequest(
            personal_id=citizen.personal_id,
            grounds=grounds(legal_basis=f"{everything}\x00"),
        ),
    )
    body = everything.encode()
    for path in ("GetSubscription", "RegisterSubscription", "Nothing"):
        call: Any = operator.channel.unary_unary(f"/subid.v1.SubscriptionService/{path}")
        with pytest.raises(grpc.RpcError):
            call(body, timeout=20)


def ask_for_what_is_not_there(scene: Scene, subscriber: Subscriber, card: Card) -> None:
    """Somebody else's numbers and people, and look-ups that find nothing."""
    del card
    stranger = scene.operator("cuu-long").subscriptions
    refused(stranger.GetSubscription, pb.GetSubscriptionRequest(msisdn=subscriber.msisdn))
    request = pb.RegisterSubscriptionRequest(
        request_id=new_id(),
        msisdn=subscriber.msisdn,
        holder=row_of(subscriber.citizen, subscriber.msisdn).holder,
    )
    refused(stranger.RegisterSubscription, request)
    birth = population_pb.Birth(record=record_of(subscriber.citizen))
    refused(
        scene.population.population.ApplyPopulationChanges,
        population_pb.ApplyPopulationChangesRequest(
            request_id=new_id(), changes=[population_pb.PopulationChange(birth=birth)]
        ),
    )
    scene.register_agency(AGENCY)
    scene.contact(subscriber.citizen.personal_id)
