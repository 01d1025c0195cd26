"""Checkpoints: what merely grew is signed, what was bent is not, and every past score can be computed again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import combinations_with_replacement

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api.actions import ledger
from api.actions.checkpoints import (
    Trees,
    ask_checkpoint,
    checkpoint,
    composite_at,
    consistency,
    copy_of,
    inclusion,
    keep_checkpoint,
    last_look,
    origin_of,
    signer_of,
)
from api.actions.note_files import kept_keys, kept_notes
from api.commands.init_db import make_roles
from api.store import checkpoints
from api.store.base import make_engine
from api.store.evaluations import round_
from api.store.ledger import ledger_entry
from api.store.results import composite
from api.store.roles import GRANTS, WEB, WORKER, as_role
from survey_forms.ledger_copy import read_line
from survey_forms.ledger_examination import examine
from survey_forms.refusal import Refused
from survey_forms.signed_notes import Checkpoint, Note, log_signer, read_checkpoint
from survey_forms.transparency import tree_root, verify_consistency, verify_inclusion
from tests.desk import GROUPS
from tests.inspections import NOW, a_town, an_entry

SIGNER = log_signer(b"k" * 40, "test/mingcha-ledger")


@pytest.fixture
def town(connection):
    return a_town(connection)


def keep(connection, occasion="hourly", **more):
    return keep_checkpoint(connection, SIGNER, occasion, NOW, **more)


def bend(connection, statement: str, **facts) -> None:
    """What the database's owner can do: triggers and foreign keys do not hold them."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text(statement), facts)
    connection.execute(text("SET LOCAL session_replication_role = origin"))


def test_a_checkpoint_says_size_and_root_and_is_signed(connection, town):
    assert keep(connection) is None
    for _ in range(5):
        an_entry(connection, town)
    assert keep(connection, "freeze") is None
    kept = checkpoints.last_checkpoint(connection)
    note, found = read_checkpoint(kept.note.encode(), SIGNER.verifier)
    leaves = checkpoints.leaves(connection, 5)
    assert (found.origin, found.size, found.root) == (SIGNER.name, 5, tree_root(leaves))
    assert (str(note), kept.occasion, kept.verifier_key) == (kept.note, "freeze", str(SIGNER.verifier))
    assert [one.size for one in checkpoints.checkpoints(connection)] == [0, 5]
    assert last_look(connection).wrong is None


def test_nothing_new_makes_no_new_checkpoint(connection, town):
    an_entry(connection, town)
    keep(connection)
    first = checkpoints.last_checkpoint(connection)
    assert keep(connection, "freeze") is None
    assert checkpoints.checkpoints(connection) == [first]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE field.ledger_entry SET points = 1 WHERE seq = 2", "ledger_entry_bent"),
        ("UPDATE field.ledger_entry SET rule = 'other' WHERE seq = 2", "ledger_entry_bent"),
        ("UPDATE field.ledger_entry SET unit_id = :other WHERE seq = 2", "ledger_entry_bent"),
        ("UPDATE field.ledger_entry SET decided_by = :inspector2 WHERE seq = 2", "ledger_entry_bent"),
        ("UPDATE field.ledger_entry SET entered_at = now() WHERE seq = 2", "ledger_entry_bent"),
        ("UPDATE field.ledger_entry SET evidence_root = leaf_hash WHERE seq = 2", "ledger_entry_bent"),
        ('UPDATE field.ledger_entry SET body = body || \'{"points": "1"}\' WHERE seq = 2', "ledger_entry_bent"),
        (
            "UPDATE field.ledger_entry SET leaf_hash = decode(repeat('00', 32), 'hex') WHERE seq = 2",
            "ledger_entry_bent",
        ),
        ("DELETE FROM field.ledger_entry WHERE seq = 2", "ledger_gap"),
        ("DELETE FROM field.ledger_entry WHERE seq = 4", "ledger_shrank"),
        ("UPDATE field.checkpoint SET note = replace(note, E'\\n4\\n', E'\\n3\\n')", "checkpoint_bent"),
        ("UPDATE field.checkpoint SET root = decode(repeat('00', 32), 'hex')", "checkpoint_bent"),
        ("UPDATE field.checkpoint SET size = 3", "checkpoint_bent"),
    ],
)
def test_a_ledger_that_was_bent_is_not_signed_and_the_office_is_told(connection, town, statement, code):
    for _ in range(4):
        an_entry(connection, town)
    keep(connection)
    bend(connection, statement, **({"other": town.other_unit_id} if ":other" in statement else {})
         | ({"inspector2": town.other_inspector} if ":inspector2" in statement else {}))  # fmt: skip
    before = len(checkpoints.checkpoints(connection))
    assert keep(connection).code == code
    assert len(checkpoints.checkpoints(connection)) == before
    assert last_look(connection).wrong.code == code


