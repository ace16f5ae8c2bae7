"""Which role may call which method, and on whose behalf: the table, `permissions.toml`.

Owns the form of the table and the two questions that it answers before a method begins: may this
role call it, and is the person who acts the one that is proved. What a caller's own is, the methods
know. Deny is the default: what the table does not say is refused.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Any

from identity.domain.caller import Caller, Role
from identity.domain.errors import PermissionRefusedError
from identity.domain.personal_id import PersonalID

_FILE = "permissions.toml"


class Scope(StrEnum):
    """What a role may reach by a method."""

    ANY = "any"
    OWN = "own"
    GRANTED = "granted"
    CITIZEN = "citizen"


class PermissionTableError(ValueError):
    """The table is not in its form; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the table says of one method.

    Attributes:
        scopes: The roles that may call it, each with what it reaches; at least one.
        person: The request's fields that name who acts, where a role acts for a citizen: the first
            that is filled counts. Empty where the request names a session, which knows its citizen.
        is_by_two: One caller alone has no effect.
    """

    scopes: Mapping[Role, Scope]
    person: tuple[str, ...] = ()
    is_by_two: bool = False


@lru_cache(maxsize=1)
def permissions() -> Mapping[str, Permission]:
    """The table that comes with the service: `Service/Method` of package subid.v1, and who may.

    Raises:
        PermissionTableError: It is not in its form.
    """
    return parse_permissions(resources.files("identity.security").joinpath(_FILE).read_text())


def parse_permissions(text: str) -> Mapping[str, Permission]:
    """Read a table.

    Raises:
        PermissionTableError: It is no TOML, or holds a word that the form does not know.
    """
    try:
        services = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PermissionTableError(f"the table is no TOML: {error}") from error
    table = {}
    for service, methods in services.items():
        if not isinstance(methods, dict) or not methods:
            raise PermissionTableError(f"{service} is no table of methods")
        for method, said in methods.items():
            table[f"{service}/{method}"] = _permission(f"{service}/{method}", said)
    return table


def authorise(caller: Caller, method: str) -> tuple[Permission, Scope]:
    """What a caller may do by a method.

    Raises:
        PermissionRefusedError: Nothing: the table does not name its role.
    """
    permission = permissions().get(method)
    scope = None if permission is None else permission.scopes.get(caller.role)
    if permission is None or scope is None:
        raise PermissionRefusedError(f"role {caller.role} may not call {method}")
    return permission, scope


def refuse_another_person(permission: Permission, request: object, proved: PersonalID) -> None:
    """Refuse a request of an app in which another person acts than the one who is proved.

    Args:
        permission: What the table says of the method.
        request: The request, with the fields that the table names.
        proved: Whom the assertion proves.

    Raises:
        PermissionRefusedError: Another person acts, or none is named.
    """
    if not permission.person:
        return
    named = (getattr(request, field) for field in permission.person)
    if next(filter(None, named), None) != proved.value:
        raise PermissionRefusedError("the assertion proves another person than the one who acts")


def _permission(method: str, said: Any) -> Permission:  # noqa: ANN401 - whatever the file holds
    if not isinstance(said, dict):
        raise PermissionTableError(f"{method} is no table")
    rest = dict(said)
    has_person, person = "person" in rest, rest.pop("person", [])
    is_by_two = rest.pop("two_people", False)
    scopes = {_role(method, role): _scope(method, scope) for role, scope in rest.items()}
    if not scopes:
        raise PermissionTableError(f"{method} is nobody's")
    if has_person is not (Scope.CITIZEN in scopes.values()):
        raise PermissionTableError(f"{method}: `person` and the scope `citizen` belong together")
    if not isinstance(person, list) or not all(isinstance(field, str) for field in person):
        raise PermissionTableError(f"{method}: `person` is a list of fields")
    if not isinstance(is_by_two, bool):
        raise PermissionTableError(f"{method}: `two_people` is true or false")
    return Permission(scopes=scopes, person=tuple(person), is_by_two=is_by_two)


def _role(method: str, word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise PermissionTableError(f"{method}: there is no role {word!r}") from None


def _scope(method: str, word: Any) -> Scope:  # noqa: ANN401 - as _permission
    try:
        return Scope(word)
    except ValueError:
        raise PermissionTableError(f"{method}: there is no scope {word!r}") from None
