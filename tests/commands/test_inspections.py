"""`mingcha inspections verify`: 0 it comes out again, 1 the first difference is named, 2 it is no record."""

import copy
import json

import pytest
from click.testing import CliRunner

from api.commands.inspections import inspections_group
from survey_forms.inspection.double_random_record import published, record_of
from survey_forms.refusal import Refused
from tests.rules.test_double_random import DRAWN, a_plan


@pytest.fixture
def record():
    return published(record_of(a_plan(), DRAWN), [])


def verify(tmp_path, content: str, *more: str):
    file = tmp_path / "record.json"
    file.write_text(content, encoding="utf-8")
    return CliRunner().invoke(inspections_group, ["verify", str(file), *more])


def test_a_published_record_comes_out_again(tmp_path, record):
    told = verify(tmp_path, json.dumps(record, ensure_ascii=False, indent=1), "--hash", record["record_sha256"])
    assert told.exit_code == 0, told.output
    assert record["record_sha256"] in told.output


def test_a_changed_record_names_its_first_difference(tmp_path, record):
    changed = copy.deepcopy(record)
    changed["assignments"][1]["crew"][0] = "i5x"
    told = verify(tmp_path, json.dumps(changed))
    assert (told.exit_code, "assignments[1].crew[0]" in told.output) == (1, True)
    assert '"i5x"' in told.output


def test_another_record_than_the_one_whose_hash_was_shown_is_named(tmp_path, record):
    told = verify(tmp_path, json.dumps(record), "--hash", "0" * 64)
    assert (told.exit_code, "--hash" in told.output) == (1, True)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '{"format": "mingcha-inspection-draw/1"}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    told = verify(tmp_path, content)
    assert isinstance(told.exception, Refused)  # api/cli.py says it in words and exits with 2