def rewrite(connection, town, seq: int) -> None:
    """An owner who knows the code forges an entry with columns, body and leaf that agree."""
    bend(connection, "DELETE FROM field.ledger_entry WHERE seq >= :seq", seq=seq)
    an_entry(connection, town, points="0.5")
    assert checkpoints.ledger_size(connection) == seq


def test_an_entry_that_was_rewritten_with_its_hash_meets_the_signed_checkpoint(connection, town):
    for _ in range(4):
        an_entry(connection, town)
    keep(connection)
    rewrite(connection, town, 4)
    wrong = keep(connection)
    assert (wrong.code, wrong.facts) == ("ledger_rewritten", {"size": 4})


def test_the_signers_own_notes_are_out_of_the_owners_reach(connection, town, tmp_path):
    for _ in range(4):
        an_entry(connection, town)
    keep(connection, own_notes=tmp_path / "notes")
    bend(connection, "DELETE FROM field.checkpoint")
    rewrite(connection, town, 4)
    assert keep(connection, own_notes=tmp_path / "notes").code == "ledger_rewritten"
    assert keep(connection) is None  # a signer without a memory signs the fork: witnesses then tell
    assert len(kept_notes(tmp_path / "notes")) == 1
    (tmp_path / "notes" / "4.note").write_text(
        str(checkpoints.last_checkpoint(connection).note).replace("\n4\n", "\n3\n")
    )
    assert keep(connection, own_notes=tmp_path / "notes").code == "checkpoint_bent"


def test_a_process_without_the_key_looks_and_signs_nothing(connection, town):
    an_entry(connection, town)
    assert keep_checkpoint(connection, None, "hourly", NOW) is None
    assert checkpoints.checkpoints(connection) == []
    bend(connection, "UPDATE field.ledger_entry SET points = 1")
    assert keep_checkpoint(connection, None, "hourly", NOW).code == "ledger_entry_bent"


def test_a_new_key_goes_on_where_the_old_one_ended(connection, town, tmp_path):
    an_entry(connection, town)
    keep(connection, own_notes=tmp_path)
    an_entry(connection, town)
    newer = log_signer(b"n" * 40, SIGNER.name)
    assert keep_checkpoint(connection, newer, "hourly", NOW).code == "checkpoint_bent"  # it knows no other key
    assert keep_checkpoint(connection, newer, "hourly", NOW, own_notes=tmp_path) is None
    keys = [str(SIGNER.verifier), str(newer.verifier)]
    assert [one.verifier_key for one in checkpoints.checkpoints(connection)] == keys
    assert kept_keys(tmp_path) == keys


@pytest.mark.parametrize(
    "another",
    [log_signer(b"n" * 40, SIGNER.name), log_signer(b"k" * 40, "other.example/mingcha-ledger")],
    ids=["another key", "another address"],
)
@pytest.mark.parametrize("forgotten", [False, True])
def test_the_signers_own_notes_count_whoever_signed_them(connection, town, tmp_path, another, forgotten):
    for _ in range(4):
        an_entry(connection, town)
    keep(connection, own_notes=tmp_path)
    bend(connection, "DELETE FROM field.ledger_entry WHERE seq > 2")
    bend(connection, "DELETE FROM field.checkpoint")
    if forgotten:
        (tmp_path / "log.keys").unlink()
    wrong = keep_checkpoint(connection, another, "hourly", NOW, own_notes=tmp_path)
    assert (wrong.code, wrong.facts) == ("ledger_shrank", {"size": 2, "last": 4})
    assert checkpoints.checkpoints(connection) == []


def forge(connection, size: int, note: str, key: str) -> None:
    values = {"size": size, "root": bytes(32), "note": note, "verifier_key": key, "occasion": "hourly", "made_at": NOW}
    connection.execute(insert(checkpoints.checkpoint).values(values))


