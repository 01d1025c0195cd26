"""The privacy notice: versions that name their content and can never change, complete or refused."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update

from api.actions.notices import PARTS, default_words, dialled, document_of, notice_in_force, publish_notice
from api.store import people, surveys
from api.store.notices import notice_called, notices_of
from survey_forms.refusal import Refused
from tests.builders import a_survey
from tests.desk import a_person

NOW = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def survey(connection):
    return a_survey(connection)


@pytest.fixture
def office(connection):
    return a_person(connection, "office", "office")


def some_words(**changed):
    return {"zh": {part: f"说明 {part}" for part in PARTS} | {"help_line": "12345"} | changed}


def faults_of(connection, survey, words, now=NOW):
    with pytest.raises(Refused) as caught:
        publish_notice(connection, survey.id, words, None, now)
    return {(fault.code, fault.path) for fault in caught.value.faults}


def test_a_version_is_named_by_the_sha256_of_its_document(connection, survey, office):
    digest = publish_notice(connection, survey.id, some_words(), office, NOW)
    found = notice_called(connection, digest)
    assert sha256(document_of(found)).hexdigest() == digest
    document = json.loads(document_of(found))
    assert document["survey"] == survey.id
    assert document["published_at"] == "2026-11-22T09:00:00+00:00"
    assert document["notice"] == some_words()
    assert found.publisher == "office 某"


def test_one_changed_letter_is_another_version_and_the_one_before_stays(connection, survey, office):
    first = publish_notice(connection, survey.id, some_words(), office, NOW)
    second = publish_notice(connection, survey.id, some_words(purpose="说明 purpose。"), office, LATER)
    assert first != second
    assert notice_in_force(connection, survey.id).digest == second
    assert [one.digest for one in notices_of(connection, survey.id)] == [second, first]
    assert notice_called(connection, first).words == some_words()


def test_going_back_to_old_words_is_a_version_of_its_own(connection, survey, office):
    first = publish_notice(connection, survey.id, some_words(), office, NOW)
    publish_notice(connection, survey.id, some_words(purpose="别的"), office, LATER)
    third = publish_notice(connection, survey.id, some_words(), office, LATER + timedelta(hours=1))
    assert third != first
    assert notice_in_force(connection, survey.id).digest == third


def test_the_same_words_again_are_told_so_and_make_no_version(connection, survey):
    publish_notice(connection, survey.id, some_words(), None, NOW)
    assert faults_of(connection, survey, some_words(), LATER) == {("notice_unchanged", "")}
    assert len(notices_of(connection, survey.id)) == 1


def test_the_same_words_for_two_surveys_are_two_versions(connection):
    one, other = a_survey(connection, code="one"), a_survey(connection, code="other")
    assert publish_notice(connection, one.id, some_words(), None, NOW) != publish_notice(
        connection, other.id, some_words(), None, NOW
    )


def test_publishing_is_in_the_audit(connection, survey, office):
    digest = publish_notice(connection, survey.id, some_words(), office, NOW)
    (act,) = connection.execute(select(people.audit).where(people.audit.c.act == "notice_published")).all()
    assert (act.staff_id, act.about) == (office, {"survey": survey.id, "digest": digest})


def test_everything_that_is_missing_or_too_long_is_told_at_once(connection, survey):
    words = some_words(purpose=" ", rights="", sponsor="长" * 201, help_line="问办公室")
    words["en"] = {"purpose": "Why"}
    faults = faults_of(connection, survey, words)
    assert ("notice_part_missing", "zh.purpose") in faults
    assert ("notice_part_missing", "zh.rights") in faults
    assert ("notice_part_too_long", "zh.sponsor") in faults
    assert ("notice_help_line_unfit", "zh.help_line") in faults
    assert {path for code, path in faults if code == "notice_part_missing" and path.startswith("en.")} == {
        f"en.{part}" for part in PARTS if part != "purpose"
    }


def test_a_language_without_a_word_is_left_out_but_never_chinese(connection, survey):
    publish_notice(connection, survey.id, {**some_words(), "en": dict.fromkeys(PARTS, " ")}, None, NOW)
    assert set(notice_in_force(connection, survey.id).words) == {"zh"}
    assert ("notice_part_missing", "zh.sponsor") in faults_of(connection, survey, {"en": some_words()["zh"]}, LATER)


def test_a_survey_that_does_not_exist_has_no_notice(connection):
    with pytest.raises(Refused) as caught:
        publish_notice(connection, 987_654, some_words(), None, NOW)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("secrecy", ["open", "sealed"])
def test_the_default_is_complete_in_three_languages_and_promises_only_what_holds(connection, survey, secrecy):
    connection.execute(update(surveys.survey).values(secrecy=secrecy))
    words = default_words(connection, survey.id)
    assert set(words) == {"zh", "en", "ug"}
    assert all(parts[part] for parts in words.values() for part in PARTS)
    assert "某市 2015 年度公众评议" in words["zh"]["sponsor"]
    assert ("加密箱" in words["zh"]["kinds"]) == (secrecy == "sealed")
    publish_notice(connection, survey.id, words, None, NOW)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("12345", "12345"),
        ("政务热线 12345（24 小时）", "12345"),
        ("0592-1234 5678", "059212345678"),
        ("+86 (592) 1234567", "+865921234567"),
        ("请问办公室", ""),
        ("12", ""),
    ],
)
def test_a_help_line_is_dialled_as_it_is_written(written, number):
    assert dialled(written) == number
