"""Back-checks are cases of their own: chosen by chance or for a flag, asked by another, judged by a third."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import insert, select, update

from api.actions import backchecks, interviews, quality
from api.actions import fieldwork as fieldwork_verbs
from api.actions.backchecks import Said
from api.actions.sealed_words import Safe
from api.store import fieldwork, flags, roll
from api.store.backchecks import check_of, checks_of, completed, put_said
from api.store.cases import outcomes_of
from api.store.evaluations import round_
from api.store.paradata import attempts_in
from api.store.taking import take_next
from survey_forms.refusal import Refused
from survey_forms.sampling.contacts import Contact
from tests.actions.test_ballots import a_try, settle
from tests.desk import a_person
from tests.fieldwork import PEPPER, some_work
from tests.fieldwork import take as take_next_case
from tests.supervision import MORNING as NOW
from tests.supervision import SEED, a_field, an_attempt

SAFE = Safe(b"a test's key, thirty-two bytes at least")
SAID = Said("yes", "2026-03-09", 12, ("police",), "no")


@pytest.fixture
def field(connection):
    """Thirty completed interviews, twenty of one and ten of another, with numbers to call."""
    made = a_field(connection, [{"sex": "f"}] * 40, interviewers=3)
    for place, case in enumerate(made.cases[:30]):
        an_attempt(connection, case, made.interviewers[place >= 20], "1.1", began=NOW + timedelta(minutes=9 * place))
        sealed = SAFE.seal_contact(case, Contact(f"1380000{place:04}", None))
        connection.execute(insert(roll.contact).values(case_id=case, sealed=sealed))
    an_attempt(connection, made.cases[31], made.interviewers[0], "2.11")
    return made


@pytest.fixture
def office(connection):
    return a_person(connection, "an-office", "office")


AFTER = datetime.now(UTC) + timedelta(days=400)
"""The survey is over by then."""


def choose(connection, field, office, now=AFTER):
    return backchecks.choose_checks(connection, SAFE, field.survey.id, office, now)


def ticket(connection, field, place):
    """As anybody works it out who has the draw's record and the list of attempts."""
    case = connection.execute(select(roll.case.c.ticket).where(roll.case.c.id == field.cases[place])).scalar_one()
    began = (NOW + timedelta(minutes=9 * place)).isoformat(timespec="microseconds")
    return int(sha256(f"{SEED}|backcheck|{case}@{began}".encode()).hexdigest(), 16)


def take(connection, case, staff):
    held = {"held_by": staff, "held_at": NOW, "held_until": NOW + timedelta(hours=1)}
    connection.execute(update(fieldwork.case_file).where(fieldwork.case_file.c.case_id == case).values(**held))


def test_who_has_the_list_works_out_which_interviews_are_checked(connection, field, office):
    tickets = {place: ticket(connection, field, place) for place in range(30)}
    below = {place for place, one in tickets.items() if one * 10 < 2**256}
    assert choose(connection, field, office, NOW) == (len(below), 0)
    early = {check.checks for check in checks_of(connection, field.survey.id)}
    assert early == {field.cases[place] for place in below}
    for hand in (range(20), range(20, 30)):
        if not below & set(hand):
            below.add(min(hand, key=tickets.get))
    assert choose(connection, field, office) == (len(below) - len(early), 0)
    assert choose(connection, field, office) == (0, 0)
    made = checks_of(connection, field.survey.id)
    assert {check.checks for check in made} == {field.cases[place] for place in below}
    assert {check.interviewer for check in made} == set(field.interviewers[:2])
    for check in made:
        kind = connection.execute(select(roll.case.c.kind).where(roll.case.c.id == check.case_id)).scalar_one()
        assert (kind, check.stage, check.checks in field.cases[:30]) == ("backcheck", "phone", True)
        old, new = (
            connection.execute(select(roll.contact.c.sealed).where(roll.contact.c.case_id == case)).scalar_one()
            for case in (check.checks, check.case_id)
        )
        assert SAFE.open_contact(check.case_id, new) == SAFE.open_contact(check.checks, old)


