"""A questionnaire is kept once, and given to a group only while its round is a draft."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update

from api.actions import forms
from api.store import evaluations, people, surveys
from api.store import forms as stored
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.desk import NOW, Desk, a_desk
from tests.rules.books import a_book, a_row

LATER = datetime(2026, 1, 1, tzinfo=UTC)


def a_rating_book(unit: str = "education", label: str = "市教育局") -> bytes:
    """One question, which rates one unit."""
    return a_book(a_row("select_one scale", "q", mc_unit=unit, mc_item="overall") | {"label": label})


def a_draft_survey(connection, desk: Desk, version: str, status: str = "draft") -> int:
    """A round of that status with one survey, whose one group answers that version."""
    times = {"opens_at": NOW, "closes_at": LATER}
    names = {"name_zh": "下半年", "name_en": "Second half"}
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(evaluation_id=desk.evaluation.id, status=status, **names, **times)
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id = connection.execute(
        insert(surveys.survey).values(round_id=round_id, **times).returning(surveys.survey.c.id)
    ).scalar_one()
    connection.execute(
        insert(surveys.respondent_group).values(
            survey_id=survey_id,
            code="residents",
            component="public_review.residents",
            name_zh="城乡居民",
            name_en="Residents",
            form_version=version,
        )
    )
    return int(survey_id)


def keep(connection, desk: Desk, book: bytes) -> str:
    converted = convert_workbook(book)
    forms.keep(connection, book, converted, desk.staff["office"], NOW)
    return converted.version


def chosen(connection, survey_id: int) -> str:
    return connection.execute(
        select(surveys.respondent_group.c.form_version).where(surveys.respondent_group.c.survey_id == survey_id)
    ).scalar_one()


def acts(connection) -> list[str]:
    return [act.act for act in people.acts(connection, 50, 0)]


@pytest.fixture
def desk(connection) -> Desk:
    return a_desk(connection)


def test_a_version_is_kept_with_workbook_xform_uploader_and_an_audit_line(connection, desk):
    book = a_rating_book()
    version = keep(connection, desk, book)
    found = stored.version_called(connection, version)
    assert found is not None
    kept, files = found
    assert (kept.name, kept.uploader, kept.uploaded_at) == ("a-form", "office 某", NOW)
    assert files.workbook == book
    assert convert_workbook(files.workbook).xform == files.xform
    assert acts(connection) == ["form_kept"]


def test_the_same_bytes_again_change_nothing_and_leave_no_second_line(connection, desk):
    book = a_rating_book()
    converted = convert_workbook(book)
    assert forms.keep(connection, book, converted, desk.staff["office"], NOW)
    assert not forms.keep(connection, book, converted, desk.staff["office2"], LATER)
    found = stored.version_called(connection, converted.version)
    assert found is not None
    assert found[0].uploader == "office 某"
    assert acts(connection) == ["form_kept"]


def test_while_the_round_is_a_draft_a_group_gets_another_version(connection, desk):
    old, new = keep(connection, desk, a_rating_book()), keep(connection, desk, a_rating_book(label="教育局"))
    survey_id = a_draft_survey(connection, desk, old)
    forms.choose(connection, (survey_id, "residents"), new, desk.staff["office"], LATER)
    assert chosen(connection, survey_id) == new
    assert acts(connection)[0] == "form_chosen"


def test_choosing_what_is_chosen_leaves_no_audit_line_even_when_in_use(connection, desk):
    version = keep(connection, desk, a_rating_book())
    survey_id = a_draft_survey(connection, desk, version, status="open")
    forms.choose(connection, (survey_id, "residents"), version, desk.staff["office"], LATER)
    assert acts(connection) == ["form_kept"]


@pytest.mark.parametrize("status", ["open", "frozen", "published", "archived"])
def test_a_version_in_use_cannot_be_changed(connection, desk, status):
    old, new = keep(connection, desk, a_rating_book()), keep(connection, desk, a_rating_book(label="教育局"))
    survey_id = a_draft_survey(connection, desk, old, status)
    with pytest.raises(Refused) as caught:
        forms.choose(connection, (survey_id, "residents"), new, desk.staff["office"], LATER)
    assert caught.value.code == "form_in_use"
    assert chosen(connection, survey_id) == old
    assert not stored.choose(connection, survey_id, "residents", new)  # nor does the statement itself
    assert chosen(connection, survey_id) == old


def test_a_form_that_rates_units_of_another_evaluation_is_refused(connection, desk):
    old, new = keep(connection, desk, a_rating_book()), keep(connection, desk, a_rating_book("railways"))
    survey_id = a_draft_survey(connection, desk, old)
    with pytest.raises(Refused) as caught:
        forms.choose(connection, (survey_id, "residents"), new, desk.staff["office"], LATER)
    assert caught.value.code == "form_unit_unknown"
    assert caught.value.faults[0].facts["units"] == "railways"


def test_units_that_a_respondent_chooses_from_a_list_count_as_rated(connection, desk):
    rows = [
        a_row("begin_group", "g", appearance="field-list"),
        a_row("select_one office", "who"),
        a_row("end_group"),
        a_row("select_one scale", "q", mc_unit="${who}", mc_item="overall"),
    ]
    scale = (("scale", "good", "好", 100), ("scale", "bad", "差", 0))
    book = a_book(*rows, choices=(("office", "education", "教育局", None), ("office", "moon", "月球局", None), *scale))
    old, new = keep(connection, desk, a_rating_book()), keep(connection, desk, book)
    survey_id = a_draft_survey(connection, desk, old)
    with pytest.raises(Refused) as caught:
        forms.choose(connection, (survey_id, "residents"), new, desk.staff["office"], LATER)
    assert caught.value.faults[0].facts["units"] == "moon"


@pytest.mark.parametrize("what", ["survey", "group", "version"])
def test_what_is_not_there_is_not_found(connection, desk, what):
    version = keep(connection, desk, a_rating_book())
    survey_id = a_draft_survey(connection, desk, version)
    target = (survey_id + (what == "survey"), "nobody" if what == "group" else "residents")
    with pytest.raises(Refused) as caught:
        forms.choose(connection, target, "0" * 64 if what == "version" else version, desk.staff["office"], LATER)
    assert caught.value.code == "not_found"


def test_a_round_that_opens_at_the_same_moment_keeps_its_version(engine):
    with engine.begin() as connection:
        desk = a_desk(connection)
        old, new = keep(connection, desk, a_rating_book()), keep(connection, desk, a_rating_book(label="教育局"))
        survey_id = a_draft_survey(connection, desk, old)
    told: list[str] = []

    def choose() -> None:
        try:
            with engine.begin() as connection:
                forms.choose(connection, (survey_id, "residents"), new, desk.staff["office"], LATER)
                told.append("chosen")
        except Refused as refused:
            told.append(refused.code)

    with engine.begin() as connection:
        round_id = stored.round_of_survey(connection, survey_id)
        connection.execute(update(evaluations.round_).where(evaluations.round_.c.id == round_id).values(status="open"))
        other = threading.Thread(target=choose)
        other.start()
        other.join(0.3)  # it waits for the round, which is held here
        assert told == []
    other.join(10)
    assert told == ["form_in_use"]
    with engine.connect() as connection:
        assert chosen(connection, survey_id) == old
