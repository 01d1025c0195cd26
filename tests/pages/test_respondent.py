"""The respondent's pages as a browser without script meets them: one form, one code, one answer."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html import unescape
from http.cookies import SimpleCookie
from random import Random
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select, update

from api.actions.failure_cap import FailureCap
from api.services import KEY
from api.store import ballots, evaluations, roll
from api.store.schema import metadata
from survey_forms.sampling.codes import check_character, display
from tests.builders import DAY, a_grid_book, a_survey, some_codes, the_book

ABOUT = {"district": "siming", "age_band": "a18_29", "used": "no"}
UNITS = (
    "education", "civil_affairs", "health", "human_resources", "public_security", "justice", "culture", "sports",
)  # fmt: skip
OVERALL = {f"overall_{unit}": "very_satisfied" for unit in UNITS}


UNKNOWN = "2222222222" + check_character("2222222222")


class Phone:
    """A browser without script: it keeps cookies and fills in forms."""

    def __init__(self, app) -> None:
        self.client = app.test_client()
        self.client.set_cookie("mc_lang", "zh")

    def get(self, path):
        return self.client.get(path)

    def post(self, do, **fields):
        return self.client.post("/survey", data={"do": do, **fields})

    def enter(self, code):
        """Through the notice to the first question, or to where the draft was left."""
        page = self.post("enter", code=code)
        return self.post("begin") if 'value="begin"' in page.text else page

    def receipt(self):
        """The receipt that the summary carries."""
        return re.search(r'name="receipt" value="(\w+)"', self.get("/survey?at=0").text)[1]


@pytest.fixture
def stored(engine):
    """An open survey of residents with three codes."""
    with engine.begin() as connection:
        survey = a_survey(connection, the_book("residents"))
        return survey, some_codes(connection, survey, 3, b"a test's pepper, thirty-two bytes at least")


@pytest.fixture
def code(stored):
    return stored[1][0]


@pytest.fixture
def phone(app):
    return Phone(app)


def heading(page) -> str:
    return unescape(re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)[1]).strip()


def title(page) -> str:
    return unescape(re.search(r"<title>(.*?)</title>", page.text)[1])


def number_of(page) -> str:
    return re.search(r'name="at" value="(\d+)"', page.text)[1]


def answer_everything(phone, code):
    """Up to the summary; returns it."""
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    phone.post("next", at="3", **OVERALL)
    return phone.post("next", at="5", change="better", suggestion="")


def rows(engine, table):
    with engine.connect() as connection:
        return connection.execute(select(table)).all()


# --- Entering ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stored")
def test_opening_the_page_spends_nothing_and_offers_help_large_type_and_english(phone, engine):
    page = phone.get("/")
    assert page.status_code == 200
    for words in ("评议码", "12345", "大字版", "高对比度", "English"):
        assert words in page.text
    assert heading(page) == "某市 2015 年度公众评议"
    assert not any(row.spent for row in rows(engine, roll.access_code))


def test_a_code_is_read_however_a_phone_writes_it(phone, code):
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code.lower())
    for written in (code, display(code), f" {code.lower()} ", wide, display(code).replace("-", "—")):
        page = phone.enter(written)
        assert (page.status_code, heading(page)) == (200, "先了解一下您的情况"), written


def test_a_mistyped_code_is_told_so_and_may_be_put_right(phone, code):
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    page = phone.enter(wrong)
    assert page.status_code == 422
    assert title(page).startswith("错误：")
    assert f'value="{wrong}"' in page.text
    assert page.text.count("评议码不对") == 2  # in the summary and at the field, the same words


def test_unknown_spent_and_closed_codes_get_one_reply(app, phone, engine, stored, settings):
    with engine.begin() as connection:
        closed = a_survey(connection, code="closed", opens=-2 * DAY, closes=-DAY)
        frozen = a_survey(connection, code="frozen", status="frozen")
        codes = [some_codes(connection, one, 1, settings.pepper)[0] for one in (closed, frozen)]
    spent, unknown = stored[1][0], UNKNOWN
    answer_everything(phone, spent)
    assert phone.post("send", receipt=phone.receipt()).status_code == 200
    replies = [Phone(app).enter(one) for one in (spent, unknown, *codes)]
    assert {reply.status_code for reply in replies} == {410}
    assert len({reply.text for reply in replies}) == 1
    assert all("Set-Cookie" not in reply.headers for reply in replies)


def test_above_the_cap_typed_codes_wait_and_qr_codes_and_open_sessions_go_on(app, phone, engine, stored, settings):
    survey, (mine, late, _) = stored
    with engine.begin() as connection:
        (token,) = some_codes(connection, survey, 1, settings.pepper, tokens=True)
    phone.enter(mine)
    app.extensions[KEY].answering.booths.caps.typed = FailureCap(5, lambda: 0.0)
    guesser = Phone(app)
    assert [guesser.enter(UNKNOWN).status_code for _ in range(8)] == [410] * 5 + [429] * 3
    waiting = Phone(app).enter(late)
    assert waiting.status_code == 429
    assert waiting.headers["Retry-After"]
    assert "请过几秒" in waiting.text
    assert Phone(app).enter(token).status_code == 200
    assert phone.post("next", at="1", **ABOUT).status_code == 200


def test_codes_that_open_do_not_count_against_the_cap(app, code):
    assert [Phone(app).enter(code).status_code for _ in range(20)] == [200] * 20


def test_the_cookie_is_for_this_site_this_session_and_not_for_scripts_and_shows_no_code(phone, code, app):
    cookie = SimpleCookie(phone.post("enter", code=code).headers["Set-Cookie"])["mc_survey"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == cookie["expires"] == ""
    assert code not in cookie.value
    other = SimpleCookie(Phone(app).post("enter", code=code).headers["Set-Cookie"])["mc_survey"]
    assert other.value != cookie.value


def test_a_cookie_that_is_not_ours_counts_as_none(phone, code):
    phone.enter(code)
    value = phone.client.get_cookie("mc_survey").value
    for forged in (value[:-2] + "AA", "x", "A" * 3000, "="):
        phone.client.set_cookie("mc_survey", forged)
        page = phone.post("next", at="1", **ABOUT)
        assert page.status_code == 401
        assert "请输入评议码" in page.text


# --- Page by page -----------------------------------------------------------------------------------------------


def test_every_post_answers_with_the_next_page_itself(phone, code):
    assert heading(phone.enter(code)) == "先了解一下您的情况"
    page = phone.post("next", at="1", js="1", **ABOUT)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "总的来说" in heading(page)
    assert "第 2 页，共 3 页" in page.text
    page = phone.post("next", at="3", js="1", **OVERALL)
    assert heading(page) == "最后两题"
    page = phone.post("next", at="5", js="1", change="better", suggestion="窗口太少")
    assert heading(page) == "请核对您的回答"
    assert "窗口太少" in page.text


def test_without_script_the_history_may_show_a_page_again_but_never_store_it_for_others(phone, code):
    page = phone.enter(code)
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert answer_everything(phone, code).headers["Cache-Control"] == "no-store"


def test_missing_answers_are_listed_first_with_links_and_the_same_words_at_the_field(phone, code):
    phone.enter(code)
    page = phone.post("next", at="1", district="siming", years="许多年")
    assert page.status_code == 422
    assert title(page).startswith("错误：")
    assert 'role="alert" tabindex="-1" autofocus' in page.text
    links = re.findall(r'<li><a href="#(\w+)">(.*?)</a></li>', page.text)
    assert [name for name, _ in links] == ["age_band", "years", "used"]
    for name, words in links:
        assert f'id="{name}"' in page.text
        at_field = re.search(rf'id="e-{name}">(?:<span.*?</span>)(.*?)</p>', page.text)[1]
        assert words.endswith(at_field)
        assert f'aria-describedby="e-{name}"' in page.text or f"e-{name}" in page.text
    assert 'value="siming" id="district" checked' in page.text
    assert 'value="许多年"' in page.text


def test_a_grid_with_gaps_says_how_many_and_where_to_go_on(phone, code):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    page = phone.post("next", at="3", overall_education="satisfied", overall_sports="dk")
    assert page.status_code == 422
    assert "还有 6 处没有评" in page.text
    rows = list(dict.fromkeys(re.findall(r'name="(overall_\w+)"', page.text)))
    first = next(row for row in rows if row not in {"overall_education", "overall_sports"})
    assert re.findall(r'<li><a href="#(\w+)">', page.text) == [first]
    assert '<b id="count" data-more="0">2</b> / 8' in page.text


def test_what_was_answered_decides_which_pages_follow(phone, code):
    phone.enter(code)
    page = phone.post("next", at="1", **{**ABOUT, "used": "yes"})
    assert heading(page) == "关于您办过的事"
    phone.post("next", at="2", units_used=["education", "health"], channel="window", visits="2")
    page = phone.post("next", at="3", **{**OVERALL, "overall_health": "dissatisfied"})
    assert "告诉我们原因" in heading(page)


def test_back_keeps_what_is_half_done_without_complaint(phone, code):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    page = phone.post("back", at="3", overall_education="satisfied")
    assert (page.status_code, heading(page)) == (200, "先了解一下您的情况")
    assert 'value="siming" id="district" checked' in page.text
    page = phone.post("next", at="1", **ABOUT)
    assert 'name="overall_education" value="satisfied" checked' in page.text.replace(' id="overall_education"', "")


def test_a_changed_answer_that_closes_a_page_drops_what_was_said_there(phone, code, engine):
    phone.enter(code)
    phone.post("next", at="1", **{**ABOUT, "used": "yes"})
    phone.post("next", at="2", units_used="education", channel="window")
    phone.post("next", at="1", **ABOUT)
    phone.post("next", at="3", **OVERALL)
    page = phone.post("next", at="5", change="better")
    assert "关于您办过的事" not in page.text
    phone.post("send", receipt=phone.receipt())
    (row,) = rows(engine, ballots.response)
    assert not {"units_used", "channel"} & set(row.answers)


def test_an_unticked_box_is_unticked(phone, code):
    phone.enter(code)
    phone.post("next", at="1", **{**ABOUT, "used": "yes"})
    phone.post("back", at="2", units_used=["education", "health"])
    page = phone.post("back", at="2", units_used=["health"])
    page = phone.post("next", at="1", **{**ABOUT, "used": "yes"})
    boxes = re.findall(r'name="units_used" value="(\w+)"[^>]*checked', page.text)
    assert boxes == ["health"]


def test_a_reload_shows_the_answers_and_so_does_another_phone(phone, app, code):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    phone.post("keep", at="3", overall_education="satisfied")
    for page in (phone.get("/survey?at=3"), phone.get("/survey"), Phone(app).enter(code)):
        assert "总的来说" in heading(page)
        assert 'value="satisfied" checked' in page.text
    assert "已找到您上次填的内容" in Phone(app).enter(code).text


def test_keeping_answers_with_nothing_to_show_and_tells_nothing(phone, code):
    phone.enter(code)
    kept = phone.post("keep", at="1", district="siming")
    assert (kept.status_code, kept.data) == (204, b"")


@pytest.mark.parametrize("wish", ["3", "5", "0", "9", "-1", "x", "9999999", "1.2.3"])
def test_nobody_jumps_over_what_is_unanswered(phone, code, wish):
    phone.enter(code)
    assert number_of(phone.get(f"/survey?at={wish}")) == "1"
    phone.post("next", at="1", district="siming")
    assert number_of(phone.get(f"/survey?at={wish}")) == "1"


@pytest.mark.parametrize("at", ["0", "-1", "6", "x", "", "٣", "99999999999999999999"])
def test_a_forged_page_number_is_refused(phone, code, at):
    phone.enter(code)
    assert phone.post("next", at=at, **ABOUT).status_code == 400


def test_a_forged_button_is_refused(phone, code):
    phone.enter(code)
    assert phone.post("destroy").status_code == 400


def test_fields_of_other_pages_and_strangers_are_not_kept(phone, code, engine):
    answer_everything(phone, code)
    phone.post("next", at="1", **ABOUT, stranger="x", overall_education="dk")
    phone.post("send", receipt=phone.receipt())
    (row,) = rows(engine, ballots.response)
    assert row.answers["overall_education"] == "very_satisfied"
    assert "stranger" not in row.answers


@pytest.mark.parametrize(
    "words", ["\0", "a\x1bb", "好" * 3000, "<script>alert(1)</script>", "'; DROP TABLE ballot.response --"]
)
def test_hostile_words_are_words_or_a_sentence_never_an_error(phone, code, words):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    phone.post("next", at="3", **OVERALL)
    page = phone.post("next", at="5", change="better", suggestion=words)
    assert page.status_code in {200, 422}
    assert "<script>alert" not in page.text


def test_a_page_of_half_a_megabyte_is_refused_with_a_sentence(phone, code):
    phone.enter(code)
    page = phone.post("next", at="1", **ABOUT, years="1" * 300_000)
    assert page.status_code == 413
    assert phone.get("/survey").status_code == 200


def test_a_form_sent_from_another_site_is_refused(phone, code):
    phone.enter(code)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert phone.client.post("/survey", data={"do": "next", "at": "1"}, headers=headers).status_code == 403


# --- Language and type ------------------------------------------------------------------------------------------


def test_the_language_and_the_type_can_be_changed_in_the_middle_without_losing_a_tap(phone, code):
    phone.enter(code)
    page = phone.client.post("/survey?lang=en", data={"do": "stay", "at": "1", "district": "siming"})
    assert '<html lang="en"' in page.text
    assert heading(page) == "First, a little about you"
    assert 'value="siming" id="district" checked' in page.text
    page = phone.client.post("/survey?large=1", data={"do": "stay", "at": "1", "district": "siming"})
    assert 'class="large"' in page.text
    page = phone.post("next", at="1", **ABOUT)
    assert "How satisfied" in heading(page) or "how satisfied" in heading(page)
    assert 'class="large"' in page.text
    page = phone.get("/survey?at=3&large=0&lang=zh")
    assert 'class="large"' not in page.text
    assert '<html lang="zh-CN"' in page.text


def test_the_entry_page_speaks_english_and_large(phone):
    page = phone.get("/?lang=en&large=1")
    assert "Your code" in page.text
    assert 'class="large"' in page.text
    assert 'class="large"' in phone.get("/").text


# --- Handing in -------------------------------------------------------------------------------------------------


def test_the_summary_shows_every_answer_with_its_own_way_to_change_it(phone, code):
    page = answer_everything(phone, code)
    links = re.findall(
        r'href="/survey\?at=([\d.]+)&amp;then=summary#(\w+)">修改 <span class="vh">(.*?)</span>', page.text
    )
    assert len(links) == 4 + 8 + 2
    assert len({words for _, _, words in links}) == len(links)
    changed = phone.get("/survey?at=1&then=summary")
    assert 'name="then" value="summary"' in changed.text
    page = phone.post("next", at="1", then="summary", **{**ABOUT, "district": "huli"})
    assert heading(page) == "请核对您的回答"
    assert "湖里区" in page.text


def test_a_change_that_opens_a_page_goes_there_before_the_summary(phone, code):
    answer_everything(phone, code)
    page = phone.post("next", at="1", then="summary", **{**ABOUT, "used": "yes"})
    assert heading(page) == "关于您办过的事"


def test_handing_in_gives_a_receipt_and_keeps_one_answer(phone, code, engine, stored):
    answer_everything(phone, code)
    receipt = phone.receipt()
    page = phone.post("send", receipt=receipt)
    assert (page.status_code, heading(page)) == (200, "已提交，谢谢您")
    assert display(receipt) in page.text
    (row,) = rows(engine, ballots.response)
    assert row.answers == {**ABOUT, **OVERALL, "change": "better", **calculated(row)}
    assert (row.survey_id, row.stratum, row.mode) == (stored[0].id, "siming", "web")
    assert rows(engine, ballots.draft) == []


def calculated(row):
    """What the form worked out itself."""
    return {name: value for name, value in row.answers.items() if name not in {**ABOUT, **OVERALL, "change": ""}}


def test_the_same_form_sent_again_gets_the_same_receipt(phone, code, engine):
    answer_everything(phone, code)
    receipt = phone.receipt()
    cookie = phone.client.get_cookie("mc_survey").value
    first = phone.post("send", receipt=receipt)
    again = phone.post("send", receipt=receipt)
    phone.client.set_cookie("mc_survey", cookie)  # the first reply never arrived
    lost = phone.post("send", receipt=receipt)
    phone.client.delete_cookie("mc_survey")
    bare = phone.post("send", receipt=receipt)
    assert first.text == again.text == lost.text == bare.text
    assert len(rows(engine, ballots.response)) == 1


def test_after_handing_in_every_way_back_leads_to_the_receipt(phone, code):
    answer_everything(phone, code)
    receipt = phone.receipt()
    phone.post("send", receipt=receipt)
    for page in (phone.get("/survey"), phone.get("/survey?at=1"), phone.post("next", at="1", **ABOUT)):
        assert display(receipt) in page.text


def test_a_receipt_that_nobody_was_given_shows_nothing(phone, code):
    answer_everything(phone, code)
    phone.post("send", receipt=phone.receipt())
    stranger = Phone(phone.client.application)
    assert stranger.post("send", receipt="K" * 20).status_code == 401
    assert stranger.post("send", receipt="' OR 1=1 --").status_code == 401


def test_nothing_is_handed_in_before_every_page_is_right(phone, code, engine):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    page = phone.post("send", receipt="K" * 20)
    assert page.status_code == 422
    assert "总的来说" in heading(page)
    assert rows(engine, ballots.response) == []


def test_a_round_frozen_in_between_is_the_one_reply(phone, code, engine):
    answer_everything(phone, code)
    receipt = phone.receipt()
    with engine.begin() as connection:
        connection.execute(update(evaluations.round_).values(status="frozen"))
    page = phone.post("send", receipt=receipt)
    assert page.status_code == 410
    assert rows(engine, ballots.response) == []


def test_fifty_phones_with_one_code_hand_in_one_answer_and_see_one_receipt(app, code, engine):
    first = Phone(app)
    answer_everything(first, code)
    receipt, cookie = first.receipt(), first.client.get_cookie("mc_survey").value

    def hand_in(_):
        phone = Phone(app)
        phone.client.set_cookie("mc_survey", cookie)
        return phone.post("send", receipt=receipt)

    with ThreadPoolExecutor(50) as threads:
        pages = list(threads.map(hand_in, range(50)))
    assert {page.status_code for page in pages} == {200}
    assert all(display(receipt) in page.text for page in pages)
    assert len(rows(engine, ballots.response)) == len(rows(engine, ballots.untallied)) == 1


def test_leaving_keeps_the_draft_and_forgetting_deletes_it(phone, code, engine):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    page = phone.post("leave")
    assert "凭评议码" in page.text
    assert phone.client.get_cookie("mc_survey") is None
    assert "总的来说" in heading(phone.enter(code))
    page = phone.post("forget")
    assert "已删除" in page.text
    assert rows(engine, ballots.draft) == []
    assert number_of(phone.enter(code)) == "1"


def test_a_draft_that_cannot_be_opened_is_told_and_started_again(phone, code, engine):
    phone.enter(code)
    phone.post("next", at="1", **ABOUT)
    with engine.begin() as connection:
        connection.execute(update(ballots.draft).values(sealed=b"x" * 64))
    page = phone.enter(code)
    assert "请从头填写" in page.text
    assert number_of(page) == "1"
    phone.post("next", at="1", **ABOUT)
    assert number_of(phone.get("/survey")) == "3"


# --- What stays secret ------------------------------------------------------------------------------------------


def test_the_code_is_in_no_log_no_address_no_page_and_no_table(app, code, engine, caplog):
    caplog.set_level(logging.DEBUG)
    phone = Phone(app)
    pages = [phone.enter(display(code).lower())]
    pages += [phone.post("next", at="1", **ABOUT), phone.get("/survey?at=1"), phone.post("next", at="3", **OVERALL)]
    pages.append(phone.post("next", at="5", change="better"))
    receipt = phone.receipt()
    dump_before = everything(engine)
    pages += [phone.post("send", receipt=receipt), phone.get("/survey"), Phone(app).enter(code)]
    dump = dump_before + everything(engine)
    seen = "\n".join([page.text + str(page.headers) + page.request.url for page in pages])
    for secret in (code, code.lower(), display(code), display(code).lower()):
        assert secret not in seen
        assert secret not in caplog.text
        assert secret not in dump
    assert receipt not in dump
    assert display(receipt) not in dump
    assert receipt not in caplog.text


def everything(engine) -> str:
    """Every row of every table as text."""
    with engine.connect() as connection:
        return "\n".join(
            value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            for value in row
        )


def test_the_simulated_evaluation_says_so_on_every_page(app, engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, the_book("residents"), simulated=True)
        (code,) = some_codes(connection, survey, 1, settings.pepper)
    phone = Phone(app)
    pages = [
        phone.get("/"),
        phone.enter(code),
        phone.post("next", at="1", **ABOUT),
        phone.post("next", at="3", **OVERALL),
    ]
    pages.append(phone.post("next", at="5", change="better"))
    assert all("模拟" in page.text for page in pages)


def test_sixty_units_are_six_screens_and_one_tap_each(app, engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, a_grid_book(60))
        (code,) = some_codes(connection, survey, 1, settings.pepper)
    phone = Phone(app)
    page = phone.enter(code)
    taps = turns = 0
    answered = {}
    while heading(page) != "请核对您的回答":
        units = list(dict.fromkeys(re.findall(r'type="radio" name="(unit_\d+)"', page.text)))
        assert page.text.count('class="apart"') == len(units) == 10
        assert f'<b id="count" data-more="{taps}">{taps}</b> / 60' in page.text
        here = {unit: "dk" if unit.endswith("7") else "4" for unit in units}
        answered |= here
        taps, turns = taps + len(here), turns + 1
        page = phone.post("next", **sheet_of(page), **here)
    assert (taps, turns) == (60, 6)
    assert phone.post("send", receipt=phone.receipt()).status_code == 200
    (row,) = rows(engine, ballots.response)
    assert row.answers == answered
    assert datetime.now(UTC).date() - row.day <= DAY
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ballots.receipt)).scalar_one() == 1


def sheet_of(page) -> dict[str, str]:
    """What a screen's form says about itself."""
    return dict(re.findall(r'type="hidden" name="(at|upto|then)" value="([^"]*)"', page.text))