@pytest.mark.parametrize("size", [1, 1_000_000])
@pytest.mark.parametrize("signed", [False, True])
def test_a_row_that_no_known_key_signed_is_named_and_never_shown_as_the_latest(connection, town, size, signed):
    keep(connection)
    an_entry(connection, town)
    honest = checkpoint(connection)
    thief = log_signer(b"t" * 40, SIGNER.name)
    note = str(thief.signed(Note(Checkpoint(thief.name, size, bytes(32)).text))) if signed else "forged"
    forge(connection, size, note, str(thief.verifier) if signed else "evil+00000000+AAAA")
    wrong = keep(connection)
    assert (wrong.code, wrong.facts) == ("checkpoint_bent", {"size": size})
    if not signed or size > 1:  # a process without keys cannot tell one well-formed signature from another
        assert checkpoint(connection) == honest
        assert keep_checkpoint(connection, None, "hourly", NOW) is not None


def test_a_freeze_stays_with_its_round_where_a_checkpoint_of_its_size_is_there_already(engine):
    with engine.begin() as connection:
        town = a_town(connection)
        first, second = (
            connection.execute(
                insert(round_)
                .values(evaluation_id=town.evaluation_id, name_zh="-", name_en="-", opens_at=NOW, closes_at=NOW)
                .returning(round_.c.id)
            ).scalar_one()
            for _ in range(2)
        )
        an_entry(connection, town)
        keep(connection)
        assert keep_checkpoint(connection, SIGNER, "freeze", NOW, round_id=first) is None
        (kept,) = checkpoints.checkpoints(connection)
        an_entry(connection, town)
        assert keep_checkpoint(connection, None, "freeze", NOW, round_id=second) is None  # another host signs
        assert keep_checkpoint(connection, SIGNER, "freeze", NOW, round_id=first) is None  # the job came twice
        frozen = checkpoints.frozen_ledgers(connection)
    assert (frozen[first].size, frozen[first].root) == (1, kept.root)
    assert (frozen[second].size, frozen[second].root) == (2, tree_root(checkpoint_leaves(engine, 2)))
    with engine.begin() as connection:
        bend(connection, "DELETE FROM field.checkpoint")
        rewrite(connection, town, 2)
        assert keep(connection).code == "ledger_rewritten"
    with engine.begin() as connection, pytest.raises(IntegrityError):
        connection.execute(text("UPDATE field.frozen_ledger SET size = 0"))


def checkpoint_leaves(engine, size: int) -> list[bytes]:
    with engine.connect() as connection:
        return checkpoints.leaves(connection, size)


def test_the_logs_name_has_no_port(settings):
    assert origin_of(settings) == "127.0.0.1/mingcha-ledger"
    assert signer_of(settings).name == origin_of(settings)


def test_proofs_hold_between_all_checkpoints(connection, town):
    trees = Trees(3)
    for size in range(1, 9):
        an_entry(connection, town)
        keep(connection)
        for seq in range(1, size + 1):
            proof = inclusion(connection, trees, seq, size)
            assert verify_inclusion(proof.leaf, seq - 1, size, proof.path, proof.root)
    kept = {one.size: one.root for one in checkpoints.checkpoints(connection)}
    for earlier, size in combinations_with_replacement(sorted(kept), 2):
        path = consistency(connection, trees, earlier, size)
        assert verify_consistency(earlier, size, path, kept[earlier], kept[size])
    for act, code in (
        (lambda: inclusion(connection, trees, 9, 8), "not_found"),
        (lambda: inclusion(connection, trees, 1, 99), "checkpoint_unknown"),
        (lambda: consistency(connection, trees, 8, 3), "checkpoints_out_of_order"),
    ):
        with pytest.raises(Refused, match=code):
            act()


def test_the_copy_is_what_the_verifier_reads(connection, town):
    for _ in range(6):
        an_entry(connection, town, basis="“引号”、emoji 🙂 \\ \u2028")
    ledger.reverse(connection, 2, "异议成立", town.office, town.second_office, NOW)
    keep(connection)
    copy = list(copy_of(connection, 1, 7))
    note = read_checkpoint(checkpoints.last_checkpoint(connection).note.encode(), SIGNER.verifier)[1]
    found = examine([read_line(line) for line in copy], [note])
    assert (found.faults, found.proven) == ((), 7)


