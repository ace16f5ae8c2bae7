"""How long failures in a row make the next attempt wait."""

from dataclasses import replace
from datetime import timedelta

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import VerificationChannelClosedError, VerificationThrottledError
from identity.domain.throttle import Attempts, ThrottlePolicy, channel_of, is_failure
from identity.domain.verification import VerdictState, decide
from identity.services.call import score_names
from tests.unit.identity.makers import NOW, make_evidence, make_face, make_record, rules

POLICY = ThrottlePolicy()


@pytest.mark.parametrize(
    ("failed_count", "seconds"),
    [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1_920), (12, 3_600), (49, 3_600)],
)
def test_the_wait_after_five_failures_is_half_a_minute_and_doubles(
    failed_count: int, seconds: int
) -> None:
    assert POLICY.wait_after(failed_count) == timedelta(seconds=seconds)


def test_who_comes_too_early_is_told_when_to_come_again() -> None:
    failed = Attempts(failed_count=5, last_at=NOW)
    with pytest.raises(VerificationThrottledError) as refusal:
        failed.refuse_early(POLICY, at=NOW + timedelta(seconds=10))
    assert refusal.value.retry_after_s == 20
    failed.refuse_early(POLICY, at=NOW + timedelta(seconds=30))


def test_fifty_failures_close_the_channel_for_a_time_and_not_for_ever() -> None:
    failed = Attempts(failed_count=50, last_at=NOW)
    with pytest.raises(VerificationChannelClosedError) as refusal:
        failed.refuse_early(POLICY, at=NOW + timedelta(days=29))
    assert refusal.value.retry_after_s is None
    failed.refuse_early(POLICY, at=NOW + timedelta(days=30))


def test_all_apps_are_one_channel_and_each_operator_its_own() -> None:
    apps = {channel_of(Caller(Role.CITIZEN_APP, name)) for name in ("vneid", "other")}
    operators = {channel_of(Caller(Role.OPERATOR, name)) for name in ("viettel", "mobifone")}
    assert (len(apps), len(operators)) == (1, 2)
    assert not apps & operators


@pytest.mark.parametrize(
    ("changes", "state", "counts"),
    [
        ({}, VerdictState.VERIFIED, False),
        ({"face": make_face(0.55)}, VerdictState.NOT_VERIFIED, True),
        (
            {"face": replace(make_face(), dissimilarity=None, failure="NO_FACE")},
            VerdictState.FAILURE_TO_ACQUIRE,
            False,
        ),
    ],
)
def test_a_photograph_without_a_face_is_no_failure(
    changes: dict[str, object],
    state: VerdictState,
    counts: bool,  # noqa: FBT001 - a case
) -> None:
    evidence = make_evidence(make_record(), **changes)
    verdict = decide(evidence, rules().verification, at=NOW, score_names=score_names)
    assert (verdict.state, is_failure(verdict)) == (state, counts)


def test_a_chip_that_could_not_be_judged_is_no_failure_of_the_holder() -> None:
    evidence = make_evidence(make_record())
    chip = replace(evidence.chip, is_authentic=False, is_undetermined=True)
    evidence = replace(evidence, chip=chip)
    verdict = decide(evidence, rules().verification, at=NOW, score_names=score_names)
    assert (verdict.state, is_failure(verdict)) == (VerdictState.REVIEW, False)
