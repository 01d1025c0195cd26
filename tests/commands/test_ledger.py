"""`mingcha ledger` as people type it: export, verify, witness, score; each way to bend the log is named (L2, L3)."""

import json
import shutil
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from api.actions.checkpoints import keep_checkpoint, signer_of
from api.cli import group
from api.store import checkpoints
from survey_forms.ledger_copy import write_line
from survey_forms.refusal import Refused
from survey_forms.signed_notes import Checkpoint, Note, Verifier, log_signer
from survey_forms.transparency import canonical_json, leaf_hash, tree_root
from tests.inspections import NOW, Town, a_town, an_entry

GROUPS = (
    *("party_delegates", "peoples_congress_deputies", "cppcc_members", "residents", "enterprises", "supervisors"),
    *("conduct_review", "service_recipients", "city_district_mutual", "party_government_mutual"),
)


def told(*arguments):
    return CliRunner().invoke(group, ["ledger", *(str(one) for one in arguments)])


def grow(engine: Engine, settings, town: Town, entries: int, **facts) -> None:
    with engine.begin() as connection:
        for _ in range(entries):
            an_entry(connection, town, **facts)
        assert keep_checkpoint(connection, signer_of(settings), "hourly", NOW) is None


@pytest.fixture
def town(engine, settings):
    with engine.begin() as connection:
        town = a_town(connection)
    grow(engine, settings, town, 4)
    grow(engine, settings, town, 4)
    return town


@pytest.fixture
def desk(town, settings, tmp_path, monkeypatch):
    """A directory with an exported copy, both checkpoints and the key."""
    assert town
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    desk = tmp_path / "out"
    desk.mkdir()
    answer = told("export", "--notes", desk)
    assert answer.exit_code == 0, answer.output
    (desk / "copy.jsonl").write_bytes(answer.stdout_bytes)
    (desk / "log.key").write_text(str(signer_of(settings).verifier))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")  # what follows needs none
    return desk


def verified(desk, copy, *more):
    return told(
        *("verify", copy, "--checkpoint", desk / "4.note", "--checkpoint", desk / "8.note"),
        *("--key", desk / "log.key", *more),
    )


def forged(line: bytes, **facts) -> bytes:
    body = json.loads(line)["body"] | facts
    return write_line(body, leaf_hash(canonical_json(body)))


def test_a_true_copy_is_proven(desk):
    answer = verified(desk, desk / "copy.jsonl")
    assert (answer.exit_code, answer.output.count("✓")) == (0, 1)
    assert "8 entries agree with 2 signed checkpoints" in answer.output


def bit_flip(lines):
    return [*lines[:2], lines[2].replace(b'"points":"2"', b'"points":"3"'), *lines[3:]]


BENT = {
    "Entry 3 (line 3) was changed": bit_flip,
    "Entry 6 is missing": lambda lines: lines[:5] + lines[6:],
    "Entry 2 stands in the wrong place (line 7)": lambda lines: [lines[0], *lines[2:7], lines[1], lines[7]],
    "Line 6 was inserted: it claims to be entry 5": lambda lines: [
        *lines[:5], forged(lines[4], points="9"), *lines[5:]
    ],
    "The copy ends after entry 6; the checkpoint has 8": lambda lines: lines[:6],
    "forked): it agrees up to 4 and fails the checkpoint of 8": lambda lines: [
        *lines[:6], forged(lines[6], points="0.5"), lines[7]
    ],
}  # fmt: skip


@pytest.mark.parametrize("words", BENT)
def test_a_bent_copy_fails_and_what_was_done_to_it_is_named(desk, words):
    lines = (desk / "copy.jsonl").read_bytes().splitlines(keepends=True)
    bent = desk / "bent.jsonl"
    bent.write_bytes(b"".join(BENT[words](lines)))
    answer = verified(desk, bent)
    assert answer.exit_code == 1
    assert words in answer.output
    assert "wrong: 1" in answer.output


def test_a_checkpoint_of_another_key_or_damaged_proves_nothing(desk):
    (desk / "8.note").write_text((desk / "8.note").read_text().replace("\n8\n", "\n9\n"))
    answer = verified(desk, desk / "copy.jsonl")
    assert answer.exit_code == 1
    assert "8.note: no valid signature of 127.0.0.1/mingcha-ledger" in answer.output
    (desk / "8.note").write_text("-")
    assert "8.note: is no checkpoint" in verified(desk, desk / "copy.jsonl").output
    stranger = str(log_signer(b"x" * 40, "127.0.0.1/mingcha-ledger").verifier)
    assert told("verify", desk / "copy.jsonl", "--checkpoint", desk / "4.note", "--key", stranger).exit_code == 1