def test_a_score_of_the_past_has_the_deductions_of_then(connection, town):
    scores = {"indicator": {"differential": "900"}, "public_review": dict.fromkeys(GROUPS, "850")}
    document = {
        "scheme": "xiamen-wf-2015",
        "supplied": {"public_review.shares": dict.fromkeys(GROUPS, "10"), "outstanding_base": "15"},
        "units": [{"id": code, "scores": scores, "deductions": []} for code in ("civil", "transport")],
    }
    values = {"evaluation_id": town.evaluation_id, "inputs_digest": "d", "scheme_digest": "d", "ledger_seq": 0}
    with pytest.raises(Refused, match="checkpoint_unknown"):
        composite_at(connection, town.evaluation_id, 0)
    keep(connection)
    with pytest.raises(Refused, match="not_computed"):
        composite_at(connection, town.evaluation_id, 0)
    connection.execute(insert(composite).values(**values, input=document, problems=[], errors={}, computed_at=NOW))
    an_entry(connection, town, points="3")
    keep(connection)
    ledger.reverse(connection, 1, "异议成立", town.office, town.second_office, NOW)
    an_entry(connection, town, points="1")
    keep(connection)
    found = {size: composite_at(connection, town.evaluation_id, size).output["units"][0] for size in (0, 1, 3)}
    # 0.6 × (0.6 × 900 + 0.4 × 1000) + 0.4 × 850 = 904, less what stood then
    assert {size: one["composite"] for size, one in found.items()} == {0: "904.00", 1: "901.00", 3: "903.00"}


def test_the_worker_may_add_checkpoints_and_nobody_changes_one():
    for table in ("field.checkpoint", "field.frozen_ledger"):
        assert GRANTS[WORKER].but[table] == "UPDATE, DELETE"
        assert GRANTS[WEB].but[table] == "INSERT, UPDATE, DELETE"


def test_the_worker_signs_with_the_rights_that_it_has_and_the_web_asks_and_reads(engine):
    make_roles(engine)
    with engine.begin() as connection:
        an_entry(connection, a_town(connection))
    address = engine.url.render_as_string(hide_password=False)
    worker, web = (make_engine(as_role(address, role)) for role in (WORKER, WEB))
    try:
        with worker.begin() as connection:
            assert keep(connection) is None
        with web.begin() as connection:
            ask_checkpoint(connection, NOW)
            assert last_look(connection).wrong is None
            assert inclusion(connection, Trees(), 1, 1).size == 1
        for account in (worker, web):
            with pytest.raises(ProgrammingError, match="permission denied"), account.begin() as connection:
                connection.execute(text("DELETE FROM field.checkpoint"))
        for table in ("checkpoint", "frozen_ledger"):
            with pytest.raises(ProgrammingError, match="permission denied"), web.begin() as connection:
                connection.execute(text(f"INSERT INTO field.{table} SELECT * FROM field.{table}"))  # noqa: S608 - above
    finally:
        worker.dispose()
        web.dispose()


def test_one_person_is_refused_by_the_database_itself(connection, town):
    values = {
        "seq": 1, "evaluation_id": town.evaluation_id, "unit_id": town.unit_id, "component": "inspection",
        "rule": "r", "points": Decimal(1), "basis": "b", "filed_by": town.office, "decided_by": town.office,
        "entered_at": NOW, "body": {}, "leaf_hash": bytes(32),
    }  # fmt: skip
    with pytest.raises(IntegrityError, match="second_person"):
        connection.execute(ledger_entry.insert().values(values))


def test_a_hundred_writers_at_once_leave_no_gap_and_every_checkpoint_between_holds(engine):
    with engine.begin() as connection:
        town = a_town(connection)
    crowd = make_engine(engine.url.render_as_string(hide_password=False), pool_size=40, max_overflow=0)

    def write(number: int) -> int:
        with crowd.begin() as connection:
            seq = an_entry(connection, town, basis=f"第 {number} 次")
        if number % 10 == 0:
            with crowd.begin() as connection:
                assert keep_checkpoint(connection, SIGNER, "hourly", NOW + timedelta(seconds=number)) is None
        return seq

    try:
        with ThreadPoolExecutor(100) as pool:
            assert sorted(pool.map(write, range(100))) == list(range(1, 101))
        with crowd.begin() as connection:
            assert keep(connection) is None
            kept = [(one.size, one.root) for one in checkpoints.checkpoints(connection)]
            leaves = checkpoints.leaves(connection, 100)
    finally:
        crowd.dispose()
    assert len(set(leaves)) == 100
    assert kept[-1] == (100, tree_root(leaves))
    assert all(root == tree_root(leaves[:size]) for size, root in kept)
    assert len({root for _, root in kept}) == len(kept) > 1


def test_no_proof_is_made_of_a_ledger_that_no_longer_meets_its_checkpoint(connection, town):
    an_entry(connection, town)
    keep(connection)
    rewrite(connection, town, 1)
    with pytest.raises(Refused, match="ledger_rewritten"):
        inclusion(connection, Trees(), 1, 1)
