"""`mingcha estimate`, as a person at a shell meets it."""

import json
import subprocess
import sys

from tests.estimation.answers import DATA


def mingcha(*arguments: str, given: str = "", cwd=None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", "estimate", *arguments]
    root = DATA.parents[2]
    return subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd or root,
        env={"PYTHONPATH": str(root)},
    )


def test_an_entry_prints_its_result_and_nothing_else():
    entry = {"statistic": "degf", "dataset": "villages.csv", "design": {"strata": "region"}}
    done = mingcha("-", given=json.dumps(entry), cwd=DATA)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"df": 41, "n": 44, "sum_weights": 44.0}


def test_the_files_of_a_spec_lie_beside_it():
    done = mingcha(str(DATA / "answers.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["entries"]) == 86


def test_a_refusal_is_told_twice_on_standard_error_and_the_rest_is_answered():
    entries = [{"id": "a", "statistic": "degf", "dataset": "villages.csv"}, {"id": "b", "statistic": "magic"}]
    done = mingcha("-", given=json.dumps({"entries": entries}), cwd=DATA)
    assert done.returncode == 2
    assert [entry["id"] for entry in json.loads(done.stdout)["entries"]] == ["a"]
    chinese, english = done.stderr.splitlines()
    assert "没有名为“magic”的统计量" in chinese
    assert 'no statistic called "magic"' in english
    assert "Traceback" not in done.stderr


def test_a_missing_spec_is_refused():
    done = mingcha("nowhere.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.json" in done.stderr
