"""R's answers: those of `../shared/reference`, where it lies beside the repository, and 86 over synthetic data here."""

import json
from functools import cache
from pathlib import Path

import pytest

from survey_forms.estimation.spec.run import answer
from tests.estimation.answers import DATA, differences, reader
from tests.rules.reference import FOLDER

OURS = DATA / "answers.json"
THEIRS = FOLDER / "expected_public.json"
MONTE_CARLO = "rank_interval.simulated"  # its note: the critical value to ±0.02, ranks where |T| is not near it


@cache
def document(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"entries": []}


@cache
def results(path: Path) -> dict:
    found, _ = answer(document(path), reader(path.parent))
    return {one["id"]: one["result"] for one in found["entries"]}


def entries(path: Path) -> list:
    return [pytest.param(entry, id=entry["id"]) for entry in document(path)["entries"]]


@pytest.mark.parametrize("entry", entries(OURS))
def test_designs_of_every_kind_give_the_answers_of_r(entry):
    assert differences(results(OURS)[entry["id"]], entry["result"], entry) == []


@pytest.mark.skipif(not THEIRS.is_file(), reason=f"R's reference answers are not at {THEIRS}")
@pytest.mark.parametrize("entry", entries(THEIRS))
def test_the_public_reference_is_reproduced(entry):
    assert entry["id"] in results(THEIRS), "refused"
    found = differences(results(THEIRS)[entry["id"]], entry["result"], entry)
    if entry["id"].endswith(MONTE_CARLO):
        found = [line for line in found if "critical_value" in line]
    assert found == []


@pytest.mark.parametrize("entry", entries(OURS)[::7])
def test_an_entry_by_itself_gives_what_it_gives_among_others(entry):
    alone = {key: value for key, value in entry.items() if key != "result"}
    alone["dataset"] = document(OURS)["datasets"][entry["dataset"]]["file"]
    result, faults = answer(alone, reader(DATA))
    assert faults == []
    assert result == results(OURS)[entry["id"]]
