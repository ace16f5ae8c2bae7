"""The judgement on cheats: the credulous service lets them through, and that is noticed."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from subid.v1.verification_service_pb2 import (
    VERDICT_STATE_FAILURE_TO_ACQUIRE,
    VERDICT_STATE_NOT_VERIFIED,
    VERDICT_STATE_VERIFIED,
    Verdict,
)
from telco_sim.attackers import Answer, Cheat, judge, try_all
from telco_sim.journal import Invariant
from telco_sim.report import EXIT_BROKEN, EXIT_CLEAN, report_of
from telco_sim.scenarios import CHEATS
from telco_sim.wire import Refusal
from telco_sim.world import World
from tests.unit.telco_sim.credulous_service import Country
from tests.unit.telco_sim.credulous_world import open_world


@pytest.fixture
def world() -> Iterator[World]:
    with open_world(Country()) as world:
        yield world


CHEAT = Cheat(
    name="a cheat",
    tried="something",
    expected=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC|FACE_NON_MATCH"),
    attempt=lambda _: Answer(is_no=True, codes=()),
)


@pytest.mark.parametrize(
    ("answer", "is_refused"),
    [
        (Answer(is_no=True, codes=("NOT_VERIFIED", "CHIP_NOT_AUTHENTIC")), True),
        (Answer(is_no=True, codes=("NOT_VERIFIED", "FACE_NON_MATCH", "OTHER")), True),
        (Answer(is_no=True, codes=("NOT_VERIFIED",)), False),
        (Answer(is_no=True, codes=("INTERNAL",)), False),
        (Answer(is_no=False, codes=("VERIFIED",)), False),
        (Answer(is_no=False, codes=("NOT_VERIFIED", "FACE_NON_MATCH")), False),
    ],
)
def test_only_the_expected_no_counts_as_refused(answer: Answer, is_refused: bool) -> None:  # noqa: FBT001 - parametrized
    assert judge(CHEAT, answer).is_refused is is_refused


def test_a_verdict_is_read_with_all_its_codes() -> None:
    verdict = Verdict(
        state=VERDICT_STATE_NOT_VERIFIED,
        reasons=["CHIP_NOT_AUTHENTIC"],
        chip_codes=["DG_HASH_MISMATCH"],
    )
    answer = Answer.of_verdict(verdict)
    assert (answer.is_no, str(answer)) == (
        True,
        "NOT_VERIFIED CHIP_NOT_AUTHENTIC DG_HASH_MISMATCH",
    )
    assert not Answer.of_verdict(Verdict(state=VERDICT_STATE_VERIFIED)).is_no
    poor = Verdict(state=VERDICT_STATE_FAILURE_TO_ACQUIRE, acquisition_failure="NO_FACE")
    assert Answer.of_verdict(poor).codes == ("FAILURE_TO_ACQUIRE", "NO_FACE")


def test_a_refusal_is_read_with_status_reason_and_fields() -> None:
    refusal = Refusal(status="INVALID_ARGUMENT", reason="REQUEST_INVALID", violations=("purpose",))
    assert Answer.of_refusal(refusal).codes == ("INVALID_ARGUMENT", "REQUEST_INVALID", "purpose")


def test_a_cheat_that_raises_is_answered_by_its_refusal(world: World) -> None:
    def attempt(_: World) -> Answer:
        raise Refusal(status="NOT_FOUND", reason="SUBSCRIPTION_NOT_FOUND")

    cheat = replace(CHEAT, expected=("SUBSCRIPTION_NOT_FOUND",), attempt=attempt)
    (outcome,) = try_all(world, [cheat])
    assert (outcome.is_refused, outcome.answer) == (True, "NOT_FOUND SUBSCRIPTION_NOT_FOUND")


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_every_cheat_gets_through_at_a_service_that_believes_everything(
    cheat: Cheat, world: World
) -> None:
    (outcome,) = try_all(world, [cheat])
    assert not outcome.is_refused
    assert outcome.answer.split()[0] in {"VERIFIED", "ACCEPTED", "TELLS_TAKEN_FROM_FREE"}


def test_a_cheat_that_gets_through_makes_the_exit_code_non_zero(world: World) -> None:
    world.journal.check(Invariant.PLAYED_TO_THE_END, holds=True, detail="")
    refused = judge(CHEAT, Answer(is_no=True, codes=("NOT_VERIFIED", "FACE_NON_MATCH")))
    got_through = try_all(world, CHEATS[:1])
    clean, broken = (
        report_of(
            world,
            cheats,
            start_duration_s=1,
            duration_s=1,
            invariants=(Invariant.PLAYED_TO_THE_END,),
        )
        for cheats in ([refused], [refused, *got_through])
    )
    assert (clean.exit_code, broken.exit_code) == (EXIT_CLEAN, EXIT_BROKEN)


def test_names_of_cheats_are_different() -> None:
    assert len({each.name for each in CHEATS}) == len(CHEATS)


def test_a_thief_has_another_face_than_the_victim(world: World) -> None:
    generator = Random(1)
    victim = generator.choice(world.verified).holder
    thief = world.somebody(
        "a thief", suits=lambda each: world.studio.has_other_face(each, than=victim)
    )
    assert world.studio.portrait_of(thief) != world.studio.portrait_of(victim)
