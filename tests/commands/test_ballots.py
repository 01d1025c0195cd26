"""`mingcha keys`, `ballots` and `count` as people type them, from the key to the tally; the laptop has nothing else."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from api.actions import keys
from api.actions.tally import fold
from api.cli import group
from api.store import ballots, boxes
from survey_forms.refusal import Refused
from tests.actions.test_ballots import PEPPER, a_try, settle
from tests.ballots import a_member, end, now
from tests.ballots import a_sealed_survey as built
from tests.builders import a_survey, some_codes


def told(*arguments):
    return CliRunner().invoke(group, [str(one) for one in arguments])


def refused(*arguments):
    answer = told(*arguments)
    assert isinstance(answer.exception, Refused), answer.output
    return [fault.code for fault in answer.exception.faults]


@pytest.fixture
def laptop(tmp_path):
    """A directory with a fresh key."""
    assert told("keys", "new", "--out", tmp_path / "key", "--custodians", "甲，乙,丙").exit_code == 0
    return tmp_path


def two(laptop, *which):
    return [word for one in which for word in ("--share", laptop / "key" / f"share-{one}.txt")]


@pytest.fixture
def run(settings, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    return told


def test_a_whole_survey_from_the_key_to_the_tally(engine, run, laptop):
    with engine.begin() as connection:
        survey = a_survey(connection, status="draft")
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
        first, second = a_member(connection, "first"), a_member(connection, "second")
        keys.add_key(connection, survey.id, (laptop / "key" / "public.json").read_bytes(), first, now())
        (laptop / "tests.json").write_bytes(keys.new_tests(connection, survey.id, first, now()))
    proof = laptop / "proof.json"
    assert run("keys", "rehearse", laptop / "tests.json", *two(laptop, 1, 3), "--out", proof).exit_code == 0
    with engine.begin() as connection:
        keys.rehearse(connection, survey.id, proof.read_bytes(), second, now())
        connection.execute(text("UPDATE office.round SET status = 'open'"))
        codes = some_codes(connection, survey, 5, PEPPER)
        assert settle(connection, *map(a_try, codes)) == ["accepted"] * 5
        connection.execute(text("UPDATE office.survey SET closes_at = now() - interval '1 second'"))
    closed = run("ballots", "close", "--survey", survey.id)
    assert closed.exit_code == 0
    root = re.search(r"root of boxes +([0-9a-f]{64})", closed.output)[1]
    exported, answers = laptop / "boxes", laptop / "answers.jsonl"
    exported.write_bytes(run("ballots", "export", "--survey", survey.id).stdout_bytes)
    counted = run("count", exported, *two(laptop, 2, 1), "--out", answers, "--root", root)
    assert counted.exit_code == 0, counted.output
    digest = re.search(r"result digest ([0-9a-f]{64})", counted.output)[1]
    load = ("ballots", "load", answers, "--survey", survey.id, "--digest")
    assert refused(*load, "0" * 64) == ["result_not_announced"]
    assert "loaded: 5" in run(*load, digest).output
    assert "nothing changed: 5" in run(*load, digest).output
    with engine.begin() as connection:
        assert fold(connection, 100) == 5
        assert len(connection.execute(select(ballots.response)).all()) == 5
        assert connection.execute(select(boxes.closing.c.result_digest)).scalar_one() == digest


def test_the_private_key_is_in_no_file(laptop):
    words = [(laptop / "key" / f"share-{one}.txt").read_text(encoding="utf-8") for one in (1, 2, 3)]
    assert len({line for sheet in words for line in sheet.splitlines() if re.match(r" *\d+\. ", line)}) > 20
    for path in (laptop / "key").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in (laptop / "key").iterdir()) == [
        "public.json",
        "share-1.txt",
        "share-2.txt",
        "share-3.txt",
    ]


def test_any_two_sheets_are_good_and_nothing_is_overwritten(laptop):
    for pair in ((1, 2), (2, 3), (3, 1)):
        assert told("keys", "check", *two(laptop, *pair), "--public", laptop / "key" / "public.json").exit_code == 0
    assert refused("keys", "check", *two(laptop, 1, 1), "--public", laptop / "key" / "public.json") == [
        "shares_do_not_fit"
    ]
    assert refused("keys", "new", "--out", laptop / "key") == ["file_exists"]
    assert refused("keys", "new", "--out", laptop / "other", "--custodians", "甲,乙") == ["custodians_unfit"]
    assert not (laptop / "other").exists()


def test_an_export_with_another_root_than_the_published_one_is_not_counted(engine, run, laptop):
    with engine.begin() as connection:
        sealed = built(connection)
        end(connection, sealed)
    run("ballots", "close", "--survey", sealed.id)
    exported = laptop / "boxes"
    exported.write_bytes(run("ballots", "export", "--survey", sealed.id).stdout_bytes)
    arguments = ("count", exported, *two(laptop, 1, 2), "--out", laptop / "answers.jsonl")
    assert refused(*arguments, "--root", "0" * 64) == ["export_root_unpublished"]
    assert refused(*arguments) == ["shares_of_another_key"]
    assert not (laptop / "answers.jsonl").exists()


@pytest.mark.parametrize("name", ["keys", "count"])
def test_the_laptop_needs_neither_web_nor_database(name):
    program = (
        "import sys; from api.cli import group; import click; "
        f"group.get_command(click.Context(group), {name!r}); "
        "print(sorted({'flask', 'sqlalchemy', 'psycopg', 'pyxform', 'redis', 'rq', 'PIL', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
