"""What an entry's page gives to download is taken by `mingcha ledger inclusion` as it is, and holds only if true."""

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from api.actions.checkpoints import keep_checkpoint, signer_of
from api.app import create_app
from api.cli import group
from api.services import KEY
from survey_forms.refusal import Refused
from survey_forms.signed_notes import log_signer
from tests.inspections import NOW, PASSWORD, a_town, an_entry


@pytest.fixture
def app(settings):
    made = create_app(settings)
    yield made
    made.extensions[KEY].database.engine.dispose()


@pytest.fixture
def download(app, engine, settings, tmp_path):
    """What somebody gets from the page of entry 2 of 3, as a file."""
    with engine.begin() as connection:
        town = a_town(connection)
        for _ in range(3):
            an_entry(connection, town)
        assert keep_checkpoint(connection, signer_of(settings), "hourly", NOW) is None

    def downloaded(username, page):
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        found = re.search(
            r'<a href="(/api/v1/ledger/proof/inclusion[^"]+)" download="(L2\.json)">', client.get(page).text
        )
        assert found
        file = tmp_path / found[2]
        file.write_bytes(client.get(found[1].replace("&amp;", "&")).data)
        return file

    return downloaded


@pytest.fixture
def key(settings):
    return str(signer_of(settings).verifier)


@pytest.fixture
def inclusion(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")  # it needs none

    def run(*arguments):
        return CliRunner().invoke(group, ["ledger", "inclusion", *map(str, arguments)])

    return run


@pytest.mark.parametrize(("username", "page"), [("office", "/office/ledger/2"), ("unit", "/unit/entries/2")])
def test_the_pages_download_is_proven_as_it_is(download, inclusion, key, username, page):
    answer = inclusion(download(username, page), "--key", key)
    first, said = answer.output.splitlines()
    assert (answer.exit_code, first) == (0, "✓ 第 2 条在校验点 3 内 / entry 2 stands in the checkpoint of 3")
    assert said == "  单位 civil，规则 late_or_early，2 分 / unit civil, rule late_or_early, points 2"


def test_words_that_no_signature_speaks_for_are_refused_by_name(download, inclusion, key):
    file = download("unit", "/unit/entries/2")
    whole = file.read_text(encoding="utf-8")
    for name, bent in (
        ("points", whole.replace('"points"', '"points":"0","points"', 1)),
        ("lifted", '{"lifted":1,' + whole[1:]),
    ):
        file.write_text(bent)
        answer = inclusion(file, "--key", key)
        assert isinstance(answer.exception, Refused)
        assert [(one.code, one.facts) for one in answer.exception.faults] == [
            ("inclusion_member_strange", {"name": name})
        ]


def test_a_changed_entry_and_another_key_end_with_one(download, inclusion, key):
    file = download("unit", "/unit/entries/2")
    stranger = log_signer(b"x" * 40, "127.0.0.1/mingcha-ledger").verifier
    other = inclusion(file, "--key", stranger)
    assert (other.exit_code, "没有“127.0.0.1/mingcha-ledger”的有效签名" in other.output) == (1, True)
    told = json.loads(file.read_bytes())
    file.write_text(json.dumps(told | {"entry": told["entry"] | {"points": "1"}}))
    changed = inclusion(file, "--key", key)
    assert (changed.exit_code, "第 2 条的内容被改过" in changed.output) == (1, True)


def test_what_cannot_be_used_ends_with_two_and_a_sentence(tmp_path, key):
    (tmp_path / "none.json").write_text("no proof")
    run = [sys.executable, "-m", "api.cli", "ledger", "inclusion", str(tmp_path / "none.json"), "--key", key]
    answer = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert (answer.returncode, "这不是收录证明" in answer.stderr) == (2, True)


def test_a_note_and_an_entry_from_elsewhere_stand_in_for_those_of_the_file(download, inclusion, key, tmp_path, app):
    file = download("office", "/office/ledger/2")
    told = json.loads(file.read_bytes())
    note, entry = tmp_path / "3.note", tmp_path / "entry.json"
    note.write_text(told["checkpoint"])
    entry.write_text(json.dumps(told["entry"]))
    anyone = app.test_client().get("/api/v1/ledger/proof/inclusion?seq=2").data
    assert json.loads(anyone)["entry"] is None
    file.write_bytes(anyone)
    assert "只核对了指纹" in inclusion(file, "--key", key).output
    whole = inclusion(file, "--key", key, "--checkpoint", note, "--entry", entry)
    assert (whole.exit_code, "只核对了指纹" in whole.output) == (0, False)
    file.write_text(json.dumps({name: value for name, value in told.items() if name != "checkpoint"}))
    assert "inclusion_note_missing" in str(inclusion(file, "--key", key).exception)
