"""The supervisor's pages in a real browser: accessible with and without data, and no wider than the screen."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from api.actions import backchecks, quality
from api.actions.sealed_words import Safe
from api.services import utc_now
from api.store import fieldwork, flags
from api.store.backchecks import checks_of, put_said
from tests.desk import a_person
from tests.live import PHONE
from tests.pages.test_desk_looks import DESK, at_desk, look
from tests.supervision import MORNING, Field, a_cell, a_field, an_attempt

pytestmark = pytest.mark.browser

OUTCOMES = ("1.1", "1.1", "1.1", "2.11", "2.20", "2.24", "2.32", "3.13", "4.70")


def a_busy_field(connection, secret: bytes) -> Field:
    """Ninety cases of women and men, six interviewers, quotas, back-checks and flags of every kind."""
    dice = random.Random(4)
    field = a_field(connection, [{"sex": "fm"[place % 2]} for place in range(90)], interviewers=6)
    for place, case in enumerate(field.cases[:80]):
        who = field.interviewers[place % 6]
        began = MORNING + timedelta(hours=dice.randrange(0, 9), minutes=dice.randrange(60), days=place % 6)
        outcome = "1.1" if place % 6 == 5 else dice.choice(OUTCOMES)
        an_attempt(connection, case, who, outcome, began=began, minutes=dice.choice((0.5, 8, 9, 11, 14)))
    a_cell(connection, field.survey.id, 20, sex="f")
    a_cell(connection, field.survey.id, 30, sex="m")
    boss = a_person(connection, "supervisor", "supervisor")
    quality.raise_field_flags(connection, field.survey.id, MORNING)
    backchecks.choose_checks(connection, Safe(secret), field.survey.id, boss, utc_now() + timedelta(days=400))
    held = {"held_by": boss, "held_at": utc_now(), "held_until": utc_now() + timedelta(hours=1)}
    mine = fieldwork.case_file.c.case_id.in_([check.case_id for check in checks_of(connection, field.survey.id)])
    connection.execute(update(fieldwork.case_file).where(mine).values(**held))
    case = checks_of(connection, field.survey.id)[0].case_id
    said = {"took_place": "yes", "day": "2026-03-09", "minutes": 9, "subjects": ["police"], "told_answers": "unsure"}
    put_said(connection, case, said)
    answers = [("straight_lining", "response", {"items": 24}), ("interviewer_effect", "interviewer", EFFECT)]
    answers.append(("both_results", "interviewer", BOTH))
    connection.execute(
        insert(flags.quality_flag),
        [
            {"survey_id": field.survey.id, "kind": kind, "subject_kind": of, "facts": facts}
            | {"subject": "all" if of == "interviewer" else "0b7d7a34-0000-4000-8000-000000000000"}
            for kind, of, facts in answers
        ],
    )
    return field


BOTH = {"marked": 24, "units": 3, "moved": {"police": -0.42, "tax": 0.11}}
EFFECT = {"icc": 0.0123, "deff": 1.61, "interviewers": 6, "answers": 300}


@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB")])
def test_every_page_of_a_busy_field_is_well_made(  # noqa: PLR0917 - fixtures and cases
    browser, site, engine, settings, size, language
):
    with engine.begin() as connection:
        field = a_busy_field(connection, settings.secret_key)
        case = checks_of(connection, field.survey.id)[1].case_id
    survey = field.survey.id
    addresses = [f"/supervisor/{survey}{tab}" for tab in ("", "/interviewers", "/backchecks", "/flags")]
    with at_desk(browser, site, "supervisor", size, language) as (page, complaints):
        for address in (*addresses, f"/office/quotas/{survey}", f"/backchecks/{case}"):
            look(page, f"{site}{address}")
        assert complaints == []


def test_every_page_of_an_empty_field_is_well_made(browser, site, engine):
    with engine.begin() as connection:
        a_person(connection, "supervisor", "supervisor")
        survey = a_field(connection, ()).survey.id
    with at_desk(browser, site, "supervisor", DESK) as (page, complaints):
        for tab in ("", "/interviewers", "/backchecks", "/flags"):
            look(page, f"{site}/supervisor/{survey}{tab}")
        look(page, f"{site}/office/quotas/{survey}")
        assert complaints == []
