"""Every action that the code puts on record about a person is a look or a change."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from identity.domain.access_history import ACTIONS, OWN_LOOKS, AccessKind, kind_of
from identity.domain.data_request import DataRequestKind
from identity.services.answer_kyc import Part
from identity.services.report_events import EventKind

SERVICES = Path(__file__).parents[4] / "identity" / "services"

ABOUT_NOBODY = frozenset(
    {
        *("acknowledge_directive", "acknowledge_subscriber_updates", "advance_enforcement"),
        *("approve_wave", "draw_cohort", "enforce", "execute_wave", "get_kpis"),
        *("get_monthly_score", "get_notification_statistics", "get_quality_report", "get_wave"),
        *("import_population", "list_open_data_requests", "pull_messages"),
        *("register_agency", "register_template", "resume_agency", "resume_matching"),
        *("rotate_signing_key", "start_presence", "stop_matching", "suspend_agency"),
        *("import_subscriptions", "link_registry", "link_slice", "preview_wave"),
        *("pull_directives", "recompute_verdicts", "reconcile_service_state", "record_quality"),
        *("reseal_values", "retire_key", "revert_wave", "rotate_keys", "stop_wave"),
        *(
            "accept_audit_log",
            "begin_audit_era",
            "forget_evidence",
            "list_entries",
            "register_witness",
            "rotate_audit_key",
        ),
        *("resume_lookups", "stop_lookups", "watch_contact_changes"),
    }
)
"""Actions whose entries name no person: they are of many, or of none."""

OF_LINK_CHANGES = frozenset({"apply_population_changes", "import_population", "link_registry"})
"""Causes in the history of links, which is another table: an argument called `action` too."""

MADE_OF_PARTS = {
    *(f"report_{kind.value}" for kind in EventKind),
    *(f"request_{kind.value}" for kind in DataRequestKind),
    *(f"kyc_{part.value}_swap" for part in Part),
    *(f"kyc_{part.value}_swap_date" for part in Part),
}
"""What is put together; `test_an_action_is_put_together_in_few_places_only`."""


class Found(NamedTuple):
    """An argument called `action`, as it stands in the code."""

    file: str
    value: ast.expr


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SERVICES.glob("*.py")):
        yield path.name, ast.parse(path.read_text("utf-8"))


def places(tree: ast.Module) -> dict[str, int]:
    """Functions of a module that are handed an `action` by position, and its position."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            if "action" in names:
                found[node.name] = names.index("action")
    return found


def given() -> Iterator[Found]:
    """Every `action` that is handed to a call, by name or by position."""
    of_modules = {file: places(tree) for file, tree in trees()}
    for file, tree in trees():
        imported = {
            (alias.asname or alias.name): f"{node.module.rpartition('.')[2]}.py"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            yield from (Found(file, each.value) for each in node.keywords if each.arg == "action")
            name = getattr(node.func, "id", "")
            place = of_modules.get(imported.get(name, file), {}).get(name)
            if place is not None and place < len(node.args):
                yield Found(file, node.args[place])


def constants() -> Iterator[str]:
    for found in given():
        if isinstance(found.value, ast.Constant):
            yield str(found.value.value)


def test_every_action_in_the_code_is_a_look_or_a_change_or_about_nobody() -> None:
    used = {*constants(), *MADE_OF_PARTS} - OF_LINK_CHANGES
    assert len(used) > 40  # the walk finds them
    assert used - ACTIONS.keys() - ABOUT_NOBODY == set()
    assert ABOUT_NOBODY & ACTIONS.keys() == set()


def test_an_action_is_put_together_in_few_places_only() -> None:
    made = {found.file for found in given() if isinstance(found.value, ast.JoinedStr)}
    assert made == {"answer_kyc.py", "data_requests.py", "report_events.py"}


def test_what_is_neither_a_constant_nor_made_is_handed_on_from_one() -> None:
    others = {
        (found.file, ast.unparse(found.value))
        for found in given()
        if not isinstance(found.value, ast.Constant | ast.JoinedStr)
    }
    handed_on = {(file, text) for file, text in others if text == "action"}
    assert others - handed_on == {
        ("transactions.py", "key.method"),  # a refusal, which names nobody
        ("link_history.py", "action.value"),  # a cause in the history of links
        ("match_records.py", "ACTION"),  # "match_record"
        ("witness_signatures.py", "REGISTERED"),  # "register_witness", which names nobody
        ("end_disputes.py", "LinkAction.DISPUTE_DECIDED.value"),  # the same
    }


def test_a_persons_own_looks_are_looks() -> None:
    assert {kind_of(action) for action in OWN_LOOKS} == {AccessKind.READ}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("get_contact", AccessKind.READ),
        ("explain_subscription", AccessKind.READ),
        ("pull_subscriber_updates", AccessKind.READ),
        ("match_record", AccessKind.READ),
        ("complete_presence", AccessKind.READ),
        ("get_notification", AccessKind.READ),
        ("send_notification", AccessKind.CHANGE),
        ("complete_verification", AccessKind.CHANGE),
        ("an action of a later version", AccessKind.CHANGE),
    ],
)
def test_looks_are_told_from_changes(action: str, kind: AccessKind) -> None:
    assert kind_of(action) is kind
