"""Who a certificate names."""

import pytest

from identity.domain.caller import Caller, Role
from identity.domain.errors import CallerUnknownError
from identity.security.callers import caller_uri, identify


@pytest.mark.parametrize("role", list(Role))
def test_a_caller_is_known_again_by_its_uri(role: Role) -> None:
    caller = Caller(role, "a-1")
    assert identify(["localhost", caller_uri(caller), "https://example.org"]) == caller


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["localhost"],
        ["urn:subid:operator:a", "urn:subid:agency:a"],
        ["urn:subid:operator:a", "urn:subid:operator:a"],
        ["urn:subid:king:a"],
        ["urn:subid:operator"],
        ["urn:subid:operator:"],
        ["urn:subid:operator:A"],
        ["urn:subid:operator:a:b"],
        ["urn:subid:OPERATOR:a"],
        ["URN:SUBID:operator:a"],
        [" urn:subid:operator:a"],
        ["urn:subid:operator:a "],
        ["urn:subid:operator:a\n"],
        ["urn:subid:operator:а"],  # noqa: RUF001 - a Cyrillic letter
        ["urn:subidx:operator:a"],
    ],
)
def test_anything_else_names_nobody(names: list[str]) -> None:
    with pytest.raises(CallerUnknownError):
        identify(names)
