"""Fails when the documentation says what the code does not.

Owns eight comparisons: links lead somewhere, every page can be reached, every reason that a caller
can meet is in `docs/reference/errors.md` and no other, every command named is a command, every
setting is described, code that sends a reader to a page sends them to one that exists, who may call
what is as `docs/reference/protocol.md` says, and every table is in `docs/reference/data-model.md`.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from biometrics.chip.codes import ChipCode
from biometrics.cli import app as biometrics_app
from biometrics.face.acquisition import AcquisitionFailure
from buf.validate import validate_pb2
from identity.bootstrap import METADATA
from identity.cli import app as identity_app
from identity.config import Settings
from identity.config_file import FILE_VARIABLE
from identity.domain.errors import leaves
from identity.domain.presence import TokenFault
from identity.domain.verification import VerdictReason
from identity.rpc.errors import STATUS_CODES
from identity.rpc.server import SERVICES
from identity.security.service_signing import SignatureFault
from subid.v1 import agency_pb2
from telco_sim.cli import app as telco_sim_app

ROOT = Path(__file__).resolve().parents[2]
ERRORS = Path("docs/reference/errors.md")
CONFIGURATION = Path("docs/operating/configuration.md")
DATA_MODEL = Path("docs/reference/data-model.md")
ENTRANCES = (Path("README.md"), Path("docs/README.md"))
CODE = ("identity", "biometrics", "telco_sim", "protos/subid", "tests")
PROGRAMS: Mapping[str, typer.Typer] = {
    "identity": identity_app,
    "biometrics": biometrics_app,
    "telco-sim": telco_sim_app,
}

_FENCE = re.compile(r"^```[^\n]*\n.*?^```\s*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_EXTERNAL = re.compile(r"[a-z]+:")
_COMMAND = re.compile(rf"(?:^|\s|/)(make|{'|'.join(PROGRAMS)})((?: +[^\s`|;&#]+)*)")
_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_REASON = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"')
_SETTING = re.compile(r"\bSUBID_[A-Z_]+\b")
_PAGE = re.compile(r"\bdocs/[a-z0-9/_-]+\.md\b")


def main() -> int:
    """Check everything and print each fault."""
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in _pages()}
    found = [
        *_broken_links(texts),
        *_unreachable(texts),
        *_wrong_reasons(texts.get(ERRORS, "")),
        *_wrong_commands(texts),
        *_wrong_settings(texts),
        *_missing_pages(),
        *_missing_tables(texts.get(DATA_MODEL, "")),
    ]
    print("\n".join(found) or f"docs: {len(texts)} pages agree with the code")
    return 1 if found else 0


def _pages() -> list[Path]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path.relative_to(ROOT) for path in paths)


# Links.


def _broken_links(texts: Mapping[Path, str]) -> Iterator[str]:
    for path, text in texts.items():
        for target, anchor in _links(path, text):
            if not (ROOT / target).exists():
                yield f"{path}: there is no {target}"
            elif anchor and anchor not in anchors(texts.get(target, "")):
                yield f"{path}: {target} has no heading #{anchor}"


def _unreachable(texts: Mapping[Path, str]) -> Iterator[str]:
    reached: set[Path] = set()
    waiting = [path for path in ENTRANCES if path in texts]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        links = {target for target, _ in _links(path, texts[path])}
        waiting += [target for target in links & texts.keys() if target not in reached]
    for path in sorted(texts.keys() - reached):
        yield f"{path}: no page leads here"


def _links(path: Path, text: str) -> Iterator[tuple[Path, str]]:
    """Relative links: the file they name, from the root, and the anchor in it."""
    for link in _LINK.findall(_SPAN.sub("", _FENCE.sub("", text))):
        if _EXTERNAL.match(link):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / path).parent / file if file else ROOT / path
        resolved = target.resolve()
        # A link out of the project leads nowhere for whoever has only the project.
        inside = resolved.is_relative_to(ROOT)
        yield (resolved.relative_to(ROOT) if inside else Path("outside", file)), anchor


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    found: dict[str, int] = {}
    result = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = found.get(slug, 0)
        found[slug] = count + 1
        result.add(f"{slug}-{count}" if count else slug)
    return result


# Reasons.


def _wrong_reasons(text: str) -> Iterator[str]:
    tables = _tables(text)
    sections = _sections()
    for section, expected in sections.items():
        yield from _differences(f" under '{section}'", _codes(tables.get(section, [])), expected)
    others = (rows for section, rows in tables.items() if section not in sections)
    written = _codes(row for rows in others for row in rows)
    listed = set().union(*sections.values())
    yield from _differences("", written | listed, listed | _rule_reasons() | _reasons_in_code())
    statuses = {row[0].strip("`"): row[1].strip("`") for row in tables.get("Refusals", [])}
    for leaf in leaves():
        expected_status = STATUS_CODES[leaf].name
        if statuses.get(leaf.reason) != expected_status:
            yield f"{ERRORS}: {leaf.reason} is answered with {expected_status}"


def _codes(rows: Iterable[Sequence[str]]) -> set[str]:
    return {code for row in rows for code in _SPAN.findall(row[0])}


def _differences(place: str, written: set[str], expected: set[str]) -> Iterator[str]:
    for reason in sorted(expected - written):
        yield f"{ERRORS}: {reason} is missing{place}"
    for reason in sorted(written - expected):
        yield f"{ERRORS}: the code knows no {reason}{place}"


def _sections() -> Mapping[str, set[str]]:
    """Sections of the page that list one vocabulary each, all of it."""
    failures = {failure.value.upper() for failure in AcquisitionFailure}
    # A portrait is one image: it cannot fall out with itself.
    of_one_image = {f"REFERENCE_{f}" for f in failures - {"SEVERAL_PEOPLE"}}
    services = {"PROBE_IS_REFERENCE", "PROCESSING_FAILED", "REFERENCE_NOT_AVAILABLE"}
    return {
        "Refusals": {leaf.reason for leaf in leaves()} | {"INTERNAL"},
        "Reasons of a verdict": {reason.value for reason in VerdictReason},
        "Failures to acquire": failures | of_one_image | services,
        "Codes of the chip": {code.value for code in ChipCode},
        "Codes of a presence token": {fault.value for fault in (*SignatureFault, *TokenFault)},
    }


def _reasons_in_code() -> set[str]:
    """What the service writes out itself, such as ROW_DUPLICATE."""
    files = [path for part in ("domain", "rpc", "services") for path in _python_files(part)]
    return {reason for path in files for reason in _REASON.findall(path.read_text("utf-8"))}


def _python_files(part: str) -> Iterable[Path]:
    return (ROOT / "identity" / part).rglob("*.py")


def _rule_reasons() -> set[str]:
    """What `identity.rpc.limits` makes of the rules in the contract."""
    files = (*(service.file for service in SERVICES), agency_pb2.DESCRIPTOR)
    rules = {rule for file in files for rule in _rules_of_file(file)}
    return {rule.upper().replace(".", "_") for rule in rules}


def _rules_of_file(file: object) -> Iterator[str]:
    messages = file.message_types_by_name.values()  # type: ignore[attr-defined] # descriptors of upb have no stubs
    for message in messages:
        yield from (rule.id for rule in message.GetOptions().Extensions[validate_pb2.message].cel)
        for field in message.fields:
            yield from _rules(field.GetOptions().Extensions[validate_pb2.field])
        for oneof in message.oneofs:
            if oneof.GetOptions().Extensions[validate_pb2.oneof].required:
                yield "required"


def _rules(rules: validate_pb2.FieldRules) -> Iterator[str]:
    """The identifiers of a field's rules, as protovalidate reports them."""
    for kind, value in rules.ListFields():
        if kind.name == "required":
            yield "required"
        elif kind.name == "cel":
            yield from (rule.id for rule in value)
        elif hasattr(value, "ListFields"):
            yield from _rules_of_kind(kind.name, value)


