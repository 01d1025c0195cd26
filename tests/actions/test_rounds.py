"""A round is extended, frozen, published: no answer slips through a freeze, and nothing unfinished is published."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from api.actions.publication import is_published
from api.actions.results import compose
from api.actions.rounds import extend, freeze, missing_to_publish, publish
from api.actions.tally import fold
from api.store import ballots, evaluations, people, surveys, tallies
from api.store.owed import emit, is_owed, mark_done, take_due
from api.store.results import latest_composite
from api.store.rounds import round_states
from survey_forms.refusal import Refused
from tests.actions.test_responses import a_try, an_intake, committed_survey, outcome_of
from tests.builders import a_survey
from tests.desk import a_person
from tests.worker.town import GROUPS, NOW, a_town, answer, rate_all, score_indicators

LATER = NOW + timedelta(days=9100)
AT_ONCE = 20


@pytest.fixture
def town(connection):
    return a_town(connection)


def the_round(connection, town):
    (found,) = round_states(connection, town.evaluation_id)
    return found


def acts_of(connection, act):
    return connection.execute(select(people.audit).where(people.audit.c.act == act)).all()


def set_status(connection, town, status):
    statement = update(evaluations.round_).where(evaluations.round_.c.evaluation_id == town.evaluation_id)
    connection.execute(statement.values(status=status))


def settle(connection):
    """Do what the worker owes: the composites."""
    for one in take_due(connection, "compose", 100):
        compose(connection, int(one.subject), NOW)
        mark_done(connection, [one.id])


def make_complete(connection, town):
    for group in GROUPS:
        answer(connection, town, *((group, rate_all(choice)) for choice in ("v5", "v4", "v4", "v3")))
    score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    fold(connection, 5000)
    settle(connection)


def codes_refused(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return [fault.code for fault in refused.value.faults]


class TestFreezing:
    def test_it_closes_the_round_owes_a_composite_and_leaves_a_line_in_the_audit(self, connection, town):
        office = town.staff_ids["office"]
        freeze(connection, the_round(connection, town).id, office, NOW)
        found = the_round(connection, town)
        assert (found.status, found.frozen_by, found.freezer, found.frozen_at) == ("frozen", office, "office", NOW)
        assert is_owed(connection, "compose", str(town.evaluation_id))
        (act,) = acts_of(connection, "round_frozen")
        assert (act.staff_id, act.about) == (office, {"round": found.id})
        assert answer(connection, town, ("deputies", rate_all("v5"))) == ["refused"]

    def test_freezing_again_changes_nothing_whoever_does_it(self, connection, town):
        freeze(connection, the_round(connection, town).id, town.staff_ids["office"], NOW)
        before = the_round(connection, town)
        freeze(connection, before.id, town.staff_ids["office2"], LATER)
        assert the_round(connection, town) == before
        assert len(acts_of(connection, "round_frozen")) == 1

    @pytest.mark.parametrize("status", ["draft", "published", "archived"])
    def test_only_an_open_round_can_be_frozen(self, connection, town, status):
        set_status(connection, town, status)
        found = the_round(connection, town)
        assert codes_refused(freeze, connection, found.id, town.staff_ids["office"], NOW) == ["round_not_open"]
        assert the_round(connection, town).status == status

    def test_a_round_that_does_not_exist_is_not_found(self, connection, town):
        for act in (freeze, publish):
            assert codes_refused(act, connection, 10**6, town.staff_ids["office"], NOW) == ["not_found"]

    def test_another_round_stays_open(self, connection, town):
        other = a_town(connection, "other-town")
        freeze(connection, the_round(connection, town).id, town.staff_ids["office"], NOW)
        assert answer(connection, other, ("deputies", rate_all("v5"))) == ["accepted"]


class TestFreezingUnderFire:
    def test_an_answer_on_its_way_is_waited_for_and_counts(self, engine):
        with engine.begin() as connection:
            town = a_town(connection)
            round_id = the_round(connection, town).id
        with engine.connect() as respondent, ThreadPoolExecutor(1) as threads:
            assert answer(respondent, town, ("deputies", rate_all("v5"))) == ["accepted"]
            freezing = threads.submit(freeze_now, engine, round_id, town.staff_ids["office"])
            assert waits_for_a_lock(engine)
            assert not freezing.done()
            respondent.commit()
            assert freezing.result(10) == 1

    @pytest.mark.parametrize("delay", [0.0, 0.003, 0.01, 0.03])
    def test_every_answer_accepted_is_counted_and_none_is_accepted_after_it(self, engine, delay):
        survey, codes = committed_survey(engine, 2 * AT_ONCE)
        with engine.begin() as connection:
            office = a_person(connection, "office", "office")
        intakes = [an_intake(engine) for _ in range(5)]
        together = threading.Barrier(AT_ONCE + 1)

        def hand_in(at):
            together.wait(10)
            time.sleep(at % 10 * 0.002)
            return outcome_of(intakes[at % 5], a_try(codes[at]))

        def freeze_meanwhile():
            together.wait(10)
            time.sleep(delay)
            return freeze_now(engine, survey.round_id, office)

        with ThreadPoolExecutor(AT_ONCE + 1) as threads:
            freezing = threads.submit(freeze_meanwhile)
            outcomes = list(threads.map(hand_in, range(AT_ONCE)))
            kept_at_freeze = freezing.result(20)
        late = [outcome_of(intakes[at % 5], a_try(codes[at])) for at in range(AT_ONCE, 2 * AT_ONCE)]
        assert set(outcomes) <= {"accepted", "code_refused"}
        assert set(late) == {"code_refused"}
        with engine.begin() as connection:
            fold(connection, 5000)
            counted = tallies.respondents_of(connection, survey.id)
        assert sum(counted.values()) == outcomes.count("accepted") == kept_at_freeze

    def test_two_people_at_once_freeze_it_once(self, engine):
        with engine.begin() as connection:
            town = a_town(connection)
            round_id = the_round(connection, town).id
        with ThreadPoolExecutor(8) as threads:
            people_ = [town.staff_ids["office2" if at % 2 else "office"] for at in range(8)]
            list(threads.map(lambda one: freeze_now(engine, round_id, one), people_))
        with engine.connect() as connection:
            (act,) = acts_of(connection, "round_frozen")
            assert act.staff_id == the_round(connection, town).frozen_by


def freeze_now(engine, round_id, staff_id):
    """Freeze in a transaction of its own; how many answers were kept just before it ended."""
    with engine.begin() as connection:
        freeze(connection, round_id, staff_id, NOW)
        return connection.execute(select(func.count()).select_from(ballots.response)).scalar_one()


def waits_for_a_lock(engine):
    """Whether somebody comes to wait for an advisory lock within ten seconds."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(200):
        with engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return True
        time.sleep(0.05)
    return False


