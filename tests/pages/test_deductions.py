"""Objections, rectification and slips in a browser's hands: who sees what, what is asked again, what is handed out."""

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.datastructures import FileStorage
from werkzeug.security import generate_password_hash
from werkzeug.test import encode_multipart

from api.actions.assignments import open_due
from api.actions.due import day_of
from api.actions.escalation import remind_due
from api.actions.ledger import ask_reversal, reverse
from api.actions.objections import explain
from api.actions.rectifications import ProofSent, prove
from api.actions.revisits import order_revisit
from api.objects import Objects
from api.pages.evidence import HEADERS
from api.services import utc_now
from api.store.ledger import entries_of
from api.store.objections import objection_of
from api.store.papers import papers_of_objection
from api.store.people import acts, staff
from api.store.rectifications import rectification_of
from api.store.slips import slip_of, slips_about
from tests.deductions import (
    GROUNDS,
    PDF,
    Cast,
    a_cast,
    a_told_entry,
    an_explained_objection,
    an_objection,
    an_order,
    some_papers,
    standing,
)
from tests.inspections import PASSWORD
from tests.live import a_phone

MANY_DAYS = timedelta(days=40)
FORMS = re.compile(r'action="[^"]+"')


@pytest.fixture
def cast(engine) -> Cast:
    with engine.begin() as connection:
        made = a_cast(connection)
        secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
        connection.execute(update(staff).where(staff.c.password_hash == "-").values(password_hash=secret))
        return made


@pytest.fixture
def objects(settings) -> Objects:
    return Objects(settings.objects)


@pytest.fixture
def seq(engine, cast) -> int:
    with engine.begin() as connection:
        return a_told_entry(connection, cast, rule="rude_service", points="5", now=utc_now())


@pytest.fixture
def sign_in(app, cast) -> Callable[[str], FlaskClient]:  # noqa: ARG001 - the town's people sign in
    def signed_in(username: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    return signed_in


def token(client: FlaskClient) -> str:
    home = "/unit/slips" if client.get("/unit/slips").status_code == 200 else "/office/slips"
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(home).text)
    assert found
    return found[1]


