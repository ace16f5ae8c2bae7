"""Waves: millions of numbers are not blocked by a clock.

Owns how the regulator blocks what waits for it: tried dry, approved by two, executed, and compared
with what the preview said. Primary numbers go last, in a wave of their own.
"""

from subid.v1.wave_service_pb2 import WAVE_STATE_COMPLETED, WavePreview, WaveState
from telco_sim.journal import Invariant
from telco_sim.wire import Refusal
from telco_sim.world import World

_TRACK = "T2"
"""The ladder whose block the policy leaves to waves."""

_NOT_READY = "WAVE_NOT_READY"


def block_by_waves(world: World) -> None:
    """Block what waits for it, primary numbers after all others."""
    for has_primaries in (False, True):
        tried = world.regulator.preview_wave(track=_TRACK, has_primaries=has_primaries)
        if tried.preview.subscription_count:
            _check_preview(world, tried.preview, has_primaries=has_primaries)
            _approve(world, tried.wave_id)
            _execute(world, tried.wave_id, count_max=tried.preview.subscription_count)
            left = world.regulator.preview_wave(track=_TRACK, has_primaries=has_primaries)
            world.journal.check_equal(
                Invariant.WAVES_AS_APPROVED,
                seen=left.preview.subscription_count,
                expected=0,
                subject="numbers that a wave has left out",
            )


def _check_preview(world: World, preview: WavePreview, *, has_primaries: bool) -> None:
    for counts in (preview.by_operator, preview.by_province):
        world.journal.check_equal(
            Invariant.WAVES_AS_APPROVED,
            seen=sum(each.subscription_count for each in counts),
            expected=preview.subscription_count,
            subject="numbers of a wave by operator and by province",
        )
    world.journal.check(
        Invariant.WAVES_AS_APPROVED,
        holds=preview.recently_verified_count == 0
        and (has_primaries or preview.primary_count == 0),
        detail=f"{preview.recently_verified_count} verified yesterday, "
        f"{preview.primary_count} primary",
    )


def _approve(world: World, wave_id: str) -> None:
    """Two approve; with the approval of one nothing can be executed, and nobody counts twice."""
    world.regulator.approve_wave(wave_id)
    for attempt in (world.second_regulator.execute_wave, world.regulator.approve_wave):
        try:
            attempt(wave_id)
        except Refusal as refusal:
            answer = refusal.reason
        else:
            answer = ""
        world.journal.check_equal(
            Invariant.WAVES_AS_APPROVED,
            seen=answer,
            expected=_NOT_READY,
            subject="a wave with one approval",
        )
    wave = world.second_regulator.approve_wave(wave_id)
    world.journal.check_equal(
        Invariant.WAVES_AS_APPROVED,
        seen=len(set(wave.approvers)),
        expected=2,
        subject="approvals of a wave",
    )


def _execute(world: World, wave_id: str, *, count_max: int) -> None:
    """Execute it all; what was blocked for another reason before needs no order."""
    wave = world.regulator.execute_wave(wave_id)
    while wave.slice_done_count < wave.slice_count:
        wave = world.regulator.execute_wave(wave_id)
    world.journal.check(
        Invariant.WAVES_AS_APPROVED,
        holds=wave.state == WAVE_STATE_COMPLETED and 0 < wave.directive_count <= count_max,
        detail=f"{WaveState.Name(wave.state)} with {wave.directive_count} orders of {count_max}",
    )
    world.journal.count("waves executed")
    world.journal.count("numbers blocked by waves", wave.directive_count)
