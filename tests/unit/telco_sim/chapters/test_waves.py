"""A wave that does not need two, or does other than it said, is noticed."""

import pytest

from subid.v1.wave_service_pb2 import WaveCount, WavePreview
from telco_sim.chapters.waves import block_by_waves
from telco_sim.journal import Invariant
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country


def preview(count: int, *, primaries: int = 0, recent: int = 0) -> WavePreview:
    counts = [WaveCount(name="north", subscription_count=count)]
    return WavePreview(
        subscription_count=count,
        by_operator=counts,
        by_province=counts,
        primary_count=primaries,
        recently_verified_count=recent,
    )


@pytest.fixture
def country() -> Country:
    return Country(wave_preview=preview(7), wave_orders=7)


def broken(world: World) -> str:
    (finding,) = world.journal.findings(Invariant.WAVES_AS_APPROVED)
    return " ".join(finding.details)


def test_a_wave_that_one_approves_alone_is_noticed_and_nothing_else_is(world: World) -> None:
    block_by_waves(world)
    (finding,) = world.journal.findings(Invariant.WAVES_AS_APPROVED)
    # The credulous service executes it, lets the same one approve twice, and counts no two.
    assert finding.broken_count == 3
    assert broken(world).count("a wave with one approval") == 2
    assert world.journal.counts()["numbers blocked by waves"] == 7


def test_a_wave_that_nobody_waits_for_is_not_begun(world: World, country: Country) -> None:
    country.wave_preview = WavePreview()
    block_by_waves(world)
    assert country.wave_approvers == []
    assert "waves executed" not in world.journal.counts()


def test_other_orders_than_were_previewed_are_noticed(world: World, country: Country) -> None:
    country.wave_orders = 8
    block_by_waves(world)
    assert "COMPLETED with 8 orders of 7" in broken(world)


def test_a_wave_that_leaves_numbers_out_is_noticed(world: World, country: Country) -> None:
    country.wave_forgets = True
    block_by_waves(world)
    assert "numbers that a wave has left out" in broken(world)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (preview(7, recent=1), "1 verified yesterday"),
        (preview(7, primaries=2), "2 primary"),
        (WavePreview(subscription_count=7), "numbers of a wave by operator"),
    ],
)
def test_a_preview_that_cannot_be_is_noticed(
    world: World, country: Country, seen: WavePreview, says: str
) -> None:
    country.wave_preview = seen
    block_by_waves(world)
    assert says in broken(world)
