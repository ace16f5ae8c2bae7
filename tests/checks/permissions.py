"""Fail when the permission table, the contract and the protocol page do not say the same.

Owns that comparison, both ways: every method of the contract is in the table and no other, each
field that the table names is in the request, and the page's table has the same roles and scopes.
Whether the service does what the table says is the integration tests' to show.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf.descriptor import MethodDescriptor

from identity.domain.caller import Role
from identity.rpc.server import SERVICES
from identity.security.permissions import Permission, Scope, permissions

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "reference" / "protocol.md"

WORDS = {
    Scope.ANY: "yes",
    Scope.OWN: "its own",
    Scope.GRANTED: "as granted",
    Scope.CITIZEN: "for one citizen",
}
"""How the page says each scope."""

Written = Mapping[str, Mapping[Role, str]]


def main() -> int:
    """Compare, and print each difference."""
    table = permissions()
    found = [
        *differences_from_contract(table, _contract()),
        *differences_from_page(table, written_permissions(PROTOCOL.read_text(encoding="utf-8"))),
    ]
    print("\n".join(found) or f"permissions: {len(table)} methods agree with contract and page")
    return 1 if found else 0


def _contract() -> Mapping[str, MethodDescriptor]:
    return {f"{each.name}/{m.name}": m for each in SERVICES for m in each.methods}


def differences_from_contract(
    table: Mapping[str, Permission], contract: Mapping[str, MethodDescriptor]
) -> Iterator[str]:
    """Each method that only one of the two has, and each field that a request has not."""
    for method in sorted(table.keys() ^ contract.keys()):
        yield f"{method} is in the {'table' if method in table else 'contract'} alone"
    for method in sorted(table.keys() & contract.keys()):
        fields = contract[method].input_type.fields_by_name
        for name in table[method].person:
            if name not in fields:
                yield f"{method}: its request has no field {name}"


def differences_from_page(table: Mapping[str, Permission], written: Written) -> Iterator[str]:
    """Each method of which the page says something else than the table."""
    for method in sorted(table.keys() | written.keys()):
        scopes = table[method].scopes if method in table else {}
        true = {role: WORDS[scope] for role, scope in scopes.items()}
        if written.get(method, {}) != true:
            said = ", ".join(f"{role} ({word})" for role, word in sorted(true.items()))
            yield f"{PROTOCOL.name}: {method} is for {said or 'nobody'}"


def written_permissions(text: str) -> Written:
    """What the page's table says: for each method the roles, each with the word in its column."""
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| ")]
    head = next((cells for cells in rows if cells[0].startswith("service and method")), [""])
    columns = [Role(name.strip()) for name in head[1:]]
    written: dict[str, Mapping[Role, str]] = {}
    for name, *cells in rows:
        service, _, methods = name.partition(": ")
        if not service.endswith("Service"):
            continue
        words = {r: cell.strip() for r, cell in zip(columns, cells, strict=False) if cell.strip()}
        written |= {f"{service}/{method.strip()}": words for method in methods.split(",")}
    return written


if __name__ == "__main__":
    sys.exit(main())
