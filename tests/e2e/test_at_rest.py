"""What lies on the disk of a registry tells of nobody: tables, write-ahead log, server logs, all.

`pg_dump` shows rows that stand. Here every octet of the state directory is searched, so what was
updated, deleted, rolled back or logged is found as well.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from google.protobuf.timestamp_pb2 import Timestamp

from identity.storage.embedded import embedded_postgres
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.cards import CardAuthority
from tests.e2e.server_process import ServerProcess
from tests.integration.dumps import octets_of
from tests.integration.people import People, Subscriber, claim_of, date_message, record_of, row_of
from tests.integration.scene import Scene
from tests.integration.wire import new_id

OPERATOR = "song-hong"
Secrets = Mapping[bytes, str]
"""What must not be found, with what it is."""


def secrets_of(subscriber: Subscriber) -> Iterator[tuple[bytes, str]]:
    """Every form of what is personal about somebody."""
    citizen = subscriber.citizen
    for kind, value in (
        ("personal ID", citizen.personal_id),
        ("name", citizen.full_name),
        ("birth date", citizen.birth_date.isoformat()),
        ("MSISDN", subscriber.msisdn.removeprefix("+84")),
    ):
        yield from ((octets, kind) for octets in octets_of(value))


def kinds_found(directory: Path, secrets: Secrets) -> Mapping[str, set[str]]:
    """By file, the kinds of what it holds of them."""
    found: dict[str, set[str]] = {}
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes().rstrip(b"\0")  # files of the log are full of them
        kinds = {kind for octets, kind in secrets.items() if octets in content}
        if kinds:
            found[str(path.relative_to(directory))] = kinds
    return found


def live(scene: Scene) -> list[Subscriber]:
    """Have people registered, imported, corrected, transferred, merged, dead and released."""
    buyer, heir = scene.registered(OPERATOR), scene.registered(OPERATOR)
    dead, merged, gone = (scene.imported(OPERATOR) for _ in range(3))
    calls = scene.operator(OPERATOR).subscriptions
    misspelt = row_of(gone.citizen, gone.msisdn)
    misspelt.holder.full_name = buyer.citizen.full_name
    refused = row_of(buyer.citizen, f"{buyer.msisdn}x")
    book = subscription_pb.ImportSubscriptionsRequest(request_id=new_id(), rows=[misspelt, refused])
    assert calls.ImportSubscriptions(iter([book])).summary.rejected_count == 1
    kinds = subscription_pb.SubscriptionEventKind
    lately = Timestamp()
    lately.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    answer = calls.ReportEvents(
        subscription_pb.ReportEventsRequest(
            request_id=new_id(),
            events=[
                subscription_pb.SubscriptionEvent(
                    msisdn=dead.msisdn,
                    kind=kinds.SUBSCRIPTION_EVENT_KIND_TRANSFER,
                    occur_time=lately,
                    holder=claim_of(heir.citizen),
                ),
                subscription_pb.SubscriptionEvent(
                    msisdn=gone.msisdn,
                    kind=kinds.SUBSCRIPTION_EVENT_KIND_RELEASE,
                    occur_time=lately,
                ),
            ],
        )
    )
    assert [each.reason for each in answer.results] == ["", ""]
    change_records(scene, dead, merged, buyer)
    scene.app.citizens.DisownSubscription(
        citizen_pb.DisownSubscriptionRequest(
            request_id=new_id(), personal_id=buyer.citizen.personal_id, msisdn=buyer.msisdn
        )
    )
    scene.start(heir)
    scene.advance(days=16)
    scene.pull(OPERATOR)
    return [buyer, heir, dead, merged, gone]


def change_records(scene: Scene, dead: Subscriber, merged: Subscriber, other: Subscriber) -> None:
    """A death, a correction and a merger."""
    corrected = record_of(other.citizen)
    corrected.birth_date.year -= 1
    changes = [
        population_pb.PopulationChange(
            death=population_pb.Death(
                personal_id=dead.citizen.personal_id,
                deceased_on=date_message(datetime.now(UTC).date()),
            )
        ),
        population_pb.PopulationChange(correction=population_pb.Correction(record=corrected)),
        population_pb.PopulationChange(
            merged_records=population_pb.MergedRecords(
                retired_personal_id=merged.citizen.personal_id,
                surviving_personal_id=other.citizen.personal_id,
            )
        ),
    ]
    request = population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=changes)
    scene.population.population.ApplyPopulationChanges(request)


def test_no_octet_on_the_disk_tells_of_anybody(tmp_path: Path) -> None:
    state = tmp_path / "state"
    today = datetime.now(UTC).date()
    with ServerProcess(state) as server:
        scene = Scene(
            act_as=server.act_as,
            people=People(seed=553, today=today),
            cards=CardAuthority(established_on=today, active_authentication_keys=1),
        )
        subscribers = live(scene)
        # Its database goes on, and writes what it has in memory when it is stopped.
        server.kill()
    with embedded_postgres(state / "postgres") as url, psycopg.connect(url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM subscription").fetchone() or (0,)
        assert count == len(subscribers), "it is another directory"
    secrets = dict(pair for each in subscribers for pair in secrets_of(each))
    assert len(secrets) > 400
    assert kinds_found(state, secrets) == {}
    with embedded_postgres(state / "postgres") as url:
        plant_and_take_back(url, subscribers[0])
    found = kinds_found(state / "postgres" / "pg_wal", dict(secrets_of(subscribers[0])))
    assert {"name"} in found.values()


def plant_and_take_back(url: str, subscriber: Subscriber) -> None:
    """The canary: a row that was never committed stands in the write-ahead log all the same."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE canary (note text)")
        connection.execute("INSERT INTO canary VALUES (%s)", (subscriber.citizen.full_name,))
        connection.rollback()
