"""Codes for listed cases: only where ballots are sealed; made when they are sent, known by their MACs when they are."""

import re
import threading
from collections import Counter
from datetime import timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from sqlalchemy import select, text, update

from api.actions import listed
from api.actions.invitations import revoke_batch
from api.actions.listed import Mailing, Office
from api.actions.messages import Post, send_message
from api.actions.responses import CODE_NAMESPACE
from api.actions.sealed_words import Safe, Words
from api.senders.sender import NotSentError, UndeliverableError
from api.store import people, roll
from api.store.invitations import batches_of
from api.store.listed import cases_of
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import canonical, code_mac, read_code
from survey_forms.sampling.contacts import DEFAULTS, Contact, check_template, filled, masked, read_mail, read_phone
from tests.builders import a_grid_book
from tests.invitations import HELP_LINE, MEMBERS, an_inviting_survey, now

PEPPER = b"a test's pepper, thirty-two bytes at least"
OFFICE = Office(PEPPER, Safe(b"a test's key, thirty-two bytes at least"), "https://pingyi.example.gov.cn")
INVITE = Mailing("invitation", "sms", DEFAULTS["invitation"])
REMIND = Mailing("reminder", "sms", DEFAULTS["reminder"])


EVERYTHING = text(
    "SELECT string_agg(t, ' ') FROM (SELECT m::text AS t FROM roll.message m"
    " UNION ALL SELECT c::text FROM roll.contact c UNION ALL SELECT o::text FROM owed.outbox o"
    " UNION ALL SELECT a::text FROM office.audit a UNION ALL SELECT x::text FROM roll.access_code x) s"
)


class Noting:
    """A sender that keeps what it is given, or fails as it is told."""

    def __init__(self, *faults):
        self.sent, self.faults = [], list(faults)

    def send(self, message):
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        self.sent.append(message)
        return f"p-{len(self.sent)}"


