"""`mingcha forms check`: the form in lines, or every fault in both languages and exit status 2."""

import json
import shutil
import subprocess
import sys

import pytest

from api.odk_validate import second_opinion
from api.problems import say
from survey_forms.forms.template import template_workbook
from survey_forms.forms.workbook import convert_workbook
from tests.rules.books import BOOKS, a_book, a_row


def check(path):
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "forms", "check", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONUTF8": "1"},
    )


def test_a_right_workbook_prints_its_version_pages_and_questions():
    done = check(BOOKS / "deputies.xlsx")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("xiamen-wf-2015-deputies", "e63c553c994ef66c", "市司法局", "justice/overall", "不了解 —", "page 2"):
        assert words in done.stdout


def test_a_wrong_workbook_prints_every_fault_twice_and_exits_2(tmp_path):
    book = tmp_path / "wrong.xlsx"
    book.write_bytes(a_book(a_row("audio", "voice"), a_row("integer", "n", constraint=". => 1")))
    done = check(book)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert ["第 2 行" in lines[0], "row 2" in lines[1], "第 3 行" in lines[2], "row 3" in lines[3]] == [True] * 4


def test_what_was_put_right_is_told_beside_the_form(tmp_path):
    book = tmp_path / "kind.xlsx"
    book.write_bytes(a_book(a_row("integer", "n", constraint="． ≥ １")))
    done = check(book)
    assert done.returncode == 0
    assert "． ≥ １" in done.stderr
    assert ". >= 1" in done.stderr


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "forms", *map(str, arguments)],
        capture_output=True,
        timeout=120,
        check=False,
        env={"PYTHONUTF8": "1", "PATH": "/nowhere"},
    )


def written(path, *rows):
    path.write_bytes(a_book(*rows))
    return path


def test_faults_for_programs_are_json_with_their_cells(tmp_path):
    done = run("check", written(tmp_path / "wrong.xlsx", a_row("audio", "voice")), "--json")
    assert done.returncode == 2
    (fault,) = json.loads(done.stdout)["faults"]
    assert (fault["sheet"], fault["row"], fault["column"]) == ("survey", 2, "A")
    assert fault["zh"]
    assert fault["en"]


def test_a_form_for_programs_is_json_with_its_notes(tmp_path):
    done = run("check", written(tmp_path / "kind.xlsx", a_row("integer", "n", constraint="． ≥ １")), "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["faults"], told["pages"][0]["questions"]) == (0, [], ["n"])
    assert "workbook_repaired" in {note["code"] for note in told["notes"]}


def test_a_change_of_words_is_told_and_a_change_of_ratings_is_bad_news(tmp_path):
    rated = a_row("select_one scale", "q", mc_unit="justice", mc_item="overall")
    old = written(tmp_path / "old.xlsx", rated)
    same, words, other = (
        run("diff", old, written(tmp_path / "new.xlsx", row))
        for row in (rated, rated | {"label": "新的说法"}, rated | {"bind::mc:item": "speed"})
    )
    assert (same.returncode, words.returncode, other.returncode) == (0, 0, 1)
    assert "没有区别" in same.stdout.decode()
    assert "新的说法" in words.stdout.decode()
    assert "‼" not in words.stdout.decode()
    assert "‼" in other.stdout.decode()
    assert json.loads(run("diff", old, tmp_path / "new.xlsx", "--json").stdout)[0]["breaks"] is True


def test_the_template_goes_to_a_file(tmp_path):
    book = tmp_path / "template.xlsx"
    book.write_bytes(run("template").stdout)
    assert run("check", book).returncode == 0


needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="no java here")


@needs_java
def test_odk_validate_has_nothing_against_the_template():
    assert second_opinion(convert_workbook(template_workbook()).xform) is None


@needs_java
def test_what_odk_validate_has_against_a_form_is_told_under_our_own_sentence():
    xform = convert_workbook(a_book(a_row("integer", "n"))).xform
    broken = xform.replace(b'<bind nodeset="/data/n" ', b'<bind nodeset="/data/n" relevant="no-such-function(1)" ')
    complaint = second_opinion(broken)
    assert complaint is not None
    assert complaint.code == "odk_validate"
    assert "no-such-function" in say(complaint)
    assert "mingcha-odk" not in say(complaint)  # nor where it was put for the moment


def test_without_java_nobody_is_asked(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert second_opinion(b"<no form at all") is None