class TestPublishing:
    def test_a_second_person_publishes_and_the_units_may_see_it(self, connection, town):
        make_complete(connection, town)
        found = the_round(connection, town)
        freeze(connection, found.id, town.staff_ids["office"], NOW)
        settle(connection)
        assert not is_published(connection, town.evaluation_id)
        publish(connection, found.id, town.staff_ids["office2"], LATER)
        found = the_round(connection, town)
        assert (found.status, found.publisher, found.published_at) == ("published", "office2", LATER)
        assert is_published(connection, town.evaluation_id)
        (act,) = acts_of(connection, "round_published")
        composite = latest_composite(connection, town.evaluation_id)
        assert act.about == {"round": found.id, "inputs_digest": composite.inputs_digest}
        publish(connection, found.id, town.staff_ids["office2"], LATER + timedelta(days=1))
        assert the_round(connection, town) == found

    def test_whoever_froze_it_cannot_publish_it(self, connection, town):
        make_complete(connection, town)
        found = the_round(connection, town)
        freeze(connection, found.id, town.staff_ids["office"], NOW)
        settle(connection)
        assert codes_refused(publish, connection, found.id, town.staff_ids["office"], NOW) == ["publisher_froze"]
        assert the_round(connection, town).status == "frozen"

    def test_the_database_itself_wants_two_people(self, connection, town):
        freeze(connection, the_round(connection, town).id, town.staff_ids["office"], NOW)
        one_person = update(evaluations.round_).values(published_by=evaluations.round_.c.frozen_by, published_at=NOW)
        with pytest.raises(IntegrityError, match="second_person"):
            connection.execute(one_person)

    @pytest.mark.parametrize("status", ["draft", "open", "archived"])
    def test_only_a_frozen_round_can_be_published(self, connection, town, status):
        set_status(connection, town, status)
        found = the_round(connection, town)
        assert codes_refused(publish, connection, found.id, town.staff_ids["office2"], NOW) == ["round_not_frozen"]

    def test_what_is_missing_is_named_station_by_station(self, connection, town):
        answer(connection, town, *((group, rate_all("v4")) for group in GROUPS for _ in range(2)))
        found = the_round(connection, town)
        freeze(connection, found.id, town.staff_ids["office"], NOW)
        act = (publish, connection, found.id, town.staff_ids["office2"], NOW)
        assert codes_refused(*act) == ["answers_uncounted", "composite_behind", "composite_none"]
        assert missing_to_publish(connection, the_round(connection, town), NOW)[0].facts == {"number": 2 * len(GROUPS)}
        fold(connection, 5000)
        assert codes_refused(*act) == ["composite_behind", "composite_none"]
        settle(connection)
        assert codes_refused(*act)[0] == "composite_incomplete"
        assert len(codes_refused(*act)) > 1
        score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
        emit(connection, "compose", f"{town.evaluation_id}:indicator", 1)
        assert codes_refused(*act)[0] == "composite_behind"
        settle(connection)
        publish(*act[1:])

    def test_work_of_another_evaluation_holds_nobody_up(self, connection, town):
        make_complete(connection, town)
        found = the_round(connection, town)
        freeze(connection, found.id, town.staff_ids["office"], NOW)
        settle(connection)
        other = a_town(connection, "other-town")
        answer(connection, other, ("deputies", rate_all("v4")))
        emit(connection, "compose", f"{other.evaluation_id}:indicator", 1)
        publish(connection, found.id, town.staff_ids["office2"], NOW)


