"""Handing out codes at the desk: sheets come once, a batch is revoked with a reason, listed people are written to."""

import io
import os
import re

import pytest
from sqlalchemy import func, select, text, update

from api.actions.failure_cap import FailureCap
from api.documents_pdf import press
from api.services import KEY
from api.store import roll
from api.store.invitations import batches_of, handed_out
from tests.desk import a_person
from tests.invitations import MEMBERS, an_inviting_survey
from tests.live import serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look

SHOTS = os.environ.get("MINGCHA_SHOTS", "")
CONTACTS = "成员编号,手机,邮箱\nM001,138 1234 5678,\nM002,,li@xm.gov.cn\nM003,+86 13900001111,wang@xm.gov.cn\n"


@pytest.fixture
def printer(engine):
    with engine.begin() as connection:
        return an_inviting_survey(connection)


@pytest.fixture
def listed(engine):
    with engine.begin() as connection:
        return an_inviting_survey(connection, secrecy="sealed", members=12)


@pytest.fixture
def office(app, request):
    """Signed in; the survey must be there before."""
    request.getfixturevalue("printer" if "printer" in request.fixturenames else "listed")
    return signed_in(app, "printer")


def base(made):
    return f"/office/surveys/{made.survey.id}/invitations"


def send(client, made, step, **fields):
    page = client.get(base(made)).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert token
    assert seen
    return client.post(f"{base(made)}/{step}", data={"form_token": token[1], "seen": seen[1], **fields})


def number_of_codes(engine):
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(roll.access_code)).scalar()


class TestPrinting:
    def test_the_sheets_come_as_one_file_that_is_kept_nowhere(self, office, printer, engine, settings):
        answer = send(office, printer, "print", **{"n-siming": "3", "spelling": "letters"})
        assert answer.status_code == 200
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF-")
        assert "attachment" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert number_of_codes(engine) == 3
        page = text_of(office.get(base(printer)).text)
        assert "已生成、已交付、未保留" in page
        assert "printer 某" in page
        kept = [path for path in settings.data_dir.rglob("*") if path.is_file() and b"%PDF" in path.read_bytes()]
        assert kept == []

    def test_every_wrong_number_is_told_at_its_field_and_nothing_is_made(self, office, printer, engine):
        for number in ("three", "-1", "2001", "1e3", "99999999"):
            answer = send(office, printer, "print", **{"n-siming": number})
            assert answer.status_code == 422
            assert 'href="#n-siming"' in answer.text
            assert "思明区：份数应为" in text_of(answer.text)
        assert "没有可印的" in text_of(send(office, printer, "print", **{"n-siming": ""}).text)
        assert number_of_codes(engine) == 0

    def test_a_second_tap_is_told_so(self, office, printer, engine):
        page = office.get(base(printer)).text
        token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
        data = {"form_token": token, "seen": "0", "n-siming": "2"}
        assert office.post(f"{base(printer)}/print", data=data).status_code == 200
        second = office.post(f"{base(printer)}/print", data=data)
        assert second.status_code == 409
        assert "所以没有再印" in text_of(second.text)
        assert number_of_codes(engine) == 2

    def test_without_a_file_there_are_no_codes(self, office, printer, engine, monkeypatch):
        monkeypatch.setattr(press, "SCRIPT", press.SCRIPT.with_name("gone.py"))
        answer = send(office, printer, "print", **{"n-siming": "3"})
        assert answer.status_code == 500
        assert "没有发出任何码" in text_of(answer.text)
        assert number_of_codes(engine) == 0

    def test_without_a_notice_the_page_leads_to_it(self, office, printer, engine):
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM office.privacy_notice"))
        page = office.get(base(printer)).text
        assert 'href="/office/notice"' in page
        assert "生成并下载 PDF</button>" not in page
        assert send(office, printer, "print", **{"n-siming": "3"}).status_code == 409

    def test_a_batch_is_revoked_with_a_reason(self, office, printer, engine):
        send(office, printer, "print", **{"n-siming": "4"})
        with engine.connect() as connection:
            (batch,) = batches_of(connection, printer.survey.id)
        wordless = send(office, printer, f"batches/{batch.id}/revoke", reason=" ")
        assert wordless.status_code == 422
        assert f'href="#reason-{batch.id}"' in wordless.text
        assert send(office, printer, f"batches/{batch.id}/revoke", reason="文件丢了").status_code == 303
        with engine.connect() as connection:
            assert handed_out(connection, printer.survey.id)["siming"].revoked == 4
        page = text_of(office.get(base(printer)).text)
        assert "已作废" in page
        assert "文件丢了" in page
        assert "作废评议码" in text_of(office.get("/office/audit").text)

    def test_a_code_that_cannot_be_replaced_is_not_explained_and_counts_as_failed(self, app, office, printer):
        app.extensions[KEY].answering.booths.caps.typed = FailureCap(5, lambda: 0.0)
        answer = send(office, printer, "reissue", code="B222-2222-22H")
        assert answer.status_code == 409
        assert "原因不再细分" in text_of(answer.text)
        for _ in range(5):
            answer = send(office, printer, "reissue", code="B222222222H")
        assert answer.status_code == 429
        assert send(office, printer, "reissue", code="nonsense").status_code == 422

    def test_the_survey_page_leads_here_and_only_the_office_comes_in(self, app, office, printer, engine):
        assert office.get(f"/office/surveys/{printer.survey.id + 99}/invitations").status_code == 404
        with engine.begin() as connection:
            a_person(connection, "bureau", "bureau")
        assert signed_in(app, "bureau").get(base(printer)).status_code == 403

    def test_an_open_survey_says_why_nobody_can_be_listed(self, office, printer):
        assert "本次评议不能按名单发码" in office.get(base(printer)).text
        told = send(office, printer, "send", kind="invitation", channel="sms", template="{code}")
        assert told.status_code == 409
        assert "密封评议" in text_of(told.text)


