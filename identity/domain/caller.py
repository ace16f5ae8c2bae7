"""Who calls: a role and a name, as its certificate says.

Owns the roles. Knows nothing of certificates or of which method needs which role.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class Role(StrEnum):
    """What a caller is to the registry."""

    OPERATOR = "operator"
    AGENCY = "agency"
    CITIZEN_APP = "citizen-app"
    POPULATION = "population"
    REGULATOR = "regulator"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller.

    Attributes:
        role: What it is.
        name: Which one: 1 to 63 of a-z, 0-9 and inner hyphens (an RFC 1123 label).

    Raises:
        ValueError: The name is not such a label.
    """

    role: Role
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a caller's name is 1 to 63 of a-z, 0-9 and inner hyphens")

    def __str__(self) -> str:
        return f"{self.role}:{self.name}"
