"""Plans as text that stays the same from run to run: partitions folded, values left out.

Owns how a plan and a statement look on the page. Knows nothing of how they came about.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.benchmarks.plan_reading import Node, table_of

_CONDITIONS = (
    "Index Cond",
    "Recheck Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Filter",
    "One-Time Filter",
    "Sort Key",
    "Presorted Key",
    "Group Key",
)
_SHORT: Mapping[str, str] = {
    "ModifyTable": "",
    "Nested Loop": "Nested Loop",
}
_PARTITION_SUFFIX = re.compile(r"(?<=[a-z])_p\d+(?=_|\b)")
_COPY_OF_ALIAS = re.compile(r"\b([a-z]+(?:_[a-z]+)*)_\d+(?=\.|\b)")
_VALUE = re.compile(
    r"'(?:[^']|'')*'::(?:bytea|uuid|timestamp with time zone|integer|bigint)(\[\])?"
)
_SELECT_LIST = re.compile(r"^SELECT (?P<names>(?:(?! FROM ).){60,}) FROM ")
_LISTED = 3
_WIDTH_MAX = 400


def statement_text(statement: str) -> str:
    """A statement on one line, without what it selects where that is long."""
    line = " ".join(statement.split())
    return _SELECT_LIST.sub("SELECT … FROM ", line)


def plan_lines(root: Node) -> list[str]:
    """A plan, a line for each step and each condition, indented as PostgreSQL does."""
    return list(_lines(root, depth=0, note=""))


def _lines(node: Node, *, depth: int, note: str) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}{'-> ' if depth else ''}{_title(node)}{note}"
    for name in _CONDITIONS:
        if name in node.fields:
            yield f"{indent}     {name}: {_condition(node.fields[name])}"
    for child, siblings in _folded(node.children):
        yield from _lines(child, depth=depth + 1, note=_note(node, siblings))


def _title(node: Node) -> str:
    fields = node.fields
    kind = fields["Operation"] if fields["Node Type"] == "ModifyTable" else fields["Node Type"]
    if fields.get("Join Type") not in (None, "Inner"):
        kind = f"{kind} ({fields['Join Type']})"
    index = f" using {_name(fields['Index Name'])}" if "Index Name" in fields else ""
    relation = f" on {_name(fields['Relation Name'])}" if "Relation Name" in fields else ""
    return f"{kind}{index}{relation}"


def _name(name: str) -> str:
    return _PARTITION_SUFFIX.sub("", name)


def _condition(value: str | Sequence[str]) -> str:
    shown = value if isinstance(value, str) else ", ".join(value)
    shown = _VALUE.sub(lambda found: f"…{found[1] or ''}", shown)
    shown = _COPY_OF_ALIAS.sub(r"\1", _PARTITION_SUFFIX.sub("", shown))
    return shown if len(shown) <= _WIDTH_MAX else f"{shown[:_WIDTH_MAX]} …"


def _folded(children: Iterable[Node]) -> Iterator[tuple[Node, Sequence[Node]]]:
    """Children of one shape together: the partitions of a table."""
    groups: dict[tuple[str, ...], list[Node]] = {}
    for child in children:
        groups.setdefault(tuple(plan_lines(child)), []).append(child)
    return ((group[0], group) for group in groups.values())


def _note(parent: Node, group: Sequence[Node]) -> str:
    removed = int(parent.fields.get("Subplans Removed", 0))
    if len(group) + removed == 1 or not _is_partitioned(group[0]):
        return ""
    count = len(group) + removed
    run_count = sum(node.loop_count > 0 for node in group)
    return f"  [{count} partitions, {run_count} of them run]"


def _is_partitioned(node: Node) -> bool:
    return any(
        each.relation is not None and each.relation != table_of(each.relation)
        for each in node.walk()
    )