class TestListed:
    def load(self, office, listed, content=CONTACTS):
        page = office.get(base(listed)).text
        token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
        sent = {"form_token": token, "file": (io.BytesIO(content.encode()), "contacts.csv")}
        return office.post(f"{base(listed)}/contacts", data=sent)

    def test_contacts_are_shown_in_part_and_stored_sealed(self, office, listed, engine):
        assert self.load(office, listed).status_code == 303
        page = office.get(base(listed)).text
        for shown in ("138****5678", "l***@xm.gov.cn", "139****1111 w***@xm.gov.cn"):
            assert shown in page
        assert "13812345678" not in page
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT encode(sealed, 'escape') FROM roll.contact")).scalars().all()
        assert len(rows) == 3
        assert not any("138" in row or "xm.gov" in row for row in rows)

    def test_every_fault_of_a_file_is_told_and_none_of_it_is_kept(self, office, listed, engine):
        rows = ("M001,123,", "M999,13812345678,", "M002,,nonsense", "M003,,", "M004,13812345678,", "M004,13812345678,")
        wrong = "\n".join(["成员编号,手机,邮箱", *rows])
        answer = self.load(office, listed, wrong)
        assert answer.status_code == 422
        words = text_of(answer.text)
        for sentence in (
            "第 2 行“手机”", "第 3 行“成员编号”：抽中的名单里没有", "第 4 行“邮箱”",
            "第 5 行：手机、邮箱和住址都是空的",
            "第 7 行“成员编号”：这个编号前面已经有一行",
        ):  # fmt: skip
            assert sentence in words
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM roll.contact")).scalar() == 0

    def test_invitations_are_owed_and_a_case_can_get_a_new_code(self, office, listed, engine):
        self.load(office, listed)
        assert send(office, listed, "send", kind="invitation", channel="sms", template="打开 {link}").status_code == 303
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM owed.outbox WHERE topic = 'notices'")).scalar() == 2
        page = office.get(base(listed)).text
        assert page.count("正在发送") == 2
        assert (
            send(office, listed, f"cases/{listed.cases[0]}/reissue", channel="sms", template="{code}").status_code
            == 303
        )
        with engine.connect() as connection:
            good = connection.execute(text("SELECT count(*) FROM roll.access_code WHERE NOT revoked")).scalar()
        assert good == 2
        again = send(office, listed, "send", kind="invitation", channel="sms", template="{link}")
        assert again.status_code == 409
        assert "没有需要发送的人" in text_of(again.text)

    def test_the_page_does_not_say_who_has_answered(self, office, listed, engine):
        self.load(office, listed)
        send(office, listed, "send", kind="invitation", channel="sms", template="{link}")
        before = office.get(base(listed)).text
        with engine.begin() as connection:
            mac = connection.execute(text("SELECT mac FROM roll.case_code ORDER BY case_id LIMIT 1")).scalar_one()
            connection.execute(update(roll.access_code).where(roll.access_code.c.mac == mac).values(spent=True))
        after = office.get(base(listed)).text
        people = re.compile(r'<tr id="case-.*?</tr>', re.DOTALL)
        assert people.findall(before) == people.findall(after)
        assert len(people.findall(after)) == len(MEMBERS)

    @pytest.mark.parametrize(
        ("template", "words"),
        [
            ("", "请写明要发送的内容"),
            ("no blank at all", "邀请里要有"),
            ("{code} {name}", "不认识的占位“name”"),
            ("{code!r}", "不认识的占位"),
            ("{code.__class__}", "不认识的占位"),
            ("{code:>99999}", "不认识的占位"),
            ("{code", "花括号不成对"),
        ],
    )
    def test_a_template_that_cannot_be_filled_in_is_refused(self, office, listed, engine, template, words):
        self.load(office, listed)
        answer = send(office, listed, "send", kind="invitation", channel="sms", template=template)
        assert answer.status_code == 422
        assert words in text_of(answer.text)
        assert number_of_codes(engine) == 0

    def test_a_reminder_cannot_name_a_code(self, office, listed):
        self.load(office, listed)
        answer = send(office, listed, "send", kind="reminder", channel="sms", template="{code}")
        assert answer.status_code == 422

    def test_the_list_to_fill_in_holds_every_drawn_member_and_no_contact(self, office, listed):
        self.load(office, listed)
        sheet = office.get(f"{base(listed)}/contacts.csv").data.decode("utf-8-sig")
        assert all(member in sheet for member in MEMBERS)
        assert "138" not in sheet


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESK, NARROW])
def test_the_page_is_well_made_in_every_state(browser, app, listed, size):
    office = signed_in(app, "printer")
    TestListed().load(office, listed)
    send(office, listed, "print", **{"n-siming": "2"})
    send(office, listed, "send", kind="invitation", channel="sms", template="{link}")
    with serving(app) as site, at_desk(browser, site, "printer", size) as (page, complaints):
        del complaints[:]  # the desk's own front page has no scheme here
        look(page, site + base(listed))
        page.fill("#n-siming", "many")
        page.get_by_role("button", name="生成并下载 PDF").click()
        page.wait_for_load_state()
        assert "份数应为" in page.get_by_role("alert").inner_text()
        assert [one for one in complaints if "422" not in one] == []
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/invitations-{size['width']}.png", full_page=True)
