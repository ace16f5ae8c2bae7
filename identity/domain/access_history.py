"""What of the audit log a person is shown: who looked, and who decided or changed something.

Owns the one table of actions. An action is a look when nothing about the person is other than
before; everything else is a change. Knows neither rows nor callers' rights.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class AccessKind(StrEnum):
    """What an action does with a person's data."""

    READ = "read"
    CHANGE = "change"


_READS = (
    *("can_notify", "complete_presence", "explain_subscription", "get_arrangement", "get_contact"),
    "get_data_request",
    *("get_dispute", "get_export", "get_inclusion_proof", "get_notification"),
    *("get_primary_number", "get_receipt", "get_subscription"),
    *("get_verification", "kyc_device_swap", "kyc_device_swap_date", "kyc_match", "kyc_recycling"),
    *("kyc_sim_swap", "kyc_sim_swap_date", "kyc_tenure", "list_accesses", "list_arrangements"),
    *("list_choices", "list_data_requests", "list_notifications", "list_own_subscriptions"),
    *("list_subscriptions", "match_record", "pull_subscriber_updates"),
)
_CHANGES = (
    *("accept_arrangement", "acknowledge_data_request", "acknowledge_message", "act_for"),
    *("add_evidence", "appeal_dispute", "apply_population_change", "apply_primary_change"),
    *("attest_guardianship", "close_arrangement", "close_dispute", "flag_probe"),
    *("complete_verification", "confirm_primary_number", "decide_dispute", "disown_subscription"),
    *("end_arrangement", "erase_person", "file_complaint", "lapse_primary_change", "open_case"),
    *("open_dispute", "post_tiding", "propose_company_line", "propose_guardianship"),
    *("reenrol_face", "refuse_arrangement", "register_subscription", "relink"),
    *("report_device_change", "report_port_in", "report_port_out", "report_release"),
    *("report_sim_swap", "report_transfer", "request_erasure", "request_export"),
    *("request_objection", "request_release", "request_restriction", "request_withdrawal"),
    *("send_notification", "set_fallback_numbers", "set_lock", "set_primary_number"),
    *("start_verification", "veto_primary_change"),
)

ACTIONS: Mapping[str, AccessKind] = MappingProxyType(
    dict.fromkeys(_READS, AccessKind.READ) | dict.fromkeys(_CHANGES, AccessKind.CHANGE)
)
"""What each action that concerns a person is. Append-only: the audit log holds these names."""

OWN_LOOKS = frozenset(
    {
        *("explain_subscription", "get_arrangement", "get_data_request", "get_export"),
        *("get_inclusion_proof", "get_receipt"),
        *("get_primary_number", "get_verification", "list_accesses", "list_arrangements"),
        *("list_choices", "list_data_requests", "list_own_subscriptions"),
    }
)
"""Reads that are the person's own where the citizen app makes them: they are on record, and not in
the history, which is of others. A look at a dispute is in it, because either side may have made
it."""


def kind_of(action: str) -> AccessKind:
    """What an action is. One that is not known is a change: nobody can say that it was none."""
    return ACTIONS.get(action, AccessKind.CHANGE)
