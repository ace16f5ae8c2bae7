"""When somebody may try to be verified again after failing.

Owns how long each failure in a row makes the next attempt wait, as a pure function of how many
there were. Knows neither whose failures they are nor where they are counted.

An attempt counts when it is taken, before anything is compared, and is given back when it was no
failure: however many come at once, no more of them are let in than one after the other.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from identity.domain.caller import Caller, Role
from identity.domain.errors import VerificationChannelClosedError, VerificationThrottledError
from identity.domain.link import FieldResult
from identity.domain.verification import Verdict, VerdictState


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePolicy:
    """What a pack says of verifications that fail in a row.

    Source of 5, 30 s and 50: NIST SP 800-63B-4, 3.2.3, biometrics without detection of presentation
    attacks; that waits grow: 3.2.2. The other two are ours.

    Attributes:
        free_failure_count: Failures in a row after which the next attempt waits.
        first_wait: How long it waits then; each further failure doubles it.
        wait_max: The longest that it waits while the channel is open.
        failure_count_max: Failures in a row that close the channel.
        closed_for: How long it is closed, unless the person is verified through another. Then one
            attempt is let in, and a failure closes it for as long again.
    """

    free_failure_count: int = 5
    first_wait: timedelta = timedelta(seconds=30)
    wait_max: timedelta = timedelta(hours=1)
    failure_count_max: int = 50
    closed_for: timedelta = timedelta(days=30)

    def wait_after(self, failed_count: int) -> timedelta:
        """How long the next attempt waits after so many failures in a row; it never shrinks."""
        if failed_count < self.free_failure_count:
            return timedelta()
        if failed_count >= self.failure_count_max:
            return self.closed_for
        doublings = failed_count - self.free_failure_count
        # Beyond that a day has been passed in any policy, and a length of time would overflow.
        return min(self.first_wait * (1 << min(doublings, 20)), self.wait_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Attempts in a row of one person, or at one number, that did not succeed, through one channel.

    Attributes:
        failed_count: How many, those under way among them.
        last_at: When the last one was taken; None when there was none.
    """

    failed_count: int = 0
    last_at: datetime | None = None

    def waits_until(self, policy: ThrottlePolicy) -> datetime | None:
        """When the next one may be taken; None for at once."""
        if self.last_at is None or self.failed_count < policy.free_failure_count:
            return None
        return self.last_at + policy.wait_after(self.failed_count)

    def refuse_early(self, policy: ThrottlePolicy, *, at: datetime) -> None:
        """Refuse an attempt that must wait.

        Raises:
            VerificationThrottledError: It comes too soon; says when to come again.
            VerificationChannelClosedError: The person is to be verified through another channel.
        """
        until = self.waits_until(policy)
        if until is None or until <= at:
            return
        if self.failed_count >= policy.failure_count_max:
            raise VerificationChannelClosedError(
                "too many attempts failed here: the holder is verified through another channel"
            )
        error = VerificationThrottledError("several attempts failed in a row: wait")
        error.retry_after_s = (until - at).total_seconds()
        raise error

    def taken(self, *, at: datetime) -> "Attempts":
        """With one more, taken at an instant that `refuse_early` lets in."""
        return Attempts(failed_count=self.failed_count + 1, last_at=at)

    def given_back(self) -> "Attempts":
        """Without one that was no failure; those after it still wait for the last one taken."""
        return replace(self, failed_count=max(0, self.failed_count - 1))


def channel_of(caller: Caller) -> str:
    """Where failures are counted together: all citizen apps are one, each operator is its own."""
    return caller.role.value if caller.role is Role.CITIZEN_APP else str(caller)


def is_failure(verdict: Verdict) -> bool:
    """Whether an attempt counts as failed.

    One without a usable photograph decided nothing. One that a person must look at counts unless
    the face matched: a doubtful face may be somebody's guess, a chip that could not be judged is
    not.
    """
    if verdict.state is VerdictState.REVIEW:
        return verdict.face.result is not FieldResult.MATCH
    return verdict.state is VerdictState.NOT_VERIFIED
