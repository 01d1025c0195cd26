"""A new evaluation from a sheet of units; every fault of form, sheet and supplied values at once."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import select

from api.actions.evaluation_setup import Plan, set_up
from api.actions.results import compose
from api.store import evaluations, results
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme, scheme_ids
from tests.desk import SUPPLIED, a_person

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
UNITS = "单位代码,单位,英文名\r\neducation,市教育局,Education Bureau\r\nsports,市体育局,Sports Bureau\r\n".encode()
PLAN = Plan("xiamen-wf-2015", "city-2026", 2026, "某市考评", "A city", orjson.dumps(SUPPLIED), UNITS)


def codes(connection, **changes) -> set[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        set_up(connection, replace(PLAN, **changes), 1, NOW)
    return {(fault.code, fault.path) for fault in refused.value.faults}


def test_an_evaluation_is_made_and_can_be_computed(connection):
    staff = a_person(connection, "office", "office", None)
    evaluation_id = set_up(connection, PLAN, staff, NOW)
    found = evaluations.evaluation_called(connection, "city-2026")
    assert found
    assert (found.id, found.scheme_digest, found.simulated) == (
        evaluation_id,
        load_scheme("xiamen-wf-2015").digest,
        False,
    )
    assert [unit.code for unit in evaluations.units_of(connection, evaluation_id)] == ["education", "sports"]
    compose(connection, evaluation_id, NOW)
    composite = results.latest_composite(connection, evaluation_id)
    assert composite
    assert composite.output is None  # scores are still to come, and the problems say which
    assert {problem["code"] for problem in composite.problems} == {"missing_value"}


def test_the_scheme_text_is_kept_once(connection):
    staff = a_person(connection, "office", "office", None)
    set_up(connection, PLAN, staff, NOW)
    set_up(connection, replace(PLAN, code="city-2027"), staff, NOW)
    assert len(connection.execute(select(evaluations.scheme_version)).all()) == 1


def test_every_fault_is_told_at_once(connection):
    units = (
        "单位代码,单位,英文名,类别\nEdu,市教育局,Education,gold\nsports,,Sports,\nsports,市体育局,Sports,\n".encode()
    )
    found = codes(connection, code="City 2026", year=26, name_zh=" ", units=units, supplied=b'{"outstanding": 1}')
    assert found >= {
        ("evaluation_code_unfit", "code"),
        ("evaluation_year_unfit", "year"),
        ("survey_name_unfit", "name_zh"),
        ("csv_code_unfit", "2:单位代码"),
        ("csv_class_unknown", "2:类别"),
        ("csv_cell_missing", "3:单位"),
        ("csv_unit_twice", "4:单位代码"),
        ("unknown_key", "supplied.outstanding"),
    }


def test_a_code_is_taken_once(connection):
    set_up(connection, PLAN, a_person(connection, "office", "office", None), NOW)
    assert codes(connection) == {("evaluation_code_taken", "code")}


@pytest.mark.parametrize("supplied", [b"[1]", b"{", b"null", b'"x"', b"\xff", b"[" * 100_001])
def test_supplied_values_are_a_json_object(connection, supplied):
    assert codes(connection, supplied=supplied) == {("supplied_unreadable", "supplied")}


@pytest.mark.parametrize("scheme", scheme_ids())
def test_units_of_every_scheme_are_asked_for_its_classes(connection, scheme):
    classes = [one.id for one in load_scheme(scheme).classes]
    line = f"one,甲局,Bureau A,{classes[0] if classes else 'none-there'}\n"
    units = f"单位代码,单位,英文名,类别\n{line}".encode()
    found = codes(connection, scheme=scheme, units=units, supplied=b'{"no such value": 1}')
    assert (("csv_class_unknown", "2:类别") in found) is not bool(classes)
    assert ("unknown_key", "supplied.no such value") in found
