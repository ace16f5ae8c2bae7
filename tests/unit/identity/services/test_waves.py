"""Waves: tried dry, approved by two, executed once, stopped, and put back exactly."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from identity.domain.calendar_date import day_of
from identity.domain.enforcement import DirectiveKind, Run
from identity.domain.errors import WaveInvalidError, WaveNotFoundError, WaveNotReadyError
from identity.domain.policy import CaseCause, StepKind
from identity.domain.policy_book import PolicyBook
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.wave import WaveCriteria, WaveState
from identity.security.vault import Vault
from identity.services import execute_wave as execution
from identity.services.revert_wave import revert_wave
from identity.services.waves import stop_wave
from identity.storage.tables import directive
from tests.unit.identity.conftest import Race
from tests.unit.identity.makers import find, store_orders
from tests.unit.identity.services.wave_country import DAY, T2, Country, make_country


@pytest.fixture
def country(quiet_engine: Engine, vault: Vault) -> Country:
    """Numbers that wait for a wave."""
    return make_country(quiet_engine, vault)


def test_a_preview_counts_and_orders_nothing(country: Country) -> None:
    before = country.states()
    preview = country.preview().preview
    assert preview.subscription_count == 13
    assert preview.by_operator == {"north": 7, "south": 6}
    assert preview.by_province == {"01": 4, "79": 9}
    assert sum(preview.by_age.values()) == 13
    assert preview.by_age["18-59"] == 13
    assert (preview.primary_count, preview.recently_verified_count, preview.held_count) == (0, 0, 0)
    assert preview.last_number_count == 12
    assert country.states() == before
    assert country.obey() == []


def test_a_preview_tells_apart_those_whose_notice_is_still_on_its_way(country: Country) -> None:
    told = country.numbers[5]
    country.transactions.run(lambda uow: store_orders(uow, told, DirectiveKind.NOTIFY))
    wave = country.approved()
    assert (wave.preview.subscription_count, wave.preview.held_count) == (12, 1)
    country.execute(wave)
    assert told not in taken(country)


def test_a_person_who_keeps_a_number_is_not_left_without(country: Country) -> None:
    preview = country.preview(replace(T2, operators=("south",))).preview
    assert (preview.subscription_count, preview.last_number_count) == (6, 6)
    alone = country.numbers[0]
    verified = replace(alone, verified_at=country.at)
    country.settle(verified, is_cured=True)
    preview = country.preview().preview
    # The one with two numbers keeps the verified one.
    assert (preview.subscription_count, preview.last_number_count) == (12, 11)


@pytest.mark.parametrize(
    "criteria",
    [
        WaveCriteria(track="T2", step=StepKind.SUSPEND),
        WaveCriteria(track="T4", step=StepKind.BLOCK_OUTGOING),
        WaveCriteria(track="T9", step=StepKind.BLOCK_OUTGOING),
    ],
)
def test_only_steps_that_are_left_to_waves_can_be_waves(
    country: Country, criteria: WaveCriteria
) -> None:
    with pytest.raises(WaveInvalidError):
        country.preview(criteria)


def test_it_takes_two_people(country: Country) -> None:
    wave = country.preview()
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)
    assert country.approve(wave, "first").state is WaveState.PREVIEWED
    with pytest.raises(WaveNotReadyError, match="already"):
        country.approve(wave, "first")
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)
    assert country.approve(wave, "second").approvers == (
        "regulator:first",
        "regulator:second",
    )
    assert country.get(wave).state is WaveState.APPROVED
    with pytest.raises(WaveNotReadyError):
        country.approve(wave, "third")
    assert set(country.states()) == {ServiceState.ACTIVE}


def test_an_executed_wave_has_blocked_each_number_once(country: Country) -> None:
    wave = country.execute(country.approved())
    assert (wave.state, wave.directive_count) == (WaveState.COMPLETED, 13)
    assert set(country.states()) == {ServiceState.OUTGOING_BLOCKED}
    assert country.obey() == [(DirectiveKind.BLOCK_OUTGOING, wave.wave_id)] * 13
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)
    assert country.obey() == []
    # From here on the clock goes on by itself.
    country.advance(60)
    assert set(country.states()) == {ServiceState.SUSPENDED}


def test_a_wave_goes_on_slice_by_slice(country: Country) -> None:
    wave = country.approved(slice_numbers=4)
    assert wave.slice_count == 4
    done = [country.execute(wave, slices=1) for _ in range(4)]
    assert [len(each.done) for each in done] == [1, 2, 3, 4]
    assert [each.state for each in done] == [*[WaveState.RUNNING] * 3, WaveState.COMPLETED]
    assert done[-1].directive_count == 13
    assert len(country.obey()) == 13


def test_a_wave_takes_no_more_than_it_may(country: Country) -> None:
    wave = country.execute(country.approved(replace(T2, subscription_count_max=5)))
    assert wave.directive_count == 5
    assert country.states().count(ServiceState.OUTGOING_BLOCKED) == 5


def longer_due(country: Country, *items: Subscription) -> None:
    """Have numbers wait for a wave a day longer than all others."""
    for item in items:
        cases = [
            (replace(case, next_due_at=case.next_due_at - DAY), item)
            for case in country.cases(item)
            if case.next_due_at is not None
        ]
        country.transactions.run(lambda uow, cases=cases: uow.cases.save_many(cases))  # type: ignore[misc] # bound at once


def taken(country: Country) -> list[Subscription]:
    """The numbers whose open cases a wave has stepped."""
    return [item for item in country.numbers if any(case.wave_id for case in country.cases(item))]


def test_a_wave_that_takes_a_few_takes_those_longest_due(country: Country) -> None:
    longer_due(country, *country.numbers[7:9])
    country.execute(country.approved(replace(T2, subscription_count_max=2)))
    assert taken(country) == country.numbers[7:9]


def test_what_is_held_takes_nobodys_place_in_a_wave_of_a_few(country: Country) -> None:
    primary, told, free = country.numbers[7:10]
    longer_due(country, primary, told, free)
    country.transactions.run(
        lambda uow: uow.subscriptions.save(replace(primary, verified_at=country.at))
    )
    country.transactions.run(lambda uow: uow.primaries.set(find(uow, primary), at=country.at))
    country.transactions.run(lambda uow: store_orders(uow, told, DirectiveKind.NOTIFY))
    country.execute(country.approved(replace(T2, subscription_count_max=1)))
    assert taken(country) == [free]


def reported_primary(country: Country) -> Subscription:
    """Verified, and yet on the ladder: the operator has told of something."""
    primary = replace(country.numbers[4], verified_at=country.at)
    (case,) = country.cases(primary)
    reported = replace(case, cause=CaseCause.OPERATOR_REPORT)
    country.transactions.run(lambda uow: uow.subscriptions.save(primary))
    country.transactions.run(lambda uow: uow.cases.save_many([(reported, primary)]))
    country.transactions.run(lambda uow: uow.primaries.set(primary, at=country.at))
    return primary


def test_a_primary_in_its_extra_time_is_held_in_the_preview_as_in_the_wave(
    country: Country,
) -> None:
    primary = reported_primary(country)
    wave = country.approved(replace(T2, has_primaries=True))
    assert (wave.preview.primary_count, wave.preview.held_count) == (0, 1)
    assert country.execute(wave).directive_count == wave.preview.subscription_count
    assert country.now(primary).service_state is ServiceState.ACTIVE


@pytest.mark.parametrize("has_primaries", [False, True])
def test_a_wave_takes_primaries_only_when_it_says_so(
    country: Country, *, has_primaries: bool
) -> None:
    primary = reported_primary(country)
    country.at += 10 * DAY  # beyond the extra time of a primary
    wave = country.approved(replace(T2, has_primaries=has_primaries))
    assert (wave.preview.primary_count, wave.preview.held_count) == (
        (1, 0) if has_primaries else (0, 1)
    )
    country.execute(wave)
    assert (primary.subscription_id in {item.subscription_id for item in taken(country)}) is (
        has_primaries
    )


def test_each_slice_of_a_wave_of_a_few_takes_its_share(country: Country) -> None:
    wave = country.approved(replace(T2, subscription_count_max=5), slice_numbers=2)
    counts = [country.execute(wave, slices=1).directive_count for _ in range(wave.slice_count)]
    before = [0, *counts]
    assert wave.slice_count == 3
    assert all(now - then <= 2 for now, then in zip(counts, before, strict=False))
    assert len(taken(country)) == counts[-1] <= 5


def test_two_servers_together_take_no_more_than_a_wave_may(country: Country, race: Race) -> None:
    wave = country.approved(replace(T2, subscription_count_max=8), slice_numbers=4)
    begin = partial(execution._begin, call=country.call(), wave_id=wave.wave_id)  # noqa: SLF001 - two servers are between two of their transactions
    country.transactions.run(begin)
    slices = [
        partial(execution._execute_slice, call=country.call(), wave_id=wave.wave_id, place=place)  # noqa: SLF001 - as above
        for place in (0, 1)
    ]
    race([lambda each=each: country.transactions.run(each) for each in slices])  # type: ignore[misc] # bound at once
    assert len(taken(country)) == country.get(wave).directive_count <= 8


def test_a_wave_takes_nothing_that_became_due_after_it_was_previewed(country: Country) -> None:
    late = country.numbers[0]
    (case,) = country.cases(late)
    later = replace(case, next_due_at=country.at + DAY)
    country.transactions.run(lambda uow: uow.cases.save_many([(later, late)]))
    wave = country.approved()
    assert wave.preview.subscription_count == 12
    country.at += 2 * DAY
    assert country.execute(wave).directive_count == 12
    assert country.now(late).service_state is ServiceState.ACTIVE
    assert country.preview().preview.subscription_count == 1


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        ({"operators": ("south",)}, 6),
        ({"province_codes": ("01",)}, 4),
        ({"causes": (CaseCause.UNVERIFIED,)}, 13),
        ({"causes": (CaseCause.MISMATCHED,)}, 0),
    ],
)
def test_a_wave_takes_those_it_names(
    country: Country, narrowed: dict[str, tuple[str, ...]], count: int
) -> None:
    criteria = replace(T2, **narrowed)  # type: ignore[arg-type] # fields of the criteria
    wave = country.execute(country.approved(criteria))
    assert wave.preview.subscription_count == wave.directive_count == count


def test_a_stopped_wave_needs_two_anew(country: Country) -> None:
    wave = country.approved(slice_numbers=4)
    country.execute(wave, slices=1)
    stopped = country.transactions.run(
        lambda uow: stop_wave(uow, country.call(), wave.wave_id, "let us look")
    )
    assert (stopped.state, stopped.reason, stopped.approvers) == (
        WaveState.STOPPED,
        "let us look",
        (),
    )
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)
    country.approve(wave, "first")
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)
    country.approve(wave, "third")
    assert country.execute(wave).state is WaveState.COMPLETED
    assert len(country.obey()) == 13


def test_what_is_over_or_stopped_cannot_be_stopped(country: Country) -> None:
    def stop() -> None:
        country.transactions.run(lambda uow: stop_wave(uow, country.call(), wave.wave_id, "again"))

    wave = country.execute(country.approved())
    with pytest.raises(WaveNotReadyError, match="completed"):
        stop()
    country.revert(wave)
    with pytest.raises(WaveNotReadyError, match="reverted"):
        stop()
    wave = country.preview()
    stop()
    with pytest.raises(WaveNotReadyError, match="stopped"):
        stop()


def test_a_slice_that_comes_after_the_stop_does_nothing(country: Country) -> None:
    wave = country.approved()
    begin = partial(execution._begin, call=country.call(), wave_id=wave.wave_id)  # noqa: SLF001 - the other server is between two of its transactions
    country.transactions.run(begin)
    country.transactions.run(lambda uow: stop_wave(uow, country.call(), wave.wave_id, "stop"))
    country.transactions.run(
        partial(execution._execute_slice, call=country.call(), wave_id=wave.wave_id, place=0)  # noqa: SLF001 - as above
    )
    assert taken(country) == []
    assert country.get(wave).done == frozenset()


def test_a_wave_stops_itself_when_many_are_cured(country: Country) -> None:
    wave = country.approved(slice_numbers=7)
    country.execute(wave, slices=1)
    blocked = [item for item in country.numbers if country.now(item) != item]
    blocked = [
        item for item in map(country.now, blocked) if item.service_state is not ServiceState.ACTIVE
    ]
    for item in blocked[: len(blocked) // 2]:
        cured = replace(item, verified_at=country.at, service_state=ServiceState.ACTIVE)
        country.settle(cured, is_cured=True)
    after = country.execute(wave)
    assert after.state is WaveState.STOPPED
    assert after.reason.startswith("stopped itself: ")
    assert len(after.done) == 1
    # Two who know of it may let it go on.
    for name in ("first", "second"):
        country.approve(wave, name)
    assert country.execute(wave).state is WaveState.COMPLETED


def test_what_two_people_let_go_on_is_looked_at_again_before_the_next_call(
    country: Country,
) -> None:
    wave = country.approved(slice_numbers=4)
    country.execute(wave, slices=1)
    blocked = [
        item
        for item in map(country.now, country.numbers)
        if item.service_state is not ServiceState.ACTIVE
    ]
    for item in blocked:
        cured = replace(item, verified_at=country.at, service_state=ServiceState.ACTIVE)
        country.settle(cured, is_cured=True)
    assert country.execute(wave, slices=1).state is WaveState.STOPPED
    for name in ("first", "second"):
        country.approve(wave, name)
    again = country.execute(wave, slices=1)
    assert (again.state, len(again.done)) == (WaveState.RUNNING, 2)
    assert country.execute(wave, slices=1).state is WaveState.STOPPED


def complain(country: Country, items: Sequence[Subscription]) -> None:
    for item in items:
        country.transactions.run(
            lambda uow, item=item: uow.complaints.file(  # type: ignore[misc] # bound at once
                item, on=day_of(country.at), at=country.at
            )
        )


def test_a_wave_stops_itself_when_many_complain(country: Country) -> None:
    complain(country, country.numbers)  # of before: about something else
    country.at += DAY
    wave = country.approved(slice_numbers=7)
    country.execute(wave, slices=1)
    (one, *_) = taken(country)
    country.at += DAY
    complain(country, [item for item in country.numbers if item not in taken(country)])
    assert country.get(wave).state is WaveState.RUNNING
    complain(country, [one])
    country.at += DAY
    after = country.execute(wave)
    assert (after.state, len(after.done)) == (WaveState.STOPPED, 1)
    assert after.reason.startswith("stopped itself: 1 complaints about ")


def test_complaints_of_before_a_wave_and_about_others_do_not_stop_it(country: Country) -> None:
    complain(country, country.numbers)
    country.at += DAY
    wave = country.approved(slice_numbers=7)
    country.execute(wave, slices=1)
    complain(country, [item for item in country.numbers if item not in taken(country)])
    assert country.execute(wave).state is WaveState.COMPLETED


def test_a_reverted_wave_leaves_everything_as_it_was(country: Country) -> None:
    before = {item.subscription_id: country.cases(item) for item in country.numbers}
    wave = country.execute(country.approved())
    country.obey()
    country.at += DAY
    reverted = country.revert(wave)
    assert (reverted.state, reverted.reverted_count) == (WaveState.REVERTED, 13)
    assert {item.subscription_id: country.cases(item) for item in country.numbers} == before
    assert set(country.states()) == {ServiceState.ACTIVE}
    assert country.obey() == [(DirectiveKind.RESTORE, wave.wave_id)] * 13
    assert all(country.now(item).applied_state is ServiceState.ACTIVE for item in country.numbers)
    again = revert_wave(country.transactions, country.call(), wave.wave_id, reason="once more")
    assert (again.reverted_count, again.reason) == (13, "a mistake")
    assert country.obey() == []
    with pytest.raises(WaveNotReadyError):
        country.execute(wave)


def test_a_wave_that_two_people_revert_at_once_is_reverted_once(
    country: Country, race: Race
) -> None:
    wave = country.execute(country.approved())
    country.obey()
    reverted = race([lambda: country.revert(wave), lambda: country.revert(wave)])
    assert {each.reverted_count for each in reverted} <= {13}
    assert country.obey() == [(DirectiveKind.RESTORE, wave.wave_id)] * 13


def test_a_revert_takes_back_what_stood_upon_the_wave(country: Country) -> None:
    wave = country.execute(country.approved())
    country.obey()
    country.advance(60)
    country.obey()
    assert set(country.states()) == {ServiceState.SUSPENDED}
    country.revert(wave)
    assert set(country.states()) == {ServiceState.ACTIVE}
    assert {case.steps_taken for item in country.numbers for case in country.cases(item)} == {5}


def without_waves(country: Country) -> PolicyBook:
    """The rules with a retroactive pack that leaves no step to waves, from tomorrow on."""
    before = next(pack for pack in country.book.chosen if "T2" in pack.tracks)
    tracks = {
        name: replace(
            track,
            policy_version="without-waves",
            steps=tuple(replace(step, is_by_wave=False) for step in track.steps),
        )
        for name, track in before.tracks.items()
    }
    after = replace(
        before,
        version="without-waves",
        effective_on=day_of(country.at + DAY),
        is_retroactive=True,
        tracks=tracks,
    )
    return PolicyBook([*country.book.chosen, after])


def test_a_wave_whose_step_is_no_waves_any_more_is_refused_before_it_runs(
    country: Country,
) -> None:
    wave = country.approved()
    packs = [
        replace(
            pack,
            tracks={
                name: replace(
                    track, steps=tuple(replace(step, is_by_wave=False) for step in track.steps)
                )
                for name, track in pack.tracks.items()
            },
        )
        for pack in country.book.chosen
    ]
    country.book = PolicyBook(packs)
    with pytest.raises(WaveInvalidError):
        country.execute(wave)
    assert country.get(wave).state is WaveState.APPROVED


def test_a_revert_finds_cases_that_went_over_to_a_pack_without_waves(country: Country) -> None:
    wave = country.execute(country.approved())
    country.obey()
    country.book = without_waves(country)
    country.advance(2)
    assert {case.policy_version for item in country.numbers for case in country.cases(item)} == {
        "without-waves"
    }
    assert country.revert(wave).reverted_count == 13
    assert country.obey() == [(DirectiveKind.RESTORE, wave.wave_id)] * 13
    # No wave will ever come for them: the step is the clock's now.
    assert not any(case.waits_for_wave for item in country.numbers for case in country.cases(item))
    country.advance(0)
    assert country.obey() == [(DirectiveKind.BLOCK_OUTGOING, None)] * 13


def test_a_revert_leaves_what_happened_since(country: Country) -> None:
    wave = country.execute(country.approved())
    country.obey()
    cured, moved, ended, *_ = map(country.now, country.numbers)
    country.settle(
        replace(cured, verified_at=country.at, service_state=ServiceState.ACTIVE), is_cured=True
    )
    country.settle(moved, cause=CaseCause.DEVICE_CHANGE, cause_at=country.at, run=Run())
    country.settle(replace(ended, service_state=ServiceState.TERMINATED))
    country.obey()
    country.at += DAY
    assert country.revert(wave).reverted_count == 11
    assert country.now(cured).service_state is ServiceState.ACTIVE
    assert country.cases(cured) == []
    # Its SIM is in another device: that block is none of the wave's.
    assert country.now(moved).service_state is ServiceState.OUTGOING_BLOCKED
    assert country.now(ended).service_state is ServiceState.TERMINATED
    assert {case.steps_taken for case in country.cases(moved) if case.track == "T2"} == {5}


def test_the_clock_leaves_each_case_with_the_wave_that_stepped_it(country: Country) -> None:
    north, south = (
        country.execute(country.approved(replace(T2, operators=(name,))))
        for name in ("north", "south")
    )
    country.obey()
    country.advance(60)
    country.obey()
    assert country.revert(north).reverted_count == 7
    assert {country.now(item).service_state for item in taken(country)} == {ServiceState.SUSPENDED}
    assert {item.operator_id for item in taken(country)} == {"south"}
    assert country.revert(south).reverted_count == 6
    assert set(country.states()) == {ServiceState.ACTIVE}


def test_a_revert_finds_what_was_stepped_by_itself(country: Country) -> None:
    # Verified, and yet on the ladder: as after a correction of the register.
    alone = replace(country.numbers[3], verified_at=country.at)
    country.transactions.run(lambda uow: uow.subscriptions.save(alone))
    before = country.cases(alone)
    country.transactions.run(
        lambda uow: uow.cases.save_many(
            (replace(case, cause=CaseCause.OPERATOR_REPORT), alone) for case in before
        )
    )
    reported = country.cases(alone)
    wave = country.execute(country.approved())
    assert country.now(alone).service_state is ServiceState.OUTGOING_BLOCKED
    assert country.revert(wave).reverted_count == 13
    assert country.now(alone).service_state is ServiceState.ACTIVE
    assert country.cases(alone) == reported


def test_blocks_that_were_not_pulled_yet_are_overtaken(country: Country) -> None:
    country.revert(country.execute(country.approved()))
    assert {kind for kind, _ in country.obey()} == {DirectiveKind.RESTORE}
    query = select(directive.c.kind).where(directive.c.state == "superseded")
    overtaken = country.transactions.run(lambda uow: [*uow.connection.scalars(query)])
    assert overtaken == ["block_outgoing"] * 13


def test_there_is_no_such_wave(country: Country) -> None:
    wave = replace(country.preview(), wave_id=uuid4())
    for act in (country.execute, country.revert, country.get):
        with pytest.raises(WaveNotFoundError):
            act(wave)


def test_two_servers_execute_a_wave_once(country: Country) -> None:
    wave = country.approved()
    country.transactions.run(lambda uow: execution._begin(uow, country.call(), wave.wave_id))  # noqa: SLF001 - the other server is between two of its transactions
    assert country.execute(wave).directive_count == 13
    country.transactions.run(
        lambda uow: execution._execute_slice(uow, country.call(), wave.wave_id, 0)  # noqa: SLF001 - as above
    )
    assert len(country.obey()) == 13