def post(client: FlaskClient, address: str, papers: list[tuple[str, bytes]] | None = None, **facts: Any) -> Any:
    """Send a form with its files; the body is made here, for the test client would leave files open."""
    files = [FileStorage(io.BytesIO(content), name) for name, content in papers or []]
    boundary, body = encode_multipart({"form_token": token(client), "papers": files} | facts)
    return client.post(address, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def test_an_objection_goes_from_the_form_to_the_decision_and_the_score(engine, cast, seq, sign_in):
    unit = sign_in("unit")
    form = unit.get(f"/unit/entries/{seq}/objection")
    assert "异议期到" in form.text
    filed = post(unit, f"/unit/entries/{seq}/objection", some_papers(), grounds=GROUNDS)
    assert filed.status_code == 303
    own = unit.get(filed.headers["Location"]).text
    assert GROUNDS in own
    assert "批文.pdf" in own
    assert unit.get(f"/unit/entries/{seq}/objection").status_code == 303
    with engine.connect() as connection:
        address = f"/office/objections/{objection_of(connection, seq).id}"

    first, second = sign_in("office2"), sign_in("office3")
    assert "待说明" in first.get("/office/objections").text
    assert post(first, f"{address}/explanation", explanation="窗口录像在案").status_code == 303
    assert "应由未经手的工作人员决定" in first.get(address).text
    refused = post(first, f"{address}/decision", verdict="upheld", note="属实")
    assert refused.status_code == 403
    assert post(second, f"{address}/decision", verdict="reduced", points="5", note="情节较轻").status_code == 422
    assert post(second, f"{address}/decision", verdict="reduced", points="三", note="情节较轻").status_code == 422
    assert post(second, f"{address}/decision", verdict="", points="", note="情节较轻").status_code == 422
    assert post(second, f"{address}/decision", verdict="reduced", points="2.5", note="情节较轻").status_code == 303
    told = unit.get(filed.headers["Location"]).text
    assert "部分成立" in told
    assert "情节较轻" in told
    with engine.connect() as connection:
        assert standing(entries_of(connection, cast.town.evaluation_id)) == 2.5


def test_what_is_missing_is_said_and_what_was_written_stays(seq, sign_in):
    unit = sign_in("unit")
    address = f"/unit/entries/{seq}/objection"
    silent = post(unit, address, grounds="")
    assert (silent.status_code, "请写明异议的理由" in silent.text) == (422, True)
    wrong = post(unit, address, [("病毒.pdf", b"MZ\x90")], grounds=GROUNDS)
    assert wrong.status_code == 415
    assert "“病毒.pdf”不是 PDF" in wrong.text
    assert GROUNDS in wrong.text
    many = post(unit, address, [(f"{n}.pdf", PDF + bytes([n])) for n in range(6)], grounds=GROUNDS)
    assert (many.status_code, "至多 5 份" in many.text) == (422, True)


def test_a_late_objection_is_refused_by_its_last_day(engine, cast, sign_in):
    with engine.begin() as connection:
        seq = a_told_entry(connection, cast, now=utc_now() - MANY_DAYS)
        last = day_of(slip_of(connection, seq).due_at).isoformat()
    unit = sign_in("unit")
    for answer in (
        unit.get(f"/unit/entries/{seq}/objection"),
        post(unit, f"/unit/entries/{seq}/objection", grounds=GROUNDS),
    ):
        assert answer.status_code == 409
        assert f"最后一天是 {last}" in answer.text


def test_strangers_find_nothing(engine, cast, objects, seq, sign_in):
    with engine.begin() as connection:
        key = an_objection(connection, objects, cast, seq, utc_now())
        order = an_order(connection, cast, seq, utc_now())
        slip = slip_of(connection, seq).id
    strange, inspector = sign_in("unit2"), sign_in("inspector")
    for address in (
        f"/unit/entries/{seq}/objection",
        f"/unit/objections/{key}",
        f"/unit/rectifications/{order}",
        f"/unit/slips/{slip}",
        f"/unit/slips/{slip}/pdf",
    ):
        assert strange.get(address).status_code == 404, address
        assert inspector.get(address).status_code == 403, address
    assert post(strange, f"/unit/entries/{seq}/objection", grounds="x").status_code == 404
    assert post(strange, f"/unit/rectifications/{order}/proof", note="x").status_code == 404
    for address in (f"/office/objections/{key}", "/office/slips", f"/office/rectifications/{order}"):
        assert strange.get(address).status_code == 403, address
    assert "市民政局" not in strange.get("/unit/slips").text


def test_a_paper_is_a_download_for_those_concerned_and_runs_nowhere(engine, seq, sign_in):
    unit = sign_in("unit")
    post(unit, f"/unit/entries/{seq}/objection", [('../"恶意.html', PDF)], grounds=GROUNDS)
    with engine.connect() as connection:
        (paper,) = papers_of_objection(connection, objection_of(connection, seq).id)
    address = f"/papers/{paper.id}"
    for client in (unit, sign_in("office")):
        answer = client.get(address)
        assert (answer.status_code, answer.data, answer.mimetype) == (200, PDF, "application/pdf")
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; ")
        assert ".html" not in disposition
        assert "/" not in disposition
    assert sign_in("unit2").get(address).status_code == 404
    assert sign_in("inspector").get(address).status_code == 403
    assert unit.get("/papers/999999").status_code == 404


def test_the_units_first_opening_is_the_receipt_and_the_offices_is_none(engine, seq, sign_in):
    with engine.connect() as connection:
        key = slip_of(connection, seq).id
    office, unit = sign_in("office"), sign_in("unit")
    assert "单位尚未打开" in office.get(f"/office/slips/{key}").text
    office.get(f"/office/slips/{key}/pdf")
    with engine.connect() as connection:
        assert slip_of(connection, seq).read_at is None
    assert "未读" in unit.get("/unit/slips").text
    opened = unit.get(f"/unit/slips/{key}").text
    assert "扣分告知单〔" in opened
    assert "提出异议" in opened
    with engine.connect() as connection:
        assert slip_of(connection, seq).reader == "民政局"
    assert "民政局" in office.get("/office/slips").text


def test_a_slip_is_handed_out_as_a_pdf_that_says_the_same(engine, seq, sign_in):
    with engine.connect() as connection:
        key = slip_of(connection, seq).id
    answer = sign_in("unit").get(f"/unit/slips/{key}/pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    with pypdfium2.PdfDocument(io.BytesIO(answer.data)) as document:
        text = "".join(document[0].get_textpage().get_text_bounded().split())
    assert "扣分告知单〔" in text
    assert "市民政局" in text


def test_rectification_goes_from_the_order_to_its_closing(seq, sign_in):
    office, unit, second = sign_in("office"), sign_in("unit"), sign_in("office2")
    address = f"/office/entries/{seq}/rectification"
    assert "一般为" in office.get(address).text
    soon = (day_of(utc_now()) + timedelta(days=7)).isoformat()
    asked = post(office, address, demand="双人值守", due_on=soon, reason="")
    assert (asked.status_code, "请写明理由" in asked.text, "双人值守" in asked.text) == (422, True, True)
    done = post(office, address, demand="双人值守", due_on=soon, reason="涉及群众安全")
    assert done.status_code == 303
    one = done.headers["Location"]
    own = one.replace("/office/", "/unit/")
    assert "还有 7 天" in unit.get(own).text
    assert post(unit, f"{own}/proof", some_papers(), note="已排班").status_code == 303
    assert "由他人销号" in office.get(one).text
    assert post(office, f"{one}/closing", note="好").status_code == 403
    assert post(office, f"{one}/return", reason="").status_code == 422
    assert post(office, f"{one}/return", reason="没有照片").status_code == 303
    assert "没有照片" in unit.get(own).text
    assert post(unit, f"{own}/proof", note="补照片").status_code == 303
    assert post(second, f"{one}/extension", due_on="2026-13-45", reason="x").status_code == 422
    later = (day_of(utc_now()) + timedelta(days=30)).isoformat()
    assert post(second, f"{one}/extension", due_on=later, reason="雨季").status_code == 303
    assert post(second, f"{one}/closing", note="现场属实").status_code == 303
    closed = unit.get(own).text
    assert "已销号" in closed
    assert "雨季" in closed
    assert "/closing" not in second.get(one).text


def test_inspectors_are_sent_again_and_closing_waits_for_them(engine, cast, seq, sign_in):
    with engine.begin() as connection:
        key = an_order(connection, cast, seq, utc_now())
    office = sign_in("office2")
    one = f"/office/rectifications/{key}"
    tomorrow = (day_of(utc_now()) + timedelta(days=1)).isoformat()
    nobody = post(office, f"{one}/revisit", day=tomorrow, site=str(cast.town.site_id))
    assert nobody.status_code == 422
    sent = {"day": tomorrow, "site": str(cast.town.site_id), "crew": str(cast.town.inspector)}
    assert post(office, f"{one}/revisit", **sent).status_code == 303
    assert "未结束" in office.get(one).text
    post(sign_in("unit"), f"/unit/rectifications/{key}/proof", note="已排班")
    shown = office.get(one).text
    assert "回头看结束后才能销号" in shown
    assert not {f'action="{one}/{act}"' for act in ("closing", "revisit")} & set(FORMS.findall(shown))
    waits = post(office, f"{one}/closing", note="好")
    assert (waits.status_code, "回头看还没有结束" in waits.text) == (409, True)


def test_the_buttons_of_a_reversal_stand_where_they_work(engine, cast, objects, seq, sign_in):
    with engine.begin() as connection:
        request = ask_reversal(connection, seq, cast.town.second_office, "录错单位", utc_now())
    decision = f'action="/office/reversals/{request}/decision"'
    for who, words in (("office", "这条台账是您提出或核定的"), ("office2", "您本人申请的冲销")):
        shown = sign_in(who).get("/office/ledger").text
        assert (decision in shown, words in shown) == (False, True), who
        assert post(sign_in(who), f"/office/reversals/{request}/decision", decision="no", note="x").status_code == 403
    third = sign_in("office3")
    assert re.search(rf"{re.escape(decision)}.*同意冲销.*不予冲销", third.get("/office/ledger").text, re.DOTALL)
    with engine.begin() as connection:
        an_objection(connection, objects, cast, seq, utc_now())
    objected = third.get("/office/ledger").text
    assert "对这条台账的异议尚未决定" in objected
    assert (decision in objected, "同意冲销</button>" in objected) == (True, False)
    assert post(third, f"/office/reversals/{request}/decision", decision="yes").status_code == 409
    assert post(third, f"/office/reversals/{request}/decision", decision="no", note="待异议决定").status_code == 303
    asked = third.get("/office/ledger").text
    assert ("异议待决定" in asked, f'action="/office/ledger/{seq}/reversal"' in asked) == (True, False)


def test_what_was_reversed_meanwhile_leaves_one_answer(engine, cast, objects, seq, sign_in):
    with engine.begin() as connection:
        request = ask_reversal(connection, seq, cast.town.second_office, "录错单位", utc_now())
        key = an_explained_objection(connection, objects, cast, seq)
        reverse(connection, seq, "误记", cast.unit, cast.third_office, utc_now())
    third = sign_in("office3")
    asked = third.get("/office/ledger").text
    assert ("已被冲销，申请无须再同意" in asked, "同意冲销</button>" in asked) == (True, False)
    assert post(third, f"/office/reversals/{request}/decision", decision="no", note="已冲销").status_code == 303
    shown = third.get(f"/office/objections/{key}").text
    assert re.findall(r'name="verdict" value="(\w+)"', shown) == ["upheld"]
    assert 'name="points"' not in shown
    assert post(third, f"/office/objections/{key}/decision", verdict="upheld", note="已冲销").status_code == 303


def test_what_is_overdue_stands_first_and_names_its_urgings(engine, cast, seq, sign_in):
    with engine.begin() as connection:
        key = an_order(connection, cast, seq, utc_now() - MANY_DAYS)
        for days in (10, 2):
            remind_due(connection, utc_now() - timedelta(days=days))
    text = sign_in("office").get("/office/rectifications").text
    assert "逾期 19 天" in text
    assert "已催办 2 次" in text
    assert "督办" in text
    unit = sign_in("unit")
    assert "催办单" in unit.get("/unit/slips").text
    assert "逾期 19 天" in unit.get(f"/unit/rectifications/{key}").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_stands_in_both_languages(engine, cast, seq, sign_in, language):
    assert post(sign_in("unit"), f"/unit/entries/{seq}/objection", grounds=GROUNDS).status_code == 303
    with engine.begin() as connection:
        key = objection_of(connection, seq).id
        explain(connection, key, cast.town.office, "录像在案", utc_now())
        order = an_order(connection, cast, seq, utc_now())
        slip = slip_of(connection, seq).id
    office, unit = sign_in("office"), sign_in("unit")
    for address in (
        "/office/objections", f"/office/objections/{key}", "/office/rectifications", f"/office/rectifications/{order}",
        "/office/slips", f"/office/slips/{slip}",
    ):  # fmt: skip
        assert office.get(f"{address}?lang={language}").status_code == 200, address
    for address in (
        "/unit/objections", f"/unit/objections/{key}", "/unit/rectifications", f"/unit/rectifications/{order}",
        "/unit/slips", f"/unit/slips/{slip}",
    ):  # fmt: skip
        assert unit.get(f"{address}?lang={language}").status_code == 200, address


def test_a_unit_objects_and_another_decides_in_chromium(engine, cast, seq, site, browser):
    paper: Any = {"name": "批文.pdf", "mimeType": "application/pdf", "buffer": PDF}
    with a_phone(browser) as page:
        page.goto(f"{site}/login?next=/unit/slips")
        page.fill("[name=username]", "unit")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.goto(f"{site}/unit/slips")
        page.click("text=扣分告知单")
        page.click("text=提出异议")
        page.fill("[name=grounds]", GROUNDS)
        page.set_input_files("[name=papers]", paper)
        page.click("text=提交异议")
        assert "待说明" in page.inner_text("main")
        with page.expect_download() as got:
            page.click("text=批文.pdf")
        assert got.value.suggested_filename == "批文.pdf"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    with engine.begin() as connection:
        key = objection_of(connection, seq).id
        explain(connection, key, cast.town.second_office, "录像在案", utc_now())
    with a_phone(browser, size={"width": 1280, "height": 800}) as page:
        page.goto(f"{site}/login")
        page.fill("[name=username]", "office3")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.goto(f"{site}/office/objections")
        page.click(f"main >> text=L{seq}")
        page.check("[name=verdict][value=upheld]")
        page.fill("[name=note]", "批文属实")
        page.click("main >> text=作出决定 >> nth=-1")
        assert "成立，扣分已冲销" in page.inner_text("main")
    with engine.connect() as connection:
        assert standing(entries_of(connection, cast.town.evaluation_id)) == 0
        assert rectification_of(connection, seq) is None
        assert isinstance(slip_of(connection, seq).read_at, datetime)


def test_the_overview_tells_what_waits_and_what_is_overdue(engine, cast, objects, seq, sign_in):
    with engine.begin() as connection:
        an_objection(connection, objects, cast, seq, utc_now())
        an_order(connection, cast, seq, utc_now() - MANY_DAYS)
        for days in (10, 2):
            remind_due(connection, utc_now() - timedelta(days=days))
    text = sign_in("office").get("/office").text
    assert "1 项整改逾期，其中 1 项已列入督办" in text
    assert "1 项异议等待说明或决定" in text
    assert "项异议逾期" not in text


def test_a_notice_prints_its_term_and_an_order_promises_nothing_that_a_unit_cannot_do(engine, cast, seq, sign_in):
    with engine.begin() as connection:
        order = an_order(connection, cast, seq, utc_now())
        notice, demand = slip_of(connection, seq).id, slips_about(connection, order)[0].id
    unit = sign_in("unit")
    text = pypdfium2.PdfDocument(unit.get(f"/unit/slips/{notice}/pdf").data)[0].get_textpage().get_text_bounded()
    assert re.search(r"异议期限5日，至\d+年\d+月\d+日24时（办公室自定）", re.sub(r"\s", "", text))
    assert "延期" not in unit.get(f"/unit/slips/{demand}").text


def test_what_the_office_owes_an_objection_and_is_late_with_stands_on_its_overview(engine, cast, objects, seq, sign_in):
    with engine.begin() as connection:
        key = an_objection(connection, objects, cast, seq, utc_now() - timedelta(days=6))
    office = sign_in("office")
    assert "1 项异议逾期未说明或决定，已列入督办" in office.get("/office").text
    assert "说明逾期，督办" in office.get("/office/objections").text
    with engine.begin() as connection:
        explain(connection, key, cast.town.second_office, "窗口录像在案", utc_now())
    assert "项异议逾期" not in office.get("/office").text


def test_nobody_but_whoever_sent_them_learns_beforehand_that_inspectors_come_again(engine, settings, cast, sign_in):
    site, sent = cast.town.site_id, [cast.town.inspector]
    pages: dict[str, tuple[str, str]] = {}
    with engine.begin() as connection:
        for when, days in (("ahead", 3), ("past", -1)):
            of = a_told_entry(connection, cast, basis=when, now=utc_now() - timedelta(days=9))
            key = an_order(connection, cast, of, utc_now() - timedelta(days=9))
            day = day_of(utc_now()) + timedelta(days=days)
            ordered_at, secret = utc_now() - timedelta(days=5), settings.secret_key
            order_revisit(connection, key, sent, day, site, secret, cast.town.office, ordered_at)
            pages[when] = (f"/unit/rectifications/{key}", f"/unit/entries/{of}")
        open_due(connection, settings.secret_key, utc_now())
    unit, office, second = sign_in("unit"), sign_in("office"), sign_in("office2")
    for when, told in (("ahead", False), ("past", True)):
        for address in pages[when]:
            assert ("回头看</strong>" in unit.get(address).text) is told, address
            theirs = address.replace("/unit/entries", "/office/ledger").replace("/unit/", "/office/")
            assert ("回头看</strong>" in office.get(theirs).text) is told, theirs
        order = pages[when][0].replace("/unit/", "/office/")
        assert "<dt>回头看</dt>" in office.get(order).text
        assert ("<dt>回头看</dt>" in second.get(order).text) is told


@pytest.mark.parametrize("act", ["revisit", "closing"])
def test_whoever_is_told_of_a_sealed_re_inspection_stands_in_the_audit(engine, settings, cast, sign_in, act):
    with engine.begin() as connection:
        seq = a_told_entry(connection, cast, now=utc_now())
        key = an_order(connection, cast, seq, utc_now())
        proof = ProofSent(key, cast.town.unit_id, cast.unit, "已安排双人值守。")
        prove(connection, Objects(settings.objects), proof, utc_now())
        day = day_of(utc_now()) + timedelta(days=3)
        facts = (day, cast.town.site_id, settings.secret_key, cast.town.office, utc_now())
        order_revisit(connection, key, [cast.town.inspector], *facts)
    second = sign_in("office2")
    given = {
        "revisit": {"day": day, "crew": cast.town.inspector, "site": cast.town.site_id},
        "closing": {"note": "属实"},
    }
    answer = post(second, f"/office/rectifications/{key}/{act}", **given[act])
    assert (answer.status_code, "回头看还没有结束" in answer.text) == (409, True)
    assert day.isoformat() not in answer.text.replace(f'value="{day.isoformat()}"', "")
    with engine.connect() as connection:
        (last,) = acts(connection, 1)
    assert (last.act, list(last.about)) == ("revisit_told", ["sealed"])
    audit = sign_in("office").get("/office/audit").text
    assert "得知另有回头看" in audit
    assert last.about["sealed"] not in audit


def test_an_entrys_own_page_leads_to_what_can_be_done_about_it(engine, cast, seq, sign_in):
    unit, office = sign_in("unit"), sign_in("office")
    own, theirs = f"/unit/entries/{seq}", f"/office/ledger/{seq}"
    assert f"/unit/entries/{seq}/objection" in unit.get(own).text
    assert f"/office/entries/{seq}/rectification" in office.get(theirs).text
    post(unit, f"/unit/entries/{seq}/objection", grounds=GROUNDS)
    with engine.begin() as connection:
        late = a_told_entry(connection, cast, now=utc_now() - MANY_DAYS)
        order = an_order(connection, cast, seq, utc_now())
        key = objection_of(connection, seq).id
    assert "异议期已于" in unit.get(f"/unit/entries/{late}").text
    assert f"/unit/objections/{key}" in unit.get(own).text
    assert f"/unit/rectifications/{order}" in unit.get(own).text
    assert f"/office/objections/{key}" in office.get(theirs).text
    assert f"/office/rectifications/{order}" in office.get(theirs).text