def refusals(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def contacts(number=12):
    rows = [f"{member},138{place:08d},{member.lower()}@xm.gov.cn" for place, member in enumerate(MEMBERS[:number])]
    return "\n".join(["成员编号,手机,邮箱", *rows]).encode()


def deliver(connection, sender=None, moment=None):
    """Do what the worker owes."""
    sender = sender or Noting()
    for number in connection.execute(text("SELECT key FROM owed.outbox WHERE topic = 'notices' ORDER BY id")).scalars():
        send_message(connection, Post(OFFICE.safe, sender), int(number), moment or now())
    return sender


def code_in(words):
    return canonical(PEPPER, CODE_NAMESPACE, read_code(re.search(r"评议码 ([0-9A-Z-]+)", words)[1]))


def opens(connection, code):
    good = select(roll.access_code.c.mac).where(
        roll.access_code.c.mac == code_mac(PEPPER, CODE_NAMESPACE, code),
        ~roll.access_code.c.spent,
        ~roll.access_code.c.revoked,
    )
    return connection.execute(good).first() is not None


def spend(connection, code):
    mac = code_mac(PEPPER, CODE_NAMESPACE, code)
    connection.execute(update(roll.access_code).where(roll.access_code.c.mac == mac).values(spent=True))


@pytest.fixture
def made(connection):
    found = an_inviting_survey(connection, secrecy="sealed", members=12)
    listed.load_contacts(connection, OFFICE, found.survey.id, contacts(), found.staff, now())
    return found


def act(connection, verb, made, *more):
    return verb(connection, OFFICE, made.survey.id, *more, made.staff, now())


class TestInviting:
    def test_everybody_with_an_address_gets_a_code_of_their_own(self, connection, made):
        assert act(connection, listed.invite, made, INVITE) == 12
        sent = deliver(connection).sent
        codes = [code_in(one.text) for one in sent]
        assert len({one.to for one in sent}) == len(set(codes)) == 12
        assert all(opens(connection, code) for code in codes)
        for one, code in zip(sent, codes, strict=True):
            link = re.search(r"https://\S+", one.text)[0]
            address, _, token = link.partition("/#")
            assert address == OFFICE.base_url
            assert canonical(PEPPER, CODE_NAMESPACE, read_code(token)) == code
            assert HELP_LINE in one.text
        (batch,) = batches_of(connection, made.survey.id)
        assert (batch.kind, batch.sheets, batch.handed_over_at) == ("listed", 12, None)

    def test_whoever_has_a_code_is_not_written_to_twice(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        assert refusals(act, connection, listed.invite, made, INVITE) == [("nobody_to_write_to", "")]

    def test_an_open_survey_refuses_all_of_it(self, connection):
        made = an_inviting_survey(connection, members=3)
        for verb, more in (
            (listed.load_contacts, (contacts(3),)), (listed.invite, (INVITE,)), (listed.remind, (REMIND,)),
            (listed.reissue, (made.cases[0], INVITE)),
        ):  # fmt: skip
            assert refusals(act, connection, verb, made, *more) == [("listed_needs_sealed", "")]
        assert connection.execute(text("SELECT count(*) FROM roll.case_code")).scalar() == 0

    def test_nothing_can_be_read_in_the_database_before_and_after(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        before = connection.execute(EVERYTHING).scalar_one()
        sent = deliver(connection).sent
        after = connection.execute(EVERYTHING).scalar_one()
        for one in sent:
            code = code_in(one.text)
            for secret in (one.to, code, one.text, one.to.encode().hex(), code.encode().hex()):
                assert secret not in before
                assert secret not in after
        rows = connection.execute(select(roll.message.c.sealed, roll.message.c.provider_id)).all()
        assert [row.sealed for row in rows] == [None] * 12
        assert {row.provider_id for row in rows} == {f"p-{number}" for number in range(1, 13)}

    def test_blocks_are_dealt_in_the_order_of_tickets(self, connection):
        made = an_inviting_survey(connection, a_grid_book(2), secrecy="sealed", per=1, members=12)
        listed.load_contacts(connection, OFFICE, made.survey.id, contacts(), made.staff, now())
        assert refusals(act, connection, listed.invite, made, INVITE) == [("too_few_for_blocks", made.survey.stratum)]


class TestReminding:
    def test_only_those_whose_code_is_unspent_and_never_with_a_code(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        invited = {one.to: code_in(one.text) for one in deliver(connection).sent}
        answered = sorted(invited)[:5]
        for to in answered:
            spend(connection, invited[to])
        assert act(connection, listed.remind, made, REMIND) == 7
        sent = deliver(connection).sent
        assert {one.to for one in sent} == set(invited) - set(answered)
        for one in sent:
            assert not any(code in one.text.replace("-", "") for code in invited.values())
        about = connection.execute(select(people.audit.c.about).where(people.audit.c.act == "reminders_sent")).scalar()
        assert about == {"survey": made.survey.id, "channel": "sms", "number": 7}

    def test_nobody_is_reminded_who_answered_meanwhile(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        invited = {one.to: code_in(one.text) for one in deliver(connection).sent}
        act(connection, listed.remind, made, REMIND)
        for code in invited.values():
            spend(connection, code)
        assert deliver(connection).sent == []
        failed = connection.execute(select(roll.message.c.failed).where(roll.message.c.kind == "reminder")).scalars()
        assert set(failed) == {"not_needed"}


class TestReissuing:
    def test_the_older_code_is_worth_nothing_at_once(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        old = {one.to: code_in(one.text) for one in deliver(connection).sent}["13800000000"]
        act(connection, listed.reissue, made, made.cases[0], INVITE)
        assert not opens(connection, old)
        (new,) = deliver(connection).sent
        assert new.to == "13800000000"
        assert opens(connection, code_in(new.text))

    def test_a_code_still_on_its_way_is_not_sent_any_more(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        act(connection, listed.reissue, made, made.cases[0], INVITE)
        sent = Counter(one.to for one in deliver(connection).sent)
        assert sent["13800000000"] == 1

    def test_whose_code_is_spent_gets_none_and_the_office_is_not_told_why(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        for one in deliver(connection).sent:
            spend(connection, code_in(one.text))
        spent = refusals(act, connection, listed.reissue, made, made.cases[0], INVITE)
        connection.execute(text("DELETE FROM roll.case_code"))
        assert refusals(act, connection, listed.reissue, made, made.cases[0], INVITE) == spent
        assert spent == [("reissue_refused", "code")]

    def test_eight_at_once_leave_one_good_code(self, engine):
        with engine.begin() as connection:
            made = an_inviting_survey(connection, secrecy="sealed", members=2)
            listed.load_contacts(connection, OFFICE, made.survey.id, contacts(2), made.staff, now())
            act(connection, listed.invite, made, INVITE)

        def again():
            with engine.begin() as connection:
                act(connection, listed.reissue, made, made.cases[0], INVITE)

        threads = [threading.Thread(target=again) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT case_id, count(*) FILTER (WHERE NOT revoked) AS good, count(*) AS made FROM roll.case_code"
                    " JOIN roll.access_code USING (mac) GROUP BY case_id ORDER BY case_id"
                )
            ).all()
            waiting = connection.execute(text("SELECT count(*) FROM roll.message WHERE sealed IS NOT NULL")).scalar()
        assert [(row.good, row.made) for row in rows] == [(1, 9), (1, 1)]
        assert waiting == 2

    def test_a_revoked_batch_withdraws_what_is_on_its_way_and_its_cases_can_be_invited_anew(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        (batch,) = batches_of(connection, made.survey.id)
        revoke_batch(connection, made.survey.id, batch.id, "模板写错", made.staff, now())
        assert deliver(connection).sent == []
        assert act(connection, listed.invite, made, INVITE) == 12


class TestSending:
    def test_what_failed_is_sent_later_under_the_same_id_and_once(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        number = connection.execute(text("SELECT min(id) FROM roll.message")).scalar_one()
        sender = Noting(NotSentError("gateway_503"))
        post = Post(OFFICE.safe, sender)
        with pytest.raises(NotSentError):
            send_message(connection, post, number, now())
        for _ in range(3):
            send_message(connection, post, number, now())
        (sent,) = sender.sent
        assert sent.id.startswith(f"mingcha-{number}-")

    def test_what_the_gateway_will_never_take_is_given_up_and_wiped(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        deliver(connection, Noting(UndeliverableError("gateway_422")))
        rows = connection.execute(
            select(roll.message.c.failed, roll.message.c.sealed).order_by(roll.message.c.id)
        ).all()
        assert rows[0] == ("gateway_422", None)
        assert [row.failed for row in rows[1:]] == [None] * 11

    def test_after_the_end_nothing_goes_out(self, connection, made):
        act(connection, listed.invite, made, INVITE)
        assert deliver(connection, moment=now() + timedelta(days=2)).sent == []
        assert set(connection.execute(select(roll.message.c.failed)).scalars()) == {"survey_over"}


class TestContacts:
    def test_an_excel_sheet_is_read_though_telephones_are_numbers_in_it(self, connection):
        made = an_inviting_survey(connection, secrecy="sealed", members=3)
        book = Workbook()
        book.active.append(["成员编号", "手机", "邮箱"])
        book.active.append(["M001", 13812345678, None])
        book.active.append([None, None, None])
        book.active.append(["M002", 13812345679.0, "li@xm.gov.cn"])
        data = BytesIO()
        book.save(data)
        facts = (OFFICE, made.survey.id, data.getvalue(), made.staff, now())
        assert listed.load_contacts(connection, *facts) == 2
        wrong = data.getvalue()[:-200]
        found = refusals(listed.load_contacts, connection, OFFICE, made.survey.id, wrong, made.staff, now())
        assert found[0][0] == "workbook_unreadable"
        stored = {case.member: case for case in cases_of(connection, made.survey.id) if case.contact}
        phones = {name: OFFICE.safe.open_contact(case.id, case.contact).phone for name, case in stored.items()}
        assert phones == {"M001": "13812345678", "M002": "13812345679"}

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("13812345678", "13812345678"), ("138 1234 5678", "13812345678"), ("+86-138-1234-5678", "13812345678"),
            ("１３８１２３４５６７８", "13812345678"), ("+85291234567", "+85291234567"), ("12812345678", None),
            ("1381234567", None), ("0592-1234567", None), ("+86 10086", None), ("", None), ("13812345678;DROP", None),
        ],
    )  # fmt: skip
    def test_a_telephone_number_is_read_or_refused(self, written, read):
        assert read_phone(written) == read

    @pytest.mark.parametrize(
        ("written", "fits"),
        [
            ("li@xm.gov.cn", True), ("a.b+c@h.cn", True), ("li@xm", False), ("@xm.cn", False),
            ("li@xm.cn\nBcc: x@y.z", False), ("l" * 65 + "@xm.cn", False), ("li <li@xm.cn>", False),
        ],
    )  # fmt: skip
    def test_a_mail_address_is_read_or_refused(self, written, fits):
        assert (read_mail(written) is not None) == fits

    def test_a_contact_is_shown_in_part(self):
        assert masked(Contact("13812345678", "zhang@xm.gov.cn")) == "138****5678 z***@xm.gov.cn"
        assert masked(Contact()) == ""

    @given(st.text(max_size=60))
    def test_a_template_is_refused_or_can_be_filled(self, template):
        for kind in ("invitation", "reminder"):
            try:
                check_template(kind, template)
            except Refused:
                continue
            filled(template, dict.fromkeys(("title", "link", "address", "code", "closes", "help"), "x"))

    def test_what_is_sealed_for_one_does_not_open_for_another_or_under_another_secret(self):
        safe = Safe(b"k" * 32)
        sealed = safe.seal_contact(7, Contact("13812345678"))
        assert safe.open_contact(7, sealed).phone == "13812345678"
        broken = bytes([sealed[0] ^ 1]) + sealed[1:]
        for other, case_id, box in ((safe, 8, sealed), (Safe(b"q" * 32), 7, sealed), (safe, 7, broken), (safe, 7, b"")):
            with pytest.raises(Refused, match="contact_unreadable"):
                other.open_contact(case_id, box)
        with pytest.raises(Refused, match="contact_unreadable"):
            safe.open_words(7, sealed)
        assert safe.seal_words(7, Words("a", "b")) != safe.seal_words(7, Words("a", "b"))
