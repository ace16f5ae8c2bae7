"""What lies on the disk of a registry tells of nobody: tables, write-ahead log, server logs, all.

`pg_dump` shows rows that stand. Here every octet of the state directory is searched, so what was
updated, deleted, rolled back or logged is found as well.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from google.protobuf.timestamp_pb2 import Timestamp

from identity.storage.embedded import embedded_postgres
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from telco_sim.cards import CardAuthority
from telco_sim.recording import PersonalKind, Told
from tests.canary.canary import scanner_for
from tests.e2e.server_process import ServerProcess
from tests.integration.people import People, Subscriber, claim_of, date_message, record_of, row_of
from tests.integration.scene import Scene
from tests.integration.wire import new_id

OPERATOR = "song-hong"


def told_of(subscriber: Subscriber) -> Iterator[Told]:
    """What the service was told about somebody."""
    citizen = subscriber.citizen
    yield Told(kind=PersonalKind.PERSONAL_ID, value=citizen.personal_id)
    yield Told(kind=PersonalKind.NAME, value=citizen.full_name)
    yield Told(kind=PersonalKind.NUMBER, value=subscriber.msisdn)
    born = citizen.birth_date.isoformat()
    yield Told(kind=PersonalKind.BIRTH_DATE, value=born, whose=citizen.full_name)


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
        # An image of its memory would hold everybody it has just spoken of, and the keys.
        database = (state / "postgres" / "postmaster.pid").read_text().split()[0]
        assert [dump_limit(each) for each in (str(server.process.pid), database)] == [0, 0]
        # Its database goes on, and writes what it has in memory when it is stopped.
        server.kill()
    with embedded_postgres(state / "postgres") as url, psycopg.connect(url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM subscription").fetchone() or (0,)
        assert count == len(subscribers), "it is another directory"
    scanner, _ = scanner_for([told for each in subscribers for told in told_of(each)])
    assert scanner.pattern_count > 400
    scanned = scanner.scan_files(state)
    assert (scanned.summary(), scanned.unread) == ({}, ())
    with embedded_postgres(state / "postgres") as url:
        plant_and_take_back(url, subscribers[0])
    planted = scanner.scan_files(state / "postgres" / "pg_wal")
    assert PersonalKind.NAME in {each.kind for each in planted.finds}


def dump_limit(process_id: str) -> int:
    """How large a process's image may be that the kernel writes when it crashes (proc(5))."""
    limits = Path("/proc", process_id, "limits").read_text()
    found = re.search(r"^Max core file size +(\d+) ", limits, re.MULTILINE)
    assert found is not None, limits
    return int(found[1])


def plant_and_take_back(url: str, subscriber: Subscriber) -> None:
    """The canary: a row that was never committed stands in the write-ahead log all the same."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE canary (note text)")
        connection.execute("INSERT INTO canary VALUES (%s)", (subscriber.citizen.full_name,))
        connection.rollback()
