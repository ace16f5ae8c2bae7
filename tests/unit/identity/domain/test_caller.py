"""Who may be a caller, and how it is written."""

import pytest

from identity.domain.caller import Caller, Role


def test_a_caller_is_written_as_role_and_name() -> None:
    assert str(Caller(role=Role.OPERATOR, name="north-mobile")) == "operator:north-mobile"


def test_the_written_form_tells_all_callers_apart() -> None:
    names = ["a", "a-b", "0", "agency"]
    written = {str(Caller(role=role, name=name)) for role in Role for name in names}
    assert len(written) == len(Role) * len(names)


@pytest.mark.parametrize("name", ["a", "0", "north", "north-mobile", "a--b", "x" * 63])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert Caller(role=Role.AGENCY, name=name).name == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "-", "-a", "a-", "x" * 64),
        *("North", "north.mobile", "north_mobile", "no rth", "operator:north"),
        *("north\n", "\nnorth", "north\x00", "bắc", "\u0661", "\uff41"),
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 63"):
        Caller(role=Role.AGENCY, name=name)


def test_every_role_has_a_distinct_name_without_the_separator() -> None:
    values = [role.value for role in Role]
    assert len(set(values)) == len(values)
    assert not any(":" in value for value in values)
