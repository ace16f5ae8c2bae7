"""Imports over the wire: counts that add up, streams cut in the middle, batches that stray."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import grpc
import pytest
from google.protobuf.message import Message

from subid.v1 import imports_pb2, subscription_pb2
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.date_pb2 import Date
from telco_sim.population import Citizen
from tests.integration.people import claim_of, date_message, record_of, row_of
from tests.integration.scene import Scene
from tests.integration.wire import Stubs, new_id, refused

THIRTIETH_OF_FEBRUARY = Date(year=1990, month=2, day=30)


def record(citizen: Citizen, **fields: object) -> population_pb.PopulationRecord:
    message = record_of(citizen)
    for name, value in fields.items():
        if isinstance(value, Message):
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def row(citizen: Citizen, msisdn: str, **holder: object) -> pb.SubscriptionRow:
    message = row_of(citizen, msisdn)
    for name, value in holder.items():
        if isinstance(value, Message):
            getattr(message.holder, name).CopyFrom(value)
        else:
            setattr(message.holder, name, value)
    return message


def population_batches(
    *batches: Sequence[population_pb.PopulationRecord], request_id: str | None = None
) -> list[population_pb.ImportPopulationRequest]:
    name = request_id or new_id()
    return [
        population_pb.ImportPopulationRequest(request_id=name, batch_index=index, records=records)
        for index, records in enumerate(batches)
    ]


def book_batches(
    *batches: Sequence[pb.SubscriptionRow], request_id: str | None = None
) -> list[pb.ImportSubscriptionsRequest]:
    name = request_id or new_id()
    return [
        pb.ImportSubscriptionsRequest(request_id=name, batch_index=index, rows=rows)
        for index, rows in enumerate(batches)
    ]


def counts(summary: imports_pb2.ImportSummary) -> tuple[int, int, int, int, int]:
    """Received, created, changed, unchanged, rejected; they must add up."""
    parts = (
        summary.created_count,
        summary.changed_count,
        summary.unchanged_count,
        summary.rejected_count,
    )
    assert summary.received_count == sum(parts)
    return (summary.received_count, *parts)


def errors(summary: imports_pb2.ImportSummary) -> list[tuple[int, str, str]]:
    return [(each.row_index, each.field, each.reason) for each in summary.row_errors]


def numbers_of(operator: Stubs) -> dict[str, subscription_pb2.Subscription]:
    """Everything an operator has, read page by page."""
    found: dict[str, subscription_pb2.Subscription] = {}
    token = ""
    while True:
        page = operator.subscriptions.ListSubscriptions(
            pb.ListSubscriptionsRequest(page_size=3, page_token=token)
        )
        for item in page.subscriptions:
            assert item.msisdn not in found, "a page repeats what another had"
            found[item.msisdn] = item
        token = page.next_page_token
        if not token:
            return found
        assert page.subscriptions, "an empty page before the end"


def test_a_population_with_broken_rows_is_stored_without_them(scene: Scene) -> None:
    a, b, c, d = (scene.people.citizen() for _ in range(4))
    broken = [
        record(a),
        record(b, personal_id="12345"),
        record(b, full_name="123"),
        record(b, birth_date=THIRTIETH_OF_FEBRUARY),
        record(b, sex=99),
        record(b),
        record(a, full_name="Somebody Else"),
        population_pb.PopulationRecord(),
        record(c, deceased_on=Date(year=2020)),
        record(c, card_issued_on=Date(year=1, month=1, day=1)),
        record(c, personal_id="00109012345\x00"),
    ]
    requests = population_batches(broken, [record(c), record(d), record(b)])
    summary = scene.population.population.ImportPopulation(iter(requests)).summary
    assert counts(summary) == (14, 4, 0, 1, 9)
    assert errors(summary) == [
        (1, "personal_id", "PERSONAL_ID_MALFORMED"),
        (2, "full_name", "FULL_NAME_MALFORMED"),
        (3, "birth_date", "DATE_IMPOSSIBLE"),
        (4, "sex", "VALUE_MISSING"),
        (6, "personal_id", "ROW_DUPLICATE"),
        (7, "personal_id", "PERSONAL_ID_MALFORMED"),
        (8, "deceased_on", "DATE_IMPOSSIBLE"),
        (9, "card_issued_on", "DATE_IMPOSSIBLE"),
        (10, "personal_id", "PERSONAL_ID_MALFORMED"),
    ]
    changed = population_batches([record(a, full_name="Nguyễn Văn Khác"), record(b)])
    summary = scene.population.population.ImportPopulation(iter(changed)).summary
    assert counts(summary) == (2, 0, 1, 1, 0)


def test_a_book_with_broken_rows_is_stored_without_them(scene: Scene) -> None:
    linked, renamed, unknown = scene.citizen(), scene.citizen(), scene.people.citizen()
    dead = scene.people.citizen()
    death = population_batches([record(dead, deceased_on=Date(year=2024, month=1, day=2))])
    scene.population.population.ImportPopulation(iter(death))
    name = scene.people.operator_name()
    n = [scene.people.msisdn() for _ in range(6)]
    elsewhere = scene.registered()
    no_such_day = row(linked, n[4])
    no_such_day.activated_on.CopyFrom(THIRTIETH_OF_FEBRUARY)
    rows = [
        row(linked, f"0{n[0][3:]}"),
        row(renamed, n[1], full_name="Trần Văn Khác"),
        row(unknown, n[2]),
        row(dead, f"{n[3][1:6]} {n[3][6:]}"),
        row(linked, "0912 no number"),
        row(linked, n[4], personal_id="1"),
        row(linked, n[4], full_name=""),
        row(linked, n[4], birth_date=THIRTIETH_OF_FEBRUARY),
        no_such_day,
        row(linked, n[0]),
        row(linked, elsewhere.msisdn),
        pb.SubscriptionRow(),
        pb.SubscriptionRow(msisdn=n[5]),
    ]
    operator = scene.operator(name)
    requests = book_batches(rows)
    answer = operator.subscriptions.ImportSubscriptions(iter(requests))
    assert counts(answer.summary) == (13, 4, 0, 0, 9)
    assert errors(answer.summary) == [
        (4, "msisdn", "MSISDN_MALFORMED"),
        (5, "holder.personal_id", "PERSONAL_ID_MALFORMED"),
        (6, "holder.full_name", "FULL_NAME_MALFORMED"),
        (7, "holder.birth_date", "DATE_IMPOSSIBLE"),
        (8, "activated_on", "DATE_IMPOSSIBLE"),
        (9, "msisdn", "ROW_DUPLICATE"),
        (10, "msisdn", "NUMBER_IN_SERVICE_ELSEWHERE"),
        (11, "msisdn", "MSISDN_MALFORMED"),
        (12, "holder.personal_id", "PERSONAL_ID_MALFORMED"),
    ]
    links = answer.links
    assert (links.linked_count, links.mismatched_count) == (1, 1)
    assert (links.not_found_count, links.deceased_count) == (1, 1)
    stored = numbers_of(operator)
    assert set(stored) == set(n[:4])
    assert all(item.has_open_case for item in stored.values())
    states = [stored[each].link.state for each in n[:4]]
    assert states == [
        subscription_pb2.LINK_STATE_LINKED,
        subscription_pb2.LINK_STATE_MISMATCHED,
        subscription_pb2.LINK_STATE_NOT_FOUND,
        subscription_pb2.LINK_STATE_DECEASED,
    ]


def test_a_list_is_filtered_by_link_state(scene: Scene) -> None:
    name = scene.people.operator_name()
    linked = scene.imported(name)
    unknown = scene.imported(name, scene.people.citizen())
    for state, expected in (
        (subscription_pb2.LINK_STATE_LINKED, {linked.msisdn}),
        (subscription_pb2.LINK_STATE_NOT_FOUND, {unknown.msisdn}),
        (subscription_pb2.LINK_STATE_DECEASED, set()),
    ):
        request = pb.ListSubscriptionsRequest(link_states=[state])
        page = scene.operator(name).subscriptions.ListSubscriptions(request)
        assert {item.msisdn for item in page.subscriptions} == expected
        assert not page.next_page_token


def test_a_mistake_in_the_register_is_mended_by_a_correction(scene: Scene) -> None:
    citizen = scene.people.citizen()
    wrong = population_batches([record(citizen, full_name="Nguyễn Văn Nhầm")])
    scene.population.population.ImportPopulation(iter(wrong))
    subscriber = scene.imported(scene.people.operator_name(), citizen)
    mismatched = scene.subscription(subscriber).link
    assert mismatched.state == subscription_pb2.LINK_STATE_MISMATCHED
    assert mismatched.full_name.result == subscription_pb2.FIELD_RESULT_MISMATCH
    assert 0 <= mismatched.full_name.score < 100
    correction = population_pb.Correction(record=record_of(citizen))
    answer = scene.population.population.ApplyPopulationChanges(
        population_pb.ApplyPopulationChangesRequest(
            request_id=new_id(), changes=[population_pb.PopulationChange(correction=correction)]
        )
    )
    assert (answer.applied_count, answer.relinked_count) == (1, 1)
    assert scene.subscription(subscriber).link.state == subscription_pb2.LINK_STATE_LINKED


def test_changes_are_applied_all_or_none(scene: Scene) -> None:
    newborn, stranger = scene.people.citizen(), scene.people.citizen()
    birth = population_pb.PopulationChange(birth=population_pb.Birth(record=record_of(newborn)))
    death = population_pb.PopulationChange(
        death=population_pb.Death(
            personal_id=stranger.personal_id, deceased_on=Date(year=2024, month=1, day=1)
        )
    )
    stub = scene.population.population
    request = population_pb.ApplyPopulationChangesRequest(
        request_id=new_id(), changes=[birth, death]
    )
    refusal = refused(stub.ApplyPopulationChanges, request)
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "CITIZEN_NOT_FOUND")
    alone = population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=[birth])
    assert stub.ApplyPopulationChanges(alone).applied_count == 1
    again = population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=[birth])
    refusal = refused(stub.ApplyPopulationChanges, again)
    assert (refusal.status, refusal.reason) == ("ALREADY_EXISTS", "CITIZEN_EXISTS")


def test_a_death_ends_a_link(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    change = population_pb.PopulationChange(
        death=population_pb.Death(
            personal_id=subscriber.citizen.personal_id,
            deceased_on=date_message(subscriber.citizen.birth_date.replace(day=1, month=1)),
        )
    )
    scene.population.population.ApplyPopulationChanges(
        population_pb.ApplyPopulationChangesRequest(request_id=new_id(), changes=[change])
    )
    after = scene.subscription(subscriber)
    assert after.link.state == subscription_pb2.LINK_STATE_DECEASED
    assert after.has_open_case


class Cut:
    """A stream that sends some batches and stays open until the call is cancelled."""

    def __init__(self, sent: Sequence[Message], *, cancelled: threading.Event) -> None:
        self._sent = sent
        self._cancelled = cancelled

    def __iter__(self) -> Iterator[Message]:
        yield from self._sent
        self._cancelled.wait(60)  # the call is still open until then


def test_a_stream_cut_in_the_middle_keeps_what_was_stored_and_goes_on_after_it(
    scene: Scene,
) -> None:
    name = scene.people.operator_name()
    operator = scene.operator(name)
    citizens = [scene.people.citizen() for _ in range(12)]
    scene.record(*citizens)
    rows = [row(citizen, scene.people.msisdn()) for citizen in citizens]
    rows[4].holder.personal_id = "broken"
    rows[10].msisdn = "broken"
    requests = book_batches(rows[:3], rows[3:6], rows[6:9], rows[9:])
    cancelled = threading.Event()
    call = operator.subscriptions.ImportSubscriptions.future(
        iter(Cut(requests[:2], cancelled=cancelled)), timeout=60
    )
    expected = {each.msisdn for index, each in enumerate(rows[:6]) if index != 4}
    while set(numbers_of(operator)) != expected:
        assert not call.done()
    call.cancel()
    cancelled.set()
    with pytest.raises(grpc.FutureCancelledError):
        call.result()
    assert set(numbers_of(operator)) == expected

    answer = operator.subscriptions.ImportSubscriptions(iter(requests))
    assert counts(answer.summary) == (12, 10, 0, 0, 2)
    assert errors(answer.summary) == [
        (4, "holder.personal_id", "PERSONAL_ID_MALFORMED"),
        (10, "msisdn", "MSISDN_MALFORMED"),
    ]
    assert answer.links.linked_count == 10
    assert set(numbers_of(operator)) == {
        each.msisdn for index, each in enumerate(rows) if index not in {4, 10}
    }
    again = operator.subscriptions.ImportSubscriptions(iter(requests))
    assert again.SerializeToString() == answer.SerializeToString()


@pytest.mark.parametrize("order", [[1], [0, 2], [0, 0], [0, 1, 1], [1, 0]])
def test_batches_that_do_not_follow_one_another_are_refused(scene: Scene, order: list[int]) -> None:
    operator = scene.operator(scene.people.operator_name())
    rows = [row(scene.people.citizen(), scene.people.msisdn()) for _ in range(3)]
    requests = book_batches([rows[0]], [rows[1]], [rows[2]])
    stray = [requests[index] for index in order]
    refusal = refused(operator.subscriptions.ImportSubscriptions, iter(stray))
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "IMPORT_SEQUENCE_BROKEN")
    in_order = [place for place, index in enumerate(order) if index == place]
    expected = {
        rows[place].msisdn for place in in_order if order[: place + 1] == [*range(place + 1)]
    }
    assert set(numbers_of(operator)) == expected


def test_a_batch_that_changed_is_refused_and_stores_nothing(scene: Scene) -> None:
    operator = scene.operator(scene.people.operator_name())
    a, b, c = (row(scene.people.citizen(), scene.people.msisdn()) for _ in range(3))
    name = new_id()
    operator.subscriptions.ImportSubscriptions(iter(book_batches([a], [b], request_id=name)))
    changed = book_batches([a], [c], request_id=name)
    refusal = refused(operator.subscriptions.ImportSubscriptions, iter(changed))
    assert (refusal.status, refusal.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert set(numbers_of(operator)) == {a.msisdn, b.msisdn}


def test_a_stream_has_one_request_id(scene: Scene) -> None:
    operator = scene.operator(scene.people.operator_name())
    a, b = (row(scene.people.citizen(), scene.people.msisdn()) for _ in range(2))
    requests = book_batches([a], [b])
    requests[1].request_id = new_id()
    refusal = refused(operator.subscriptions.ImportSubscriptions, iter(requests))
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "IMPORT_SEQUENCE_BROKEN")
    assert set(numbers_of(operator)) == {a.msisdn}


def test_an_import_of_nothing_is_an_empty_summary(scene: Scene) -> None:
    empty: list[Message] = []
    operator = scene.operator(scene.people.operator_name())
    assert counts(operator.subscriptions.ImportSubscriptions(iter(empty)).summary) == (0,) * 5
    assert counts(scene.population.population.ImportPopulation(iter(empty)).summary) == (0,) * 5


def test_two_operators_that_import_one_number_are_told_apart(scene: Scene) -> None:
    msisdn = scene.people.msisdn()
    operators = [scene.operator(scene.people.operator_name()) for _ in range(6)]
    calls = [
        operator.subscriptions.ImportSubscriptions.future(
            iter(book_batches([row(scene.people.citizen(), msisdn)])), timeout=60
        )
        for operator in operators
    ]
    summaries = [call.result().summary for call in calls]
    assert sorted(summary.created_count for summary in summaries) == [0] * 5 + [1]
    lost = [errors(summary) for summary in summaries if summary.rejected_count]
    assert lost == [[(0, "msisdn", "NUMBER_IN_SERVICE_ELSEWHERE")]] * 5


def test_many_imports_of_one_population_at_once_leave_it_as_one_does(scene: Scene) -> None:
    citizens = [scene.people.citizen() for _ in range(40)]
    forward = population_batches([record_of(each) for each in citizens])
    backward = population_batches([record_of(each) for each in reversed(citizens)])
    calls = [
        scene.population.population.ImportPopulation.future(iter(requests), timeout=60)
        for requests in (forward, backward, forward, backward)
    ]
    for call in calls:
        assert counts(call.result().summary)[0] == 40
    last = population_batches([record_of(each) for each in citizens])
    summary = scene.population.population.ImportPopulation(iter(last)).summary
    assert counts(summary) == (40, 0, 0, 40, 0)


def test_the_first_of_very_many_broken_rows_are_named_and_all_are_counted(scene: Scene) -> None:
    broken = [population_pb.PopulationRecord(personal_id="1")] * 5000
    requests = population_batches(broken, broken, broken[:1001])
    summary = scene.population.population.ImportPopulation(iter(requests)).summary
    assert counts(summary) == (11_001, 0, 0, 0, 11_001)
    assert [each.row_index for each in summary.row_errors] == list(range(10_000))


def test_another_operators_number_answers_as_one_that_does_not_exist(scene: Scene) -> None:
    subscriber = scene.imported(scene.people.operator_name())
    stranger = scene.operator(scene.people.operator_name())
    for taken, free in (
        (_get(subscriber.msisdn), _get(scene.people.msisdn())),
        (_get(subscriber.msisdn), _get(f"0{scene.people.msisdn()[3:]}")),
    ):
        seen = refused(stranger.subscriptions.GetSubscription, taken)
        absent = refused(stranger.subscriptions.GetSubscription, free)
        assert seen.correlation_id != absent.correlation_id
        assert replace(seen, correlation_id="") == replace(absent, correlation_id="")
        assert seen.reason == "SUBSCRIPTION_NOT_FOUND"


def _get(msisdn: str) -> pb.GetSubscriptionRequest:
    return pb.GetSubscriptionRequest(msisdn=msisdn)


def test_a_number_is_registered_once(scene: Scene) -> None:
    subscriber = scene.registered()
    other = scene.people.citizen()
    request = pb.RegisterSubscriptionRequest(
        request_id=new_id(), msisdn=subscriber.msisdn, holder=claim_of(other)
    )
    own = refused(scene.operator(subscriber.operator).subscriptions.RegisterSubscription, request)
    assert (own.status, own.reason) == ("ALREADY_EXISTS", "SUBSCRIPTION_EXISTS")
    elsewhere = scene.operator(scene.people.operator_name()).subscriptions
    refusal = refused(elsewhere.RegisterSubscription, request)
    assert refusal.status == "FAILED_PRECONDITION"
    assert refusal.reason == "NUMBER_IN_SERVICE_ELSEWHERE"


def test_one_number_registered_by_many_at_once_goes_to_one(scene: Scene) -> None:
    msisdn = scene.people.msisdn()
    operators = [scene.operator(scene.people.operator_name()) for _ in range(6)]
    calls = [
        operator.subscriptions.RegisterSubscription.future(
            pb.RegisterSubscriptionRequest(
                request_id=new_id(), msisdn=msisdn, holder=claim_of(scene.people.citizen())
            ),
            timeout=60,
        )
        for operator in operators
    ]
    codes = sorted(call.code().name for call in calls)
    assert codes == ["FAILED_PRECONDITION"] * 5 + ["OK"]
