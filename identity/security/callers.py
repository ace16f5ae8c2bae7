"""A caller's identity as a URI.

Owns the form `urn:subid:ROLE:NAME`. Which role may call what is `permissions.py`'s.
"""

from collections.abc import Iterable

from identity.domain.caller import Caller, Role
from identity.domain.errors import CallerUnknownError

_PREFIX = "urn:subid:"


def caller_uri(caller: Caller) -> str:
    """The URI that stands in a caller's certificate."""
    return f"{_PREFIX}{caller.role}:{caller.name}"


def identify(names: Iterable[str]) -> Caller:
    """The caller that a certificate's alternative names tell of.

    Raises:
        CallerUnknownError: None of them, or more than one, is an identity of ours.
    """
    ours = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    try:
        (identity,) = ours
        role, _, name = identity.partition(":")
        return Caller(Role(role), name)
    except ValueError as error:
        raise CallerUnknownError("the certificate names no caller of subid") from error