def _rules_of_kind(kind: str, rules: validate_pb2.StringRules) -> Iterator[str]:
    names = {field.name for field, _ in rules.ListFields()}
    if {"gte", "lte"} <= names:
        names = names - {"gte", "lte"} | {"gte_lte"}
    if "uuid" in names:
        names |= {"uuid_empty"}
    if "items" in names:
        yield from _rules(rules.items)  # type: ignore[attr-defined] # RepeatedRules has it
    yield from (f"{kind}.{name}" for name in names - {"items"})


def _tables(text: str) -> Mapping[str, list[list[str]]]:
    """The rows of a page's tables, as cells, by the heading above them."""
    parts = _HEADING.split(_FENCE.sub("", text))[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {heading: list(_rows(body)) for heading, body in pairs}


def _rows(body: str) -> Iterator[list[str]]:
    lines = [line for line in body.splitlines() if line.startswith("|")]
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if _SPAN.search(cells[0]):
            yield cells


# Commands and settings.


def _wrong_commands(texts: Mapping[Path, str]) -> Iterator[str]:
    for path, text in texts.items():
        for program, words in _commands(text):
            fault = _make_fault(words) if program == "make" else _fault(program, words)
            if fault:
                yield f"{path}: `{' '.join([program, *words])}`: {fault}"


def _commands(text: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Every command in a code span, and in a code block after its prompt."""
    spans = _SPAN.findall(_FENCE.sub("", text))
    blocks = [line[2:] for block in _FENCE.findall(text) for line in _joined(block)]
    for code in [*spans, *blocks]:
        match = _COMMAND.match(code.removeprefix(".venv/bin/"))
        if match:
            yield match[1], match[2].split()


def _joined(block: str) -> list[str]:
    """The lines after a prompt, those that go on below put together."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("$ ")]


def _make_fault(words: Sequence[str]) -> str:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    unknown = [word for word in words if "=" not in word and word not in targets]
    return f"no such target: {unknown[0]}" if unknown else ""


def _fault(program: str, words: Sequence[str]) -> str:
    """Walk down the program's commands, and say where a word leads nowhere."""
    command = _command_tree(program)
    for word in words:
        if word.startswith("-"):
            options = {opt for parameter in command.params for opt in parameter.opts} | {"--help"}
            if word.partition("=")[0] not in options:
                return f"no such option: {word}"
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"no such command: {word}"
            command = command.commands[word]
    return ""


@cache
def _command_tree(program: str) -> Any:  # noqa: ANN401 - a group or a command, of typer's own click
    return get_command(PROGRAMS[program])


def _wrong_settings(texts: Mapping[Path, str]) -> Iterator[str]:
    known = {f"SUBID_{name.upper()}" for name in Settings.model_fields}
    for path, text in texts.items():
        for name in sorted(set(_SETTING.findall(text)) - known - {FILE_VARIABLE}):
            yield f"{path}: there is no setting {name}"
    for name in sorted(known - set(_SETTING.findall(texts.get(CONFIGURATION, "")))):
        yield f"{CONFIGURATION}: {name} is missing"


def _missing_pages() -> Iterator[str]:
    """Pages that code sends its reader to."""
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".proto", ".toml"}:
                continue
            for page in sorted(set(_PAGE.findall(path.read_text(encoding="utf-8")))):
                if not (ROOT / page).exists():
                    yield f"{path.relative_to(ROOT)}: there is no {page}"


# Tables.


def _missing_tables(text: str) -> Iterator[str]:
    written = {cells[0].strip("`") for cells in _tables(text).get("Tables", [])}
    made = {name for each in METADATA for name in each.tables}
    for name in sorted(made ^ written):
        yield f"{DATA_MODEL}: {name} is {'missing' if name in made else 'no table'}"


if __name__ == "__main__":
    sys.exit(main())
