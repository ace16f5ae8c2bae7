"""Waves: tried dry, approved by two, executed once, stopped, and put back exactly."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select

from identity.domain.enforcement import DirectiveKind, Run
from identity.domain.errors import WaveInvalidError, WaveNotFoundError, WaveNotReadyError
from identity.domain.policy import CaseCause, StepKind
from identity.domain.subscription import ServiceState
from identity.domain.wave import WaveCriteria, WaveState
from identity.security.vault import Vault
from identity.services import execute_wave as execution
from identity.services.waves import stop_wave
from identity.storage.tables import directive
from tests.unit.identity.conftest import Race
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
    with pytest.raises(WaveNotReadyError, match="2 must approve it first"):
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
    with pytest.raises(WaveNotReadyError, match="completed, and nothing of it is left"):
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
    assert (wave.state, wave.directive_count) == (WaveState.COMPLETED, 5)
    assert country.states().count(ServiceState.OUTGOING_BLOCKED) == 5


def test_a_wave_of_a_few_goes_slice_by_slice_too(country: Country) -> None:
    wave = country.approved(replace(T2, subscription_count_max=5), slice_numbers=1)
    assert (wave.preview.subscription_count, wave.slice_count) == (5, 13)
    wave = country.execute(wave)
    assert (wave.state, wave.directive_count) == (WaveState.COMPLETED, 5)
    # Slices that it does not need are left alone.
    assert len(wave.done) < wave.slice_count
    assert country.revert(wave).reverted_count == 5
    assert set(country.states()) == {ServiceState.ACTIVE}


def test_numbers_that_a_notice_holds_are_not_among_the_few(country: Country) -> None:
    for item in country.numbers[:8]:
        country.settle(item, cause=CaseCause.DEVICE_CHANGE, cause_at=country.at, run=Run())
    preview = country.preview().preview
    assert (preview.subscription_count, preview.held_count) == (5, 8)
    wave = country.execute(country.approved(replace(T2, subscription_count_max=4)))
    assert (wave.state, wave.directive_count) == (WaveState.COMPLETED, 4)


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
    # Two who approve it anew do not make it right: what is left is another wave's.
    country.approve(wave, "first")
    country.approve(wave, "second")
    assert country.execute(wave).state is WaveState.STOPPED


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
    assert country.revert(wave).reverted_count == 13
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