def test_a_thousand_mutated_requests_meet_no_error_of_ours(app, engine, stored, settings):
    """What a hostile or broken client may send: fields missing, doubled, strange, huge, in any order."""
    chance = Random(20151121)
    survey, _ = stored
    with engine.begin() as connection:
        codes = some_codes(connection, survey, 20, settings.pepper)
    strange = [
        "",
        "0",
        "-1",
        "1e9",
        "\0",
        "\ud83d",
        "好" * 400,
        "<b>",
        "%00",
        "../..",
        "5",
        "yes",
        "siming",
        *codes[:3],
    ]
    names = ["do", "at", "then", "code", "js", "receipt", "district", "used", "overall_health", "stranger", "lang"]
    acts = ["enter", "next", "back", "stay", "keep", "send", "leave", "forget", ""]
    phones = [Phone(app) for _ in range(4)]
    seen = set()
    for turn in range(1000):
        phone = chance.choice(phones)
        fields = [(chance.choice(names), chance.choice(strange)) for _ in range(chance.randrange(6))]
        fields += [("do", chance.choice(acts)), ("at", str(chance.randrange(7))), ("code", chance.choice(codes))]
        if turn % 3:
            fields += list(ABOUT.items()) + list(OVERALL.items())
        chance.shuffle(fields)
        body = urlencode(fields, errors="replace")
        address = "/survey?" + urlencode(
            {chance.choice(["at", "lang", "large", "then"]): chance.choice(strange)}, errors="replace"
        )
        page = phone.client.post(address, data=body, content_type="application/x-www-form-urlencoded")
        seen.add(page.status_code)
        assert page.status_code < 500, (address, fields)
        assert phone.client.get(address).status_code < 500, address
    assert {200, 204, 400, 422} <= seen
