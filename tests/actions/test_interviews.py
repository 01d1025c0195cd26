"""Interviews: one answer a case, whoever is faster; codes suspended and given back; quotas asked and kept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from api.actions import fieldwork, interviews
from api.actions.attempts import Position
from api.actions.quotas import close_cell
from api.actions.sealed_words import Safe
from api.store import boxes, cases, invitations, people, quotas, roll
from api.store.case_codes import hold_codes
from survey_forms.fieldwork.plan import Plan
from survey_forms.refusal import Refused
from survey_forms.sampling.contacts import Contact
from tests.actions.test_ballots import a_try, settle
from tests.fieldwork import PEPPER, PLAN, SECRET, a_key, a_web_code, now, sent, some_traits, some_work, spend, take

HOUR = timedelta(hours=1)
SURVEYS = 12


def begin(connection, work, case_id, *, who=0, answers=None, at=None):
    return interviews.begin(connection, PEPPER, case_id, answers or {}, work.interviewers[who], at or now())


def outcome(connection, work, case_id):
    return next(one.outcome for one in cases.outcomes_of(connection, work.survey_id) if one.case_id == case_id)


def notice(connection, case_id):
    return interviews.noticed(connection, cases.hold_file(connection, case_id), now())


def attempts(connection, case_id):
    from_ = text("SELECT mode, outcome FROM roll.contact_attempt WHERE case_id = :case ORDER BY id")
    return [tuple(row) for row in connection.execute(from_, {"case": case_id})]


def test_an_interview_that_was_handed_in_is_complete_by_itself(connection):
    work = some_work(connection, 2)
    file = take(connection, work)
    code = begin(connection, work, file.case_id)
    assert not notice(connection, file.case_id)
    assert settle(connection, a_try(code.typed)) == ["accepted"]
    assert notice(connection, file.case_id)
    assert attempts(connection, file.case_id) == [("phone", "1.1")]
    assert outcome(connection, work, file.case_id) == "1.1"
    assert take(connection, work).case_id != file.case_id


def test_the_interviews_code_carries_cell_mode_and_interviewer(connection):
    work = some_work(connection, 1)
    connection.execute(text("""UPDATE roll."case" SET wcell = 'age=18-34|sex=f'"""))
    code = begin(connection, work, take(connection, work).case_id)
    row = connection.execute(select(roll.access_code).where(roll.access_code.c.mac == code.mac)).one()
    assert (row.wcell, row.mode, row.interviewer) == ("age=18-34|sex=f", "phone", work.interviewers[0])


def test_the_web_code_sleeps_while_the_interview_runs_and_is_good_again_after_a_break_off(connection):
    work = some_work(connection, 1)
    web = a_web_code(connection, work, work.cases[0])
    code = begin(connection, work, take(connection, work).case_id)
    assert settle(connection, a_try(web)) == ["code_refused"]
    fieldwork.record(connection, sent(work.cases[0], "2.12"), work.interviewers[0], now())
    assert settle(connection, a_try(code.typed)) == ["code_refused"]
    assert settle(connection, a_try(web)) == ["accepted"]
    assert outcome(connection, work, work.cases[0]) == "1.1"


def test_a_break_off_gives_back_the_newest_code_only_and_none_of_a_revoked_batch(connection):
    work = some_work(connection, 2)
    old, new = (a_web_code(connection, work, work.cases[0]) for _ in range(2))
    connection.execute(text("UPDATE roll.access_code SET revoked = true"))  # the office replaced the first
    connection.execute(
        text("UPDATE roll.access_code SET revoked = false WHERE batch_id = (SELECT max(id) FROM roll.code_batch)")
    )
    begin(connection, work, take(connection, work).case_id)
    fieldwork.hand_back(connection, work.cases[0], work.interviewers[0], now())
    assert settle(connection, a_try(old), a_try(new)) == ["code_refused", "accepted"]
    lost = a_web_code(connection, work, work.cases[1])
    begin(connection, work, take(connection, work).case_id)
    connection.execute(
        text(
            "UPDATE roll.code_batch SET revoked_at = now(), reason = 'lost'"
            " WHERE id = (SELECT max(id) FROM roll.code_batch WHERE kind = 'listed')"
        )
    )
    fieldwork.hand_back(connection, work.cases[1], work.interviewers[0], now())
    assert settle(connection, a_try(lost)) == ["code_refused"]


def test_a_browser_that_was_closed_in_the_middle_gives_everything_back(connection):
    work = some_work(connection, 1, 2)
    web = a_web_code(connection, work, work.cases[0])
    at = now()
    code = begin(connection, work, take(connection, work, at).case_id, at=at)
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[1], at + HOUR) is None
    late = at + interviews.LONGEST_INTERVIEW
    assert take(connection, work, late, who=1).case_id == work.cases[0]
    assert settle(connection, a_try(code.typed), a_try(web)) == ["code_refused", "accepted"]


def test_an_answer_handed_in_before_the_browser_was_lost_is_counted_by_the_next_who_asks(connection):
    work = some_work(connection, 1, 2)
    at = now()
    code = begin(connection, work, take(connection, work, at).case_id, at=at)
    assert settle(connection, a_try(code.typed)) == ["accepted"]
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[1], at + 3 * HOUR) is None
    assert attempts(connection, work.cases[0]) == [("phone", "1.1")]


def test_who_answered_on_the_web_meanwhile_is_not_asked_again(connection):
    work = some_work(connection, 1)
    web = a_web_code(connection, work, work.cases[0])
    file = take(connection, work)
    assert settle(connection, a_try(web)) == ["accepted"]
    assert begin(connection, work, file.case_id) == "answered"
    assert cases.file_of(connection, file.case_id).stage == "done"
    assert attempts(connection, file.case_id) == []  # nobody tried
    assert outcome(connection, work, file.case_id) == "1.1"


def test_web_answer_against_interview_is_exactly_one_answer_whoever_is_faster(engine):
    """Each round the person hands in on the web at the moment at which the interviewer begins and hands in, too."""
    with engine.begin() as connection:
        work = some_work(connection, SURVEYS, SURVEYS)
        webs = {one: a_web_code(connection, work, one) for one in work.cases}
        held = {take(connection, work, who=who).case_id: who for who in range(SURVEYS)}
    together = threading.Barrier(2 * SURVEYS)

    def on_the_web(case_id: int) -> list[str]:
        together.wait(30)
        with engine.begin() as connection:
            return settle(connection, a_try(webs[case_id]))

    def by_telephone(case_id: int) -> list[str]:
        together.wait(30)
        with engine.begin() as connection:
            code = begin(connection, work, case_id, who=held[case_id])
        if code == "answered":
            return [code]
        with engine.begin() as connection:
            return settle(connection, a_try(code.typed))

    with ThreadPoolExecutor(2 * SURVEYS) as threads:
        web = [threads.submit(on_the_web, one) for one in work.cases]
        phone = [threads.submit(by_telephone, one) for one in work.cases]
        told = [sorted(one.result() + other.result()) for one, other in zip(web, phone, strict=True)]
    assert all(one in (["accepted", "answered"], ["accepted", "code_refused"]) for one in told), told
    with engine.begin() as connection:
        assert connection.execute(select(text("count(*)")).select_from(boxes.box)).scalar() == SURVEYS
        for case_id in work.cases:
            assert sum(one.spent for one in hold_codes(connection, case_id)) == 1
            assert notice(connection, case_id)
        assert {one.outcome for one in cases.outcomes_of(connection, work.survey_id)} == {"1.1"}


def test_only_who_holds_a_case_may_begin_record_or_see_the_number(connection):
    work = some_work(connection, 1, 2)
    file = take(connection, work)
    stranger, safe = work.interviewers[1], Safe(SECRET)
    for act in (
        lambda: begin(connection, work, file.case_id, who=1),
        lambda: fieldwork.record(connection, sent(file.case_id), stranger, now()),
        lambda: fieldwork.hand_back(connection, file.case_id, stranger, now()),
        lambda: fieldwork.reveal(connection, safe, file, stranger, now()),
    ):
        with pytest.raises(Refused, match="case_not_held"):
            act()
    assert fieldwork.reveal(connection, safe, file, work.interviewers[0], now()) == Contact(f"138{file.case_id:08}", "")
    shown = connection.execute(select(people.audit.c.about).where(people.audit.c.act == "contact_shown")).scalars()
    assert list(shown) == [{"survey": work.survey_id, "case": file.case_id}]


def test_every_fault_of_an_attempt_is_told_at_once_and_nothing_kept(connection):
    work = some_work(connection, 1)
    file = take(connection, work)
    wrong = sent(file.case_id, "2.24", note="长" * 301, position=Position(91, 118.1, 12))
    with pytest.raises(Refused) as refused:
        fieldwork.record(connection, wrong, work.interviewers[0], now())
    assert {one.code for one in refused.value.faults} == {"outcome_unfit", "attempt_note_long", "attempt_place_unfit"}
    assert attempts(connection, file.case_id) == []


def test_quota_questions_that_the_frame_leaves_open_are_asked_before_anybody_is_screened_out(connection):
    work = some_work(connection, 2)
    some_traits(connection, {"M0001": {"sex": "f"}, "M0002": {"sex": "f"}})
    connection.execute(
        insert(quotas.quota_cell),
        [
            {
                "survey_id": work.survey_id,
                "name_zh": "女",
                "name_en": "f",
                "traits": {"sex": "f", "age": "young"},
                "places": 1,
            },
            {
                "survey_id": work.survey_id,
                "name_zh": "男",
                "name_en": "m",
                "traits": {"sex": "m", "age": "old"},
                "places": 1,
            },
        ],
    )
    file = take(connection, work)
    assert interviews.quota_questions(connection, file) == {"age": ["old", "young"]}
    with pytest.raises(Refused, match="quota_answer_unfit"):
        begin(connection, work, file.case_id)
    code = begin(connection, work, file.case_id, answers={"age": "young"})
    settle(connection, a_try(code.typed))
    assert notice(connection, file.case_id)
    second = take(connection, work)
    assert begin(connection, work, second.case_id, answers={"age": "young"}) == "full"
    assert attempts(connection, second.case_id) == [("phone", "4.80")]
    assert cases.file_of(connection, second.case_id).stage == "done"


def test_after_a_hard_close_no_interview_completes_and_after_a_soft_one_those_under_way_do(connection):
    work = some_work(connection, 2, 2)
    some_traits(connection, {"M0001": {"sex": "f"}, "M0002": {"sex": "f"}})
    cell = {"survey_id": work.survey_id, "name_zh": "女", "name_en": "f", "traits": {"sex": "f"}, "places": 2}
    cell_id = connection.execute(insert(quotas.quota_cell).values(cell).returning(quotas.quota_cell.c.id)).scalar()
    codes = [begin(connection, work, take(connection, work, who=who).case_id, who=who) for who in range(2)]
    close_cell(connection, work.survey_id, cell_id, "soft", "够了", work.office, now())
    assert settle(connection, a_try(codes[1].typed)) == ["accepted"]
    close_cell(connection, work.survey_id, cell_id, "hard", "截止", work.office, now())
    assert settle(connection, a_try(codes[0].typed)) == ["quota_closed"]
    assert attempts(connection, work.cases[0]) == [("phone", "4.80")]
    assert notice(connection, work.cases[1])


def test_a_quota_place_is_free_again_after_a_break_off(connection):
    work = some_work(connection, 2)
    some_traits(connection, {"M0001": {"sex": "f"}, "M0002": {"sex": "f"}})
    cell = {"survey_id": work.survey_id, "name_zh": "女", "name_en": "f", "traits": {"sex": "f"}, "places": 1}
    connection.execute(insert(quotas.quota_cell), [cell])
    file = take(connection, work)
    begin(connection, work, file.case_id)
    fieldwork.record(connection, sent(file.case_id, "2.12"), work.interviewers[0], now())
    second = take(connection, work)
    assert begin(connection, work, second.case_id) not in {"full", "answered"}


def test_a_refusal_rests_for_days_and_no_longer(connection):
    work = some_work(connection, 1, plan=replace(PLAN, cooling_days=7))
    at = now()
    connection.execute(text("UPDATE office.survey SET closes_at = :later"), {"later": at + timedelta(days=30)})
    file = take(connection, work, at)
    fieldwork.record(connection, sent(file.case_id, "2.112"), work.interviewers[0], at)
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[0], at + timedelta(days=6)) is None
    again = take(connection, work, at + timedelta(days=7))
    found = fieldwork.record(connection, sent(again.case_id, "2.111"), work.interviewers[0], at + timedelta(days=7))
    assert (found.stage, found.outcome) == ("done", "2.112")


def test_an_appointment_takes_the_place_of_the_earlier_one_and_is_over_when_it_was_tried(connection):
    work = some_work(connection, 1)
    at, staff = now(), work.interviewers[0]

    def appoint(when, begins):
        file = take(connection, work, when)
        wish = fieldwork.Wish(a_key(), file.case_id, begins, begins + HOUR)
        return fieldwork.appoint(connection, wish, staff, when)

    assert appoint(at, at + 2 * HOUR).outcome == "2.30"
    assert fieldwork.take(connection, work.survey_id, "phone", staff, at + HOUR) is None
    appoint(at + 2 * HOUR, at + 5 * HOUR)
    assert fieldwork.take(connection, work.survey_id, "phone", staff, at + 3 * HOUR) is None
    file = take(connection, work, at + 5 * HOUR)
    fieldwork.record(connection, sent(file.case_id, "3.13"), staff, at + 5 * HOUR)
    still_open = connection.execute(text("SELECT count(*) FROM roll.appointment WHERE done_at IS NULL")).scalar()
    assert still_open == 0


def test_an_appointment_must_lie_ahead_and_before_the_end(connection):
    work = some_work(connection, 1)
    at, staff = now(), work.interviewers[0]
    file = take(connection, work, at)
    for begins, ends, code in (
        (at - 2 * HOUR, at - HOUR, "appointment_past"),
        (at + HOUR, at + HOUR, "appointment_order"),
        (at + 48 * HOUR, at + 49 * HOUR, "appointment_late"),
    ):
        with pytest.raises(Refused, match=code):
            fieldwork.appoint(connection, fieldwork.Wish(a_key(), file.case_id, begins, ends), staff, at)


def test_after_the_web_everybody_who_has_not_answered_is_called_and_reserves_begin_there(connection):
    work = some_work(connection, 3, plan=replace(PLAN, modes=("web", "phone", "visit")))
    web = a_web_code(connection, work, work.cases[0])
    settle(connection, a_try(web))
    assert fieldwork.take(connection, work.survey_id, "phone", work.interviewers[0], now()) is None
    assert fieldwork.leave_web(connection, work.survey_id, work.office, now()) == 2
    assert cases.numbers_by_stage(connection, work.survey_id) == {"done": 1, "phone": 2}
    connection.execute(
        text(
            """INSERT INTO roll."case" (draw_id, stratum, member, ticket, position)
               SELECT draw_id, stratum, 'M9999', 'ff', 9 FROM roll."case" LIMIT 1"""
        )
    )
    assert fieldwork.open_files(connection, work.survey_id, now()) == 1
    assert fieldwork.open_files(connection, work.survey_id, now()) == 0
    assert cases.numbers_by_stage(connection, work.survey_id) == {"done": 1, "phone": 3}
    told = [one.outcome for one in cases.outcomes_of(connection, work.survey_id)]
    assert told == ["1.1", "3.11", "3.11", "3.11"]


def test_a_plan_that_drops_a_mode_moves_its_cases_on(connection):
    work = some_work(connection, 2, plan=replace(PLAN, modes=("web", "phone")))
    fieldwork.set_plan(connection, work.survey_id, replace(PLAN, modes=("visit",)), work.office, now())
    assert cases.numbers_by_stage(connection, work.survey_id) == {"visit": 2}


def test_listed_cases_are_worked_in_sealed_surveys_only(connection):
    work = some_work(connection, 1)
    connection.execute(text("UPDATE office.survey SET secrecy = 'open'"))
    with pytest.raises(Refused, match="listed_needs_sealed"):
        fieldwork.set_plan(connection, work.survey_id, Plan(script_zh="您好"), work.office, now())


def test_interview_codes_stand_on_no_list_of_what_was_handed_out(connection):
    work = some_work(connection, 2)
    begin(connection, work, take(connection, work).case_id)
    assert [one.kind for one in invitations.batches_of(connection, work.survey_id)] == []
    spend(connection, next(one.mac for one in hold_codes(connection, work.cases[0])))
    assert notice(connection, work.cases[0])