class TestExtending:
    def test_the_round_and_the_surveys_that_end_with_it_end_later(self, connection, town):
        found = the_round(connection, town)
        early = connection.execute(
            insert(surveys.survey)
            .values(round_id=found.id, opens_at=found.opens_at, closes_at=NOW)
            .returning(surveys.survey.c.id)
        ).scalar_one()
        extend(connection, found.id, LATER, " 台风停工三天 ", town.staff_ids["office"], NOW)
        assert the_round(connection, town).closes_at == LATER
        ends = dict(connection.execute(select(surveys.survey.c.id, surveys.survey.c.closes_at)).all())
        assert ends == {town.survey_id: LATER, early: NOW}
        (act,) = acts_of(connection, "round_extended")
        assert act.about["reason"] == "台风停工三天"

    def test_an_answer_is_accepted_again_where_the_end_had_passed(self, connection):
        survey = a_survey(connection, closes=-timedelta(hours=1))
        now = connection.execute(text("SELECT now()")).scalar_one()
        extend(connection, survey.round_id, now + timedelta(days=1), "延期", None, now)
        booth = surveys.booths(connection)[survey.id, survey.stratum]
        assert booth.is_open(now)

    def test_an_end_that_is_not_later_and_a_missing_reason_are_refused_together(self, connection, town):
        found = the_round(connection, town)
        arguments = (connection, found.id, found.closes_at, "  ", town.staff_ids["office"], NOW)
        assert codes_refused(extend, *arguments) == ["extension_not_later", "extension_reason_missing"]
        assert the_round(connection, town) == found

    @pytest.mark.parametrize("status", ["draft", "frozen", "published"])
    def test_only_an_open_round_is_extended(self, connection, town, status):
        set_status(connection, town, status)
        found = the_round(connection, town)
        assert codes_refused(extend, connection, found.id, LATER, "理由", town.staff_ids["office"], NOW) == [
            "round_not_open"
        ]
