"""One live code a case: invitations, new codes and interviews at the same moment; who is left in peace; contacts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text

from api.actions import fieldwork, interviews, listed
from api.actions.listed import Mailing, Office
from api.actions.notices import PARTS, publish_notice
from api.actions.sealed_words import Safe
from api.store import cases
from api.store.case_codes import hold_codes
from survey_forms.refusal import Refused
from survey_forms.sampling.contacts import DEFAULTS
from tests.fieldwork import PEPPER, SECRET, a_web_code, now, sent, some_work, take

OFFICE = Office(PEPPER, Safe(SECRET), "https://pingyi.example.gov.cn")
INVITE = Mailing("invitation", "sms", DEFAULTS["invitation"])
REMIND = Mailing("reminder", "sms", DEFAULTS["reminder"])
NUMBER = 10


def inviting_work(connection, number, interviewers=1):
    work = some_work(connection, number, interviewers)
    words = {"zh": {part: f"说明 {part}" for part in PARTS} | {"sponsor": "办公室", "help_line": "0592-12345"}}
    publish_notice(connection, work.survey_id, words, work.office, now())
    return work


def live(connection, case_id):
    return [one for one in hold_codes(connection, case_id) if not one.spent and not one.revoked]


@pytest.mark.parametrize("begun_before", [False, True], ids=["first interview", "a batch exists"])
def test_an_interview_waits_for_the_invitation_of_its_case_and_suspends_its_code(engine, begun_before):
    with engine.begin() as connection:
        work = inviting_work(connection, 3, 2)
        if begun_before:
            interviews.begin(connection, PEPPER, take(connection, work, who=1).case_id, {}, work.interviewers[1], now())
        file = take(connection, work)
    invited = threading.Event()

    def begin():
        invited.wait(30)
        with engine.begin() as connection:
            return interviews.begin(connection, PEPPER, file.case_id, {}, work.interviewers[0], now())

    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as connection:
            listed.invite(connection, OFFICE, work.survey_id, INVITE, work.office, now())
            begun = threads.submit(begin)
            invited.set()
            with suppress(TimeoutError):
                begun.result(1)
            assert not begun.done()
        code = begun.result(30)
    with engine.begin() as connection:
        assert [one.mac for one in live(connection, file.case_id)] == [code.mac]


def test_invitations_new_codes_and_interviews_at_once_leave_one_live_code_a_case(engine):
    with engine.begin() as connection:
        work = inviting_work(connection, NUMBER, NUMBER)
        held = {who: take(connection, work, who=who).case_id for who in range(NUMBER)}
        for case_id in work.cases[::2]:
            a_web_code(connection, work, case_id)
    together = threading.Barrier(2 * NUMBER + 1)

    def press(verb, *arguments):
        together.wait(30)
        with suppress(Refused), engine.begin() as connection:
            verb(connection, *arguments, now())

    acts = [(interviews.begin, PEPPER, held[who], {}, work.interviewers[who]) for who in range(NUMBER)]
    acts += [(listed.reissue, OFFICE, work.survey_id, one, INVITE, work.office) for one in work.cases]
    acts += [(listed.invite, OFFICE, work.survey_id, INVITE, work.office)]
    with ThreadPoolExecutor(len(acts)) as threads:
        for one in [threads.submit(press, *act) for act in acts]:
            one.result(60)
    with engine.begin() as connection:
        assert {one: len(live(connection, one)) for one in work.cases} == dict.fromkeys(work.cases, 1)


def test_who_refused_rests_or_is_done_with_gets_neither_invitation_nor_reminder(connection):
    work = inviting_work(connection, 3)
    for case_id in work.cases[1:]:
        a_web_code(connection, work, case_id)
    for outcome in ("2.112", "4.33", "2.20"):  # rests for days; goes on to the visits; is asked again in a while
        fieldwork.record(connection, sent(take(connection, work).case_id, outcome), work.interviewers[0], now())
    files = {one: cases.file_of(connection, one) for one in work.cases}
    assert all(one.not_before for one in files.values())
    for verb, mailing in ((listed.invite, INVITE), (listed.remind, REMIND)):
        with pytest.raises(Refused, match="nobody_to_write_to"):
            verb(connection, OFFICE, work.survey_id, mailing, work.office, now())
    connection.execute(text("UPDATE roll.case_file SET not_before = now() - interval '1 second'"))
    connection.execute(text("UPDATE roll.case_file SET stage = 'done' WHERE case_id = :one"), {"one": work.cases[1]})
    assert listed.invite(connection, OFFICE, work.survey_id, INVITE, work.office, now()) == 1
    assert listed.remind(connection, OFFICE, work.survey_id, replace(REMIND), work.office, now()) == 2
    told = connection.execute(text("SELECT DISTINCT case_id FROM roll.message")).scalars()
    assert set(told) == {work.cases[0], work.cases[2]}


def test_a_replaced_contact_is_audited_by_its_case_and_never_by_its_number(connection):
    work = inviting_work(connection, 2)
    same = f"M0001,138{work.cases[0]:08}"
    listed.load_contacts(
        connection, OFFICE, work.survey_id, f"成员编号,手机\n{same}\nM0002,13900000001".encode(), work.office, now()
    )
    told = connection.execute(text("SELECT about FROM office.audit WHERE act = 'contact_replaced'")).scalars().all()
    assert told == [{"survey": work.survey_id, "case": work.cases[1]}]