def test_every_flagged_interview_is_checked_as_well_and_none_twice(connection, field, office):
    flagged = [*field.cases[:5], field.cases[31]]  # the last one was no interview
    rows = [
        {"survey_id": field.survey.id, "kind": "overlap", "subject_kind": "case", "subject": str(case), "facts": {}}
        for case in flagged
    ]
    connection.execute(insert(flags.quality_flag), rows)
    by_chance, for_flags = choose(connection, field, office)
    assert by_chance > 0
    made = checks_of(connection, field.survey.id)
    assert set(field.cases[:5]) <= {check.checks for check in made}
    assert field.cases[31] not in {check.checks for check in made}
    assert len(made) == len({check.checks for check in made}) == by_chance + for_flags


def test_a_back_check_is_in_no_rate_and_in_no_interviewers_measure(connection, field, office):
    before = outcomes_of(connection, field.survey.id), attempts_in(connection, field.survey.id)
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    take(connection, case, field.interviewers[2])
    backchecks.write_said(connection, case, SAID, field.interviewers[2], NOW)
    assert (outcomes_of(connection, field.survey.id), attempts_in(connection, field.survey.id)) == before
    assert check_of(connection, case).stage == "done"


def test_who_made_the_interview_neither_asks_nor_judges_and_who_asked_does_not_judge(connection, field, office):
    choose(connection, field, office)
    check = checks_of(connection, field.survey.id)[0]
    caller = field.interviewers[2]
    take(connection, check.case_id, check.interviewer)
    refused(lambda: backchecks.write_said(connection, check.case_id, SAID, check.interviewer, NOW), "backcheck_own")
    take(connection, check.case_id, caller)
    backchecks.write_said(connection, check.case_id, SAID, caller, NOW)
    for staff in (check.interviewer, caller):
        refused(
            lambda who=staff: backchecks.judge(connection, check.survey_id, check.case_id, "false", who, NOW),
            "backcheck_second_person",
        )
    backchecks.judge(connection, check.survey_id, check.case_id, "false", office, NOW)
    refused(
        lambda: backchecks.judge(connection, check.survey_id, check.case_id, "confirmed", office, NOW),
        "backcheck_judged",
    )
    found = backchecks.results_of(checks_of(connection, field.survey.id))
    assert found[check.interviewer]["false"] == 1


def test_nobody_writes_what_was_said_without_holding_the_case(connection, field, office):
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    refused(lambda: backchecks.write_said(connection, case, SAID, field.interviewers[2], NOW), "case_not_held")


@pytest.mark.parametrize("verdict", ["confirmed", "doubtful", "false"])
def test_what_was_not_asked_is_not_reached_and_nothing_else(connection, field, office, verdict):
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    refused(lambda: backchecks.judge(connection, field.survey.id, case, verdict, office, NOW), "backcheck_unasked")
    backchecks.judge(connection, field.survey.id, case, "not_reached", office, NOW)


def test_what_is_kept_of_a_back_check_is_the_four_answers_and_no_ballot(connection, field, office):
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    take(connection, case, field.interviewers[2])
    wrong = Said("perhaps", "", 9999, (), "")
    with pytest.raises(Refused) as caught:
        backchecks.write_said(connection, case, wrong, field.interviewers[2], NOW)
    assert [fault.path for fault in caught.value.faults] == ["took_place", "told_answers", "minutes"]
    backchecks.write_said(connection, case, SAID, field.interviewers[2], NOW)
    assert set(check_of(connection, case).said) == {
        "took_place", "day", "minutes", "subjects", "told_answers", "asked_by",
    }  # fmt: skip


def refused(act, code):
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.code == code


def test_no_second_interview_is_made_of_a_back_check(connection, field, office):
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    take(connection, case, field.interviewers[2])
    present = datetime.now(UTC)
    held = {"held_at": present, "held_until": present + timedelta(hours=1)}
    connection.execute(update(fieldwork.case_file).where(fieldwork.case_file.c.case_id == case).values(**held))
    refused(
        lambda: interviews.begin(
            connection, b"a test's pepper, thirty-two bytes at least", case, {}, field.interviewers[2], present
        ),
        "backcheck_no_interview",
    )


