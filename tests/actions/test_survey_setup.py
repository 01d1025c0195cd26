"""Setting a survey up from a sheet, and opening it by a second person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from api.actions.fieldwork import set_plan
from api.actions.opening import missing_to_open, open_round
from api.actions.strata_sheet import COLUMNS, ENGLISH
from api.actions.survey_setup import Plan, set_up
from api.store import boxes, evaluations, notices, people, roll, surveys
from survey_forms.fieldwork.plan import Plan as FieldworkPlan
from survey_forms.refusal import Refused
from tests.builders import StoredSurvey, a_form_version, a_short_book
from tests.desk import a_desk
from tests.invitations import some_cases
from tests.pages.forms import BOOKS

NOW = datetime(2015, 6, 1, 9, 0, tzinfo=UTC)
HEAD = ",".join(COLUMNS)
SIMING = "residents,居民,Residents,public_review.residents,a-form,siming,思明区,Siming,516000"
HULI = "residents,居民,Residents,public_review.residents,a-form,huli,湖里区,Huli,1037000"
PLAN = Plan("下半年评议", "Second half", NOW, NOW + timedelta(days=20), "open", True, None, b"")


@pytest.fixture
def desk(connection):
    found = a_desk(connection)
    a_form_version(connection, a_short_book())
    return found


def sheet(*lines: str, head: str = HEAD) -> bytes:
    return "\r\n".join((head, *lines)).encode()


def made(connection, desk, *lines, **changes):
    plan = replace(PLAN, sheet=sheet(*lines), **changes)
    return set_up(connection, desk.evaluation, plan, desk.staff["office"], NOW)


def codes(connection, desk, *lines, **changes) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        made(connection, desk, *lines, **changes)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def test_a_sheet_becomes_a_round_in_draft_with_groups_and_strata(connection, desk):
    round_id, survey_id = made(connection, desk, SIMING, HULI, secrecy="sealed", units_per_respondent=2)
    assert connection.execute(
        select(evaluations.round_.c.status).where(evaluations.round_.c.id == round_id)
    ).scalar_one() == ("draft")
    (group,) = surveys.groups_of(connection, survey_id)
    assert (group.code, group.component) == ("residents", "public_review.residents")
    assert [(one.code, one.population) for one in surveys.strata_of(connection, survey_id)] == [
        ("huli", 1037000),
        ("siming", 516000),
    ]
    booth = surveys.booths(connection)[survey_id, "huli"]
    assert (booth.secrecy, booth.units_per_respondent, booth.is_open(NOW)) == ("sealed", 2, False)


def test_english_headings_and_names_of_components_do_as_well(connection, desk):
    head = ",".join(ENGLISH)
    line = "residents,居民,Residents,Residents,a-form,siming,思明区,Siming,516000"
    plan = replace(PLAN, sheet=sheet(line, head=head))
    _, survey_id = set_up(connection, desk.evaluation, plan, desk.staff["office"], NOW)
    assert surveys.groups_of(connection, survey_id)[0].component == "public_review.residents"


def test_every_fault_of_form_and_sheet_is_told_at_once(connection, desk):
    bad = "Residents,居民,Residents,nowhere,no-such-form,si ming,思明区,,12.5"
    found = codes(connection, desk, bad, name_zh="", closes_at=NOW, secrecy="secret", units_per_respondent=3)
    assert set(found) == {
        ("survey_name_unfit", "name_zh"),
        ("survey_window_unfit", "closes_at"),
        ("survey_secrecy_unfit", "secrecy"),
        ("survey_units_unfit", "units_per_respondent"),
        ("csv_code_unfit", "2:群体代码"),
        ("csv_component_unknown", "2:得分去处"),
        ("csv_form_unknown", "2:问卷"),
        ("csv_code_unfit", "2:层代码"),
        ("csv_cell_missing", "2:层英文名"),
        ("csv_population_unfit", "2:总体人数"),
    }


def test_lines_that_contradict_each_other_are_refused(connection, desk):
    other = HULI.replace("居民", "市民", 1)
    twice = SIMING.replace("residents,", "others,", 1)
    found = codes(connection, desk, SIMING, other, twice)
    assert found == [
        ("csv_group_at_odds", "3:群体"),
        ("csv_stratum_twice", "4:层代码"),
        ("csv_component_fed_twice", "4:得分去处"),
    ]


def test_a_beginning_that_could_not_be_read_is_refused(connection, desk):
    unread = datetime.min.replace(tzinfo=UTC)  # what the page makes of it
    assert codes(connection, desk, SIMING, opens_at=unread) == [("survey_beginning_unfit", "opens_at")]


@pytest.mark.parametrize("population", ["0", "-5", "1e5", "1,000", "５００", "3000000000"])
def test_a_population_is_a_whole_number_of_persons(connection, desk, population):
    line = SIMING.rpartition(",")[0] + f',"{population}"'
    assert codes(connection, desk, line) == [("csv_population_unfit", "2:总体人数")]


class TestOpening:
    def test_what_is_missing_is_told_and_nothing_opens_without_it(self, connection, desk):
        round_id, survey_id = made(connection, desk, SIMING, HULI, secrecy="sealed")
        missing = missing_to_open(connection, round_id)
        assert {fault.code for fault in missing} == {"ballot_not_rehearsed", "notice_missing", "codes_missing"}
        assert {fault.path for fault in missing} == {str(survey_id)}
        with pytest.raises(Refused):
            open_round(connection, round_id, desk.staff["office2"], NOW)
        complete(connection, desk, survey_id)
        assert missing_to_open(connection, round_id) == []

    def test_a_second_person_opens(self, connection, desk):
        round_id, survey_id = made(connection, desk, SIMING, HULI)
        complete(connection, desk, survey_id)
        with pytest.raises(Refused) as refused:
            open_round(connection, round_id, desk.staff["office"], NOW)
        assert refused.value.code == "opener_set_up"
        open_round(connection, round_id, desk.staff["office2"], NOW)
        open_round(connection, round_id, desk.staff["office2"], NOW)  # again changes nothing
        assert surveys.booths(connection)[survey_id, "siming"].is_open(NOW)
        acts = connection.execute(select(people.audit.c.act).order_by(people.audit.c.id)).scalars().all()
        assert acts[-2:] == ["survey_set_up", "round_opened"]

    def test_the_database_itself_holds_to_two_people(self, connection, desk):
        round_id, _ = made(connection, desk, SIMING)
        with pytest.raises(IntegrityError, match="second_person_opens"):
            connection.execute(
                evaluations.round_.update()
                .where(evaluations.round_.c.id == round_id)
                .values(opened_by=desk.staff["office"], opened_at=NOW)
            )

    def test_revoked_codes_are_no_codes(self, connection, desk):
        round_id, survey_id = made(connection, desk, SIMING)
        complete(connection, desk, survey_id)
        connection.execute(
            roll.access_code.update().where(roll.access_code.c.survey_id == survey_id), {"revoked": True}
        )
        (fault,) = missing_to_open(connection, round_id)
        assert (fault.code, fault.facts["strata"]) == ("codes_missing", "思明区")

    def test_who_is_drawn_by_name_needs_no_code_where_interviewers_call(self, connection, desk):
        round_id, survey_id = made(connection, desk, SIMING, secrecy="sealed")
        complete(connection, desk, survey_id)
        connection.execute(delete(roll.access_code).where(roll.access_code.c.survey_id == survey_id))
        some_cases(connection, StoredSurvey(survey_id, 0, round_id, "siming", ""), ("M0001",))
        assert [fault.code for fault in missing_to_open(connection, round_id)] == ["codes_missing"]
        set_plan(connection, survey_id, FieldworkPlan(modes=("phone",), script_zh="您好"), desk.staff["office"], NOW)
        assert missing_to_open(connection, round_id) == []

    def test_a_round_that_ran_is_not_opened_again(self, connection, desk):
        round_id, _ = made(connection, desk, SIMING)
        connection.execute(
            evaluations.round_.update().where(evaluations.round_.c.id == round_id), {"status": "archived"}
        )
        with pytest.raises(Refused) as refused:
            open_round(connection, round_id, desk.staff["office2"], NOW)
        assert refused.value.code == "round_not_draft"


def complete(connection, desk, survey_id):
    """Everything that an opening asks for."""
    connection.execute(insert(notices.privacy_notice), {"digest": str(survey_id), "survey_id": survey_id, "notice": {}})
    connection.execute(
        insert(roll.access_code),
        [
            {"mac": f"{survey_id}{one.code}".encode(), "survey_id": survey_id, "stratum": one.code}
            for one in surveys.strata_of(connection, survey_id)
        ],
    )
    key = {"survey_id": survey_id, "public_key": b"k" * 32, "custodians": [], "tests": []}
    connection.execute(insert(boxes.campaign_key), {**key, "rehearsed_at": NOW, "rehearsed_by": desk.staff["office"]})


def test_a_sealed_survey_takes_no_form_that_asks_for_pictures(connection):
    found = a_desk(connection)
    a_form_version(connection, BOOKS["image"])
    with pytest.raises(Refused) as refused:
        made(connection, found, SIMING, secrecy="sealed")
    assert [(fault.code, fault.path) for fault in refused.value.faults] == [("form_image_sealed", "q")]
    assert made(connection, found, SIMING, secrecy="open")
