"""Flags mark what hardly can be, twice the same mark is one, and nothing is ever deleted or left out by itself."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update

from api.actions import quality
from api.actions.answer_quality import raise_answer_flags
from api.actions.tally import fold
from api.store import ballots, evaluations, roll
from api.store.flags import flagged_responses, flags_of
from survey_forms.refusal import Refused
from tests.builders import SATISFACTION, a_grid_book, a_survey
from tests.desk import a_person
from tests.supervision import MORNING as NOW
from tests.supervision import a_field, an_attempt

UNITS = 24
POINTS = {name: points for _, name, _, points in SATISFACTION}


def kinds(connection, survey_id):
    return Counter((flag.kind, flag.subject_kind) for flag in flags_of(connection, survey_id) if flag.subject != "all")


class TestOfAttempts:
    @pytest.fixture
    def field(self, connection):
        return a_field(connection, [{"sex": "f"}] * 12, interviewers=1)

    def tell(self, connection, field, *attempts):
        """Attempts of the one interviewer: (minutes after ten, minutes long, more)."""
        return [
            an_attempt(
                connection,
                field.cases[place],
                field.interviewers[0],
                more.pop("outcome", "1.1"),
                began=NOW + timedelta(minutes=begins),
                minutes=lasts,
                **more,
            )
            for place, (begins, lasts, more) in enumerate(attempts)
        ]

    def marked(self, connection, field):
        quality.raise_field_flags(connection, field.survey.id, NOW)
        return {(flag.kind, int(flag.subject)) for flag in flags_of(connection, field.survey.id)}

    def test_ordinary_interviews_are_not_marked(self, connection, field):
        self.tell(connection, field, *((20 * place, 8 + place % 3, {}) for place in range(9)))
        assert self.marked(connection, field) == set()

    def test_an_interview_without_a_length_and_a_far_too_short_one_are(self, connection, field):
        made = self.tell(
            connection,
            field,
            *((20 * place, 10, {}) for place in range(6)),
            (130, 0, {}),
            (150, 2.9, {}),
            (170, 3.1, {}),
        )
        assert self.marked(connection, field) == {("no_duration", made[6]), ("speeding", made[7])}

    def test_two_interviews_at_the_same_time_are(self, connection, field):
        made = self.tell(connection, field, (0, 10, {}), (8, 10, {}), (18, 10, {}), (28, 1, {"outcome": "3.13"}))
        assert self.marked(connection, field) == {("overlap", made[1])}

    def test_attempts_outside_the_plans_hours_are(self, connection, field):
        made = self.tell(connection, field, (-61, 0.9, {}), (-60, 0.9, {}), (659, 0.9, {}), (660, 0.9, {}))
        assert self.marked(connection, field) == {("outside_hours", made[0]), ("outside_hours", made[3])}

    def test_more_attempts_a_minute_than_anybody_can_make_are(self, connection, field):
        missed = {"outcome": "3.13"}
        made = self.tell(connection, field, *((place / 4, 0.1, dict(missed)) for place in range(6)))
        assert self.marked(connection, field) == {("crowded", one) for one in made[3:]}

    def test_a_visit_far_from_the_address_is_and_an_unsure_position_is_not(self, connection, field):
        member = roll.frame_member.c
        connection.execute(update(roll.frame_member).where(member.member.in_(["m0", "m1", "m2"])).values(
            latitude=24.48, longitude=118.09
        ))  # fmt: skip
        far = {"mode": "visit", "latitude": 24.51, "longitude": 118.09, "outcome": "2.24"}
        near = far | {"latitude": 24.481}
        unsure = far | {"accuracy": 5000.0}
        made = self.tell(connection, field, (0, 5, far), (20, 5, near), (40, 5, unsure))
        assert self.marked(connection, field) == {("far_away", made[0])}

    def test_looking_again_marks_nothing_twice_and_keeps_the_judgement(self, connection, field):
        self.tell(connection, field, (0, 0, {}))
        office = a_person(connection, "an-office", "office")
        assert quality.raise_field_flags(connection, field.survey.id, NOW) == 1
        flag = flags_of(connection, field.survey.id)[0]
        with pytest.raises(Refused):
            quality.judge_flag(connection, field.survey.id, flag.id, " ", office, NOW)
        quality.judge_flag(connection, field.survey.id, flag.id, "录入时补登，已核对", office, NOW)
        assert quality.raise_field_flags(connection, field.survey.id, NOW) == 0
        (flag,) = flags_of(connection, field.survey.id)
        assert (flag.judgement, flag.judge) == ("录入时补登，已核对", "an-office 某")
        with pytest.raises(Refused):
            quality.judge_flag(connection, field.survey.id, flag.id, "另一种说法", office, NOW)

    def test_an_interviewer_whom_everybody_agrees_with_stands_out(self, connection):
        field = a_field(connection, [{"sex": "f"}] * 200, interviewers=10)
        dice = random.Random(3)
        for place, case in enumerate(field.cases):
            who = place % 10
            outcome = "1.1" if who == 9 or dice.random() < 0.4 else "2.11"
            began = NOW + timedelta(minutes=3 * place)
            an_attempt(connection, case, field.interviewers[who], outcome, began=began, minutes=2)
        quality.raise_field_flags(connection, field.survey.id, NOW)
        found = [flag for flag in flags_of(connection, field.survey.id) if flag.subject_kind == "interviewer"]
        assert [(flag.kind, int(flag.subject)) for flag in found] == [("cooperation", field.interviewers[9])]


class TestOfAnswers:
    @pytest.fixture(autouse=True)
    def nothing_counted(self):
        self.counted = set()

    @pytest.fixture
    def survey(self, connection):
        return a_survey(connection, a_grid_book(UNITS), closes=timedelta(minutes=-1))

    def answers(self, connection, survey, *rows, interviewer=None):
        """Answers as lists of choices; returns their ids."""
        made = [
            {
                "id": uuid4(),
                "survey_id": survey.id,
                "stratum": survey.stratum,
                "wcell": survey.stratum,
                "form_version": survey.form_version,
                "answers": {f"unit_{at}": choice for at, choice in enumerate(row)},
                "mode": "phone" if interviewer else "web",
                "interviewer": interviewer,
                "day": datetime(2026, 3, 10, tzinfo=UTC).date(),
            }
            for row in rows
        ]
        connection.execute(insert(ballots.response), made)
        return [one["id"] for one in made]

    def look(self, connection, survey):
        return raise_answer_flags(connection, survey.id, datetime.now(UTC))

    def test_flat_answers_and_copies_are_marked_and_all_answers_stay(self, connection, survey):
        dice = random.Random(1)
        usual = [dice.choices("54321", k=UNITS) for _ in range(30)]
        flat = self.answers(connection, survey, ["5"] * UNITS, ["5"] * UNITS)
        copied = self.answers(connection, survey, usual[0], usual[0])
        self.answers(connection, survey, *usual[1:])
        few = self.answers(connection, survey, ["5"] * 14 + ["dk"] * (UNITS - 14))
        self.look(connection, survey)
        assert kinds(connection, survey.id) == {("straight_lining", "response"): 2, ("duplicate", "response"): 2}
        assert flagged_responses(connection, survey.id) == {*flat, *copied}
        assert few[0] not in flagged_responses(connection, survey.id)
        stored = select(func.count()).select_from(ballots.response).where(ballots.response.c.survey_id == survey.id)
        assert connection.execute(stored).scalar_one() == 34
        assert self.look(connection, survey) == 0

    def test_both_results_are_told_for_ten_marked_answers_and_not_for_nine(self, connection, survey):
        dice = random.Random(8)
        self.answers(connection, survey, *(dice.choices("54321", k=UNITS) for _ in range(30)))
        self.answers(connection, survey, *[["1"] * UNITS] * 9)
        told = self.count_and_look(connection, survey)
        assert (told["marked"], told["moved"]) == (9, {})
        self.answers(connection, survey, ["1"] * UNITS)
        told = self.count_and_look(connection, survey)
        assert told["marked"] == 10
        rows = connection.execute(select(ballots.response.c.answers)).scalars().all()
        usual = [POINTS[row["unit_0"]] for row in rows[:30]]
        everybody = usual + [POINTS["1"]] * 10
        assert told["moved"]["unit_0"] == pytest.approx(sum(usual) / 30 - sum(everybody) / 40, abs=1e-9)

    def count_and_look(self, connection, survey):
        waiting = select(ballots.response.c.id).where(ballots.response.c.survey_id == survey.id)
        known = select(ballots.untallied.c.response_id)
        fresh = set(connection.execute(waiting).scalars()) - self.counted - set(connection.execute(known).scalars())
        connection.execute(insert(ballots.untallied), [{"response_id": one} for one in fresh])
        self.counted |= fresh
        fold(connection, 1000)
        self.look(connection, survey)
        return next(flag.facts for flag in flags_of(connection, survey.id) if flag.kind == "both_results")

    @pytest.mark.parametrize(("number", "told"), [(9, False), (10, True)])
    def test_of_fewer_than_ten_answers_no_interviewer_is_told(self, connection, survey, number, told):
        dice = random.Random(2)
        for who in range(1, 9):
            self.answers(connection, survey, *(dice.choices("54321", k=UNITS) for _ in range(20)), interviewer=who)
        self.answers(connection, survey, *[["5"] * UNITS] * number, interviewer=99)
        self.look(connection, survey)
        assert any(flag.subject == "99" for flag in flags_of(connection, survey.id)) is told

    def test_a_mark_says_how_many_and_never_which(self, connection, survey):
        self.answers(connection, survey, ["3"] * UNITS)
        self.look(connection, survey)
        (flag,) = (one for one in flags_of(connection, survey.id) if one.subject != "all")
        assert flag.facts == {"items": UNITS}

    def test_nothing_is_looked_at_before_the_survey_is_over(self, connection):
        survey = a_survey(connection, a_grid_book(UNITS))
        self.answers(connection, survey, ["5"] * UNITS)
        assert self.look(connection, survey) == 0
        assert flags_of(connection, survey.id) == []
        connection.execute(
            update(evaluations.round_).where(evaluations.round_.c.id == survey.round_id).values(status="frozen")
        )
        assert self.look(connection, survey) == 1

    def test_an_interviewer_who_fills_in_alike_is_marked_beside_the_others(self, connection, survey):
        dice = random.Random(2)
        for who in range(1, 9):
            rows = [dice.choices("54321", k=UNITS) for _ in range(20)]
            self.answers(connection, survey, *rows, interviewer=who)
        self.answers(connection, survey, *[["5"] * UNITS] * 20, interviewer=99)
        self.look(connection, survey)
        found = {(flag.kind, flag.subject) for flag in flags_of(connection, survey.id) if flag.subject != "all"}
        by_whom = {(kind, subject) for kind, subject in found if subject.isdecimal()}
        assert by_whom == {("straight_lining", "99"), ("mean_score", "99")}
        effect = next(flag for flag in flags_of(connection, survey.id) if flag.kind == "interviewer_effect")
        assert effect.facts["interviewers"] == 9
        assert effect.facts["deff"] > 5
