"""The vocabulary of refusals: named, explained, and in use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import identity
from identity.domain import errors
from identity.domain.errors import (
    DomainError,
    FieldViolation,
    MalformedValueError,
    RequestInvalidError,
    leaves,
)

SOURCE = Path(identity.__file__).parent
# google.rpc.ErrorInfo.reason: at most 63 characters of this form.
REASON = re.compile(r"[A-Z][A-Z0-9_]+[A-Z0-9]", re.ASCII)


def called_names() -> Iterator[str]:
    """Names of everything that is called, and so of every class that is made, in identity/."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).rpartition(".")[2]


@pytest.mark.parametrize("leaf", leaves())
def test_a_leaf_has_a_reason_of_its_own_that_fits_error_info(leaf: type[DomainError]) -> None:
    assert "reason" in vars(leaf)
    assert REASON.fullmatch(leaf.reason)
    assert len(leaf.reason) <= 63


def test_no_two_leaves_share_a_reason() -> None:
    reasons = [leaf.reason for leaf in leaves()]
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("leaf", leaves())
def test_a_leaf_says_in_its_docstring_what_it_means(leaf: type[DomainError]) -> None:
    text = vars(leaf)["__doc__"]
    assert text is not None
    assert text.strip().splitlines()[0].endswith(".")


def test_every_leaf_is_made_somewhere_in_the_service() -> None:
    unused = {leaf.__name__ for leaf in leaves()} - set(called_names())
    assert unused == set()


def test_no_class_between_root_and_leaves_is_made_anywhere() -> None:
    assert not {DomainError.__name__, MalformedValueError.__name__} & set(called_names())


def test_every_error_class_of_the_module_is_found_from_the_root() -> None:
    defined = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, DomainError)
    }
    assert defined - set(leaves()) == {DomainError, MalformedValueError}


@pytest.mark.parametrize("leaf", leaves(MalformedValueError))
def test_a_malformed_value_names_its_field(leaf: type[MalformedValueError]) -> None:
    assert issubclass(leaf, MalformedValueError)
    assert isinstance(vars(leaf)["field"], str)


@pytest.mark.parametrize("leaf", leaves())
def test_only_a_passing_trouble_says_when_to_try_again(leaf: type[DomainError]) -> None:
    assert (leaf.retry_after_s is not None) == (
        leaf.reason
        in {
            *("CONTENDED", "OVERLOADED", "QUOTA_EXCEEDED", "RATE_LIMITED"),
            *("STORAGE_UNAVAILABLE", "AUDIT_NOT_SEALED"),
            *("VERIFICATION_THROTTLED", "CALL_TOO_LONG"),
        }
    )


def test_an_invalid_request_carries_every_violation_and_no_value() -> None:
    violations = (
        FieldViolation(field="msisdn", reason="MSISDN_MALFORMED", description="not a number"),
        FieldViolation(field="holder.personal_id", reason="VALUE_MISSING", description="missing"),
    )
    error = RequestInvalidError(violations)
    assert error.violations == violations
    assert "2 field(s)" in str(error)
