"""Reports of pressure: kept without a trace of who reported, and few enough to be read."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from api.actions import coercion
from api.actions.coercion import HOW, LONGEST_WORDS, MOST_A_PASS, WHO, ReportCap, check_report, keep_report, mark_read
from api.store import notices, people
from api.store.notices import Report, number_of_reports, reports_in
from survey_forms.refusal import Refused
from tests.builders import a_survey
from tests.desk import a_person

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def survey(connection):
    return a_survey(connection)


def a_report(survey, **facts):
    return Report(
        **{"id": uuid4(), "survey_id": survey.id, "day": TODAY, "who": "leader", "how": "phone", "words": ""} | facts
    )


def code_of(act):
    with pytest.raises(Refused) as caught:
        act()
    return [fault.code for fault in caught.value.faults]


def test_a_report_is_the_survey_the_day_who_how_and_the_words_and_nothing_else(connection, survey):
    keep_report(connection, a_report(survey, words="处长说都打满分"))
    (row,) = connection.execute(select(notices.coercion_report)).all()
    assert row.id.version == 4
    assert (row.survey_id, row.day, row.kind, row.words) == (survey.id, TODAY, "leader:phone", "处长说都打满分")
    columns = {column.name for column in notices.coercion_report.columns}
    assert columns == {"id", "survey_id", "day", "kind", "words", "read_by", "read_at"}


def test_everything_wrong_is_told_at_once():
    assert code_of(lambda: check_report("boss", "", "长" * (LONGEST_WORDS + 1))) == [
        "report_who_missing",
        "report_how_missing",
        "report_too_long",
    ]
    for who in WHO:
        for how in HOW:
            check_report(who, how, "长" * LONGEST_WORDS)


def test_above_the_days_cap_it_is_told_that_it_was_not_taken(connection, survey, monkeypatch):
    monkeypatch.setattr(coercion, "MOST_A_DAY", 2)
    for _ in range(2):
        keep_report(connection, a_report(survey))
    assert code_of(lambda: keep_report(connection, a_report(survey))) == ["reports_full"]
    keep_report(connection, a_report(survey, day=date(2026, 11, 23)))


def test_a_pass_reports_a_few_times_a_day_and_is_known_by_nothing_that_outlives_the_process():
    cap, other = ReportCap(), ReportCap()
    for _ in range(MOST_A_PASS):
        cap.take("7K3QF9D2MXV", TODAY)
    assert code_of(lambda: cap.take("7K3QF9D2MXV", TODAY)) == ["report_again"]
    cap.take("another", TODAY)
    other.take("7K3QF9D2MXV", TODAY)
    assert set(cap._counts).isdisjoint(other._counts)
    assert not any(b"7K3QF9D2MXV" in name for name in cap._counts)
    cap.take("7K3QF9D2MXV", date(2026, 11, 23))


def test_a_report_that_was_not_kept_does_not_count():
    cap = ReportCap(most=1)
    cap.take("a", TODAY)
    cap.give_back("a")
    cap.take("a", TODAY)


def test_the_memory_of_the_cap_is_bounded(monkeypatch):
    monkeypatch.setattr(coercion, "REMEMBERED", 10)
    cap = ReportCap()
    for at in range(100):
        cap.take(str(at), TODAY)
    assert len(cap._counts) == 10


def test_reading_marks_once_and_is_in_the_audit(connection, survey):
    first, second = (a_person(connection, name, "office") for name in ("office", "office2"))
    report = a_report(survey)
    keep_report(connection, report)
    assert number_of_reports(connection, survey.evaluation_id) == (1, 1)
    mark_read(connection, report.id, first, NOW)
    mark_read(connection, report.id, second, NOW)
    (found,) = reports_in(connection, survey.evaluation_id, 10)
    assert found.reader == "office 某"
    assert number_of_reports(connection, survey.evaluation_id) == (1, 0)
    acts = connection.execute(select(people.audit).where(people.audit.c.act == "report_read")).all()
    assert [act.staff_id for act in acts] == [first]
    assert code_of(lambda: mark_read(connection, UUID(int=1), first, NOW)) == ["not_found"]


def test_unread_reports_stand_first(connection, survey):
    office = a_person(connection, "office", "office")
    old, new = a_report(survey, day=date(2026, 11, 1)), a_report(survey)
    for one in (old, new):
        keep_report(connection, one)
    mark_read(connection, new.id, office, NOW)
    assert [one.id for one in reports_in(connection, survey.evaluation_id, 10)] == [old.id, new.id]