def test_scores_are_recomputed_from_the_copy_at_any_size(desk):
    scores = {"indicator": {"differential": "900"}, "public_review": dict.fromkeys(GROUPS, "850")}
    document = {
        "scheme": "xiamen-wf-2015",
        "supplied": {"public_review.shares": dict.fromkeys(GROUPS, "10"), "outstanding_base": "15"},
        "units": [{"id": code, "scores": scores, "deductions": []} for code in ("civil", "transport")],
    }
    (desk / "input.json").write_text(json.dumps(document))
    found = {}
    for size in (0, 4, 8):
        answer = told("score", desk / "copy.jsonl", "--size", size, "--input", desk / "input.json")
        assert answer.exit_code == 0, answer.output
        found[size] = json.loads(answer.stdout)["units"][0]["composite"]
    assert found == {0: "904.00", 4: "896.00", 8: "888.00"}
    assert "was not verified" in answer.stderr
    score = ("score", desk / "copy.jsonl", "--input", desk / "input.json")
    refused = told(*score, "--size", 9)
    assert isinstance(refused.exception, Refused)
    assert refused.exception.code == "copy_ends_early"

    key = ("--key", desk / "log.key")
    proven = told(*score, "--size", 4, "--checkpoint", desk / "8.note", *key)
    assert proven.exit_code == 0, proven.output
    assert (json.loads(proven.stdout)["units"][0]["composite"], proven.stderr) == ("896.00", "")
    assert told(*score, "--size", 4, *key).exit_code == 2
    lines = (desk / "copy.jsonl").read_bytes().splitlines(keepends=True)
    (desk / "bent.jsonl").write_bytes(b"".join([forged(lines[0], points="0.01"), *lines[1:]]))
    stranger = ("--key", log_signer(b"x" * 40, "127.0.0.1/mingcha-ledger").verifier)
    for copy, note, size, signer, code in (
        ("copy.jsonl", "4.note", 8, key, "score_not_proven"),
        ("bent.jsonl", "8.note", 8, key, "copy_forked"),
        ("copy.jsonl", "8.note", 8, stranger, "note_file_unsigned"),
    ):
        refused = told("score", desk / copy, *score[2:], "--size", size, "--checkpoint", desk / note, *signer)
        assert isinstance(refused.exception, Refused)
        assert refused.exception.code == code


@pytest.fixture
def address(site, town) -> str:
    assert town
    return site


@pytest.fixture
def look(address, settings, tmp_path):
    def visit(*more):
        return told(
            *("witness", address, "--state", tmp_path / "state", "--key-file", tmp_path / "witness.key"),
            *("--name", "auditor", "--key", signer_of(settings).verifier, *more),
        )

    return visit


