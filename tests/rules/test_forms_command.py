"""`mingcha forms check`: the form in lines, or every fault in both languages and exit status 2."""

import subprocess
import sys

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
