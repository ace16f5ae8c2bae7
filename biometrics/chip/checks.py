"""One check, and the list on which each is written down as it is made.

Owns the shape of a check and that none is lost: whatever a step does, the list gets a line. Knows
neither what is checked nor what follows from it; that is `policy`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from biometrics.chip.codes import CheckResult, ChipCode, ChipError

_Subject = TypeVar("_Subject")
_Finding = TypeVar("_Finding")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: Stable name: `sod_signature`, `data_group_2_hash`.
        result: How it ended.
        code: Why, when it was not plainly successful.
        evidence: A short phrase for a person who investigates; never personal data.
        is_binding: Whether the verdict depends on it. Plausibility checks and data groups that
            nobody needs are reported and do not bind.
    """

    name: str
    result: CheckResult
    code: ChipCode | None = None
    evidence: str = ""
    is_binding: bool = True


def not_supported(name: str, evidence: str, *, code: ChipCode | None = None) -> Check:
    """Return the check of something this document or this library does not have."""
    return Check(
        name=name, result=CheckResult.NOT_SUPPORTED, code=code, evidence=evidence, is_binding=False
    )


class Checklist:
    """Makes checks one after the other and writes each down, whatever becomes of it."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks so far, in order."""
        return tuple(self._checks)

    def result_of(self, name: str) -> CheckResult | None:
        """Return how the check of this name ended, None when it was not made."""
        return next((check.result for check in self._checks if check.name == name), None)

    def add(self, check: Check) -> None:
        """Write down a check that was made elsewhere."""
        self._checks.append(check)

    def run(
        self,
        name: str,
        step: Callable[[_Subject], _Finding],
        subject: _Subject | None,
        *,
        is_binding: bool = True,
        describe: Callable[[_Finding], str] | None = None,
    ) -> _Finding | None:
        """Make one check and return what it found.

        Args:
            name: Name of the check.
            step: Does it: returns a finding other than None, or raises ChipError.
            subject: What it is done to; None, when an earlier check did not yield it, aborts.
            is_binding: As in `Check`.
            describe: Says as evidence what was found, and nothing of the holder. A finding that
                is text needs none.

        Returns:
            The finding, or None when there is none.
        """
        if subject is None:
            self.add(Check(name=name, result=CheckResult.ABORTED, is_binding=is_binding))
            return None
        try:
            finding = step(subject)
        except ChipError as error:
            self.add(
                Check(
                    name=name,
                    result=error.result,
                    code=error.code,
                    evidence=error.evidence,
                    is_binding=is_binding,
                )
            )
            return None
        evidence = finding if isinstance(finding, str) else ""
        if describe is not None:
            evidence = describe(finding)
        self.add(
            Check(
                name=name,
                result=CheckResult.SUCCESSFUL,
                evidence=evidence,
                is_binding=is_binding,
            )
        )
        return finding
