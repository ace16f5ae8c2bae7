"""What an examination of the service has found: one line for each thing that was looked at.

Owns the three grades and how a look that fails becomes a finding. Knows nothing of what is looked
at.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from identity.domain.errors import DomainError
from identity.domain.policy import PolicyPackError
from identity.state_directory import StateError


class Grade(StrEnum):
    """How something stands."""

    OK = "ok"
    WARNING = "warning"
    """It works, and will not for long, or not after the next mishap."""
    FAILED = "failed"
    """It does not work, or what it is there for cannot be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one thing stands.

    Attributes:
        name: What was looked at; stable, for programs.
        grade: How it stands.
        said: What was found, in a sentence; never a secret, nor anything of a person.
        todo: What to do about it; empty when there is nothing.
    """

    name: str
    grade: Grade
    said: str
    todo: str = ""


def ok(name: str, said: str) -> Finding:
    """Something that is as it should be."""
    return Finding(name=name, grade=Grade.OK, said=said)


def warning(name: str, said: str, todo: str) -> Finding:
    """Something that needs somebody soon."""
    return Finding(name=name, grade=Grade.WARNING, said=said, todo=todo)


def failed(name: str, said: str, todo: str) -> Finding:
    """Something that needs somebody now."""
    return Finding(name=name, grade=Grade.FAILED, said=said, todo=todo)


Look = tuple[str, Callable[[], Finding], str]
"""What is looked at, the look, and what to do when looking itself fails."""


def looked_at(looks: Iterable[Look]) -> Iterator[Finding]:
    """What each look finds; one that cannot be made is a finding too."""
    for name, look, todo in looks:
        try:
            yield look()
        except OSError as error:
            told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            yield failed(name, told, todo)
        except (StateError, PolicyPackError, DomainError) as error:
            yield failed(name, str(error), todo)
        except Exception as error:  # noqa: BLE001 - one look must not cost the others; never its text
            yield failed(name, f"it could not be looked at: {type(error).__name__}", todo)
