"""Proofs of the audit log over the wire: who gets which, and that they hold without the service."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from identity.audit.checkpoint import NoteRefusedError, NoteSigner, VerifierKey, parse_note
from identity.audit.head_memory import HeadMemory
from identity.audit.log import AuditEntry, append
from identity.audit.merkle import hash_leaf, is_consistent, is_included
from identity.audit.receipt import parse_receipt, verify_receipt
from identity.audit.sealing import hold_alone
from identity.audit.tree import leaf_index_of, read_keys
from identity.cli import app
from identity.domain.caller import Caller, Role
from identity.domain.personal_id import PersonalID
from identity.rpc.witness_client import open_remote_log
from identity.security.client_keys import issue_client_keys
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.services.call import Call
from identity.services.seal_audit import AuditKeys, seal, verifier_keys
from identity.services.witness import witness_head
from identity.services.witness_signatures import register_witness
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, connect
from subid.v1 import audit_service_pb2 as pb
from subid.v1 import citizen_service_pb2 as citizen_pb
from tests.conftest import PROJECT_ROOT
from tests.integration.conftest import World
from tests.integration.scene import Scene
from tests.integration.wire import Stubs, new_id, refused
from tests.patience import asked_until_there
from tests.unit.identity.makers import rules

NOTHING = "AUDIT_ENTRY_NOT_FOUND"


@pytest.fixture(scope="module")
def database(world: World) -> Iterator[Database]:
    """What the server stores in."""
    assert world.settings.database is not None
    engine = connect(world.settings.database)
    yield Database(engine, Vault(read_key_ring(world.settings.state / "keys.json")))
    engine.dispose()


@pytest.fixture(scope="module")
def trusted(database: Database) -> VerifierKey:
    """The public key of the log, as `identity audit key` prints it."""
    with database.transaction() as uow:
        return verifier_keys(read_keys(uow.connection))[-1]


def sealed(world: World, database: Database, entry_id: int) -> int:
    """An entry that is under a head now: the server does it twice a second, this at once."""
    keys = AuditKeys(world.settings.state)

    def place() -> int | None:
        with database.transaction() as uow:
            hold_alone(uow.connection, may_wait=True)
            seal(uow, keys, at=datetime.now(UTC))
            return leaf_index_of(uow.connection, entry_id)

    asked_until_there(place, "the entry is not sealed")
    return entry_id


def newest_access(scene: Scene, personal_id: str) -> citizen_pb.Access:
    request = citizen_pb.ListAccessesRequest(personal_id=personal_id, page_size=1)
    (access,) = scene.app.citizens.ListAccesses(request).accesses
    return access  # type: ignore[no-any-return] # an untyped stub


def receipt_of(caller: Stubs, entry_id: int, **given: object) -> str:
    request = pb.GetReceiptRequest(entry_id=entry_id, **given)  # type: ignore[arg-type] # fields by name
    return caller.audit.GetReceipt(request).receipt  # type: ignore[no-any-return] # as above


def test_a_citizen_an_operator_and_the_regulator_have_receipts_that_prove_the_same_entry(
    world: World, database: Database, scene: Scene, trusted: VerifierKey
) -> None:
    subscriber = scene.registered()
    person = subscriber.citizen.personal_id
    entry_id = sealed(world, database, newest_access(scene, person).entry_id)
    receipts = [
        receipt_of(scene.app, entry_id, personal_id=person),
        receipt_of(scene.operator(subscriber.operator), entry_id),
        receipt_of(scene.regulator, entry_id),
    ]
    for receipt in receipts:
        proved = verify_receipt(parse_receipt(receipt), trusted)
        assert proved.leaf["entry_id"] == str(entry_id)
        assert proved.leaf["action"] == "register_subscription"
        assert proved.leaf["caller"] == f"operator:{subscriber.operator}"


def test_the_server_itself_signs_a_head_over_what_was_done(
    database: Database, scene: Scene
) -> None:
    subscriber = scene.registered()
    entry_id = newest_access(scene, subscriber.citizen.personal_id).entry_id

    def covering() -> bool | None:
        head = scene.regulator.audit.GetTreeHead(pb.GetTreeHeadRequest()).checkpoint
        with database.transaction() as uow:
            place = leaf_index_of(uow.connection, entry_id)
        return True if place is not None and place < parse_note(head).head.size else None

    assert asked_until_there(covering, "no head of the server covers the entry")


def test_the_example_of_the_docs_leads_to_a_receipt_that_the_command_verifies(
    world: World,
    database: Database,
    scene: Scene,
    trusted: VerifierKey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriber = scene.registered()
    entry_id = sealed(
        world, database, newest_access(scene, subscriber.citizen.personal_id).entry_id
    )
    keys = issue_client_keys(
        world.settings.state / "certificates",
        Caller(Role.OPERATOR, subscriber.operator),
        at=datetime.now(UTC),
    )
    (tmp_path / "callers").mkdir()
    for name, content in (
        ("ca.crt.pem", keys.authority),
        ("song-hong.crt.pem", keys.certificate),
        ("song-hong.key.pem", keys.private_key),
    ):
        (tmp_path / "callers" / name).write_bytes(content)
    page = (PROJECT_ROOT / "docs/concepts/audit.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    for shown, here in (
        ("127.0.0.1:50551", world.address),
        ("entry_id=17", f"entry_id={entry_id}"),
    ):
        assert shown in example
        example = example.replace(shown, here)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "audit.md", "exec"), {})  # noqa: S102 - our own page
    verified = CliRunner().invoke(app, ["audit", "verify", "receipt.json", "--key", str(trusted)])
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.startswith(f"verified: entry {entry_id} ")


def test_a_receipt_tells_nothing_of_whom_it_is_about(
    world: World, database: Database, scene: Scene
) -> None:
    subscriber = scene.registered()
    person = subscriber.citizen.personal_id
    entry_id = sealed(world, database, newest_access(scene, person).entry_id)
    receipt = receipt_of(scene.app, entry_id, personal_id=person)
    with database.transaction() as uow:
        key = citizen_key(uow.sealer, PersonalID(person)).hex()
    for known in (person, subscriber.msisdn, subscriber.msisdn[1:], key):
        assert known not in receipt
    other = sealed(world, database, newest_access(scene, person).entry_id)
    marks = {json.loads(receipt)["leaf"]["citizen"]}
    marks.add(json.loads(receipt_of(scene.app, other, personal_id=person))["leaf"]["citizen"])
    assert len(marks) == (1 if other == entry_id else 2)


def test_anothers_entry_does_not_exist(world: World, database: Database, scene: Scene) -> None:
    subscriber, stranger = scene.registered(), scene.registered()
    person = subscriber.citizen.personal_id
    entry_id = sealed(world, database, newest_access(scene, person).entry_id)
    strange = stranger.citizen.personal_id
    for caller, personal_id in (
        (scene.app, strange),
        (scene.operator(stranger.operator), ""),
        (scene.operator(stranger.operator), person),
        (scene.agency, ""),
    ):
        for method, request in (
            (caller.audit.GetReceipt, pb.GetReceiptRequest),
            (caller.audit.GetInclusionProof, pb.GetInclusionProofRequest),
        ):
            answer = refused(method, request(entry_id=entry_id, personal_id=personal_id))
            unknown = refused(method, request(entry_id=2**60, personal_id=personal_id))
            assert (answer.status, answer.reason) == ("NOT_FOUND", NOTHING)
            assert (unknown.reason, unknown.message) == (answer.reason, answer.message)


def test_what_a_court_keeps_from_a_person_has_no_receipt_for_them_and_none_that_shows(
    world: World, database: Database, scene: Scene
) -> None:
    person = scene.people.citizen().personal_id
    with database.transaction() as uow:
        key = citizen_key(uow.sealer, PersonalID(person))
        entry = AuditEntry(
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            caller="agency:tax",
            action="get_contact",
            outcome="available",
            citizen_key=key,
            shown_from=datetime(9999, 1, 1, tzinfo=UTC),
        )
        append(uow.connection, [entry])
    listed = scene.regulator.audit.ListEntries(pb.ListEntriesRequest(page_size=100)).entries
    entry_id = next(each.entry_id for each in listed if each.caller == "agency:tax")
    sealed(world, database, entry_id)
    request = pb.GetReceiptRequest(entry_id=entry_id, personal_id=person)
    assert refused(scene.app.audit.GetReceipt, request).reason == NOTHING
    receipt_of(scene.agency, entry_id)
    shown = citizen_pb.ListAccessesRequest(personal_id=person)
    assert not scene.app.citizens.ListAccesses(shown).accesses


def test_callers_list_their_own_entries_and_the_regulator_all(scene: Scene) -> None:
    subscriber = scene.registered()
    own = scene.operator(subscriber.operator)
    request = pb.ListEntriesRequest(page_size=1_000)
    mine = own.audit.ListEntries(request)
    assert {each.caller for each in mine.entries} == {f"operator:{subscriber.operator}"}
    assert [each.action for each in mine.entries][-1] == "register_subscription"
    everybodys = scene.regulator.audit.ListEntries(request)
    assert len({each.caller for each in everybodys.entries}) > 1
    first = scene.regulator.audit.ListEntries(pb.ListEntriesRequest(page_size=2))
    assert first.next_page_token == str(first.entries[-1].entry_id)
    rest = pb.ListEntriesRequest(page_size=2, page_token=first.next_page_token)
    assert scene.regulator.audit.ListEntries(rest).entries[0].entry_id < first.entries[-1].entry_id


def test_proofs_of_inclusion_and_consistency_hold(
    world: World, database: Database, scene: Scene
) -> None:
    before = parse_note(scene.regulator.audit.GetTreeHead(pb.GetTreeHeadRequest()).checkpoint).head
    subscriber = scene.registered()
    access = newest_access(scene, subscriber.citizen.personal_id)
    entry_id = sealed(world, database, access.entry_id)
    operator = scene.operator(subscriber.operator)
    head = parse_note(operator.audit.GetTreeHead(pb.GetTreeHeadRequest()).checkpoint).head
    found = operator.audit.GetInclusionProof(
        pb.GetInclusionProofRequest(entry_id=entry_id, tree_size=head.size)
    )
    assert is_included(
        found.leaf_hash, found.leaf_index, head.size, proof=found.hashes, root=head.root
    )
    assert found.leaf_hash != hash_leaf(b"")
    sizes = pb.GetConsistencyProofRequest(old_size=before.size, new_size=head.size)
    proof = operator.audit.GetConsistencyProof(sizes).hashes
    assert is_consistent(before.size, before.root, head.size, head.root, proof=proof)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (1, 2**40)])
def test_sizes_that_were_not_signed_or_are_the_wrong_way_round_are_refused(
    scene: Scene, old: int, new: int
) -> None:
    request = pb.GetConsistencyProofRequest(old_size=old, new_size=new)
    answer = refused(scene.regulator.audit.GetConsistencyProof, request)
    assert (answer.status, answer.reason) == ("INVALID_ARGUMENT", "TREE_SIZE_INVALID")


def test_a_witness_co_signs_and_receipts_show_it(
    world: World, database: Database, scene: Scene, trusted: VerifierKey, tmp_path: Path
) -> None:
    name = f"witness-{new_id()[:8]}"
    signer = NoteSigner(f"{name}.example", Ed25519PrivateKey.generate())
    key = signer.verifier(is_witness=True)
    at = datetime.now(UTC)
    with database.transaction() as uow:
        caller = Caller(Role.REGULATOR, "command-line")
        register_witness(uow, Call(caller=caller, at=at, rules=rules()), name, key)
    subscriber = scene.registered()
    person = subscriber.citizen.personal_id
    entry_id = sealed(world, database, newest_access(scene, person).entry_id)
    keys = issue_client_keys(
        world.settings.state / "certificates", Caller(Role.WITNESS, name), at=at
    )
    memory = HeadMemory(tmp_path / "seen.head")
    for _ in range(2):
        with open_remote_log(world.address, keys) as log:
            head = witness_head(log, memory, signer, trusted=trusted, at=at)
    receipt = parse_receipt(receipt_of(scene.app, entry_id, personal_id=person, is_witnessed=True))
    proved = verify_receipt(receipt, trusted, witnesses=[key])
    assert (proved.head, list(proved.witnesses)) == (head, [signer.name])
    stranger = NoteSigner(signer.name, Ed25519PrivateKey.generate()).verifier(is_witness=True)
    with pytest.raises(NoteRefusedError):
        verify_receipt(receipt, trusted, witnesses=[stranger])


def test_a_co_signature_of_nobody_or_under_no_head_of_the_log_is_refused(scene: Scene) -> None:
    witness = scene.act_as(Role.WITNESS, "unregistered")
    head = scene.regulator.audit.GetTreeHead(pb.GetTreeHeadRequest()).checkpoint
    request = pb.AddWitnessSignatureRequest(request_id=new_id(), checkpoint=head)
    answer = refused(witness.audit.AddWitnessSignature, request)
    assert (answer.status, answer.reason) == ("INVALID_ARGUMENT", "COSIGNATURE_REFUSED")