def test_the_desk_gives_a_back_check_to_anybody_but_who_made_the_interview(connection, field, office):
    choose(connection, field, office)
    checks = {check.case_id: check for check in checks_of(connection, field.survey.id)}
    mine = {case for case, check in checks.items() if check.interviewer == field.interviewers[0]}
    others = fieldwork.case_file.c.case_id.not_in(checks)
    connection.execute(update(fieldwork.case_file).where(others).values(stage="done"))

    def given(staff):
        until = NOW + timedelta(hours=1)
        ask = {"calling": True, "now": NOW, "until": until}
        found = []
        while (case := take_next(connection, field.survey.id, "phone", staff, **ask)) is not None:
            found.append(case)
        return set(found)

    assert given(field.interviewers[0]) == checks.keys() - mine
    assert given(field.interviewers[2]) == mine


def test_who_asked_does_not_judge_even_where_no_attempt_tells_of_it(connection, field, office):
    choose(connection, field, office)
    check = checks_of(connection, field.survey.id)[0]
    caller = field.interviewers[2]
    take(connection, check.case_id, caller)
    backchecks.write_said(connection, check.case_id, SAID, caller, NOW)
    said = dict(check_of(connection, check.case_id).said)
    other = checks_of(connection, field.survey.id)[1]
    put_said(connection, other.case_id, said)  # as if its attempt had been lost
    refused(
        lambda: backchecks.judge(connection, field.survey.id, other.case_id, "confirmed", caller, NOW),
        "backcheck_second_person",
    )


def test_no_verdict_is_written_by_way_of_another_survey(connection, field, office):
    choose(connection, field, office)
    case = checks_of(connection, field.survey.id)[0].case_id
    other = a_field(connection, code="other-2015").survey.id
    refused(lambda: backchecks.judge(connection, other, case, "not_reached", office, NOW), "not_found")
    assert check_of(connection, case).verdict is None


def test_the_questions_are_shown_to_who_holds_the_case_and_never_to_who_made_the_interview(connection, field, office):
    choose(connection, field, office)
    check = checks_of(connection, field.survey.id)[0]
    asker, another = field.interviewers[2], a_person(connection, "another", "interviewer")

    def shown(staff):
        return backchecks.shown_to(connection, check.case_id, staff, NOW)

    refused(lambda: shown(asker), "case_not_held")
    take(connection, check.case_id, check.interviewer)
    refused(lambda: shown(check.interviewer), "backcheck_own")
    take(connection, check.case_id, asker)
    assert shown(asker).case_id == check.case_id
    backchecks.write_said(connection, check.case_id, SAID, asker, NOW)
    assert shown(asker).said
    refused(lambda: shown(another), "case_not_held")
    refused(lambda: backchecks.shown_to(connection, field.cases[0], asker, NOW), "not_found")


@pytest.mark.parametrize("act", ["checks", "flags"])
def test_an_interview_handed_in_whose_browser_was_closed_is_settled_first(connection, act):
    work = some_work(connection, 1)
    file = take_next_case(connection, work)
    code = interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[0], datetime.now(UTC))
    assert settle(connection, a_try(code.typed)) == ["accepted"]
    assert completed(connection, work.survey_id) == []
    if act == "checks":
        assert backchecks.choose_checks(connection, SAFE, work.survey_id, work.office, AFTER) == (1, 0)
    else:
        quality.raise_field_flags(connection, work.survey_id, AFTER)
    assert [one.case_id for one in completed(connection, work.survey_id)] == [file.case_id]


def test_after_the_close_back_checks_are_taken_and_nothing_else_until_the_freeze(connection):
    work = some_work(connection, 2, 2)
    file = take_next_case(connection, work)
    code = interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[0], datetime.now(UTC))
    assert settle(connection, a_try(code.typed)) == ["accepted"]
    backchecks.choose_checks(connection, SAFE, work.survey_id, work.office, AFTER)
    (check,) = checks_of(connection, work.survey_id)
    assert fieldwork_verbs.take(connection, work.survey_id, "phone", work.interviewers[0], AFTER) is None
    assert take_next_case(connection, work, AFTER, 1).case_id == check.case_id
    connection.execute(update(round_).values(status="frozen"))
    refused(
        lambda: fieldwork_verbs.take(connection, work.survey_id, "phone", work.interviewers[1], AFTER),
        "fieldwork_not_open",
    )
