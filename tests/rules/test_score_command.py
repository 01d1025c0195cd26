"""`mingcha score` and `mingcha scheme`, as a person at a shell meets them."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from api.cli import main
from tests.documents.examples import an_example, an_input
from tests.rules.test_scheme_check import SOUND


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def mingcha(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    """The command line's own entry point, in this process: arguments, standard input, exit status and both outputs."""

    def run(*arguments: str, given: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["mingcha", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        return Done(int(ended.value.code or 0), *capfdbinary.readouterr())

    return run


Mingcha = Callable[..., Done]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "in.json"
    path.write_text(json.dumps(an_input("bailian"), ensure_ascii=False), encoding="utf-8")
    return path


def test_a_file_is_scored_onto_standard_output(mingcha: Mingcha, document: Path):
    done = mingcha("score", str(document))
    assert (done.returncode, done.stderr) == (0, b"")
    units = json.loads(done.stdout)["units"]
    assert units[0]["composite"] == an_example("bailian")["expected"]["units"][0]["composite"]
    assert "良好" in done.stdout.decode()


def test_standard_input_is_scored_and_traced(mingcha: Mingcha, document: Path):
    done = mingcha("score", "-", "--trace", given=document.read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)["units"][0]["trace"][0]["step"] == "entry"


def test_bad_input_leaves_standard_output_empty_and_speaks_both_languages(mingcha: Mingcha):
    example = an_input("xiamen-wf-2015")
    del example["units"][2]["scores"]["public_review"]["cppcc_members"]
    done = mingcha("score", "-", given=json.dumps(example).encode())
    assert (done.returncode, done.stdout) == (2, b"")
    chinese, english = done.stderr.decode().splitlines()
    assert chinese == "units[2].scores.public_review.cppcc_members：缺少这个值，请补上。"
    assert english == "units[2].scores.public_review.cppcc_members: this value is missing; add it."


@pytest.mark.parametrize("given", [b"", b"\xff", b"[[[", b"nonsense", b'{"scheme": "pingbian-land", "units": []}'])
def test_whatever_comes_in_no_traceback_goes_out(mingcha: Mingcha, given: bytes):
    done = mingcha("score", "-", given=given)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_file_that_is_not_there_or_is_a_folder_is_told(mingcha: Mingcha, tmp_path: Path):
    for path in tmp_path / "none.json", tmp_path:
        done = mingcha("score", str(path))
        assert (done.returncode, done.stdout) == (2, b"")
        assert str(path) in done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()


def test_a_full_disk_is_told(document: Path):
    shell = f"{sys.executable} -m api.cli score {document} > /dev/full"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_closed_standard_input_is_told():
    shell = f"{sys.executable} -m api.cli score - <&-"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Traceback" not in done.stderr


def test_a_file_name_that_no_terminal_can_show_is_shown_otherwise(mingcha: Mingcha):
    done = mingcha("score", "a\x1b[31mb.json")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr


def test_the_nine_schemes_are_listed_and_shown(mingcha: Mingcha):
    listed = mingcha("scheme", "list")
    assert len(listed.stdout.splitlines()) == 9
    shown = mingcha("scheme", "show", "bailian")
    assert "85分(含80分)以上90分以下" in shown.stdout.decode()
    assert "读作 [85, 90)" in shown.stdout.decode()
    english = mingcha("scheme", "show", "bailian", "--lang", "en")
    assert "## 1. Formula" in english.stdout.decode()


def test_showing_what_is_not_there_is_refused(mingcha: Mingcha):
    done = mingcha("scheme", "show", "atlantis")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "atlantis" in done.stderr.decode()


def test_checking_a_file_says_so_or_names_every_fault(mingcha: Mingcha, tmp_path: Path):
    path = tmp_path / "scheme.toml"
    path.write_text(SOUND, encoding="utf-8")
    assert mingcha("scheme", "check", str(path)).returncode == 0
    path.write_text(SOUND.replace('"60"', '"61"', 1).replace('article = "三"', ""), encoding="utf-8")
    done = mingcha("scheme", "check", str(path))
    assert (done.returncode, done.stdout) == (2, b"")
    text = done.stderr.decode()
    assert "composite.weight[town]" in text
    assert "component[3].cap" in text


def test_an_output_pipe_that_closes_early_makes_no_noise():
    big = an_input("bailian")
    big["units"] = [big["units"][0] | {"id": f"v{place}"} for place in range(2000)]
    shell = f"{sys.executable} -m api.cli score - | head -c 1"
    given = json.dumps(big).encode()
    done = subprocess.run(["/bin/sh", "-c", shell], input=given, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr
