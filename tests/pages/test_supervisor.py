"""The supervisor's pages: every figure is the stored one, nobody is named, and the bureau sees no interviewer."""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from api.services import utc_now
from api.store import fieldwork, flags, people
from api.store.backchecks import checks_of
from api.store.quotas import cell_numbered
from api.store.windows import mark_closed
from tests.desk import a_person
from tests.pages.test_desk import signed_in, text_of
from tests.supervision import MORNING, Field, a_cell, a_field, an_attempt

OUTCOMES = ("1.1",) * 6 + ("2.11", "2.11", "2.20", "2.32", "3.13", "4.70")


@pytest.fixture
def field(engine) -> Field:
    with engine.begin() as connection:
        for role in ("office", "supervisor", "bureau", "interviewer"):
            a_person(connection, role, role)
        return worked(connection)


def worked(connection) -> Field:
    """Fourteen women and men, twelve of whom were tried by two interviewers."""
    field = a_field(connection, [{"sex": "fm"[place % 2]} for place in range(14)])
    for place, outcome in enumerate(OUTCOMES):
        began = MORNING + timedelta(minutes=20 * place)
        an_attempt(connection, field.cases[place], field.interviewers[place % 2], outcome, began=began)
    return field


def table(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))


def test_outcomes_and_rates_are_those_of_the_cases(app, field):
    client, address = signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}"
    everybody = table(client, f"{address}/outcomes.csv")[0]
    assert {name: int(everybody[name]) for name in ("cases", "worked", "I", "R", "NC", "O", "NE")} == {
        "cases": 14, "worked": 12, "I": 6, "R": 2, "NC": 1, "O": 1, "NE": 1,
    }  # fmt: skip
    plain, weighted, *_ = table(client, f"{address}/rates.csv")
    known, unknown = 10, 3
    e = known / (known + 1)
    assert float(plain["e"]) == pytest.approx(e)
    assert float(plain["RR1"]) == pytest.approx(6 / (known + unknown))
    assert float(plain["RR3"]) == pytest.approx(6 / (known + e * unknown))
    assert float(weighted["RR1"]) == pytest.approx(float(plain["RR1"]))  # one inclusion probability for all
    assert plain["RR5"] == ""  # somebody's eligibility is unknown
    words = text_of(client.get(address).text)
    assert f"e = {e:.3f}" in words
    assert "46.2%" in words


def test_the_attempts_name_no_person(app, field):
    rows = table(signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}/attempts.csv")
    assert len(rows) == len(OUTCOMES)
    assert set(rows[0]) == {
        "attempt", "case", "stratum", "mode", "interviewer", "began_at", "ended_at", "seconds", "outcome", "class",
    }  # fmt: skip
    assert {float(row["seconds"]) for row in rows} == {300.0}


@pytest.mark.parametrize("name", ["bureau", "interviewer"])
def test_only_supervisors_and_the_office_see_fieldwork(app, field, name):
    client = signed_in(app, name)
    for page in ("", "/interviewers", "/backchecks", "/flags", "/attempts.csv"):
        assert client.get(f"/supervisor/{field.survey.id}{page}").status_code == 403


def test_the_start_page_leads_to_the_sealed_survey(app, field):
    answer = signed_in(app, "supervisor").get("/supervisor")
    assert answer.headers["Location"] == f"/supervisor/{field.survey.id}"


def test_every_page_of_the_supervisor_says_what_there_is_and_what_there_is_not(app, engine, field):
    client, address = signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}"
    assert "还没有回访" in text_of(client.get(f"{address}/backchecks").text)
    assert "没有标记" in text_of(client.get(f"{address}/flags").text)
    words = text_of(client.get(f"{address}/interviewers").text)
    assert "city-2015-caller0" in words
    with engine.begin() as connection:
        empty = a_field(connection, (), code="another").survey.id
    assert "还没有抽中的人" in text_of(client.get(f"/supervisor/{empty}").text)
    assert "还没有人联系过" in text_of(client.get(f"/supervisor/{empty}/interviewers").text)


def send(client, shown, address, **data):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(shown).text)
    return client.post(address, data={**data, "form_token": token[1]})


def test_a_back_check_goes_from_the_choice_over_four_questions_to_the_verdict(app, engine, field):
    boss, address = signed_in(app, "supervisor"), f"/supervisor/{field.survey.id}/backchecks"
    with engine.begin() as connection:
        mark_closed(connection, field.survey.id, "够了", utc_now())
    assert send(boss, address, address).status_code == 303
    with engine.begin() as connection:
        checks = checks_of(connection, field.survey.id)
        assert {check.interviewer for check in checks} == set(field.interviewers)
        caller = next(one for one in field.interviewers if one != checks[0].interviewer)
        name = connection.execute(select(people.staff.c.username).where(people.staff.c.id == caller)).scalar_one()
        checked_name = connection.execute(
            select(people.staff.c.username).where(people.staff.c.id == checks[0].interviewer)
        ).scalar_one()
        held = {"held_by": caller, "held_at": utc_now(), "held_until": utc_now() + timedelta(hours=1)}
        connection.execute(
            update(fieldwork.case_file).where(fieldwork.case_file.c.case_id == checks[0].case_id).values(**held)
        )
    hand, asked = signed_in(app, name), f"/backchecks/{checks[0].case_id}"
    checked = signed_in(app, checked_name)
    assert checked.get(asked).status_code == 403
    assert boss.get(asked).status_code == 409
    wrong = send(hand, asked, asked, minutes="ten")
    assert wrong.status_code == 422
    assert wrong.text.count("请选择一项") == 4  # two questions, each in the summary and beside its field
    assert send(hand, asked, asked, took_place="no", told_answers="no").status_code == 303
    verdict = f"{address}/{checks[0].case_id}"
    with engine.begin() as connection:
        other = a_field(connection, code="another").survey.id
    assert (
        send(boss, address, f"/supervisor/{other}/backchecks/{checks[0].case_id}", verdict="false").status_code == 404
    )
    assert send(boss, address, verdict, verdict="not_reached").status_code == 409
    assert send(boss, address, verdict, verdict="false").status_code == 303
    assert "不实" in text_of(boss.get(address).text)


def test_a_flag_is_judged_beside_and_stays(app, engine, field):
    with engine.begin() as connection:
        an_attempt(connection, field.cases[13], field.interviewers[0], "1.1", began=MORNING, minutes=0)
    client, address = signed_in(app, "office"), f"/supervisor/{field.survey.id}/flags"
    assert send(client, address, address).status_code == 303
    with engine.begin() as connection:
        flag = next(one for one in flags.flags_of(connection, field.survey.id) if one.kind == "no_duration")
    assert send(client, address, f"{address}/{flag.id}", judgement="").status_code == 422
    assert send(client, address, f"{address}/{flag.id}", judgement="补登").status_code == 303
    words = text_of(client.get(address).text)
    assert "没有时长" in words
    assert "补登" in words


def test_a_quota_cell_is_closed_by_way_of_its_own_survey_only(app, engine, field):
    with engine.begin() as connection:
        other = a_field(connection, code="another").survey.id
        cell = a_cell(connection, other, 5, sex="f")
    client, address = signed_in(app, "supervisor"), f"/office/quotas/{field.survey.id}"
    assert send(client, address, f"{address}/{cell}", closing="hard", reason="够了").status_code == 404
    own = f"/office/quotas/{other}"
    assert send(client, own, f"{own}/{cell}", closing="hard", reason="够了").status_code == 303
    with engine.begin() as connection:
        assert cell_numbered(connection, cell).closing == "hard"
