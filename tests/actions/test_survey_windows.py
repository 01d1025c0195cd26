"""A survey ends early or later, with a reason; what nobody handed in goes with it, and no answer slips through."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from api.actions import rounds
from api.actions.booths import Booths
from api.actions.responses import accept
from api.actions.windows import close, extend, forget_drafts, has_closed
from api.store import ballots, evaluations, people, surveys
from api.store.windows import changes_of, window_of
from survey_forms.refusal import Refused
from tests.actions.test_responses import PEPPER, a_submission
from tests.builders import DAY, a_survey, some_codes
from tests.desk import a_person

NOW = datetime.now(UTC)


@pytest.fixture
def survey(connection):
    found = a_survey(connection, closes=2 * DAY)
    set_survey(connection, found, closes_at=NOW + DAY)
    return found


@pytest.fixture
def office(connection):
    return a_person(connection, "office", "office")


def set_survey(connection, survey, **values):
    connection.execute(update(surveys.survey).where(surveys.survey.c.id == survey.id).values(**values))


def a_draft(connection, survey, name, *, picture=False):
    key = name.encode().ljust(16, b".")
    connection.execute(
        insert(ballots.draft).values(draft_id=key, survey_id=survey.id, sealed=b"s" * 64, day=date(2026, 11, 22))
    )
    if picture:
        connection.execute(insert(ballots.draft_file).values(draft_id=key, name="door", sealed=b"p" * 64))


def number(connection, table):
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def codes_of(act):
    with pytest.raises(Refused) as caught:
        act()
    return [fault.code for fault in caught.value.faults]


class TestClosingEarly:
    def test_no_answer_is_accepted_any_more_and_those_before_count(self, connection, survey, office):
        early, late = some_codes(connection, survey, 2, PEPPER)
        assert accept(connection, [a_submission(survey, early)]) == ["accepted"]
        close(connection, survey.id, "样本已满", office, NOW)
        assert accept(connection, [a_submission(survey, late)]) == ["refused"]
        assert number(connection, ballots.response) == 1

    def test_it_takes_the_drafts_and_their_pictures_along_and_no_others(self, connection, survey, office):
        other = a_survey(connection, code="other")
        a_draft(connection, survey, "mine", picture=True)
        a_draft(connection, other, "theirs", picture=True)
        close(connection, survey.id, "样本已满", office, NOW)
        assert connection.execute(select(ballots.draft.c.survey_id)).scalars().all() == [other.id]
        assert number(connection, ballots.draft_file) == 1

    def test_the_reason_is_kept_and_the_audit_tells_who_and_what(self, connection, survey, office):
        close(connection, survey.id, " 样本已满 ", office, NOW)
        window = window_of(connection, survey.id)
        assert (window.closed_at, window.early_reason) == (NOW, "样本已满")
        assert not window.is_open(NOW)
        (change,) = changes_of(connection, [survey.id])[survey.id]
        assert (change.act, change.name) == ("survey_closed", "office 某")
        assert change.about["reason"] == "样本已满"

    def test_a_second_time_changes_nothing(self, connection, survey, office):
        close(connection, survey.id, "样本已满", office, NOW)
        close(connection, survey.id, "别的", office, NOW + DAY)
        assert window_of(connection, survey.id).early_reason == "样本已满"
        assert len(changes_of(connection, [survey.id])[survey.id]) == 1

    def test_without_a_reason_nothing_happens(self, connection, survey, office):
        assert codes_of(lambda: close(connection, survey.id, "  ", office, NOW)) == ["close_reason_missing"]
        assert window_of(connection, survey.id).is_open(NOW)

    @pytest.mark.parametrize("status", ["draft", "frozen", "published"])
    def test_only_a_survey_of_an_open_round_can_be_closed(self, connection, survey, office, status):
        connection.execute(update(evaluations.round_).values(status=status))
        assert codes_of(lambda: close(connection, survey.id, "样本已满", office, NOW)) == ["survey_not_open"]

    def test_a_survey_that_does_not_exist_is_not_found(self, connection, office):
        assert codes_of(lambda: close(connection, 987_654, "样本已满", office, NOW)) == ["not_found"]


class TestExtending:
    def test_it_ends_later_and_the_audit_says_why(self, connection, survey, office):
        until = NOW + DAY * 3 / 2
        extend(connection, survey.id, until, "台风", office, NOW)
        assert window_of(connection, survey.id).closes_at == until
        (act,) = connection.execute(select(people.audit).where(people.audit.c.act == "survey_extended")).all()
        assert act.about["reason"] == "台风"
        assert act.about["before"] == (NOW + DAY).isoformat()

    def test_everything_wrong_is_told_at_once(self, connection, survey, office):
        assert codes_of(lambda: extend(connection, survey.id, NOW + DAY, " ", office, NOW)) == [
            "survey_extension_not_later",
            "survey_extension_reason_missing",
        ]

    def test_it_never_outlasts_its_round(self, connection, survey, office):
        assert codes_of(lambda: extend(connection, survey.id, NOW + 3 * DAY, "台风", office, NOW)) == [
            "survey_beyond_round"
        ]

    def test_a_survey_that_is_over_stays_over(self, connection, survey, office):
        """Its drafts are gone, and the boxes of a sealed one may have been counted."""
        close(connection, survey.id, "样本已满", office, NOW)
        assert codes_of(lambda: extend(connection, survey.id, NOW + DAY * 3 / 2, "台风", office, NOW)) == [
            "survey_not_open"
        ]
        set_survey(connection, survey, closed_at=None, early_reason=None, closes_at=NOW - DAY)
        assert codes_of(lambda: extend(connection, survey.id, NOW + DAY, "台风", office, NOW)) == ["survey_not_open"]


class TestDraftsOfClosedSurveys:
    def test_freezing_a_round_takes_its_drafts_along(self, connection, survey, office):
        a_draft(connection, survey, "mine", picture=True)
        rounds.freeze(connection, survey.round_id, office, NOW)
        assert number(connection, ballots.draft) == number(connection, ballots.draft_file) == 0

    def test_the_tick_takes_those_of_every_survey_that_is_over_and_no_other(self, connection, survey):
        ended, closed, frozen, early = (
            a_survey(connection, code=code) for code in ("ended", "closed", "frozen", "early")
        )
        set_survey(connection, ended, closes_at=NOW - timedelta(seconds=1))
        set_survey(connection, closed, closed_at=NOW, early_reason="样本已满")
        set_survey(connection, early, opens_at=NOW + DAY, closes_at=NOW + 2 * DAY)
        connection.execute(
            update(evaluations.round_).where(evaluations.round_.c.id == frozen.round_id).values(status="frozen")
        )
        for one in (survey, ended, closed, frozen, early):
            a_draft(connection, one, str(one.id))
        assert forget_drafts(connection, NOW) == 3
        left = connection.execute(select(ballots.draft.c.survey_id).order_by(ballots.draft.c.survey_id)).scalars().all()
        assert left == sorted([survey.id, early.id])
        assert forget_drafts(connection, NOW) == 0

    def test_somebody_in_the_middle_may_be_told_and_only_with_an_unspent_code(self, connection, survey, office):
        unspent, spent = some_codes(connection, survey, 2, PEPPER)
        accept(connection, [a_submission(survey, spent)])
        mac = Booths(PEPPER).mac
        assert not has_closed(connection, mac(unspent), NOW)
        close(connection, survey.id, "样本已满", office, NOW)
        assert has_closed(connection, mac(unspent), NOW)
        assert not has_closed(connection, mac(spent), NOW)
        assert not has_closed(connection, mac("22222222222"), NOW)
