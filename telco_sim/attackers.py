"""People who cheat.

Owns the attempts: who tries what, and which answer a correct service gives. An attempt that is
refused for another reason than the expected one counts as one that got through, because a
service that stops a cheat by accident does not stop the next. It refuses to know how the service
finds out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from subid.v1.verification_service_pb2 import VERDICT_STATE_VERIFIED, Verdict, VerdictState
from telco_sim.wire import Refusal
from telco_sim.world import CountryTooSmallError, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a cheat was told.

    Attributes:
        is_no: Whether it was a no.
        codes: Every code in it: status, reasons, chip codes.
    """

    is_no: bool
    codes: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.codes)

    @classmethod
    def of_verdict(cls, verdict: Verdict) -> "Answer":
        """Read a verdict."""
        state = VerdictState.Name(verdict.state).removeprefix("VERDICT_STATE_")
        failure = (verdict.acquisition_failure,) if verdict.acquisition_failure else ()
        return cls(
            is_no=verdict.state != VERDICT_STATE_VERIFIED,
            codes=(state, *verdict.reasons, *verdict.chip_codes, *failure),
        )

    @classmethod
    def of_refusal(cls, refusal: Refusal) -> "Answer":
        """Read a refusal."""
        reason = (refusal.reason,) if refusal.reason else ()
        return cls(is_no=True, codes=(refusal.status, *reason, *refusal.violations))

    @classmethod
    def of_success(cls, response: Message) -> "Answer":
        """Read a response that is not a verdict: whatever was asked for was given."""
        return cls(is_no=False, codes=("ACCEPTED", response.DESCRIPTOR.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """One way to cheat.

    Attributes:
        name: Short name.
        tried: What is tried, in a sentence.
        expected: Codes of which every one must be in the answer; alternatives are separated by a
            vertical bar.
        attempt: Tries it.
    """

    name: str
    tried: str
    expected: tuple[str, ...]
    attempt: Callable[[World], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a cheat.

    Attributes:
        name: Name of the cheat.
        tried: What was tried.
        expected: The codes that the answer had to hold.
        answer: The codes that it held.
        is_refused: Whether it was refused, and for the expected reason.
    """

    name: str
    tried: str
    expected: str
    answer: str
    is_refused: bool


def judge(cheat: Cheat, answer: Answer) -> Outcome:
    """Compare the answer to a cheat with the one that a correct service gives."""
    return Outcome(
        name=cheat.name,
        tried=cheat.tried,
        expected=" ".join(cheat.expected),
        answer=str(answer),
        is_refused=answer.is_no
        and all(set(code.split("|")) & set(answer.codes) for code in cheat.expected),
    )


def try_all(world: World, cheats: Sequence[Cheat]) -> tuple[Outcome, ...]:
    """Try cheats one after the other."""
    return tuple(judge(each, _attempt(world, each)) for each in cheats)


def _attempt(world: World, cheat: Cheat) -> Answer:
    try:
        return cheat.attempt(world)
    except Refusal as refusal:
        return Answer.of_refusal(refusal)
    except CountryTooSmallError as error:
        return Answer(is_no=False, codes=("NOT_TRIED", str(error)))