def bend(engine: Engine, *statements: str) -> None:
    """What the database's owner can do."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_a_witness_signs_what_only_grew_and_keeps_every_note(  # noqa: PLR0917 - fixtures
    engine, settings, town, look, tmp_path, desk
):
    first = look()
    assert first.exit_code == 0, first.output
    again = look()
    grow(engine, settings, town, 3)
    third = look()
    assert (again.exit_code, third.exit_code) == (0, 0)
    assert sorted(file.name for file in (tmp_path / "state").glob("*.note")) == ["11.note", "8.note"]
    key = next(line for line in third.stderr.splitlines() if "witness key" in line).rpartition(" ")[2]
    note = Note.read(third.stdout_bytes)
    assert Verifier.read(key).signed(note)
    assert signer_of(settings).verifier.signed(note)
    assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
    shutil.copy(tmp_path / "state" / "8.note", desk / "8.note")
    arguments = ("verify", desk / "copy.jsonl", "--checkpoint", desk / "8.note", "--key", desk / "log.key")
    assert told(*arguments, "--witness", key).exit_code == 0
    assert told(*arguments, "--witness", key, "--witness", log_signer(b"", "other").verifier).exit_code == 1


def test_a_witness_names_a_log_that_shrank(engine, look):
    assert look().exit_code == 0
    bend(engine, "DELETE FROM field.checkpoint WHERE size = 8", "DELETE FROM field.ledger_entry WHERE seq > 4")
    answer = look()
    assert answer.exit_code == 1
    assert "shrank. 8 entries were witnessed" in answer.output


@pytest.mark.parametrize(("growth", "size"), [((2,), 8), ((2, 2), 10), ((4,), 10)])
def test_a_witness_names_a_fork_and_keeps_the_proof(  # noqa: PLR0917 - fixtures
    engine, settings, town, look, refused_note, growth, size
):
    """The rewritten log has a checkpoint of the witnessed size, or it has none and gives no proof."""
    assert look().exit_code == 0
    bend(engine, "DELETE FROM field.checkpoint", "DELETE FROM field.ledger_entry WHERE seq > 6")
    for entries in growth:
        grow(engine, settings, town, entries, points="0.5")
    answer = look()
    assert answer.exit_code == 1
    assert "GRAVE: the ledger was rewritten (forked)" in answer.output
    assert f"The checkpoint of {size} entries" in answer.output
    assert signer_of(settings).verifier.signed(Note.read(refused_note.read_bytes()))


@pytest.fixture
def refused_note(tmp_path):
    return tmp_path / "state" / "refused" / "1.note"


def test_a_witness_names_a_note_that_the_log_did_not_sign(engine, look):
    assert look().exit_code == 0
    thief = log_signer(b"t" * 40, "127.0.0.1/mingcha-ledger")
    with engine.connect() as connection:
        root = checkpoints.checkpoint_of(connection, 8).root
    note = thief.signed(Note(Checkpoint(thief.name, 8, root).text))
    bend(engine, f"UPDATE field.checkpoint SET note = '{note}', verifier_key = '{thief.verifier}' WHERE size = 8")  # noqa: S608
    answer = look()
    assert answer.exit_code == 1
    assert "bears no valid signature" in answer.output


def test_a_row_whose_note_was_changed_is_no_longer_shown(engine, look):
    assert look().exit_code == 0
    bend(engine, "UPDATE field.checkpoint SET note = replace(note, E'\\n8\\n', E'\\n9\\n') WHERE size = 8")
    answer = look()
    assert (answer.exit_code, "8 entries were witnessed" in answer.output) == (1, True)


@pytest.mark.parametrize(
    ("answer", "grave"),
    [
        ((429, b"busy"), False),
        ((408, b""), False),
        ((403, b"<html>"), False),
        ((404, b"<html>not here"), False),
        ((429, b'{"code": "too_many_requests"}'), False),
        ((503, b"away"), False),
        ((200, b"<html>sign in to the network"), False),
        ((404, b'{"code": "checkpoint_unknown"}'), True),
        ((500, b'{"code": "ledger_rewritten"}'), True),
        ((200, b'{"path": []}'), True),
    ],
)
def test_only_the_log_itself_or_a_failing_proof_is_a_fork(tmp_path, answer, grave):
    leaves = [leaf_hash(b"%d" % n) for n in range(9)]
    signer, sizes = log_signer(b"k" * 40, "127.0.0.1/mingcha-ledger"), [5]

    class Log(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = sizes[-1]
            note = signer.signed(Note(Checkpoint(signer.name, size, tree_root(leaves[:size])).text))
            status, content = (200, str(note).encode()) if self.path.endswith("/checkpoint") else answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Log) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        arguments = (
            *("witness", f"http://127.0.0.1:{server.server_port}", "--state", tmp_path / "state"),
            *("--key-file", tmp_path / "k", "--name", "a", "--key", signer.verifier),
        )
        assert told(*arguments).exit_code == 0
        sizes.append(9)
        seen = told(*arguments)
        server.shutdown()
    assert ((seen.exit_code, "GRAVE" in seen.output) == (1, True)) is grave
    assert (tmp_path / "state" / "refused").exists() is grave
    if not grave:
        assert isinstance(seen.exception, Refused)
        assert seen.exception.code == "witness_no_answer"


def test_a_witness_notices_that_its_own_notes_were_changed(look, tmp_path):
    assert look().exit_code == 0
    file = tmp_path / "state" / "8.note"
    file.write_text(file.read_text().replace("\n8\n", "\n7\n"))
    answer = look()
    assert (answer.exit_code, "own notes" in answer.output) == (1, True)


def test_a_witness_that_gets_no_answer_says_so_and_signs_nothing(settings, tmp_path):
    key = signer_of(settings).verifier
    for address in ("http://127.0.0.1:1", "file:///etc/passwd", "gopher://x"):
        arguments = ("--state", tmp_path / "state", "--key-file", tmp_path / "k", "--name", "a", "--key", key)
        answer = told("witness", address, *arguments)
        assert isinstance(answer.exception, Refused)
        assert answer.exception.code == "witness_no_answer"
    assert list((tmp_path / "state").glob("*.note")) == []


def test_the_first_visit_needs_a_name_and_the_announced_key(look, tmp_path, address, settings):
    bare = ("witness", address, "--state", tmp_path / "state", "--key-file", tmp_path / "witness.key")
    key = ("--key", signer_of(settings).verifier)
    other = ("--key", log_signer(b"", "other").verifier)
    for arguments, code in (((), "witness_key_missing"), (key, "witness_name_missing"), (other, "witness_key_differs")):
        answer = told(*bare, *arguments)
        assert isinstance(answer.exception, Refused)
        assert answer.exception.code == code
    assert look().exit_code == 0


def test_a_host_of_its_own_signs_with_its_own_memory(engine, settings, town, tmp_path, monkeypatch):
    for name, value in (
        ("DATABASE_URL", settings.database_url), ("REDIS_URL", settings.redis_url), ("MINGCHA_PEPPER", "p" * 40),
        ("MINGCHA_SECRET_KEY", "s" * 40), ("MINGCHA_BASE_URL", "http://127.0.0.1"),
        ("MINGCHA_LEDGER_KEY", settings.ledger_key.decode()),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    with engine.begin() as connection:
        an_entry(connection, town)
    signed = told("checkpoint", "--state", tmp_path / "own")
    assert signed.exit_code == 0, signed.output
    assert (tmp_path / "own" / "9.note").read_text() == signed.stdout
    bend(engine, "DELETE FROM field.checkpoint", "DELETE FROM field.ledger_entry WHERE seq > 6")
    refused = told("checkpoint", "--state", tmp_path / "own")
    assert (refused.exit_code, "has 6 entries, and a signed checkpoint 9" in refused.output) == (1, True)
    with engine.connect() as connection:
        assert checkpoints.checkpoints(connection) == []
