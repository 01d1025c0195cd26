"""Every kind of question as a browser without script answers it: shown, refused with a reason, taken, handed in."""

import gzip
import io
import re
import unicodedata
from html import unescape

import pytest
from PIL import Image
from sqlalchemy import select

from api.store import ballots
from tests.builders import a_grid_book, a_survey, some_codes
from tests.pages.forms import BOOKS, a_book_of
from tests.rules.books import a_row

AIM = 10_000
"""Bytes of a screen, compressed (mobile.md section 0, point 6)."""


class Form:
    """The screen in a browser without script: it sends what a browser would send of it."""

    def __init__(self, client) -> None:
        self.client, self.page = client, None

    def press(self, do, *, query="", **fields):
        """Press a button with these fields filled in; what was filled in before is sent again."""
        sent = {**self.fields(), **{name.replace("__", ":"): value for name, value in fields.items()}}
        data = {name: value for name, value in sent.items() if value is not None}
        files = any(isinstance(value, tuple) for value in data.values())
        kind = "multipart/form-data" if files else "application/x-www-form-urlencoded"
        self.page = self.client.post(f"/survey{query}", data={**data, "do": do}, content_type=kind)
        assert len(gzip.compress(self.page.data, 5)) <= AIM
        return self

    def fields(self):
        """Hidden fields, what is written, checked and selected."""
        if self.page is None:
            return {}
        found = dict(re.findall(r'type="hidden" name="(at|upto|then)" value="([^"]*)"', self.text))
        for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"[^>]* checked', self.text):
            found.setdefault(name, []).append(value)
        for name, options in re.findall(
            r'<select class="box" id="[^"]*" name="([^"]+)"[^>]*>(.*?)</select>', self.text, re.DOTALL
        ):
            chosen = re.search(r'value="([^"]*)" selected', options)
            found[name] = chosen[1] if chosen else ""
        for name, value in re.findall(r'<input class="box[^"]*" id="[^"]*" name="([^"]+)" value="([^"]*)"', self.text):
            found[name] = unescape(value)
        for name, words in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', self.text, re.DOTALL):
            found[name] = unescape(words)
        return found

    @property
    def text(self):
        return self.page.get_data(as_text=True)

    @property
    def heading(self):
        return re.sub(r"<.*?>", "", unescape(re.search(r"<h1.*?>(.*?)</h1>", self.text, re.DOTALL)[1])).strip()

    @property
    def errors(self):
        return [unescape(one) for one in re.findall(r'<li><a href="#[^"]*">(.*?)</a></li>', self.text)]

    def hand_in(self):
        """From the summary to the receipt."""
        assert self.heading == "请核对您的回答", self.errors
        receipt = re.search(r'name="receipt" value="(\w+)"', self.text)[1]
        self.page = self.client.post("/survey", data={"do": "send", "receipt": receipt})
        assert self.page.status_code == 200
        return self


@pytest.fixture
def opened(app, engine, settings):
    """Open a questionnaire; returns the form at its first question."""

    def opening(book, *, query="", **facts):
        with engine.begin() as connection:
            (code,) = some_codes(connection, a_survey(connection, book, **facts), 1, settings.pepper)
        return entered(app, code, query)

    return opening


def entered(app, code, query=""):
    form = Form(app.test_client())
    form.client.set_cookie("mc_lang", "zh")
    form.press("enter", query=query, code=code)
    return form.press("begin", query=query) if 'value="begin"' in form.text else form


def kept(engine):
    with engine.connect() as connection:
        return connection.execute(select(ballots.response.c.answers)).scalar_one()


ANSWERS = {
    "single": ({"q": "yes"}, "yes"),
    "multiple": ({"q": ["online", "counter"]}, ["counter", "online"]),
    "scale": ({"q": "7"}, 7),
    "fine scale": ({"q": "55"}, 55),
    "rank": ({"q__hotline": "1", "q__counter": "2", "q__online": "3"}, ["hotline", "counter", "online"]),
    "integer": ({"q": "３０"}, 30),
    "decimal": ({"q": "2.5"}, "2.5"),
    "date": ({"q__y": "2015", "q__m": "6", "q__d": "３0"}, "2015-06-30"),
    "text": ({"q": "窗口“少”"}, "窗口“少”"),
    "words": ({"q": "一\r\n二"}, "一\n二"),
}


def plain(value):
    """What was sent or is shown, however it is written."""
    return sorted(
        unicodedata.normalize("NFKC", one).replace("\r", "") for one in ([value] if isinstance(value, str) else value)
    )


@pytest.mark.parametrize("large", ["", "?large=1"])
@pytest.mark.parametrize("name", ANSWERS)
def test_each_kind_of_question_is_asked_refused_empty_and_handed_in(opened, engine, name, large):
    given, value = ANSWERS[name]
    form = opened(BOOKS[name], query=large)
    assert form.heading == "这一题问什么？"
    assert "一行小字。" in form.text
    form.press("next")
    assert (form.page.status_code, len(form.errors)) == (422, 1)
    assert form.errors[0].startswith("这一题问什么？")
    form.press("next", **given)
    assert form.errors == []
    form.page = form.client.get("/survey?at=1")
    for field, one in given.items():
        assert plain(form.fields()[field.replace("__", ":")]) == plain(one)
    form.press("next").hand_in()
    assert kept(engine) == {"q": value}


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("single", {"q": "maybe"}, "从列出的选项中选择"),
        ("single", {"q": ["yes", "no"]}, "只能有一个"),
        ("scale", {"q": "11"}, "1 到 10"),
        ("fine scale", {"q": "1.5"}, "0 到 100"),
        ("rank", {"q__hotline": "1", "q__counter": "1", "q__online": "3"}, "第 1 位给了“办事窗口”、“12345 热线”"),
        ("rank", {"q__hotline": "1", "q__counter": "2"}, "请给“网上办事”也选一个名次"),
        ("rank", {"q__hotline": "1", "q__counter": "2", "q__online": "9"}, "请给“网上办事”也选一个名次"),
        ("integer", {"q": "许多"}, "整数"),
        ("decimal", {"q": "一半"}, "数字"),
        ("date", {"q__y": "2015", "q__m": "13", "q__d": "1"}, "日期"),
        ("date", {"q__y": "2015"}, "日期"),
        ("words", {"q": "好" * 2001}, "2000 字"),
    ],
)
def test_a_wrong_answer_is_told_so_and_stays_as_it_was_given(opened, name, given, reason):
    form = opened(BOOKS[name]).press("next", **given)
    assert form.page.status_code == 422
    assert reason in form.errors[0]
    for field, value in given.items():
        if name not in {"single", "scale"} and value != "9":
            assert form.fields()[field.replace("__", ":")] == value


@pytest.mark.parametrize("written", ["2015-06-30", "2015年6月30日", "20150630", "2015/6/30", "２０１５．６．３０"])
def test_a_whole_date_may_be_written_into_the_first_field(opened, engine, written):
    opened(BOOKS["date"]).press("next", q__y=written, q__m="", q__d="").hand_in()
    assert kept(engine) == {"q": "2015-06-30"}


def test_a_cascade_offers_only_what_belongs_to_the_answers_before(opened, engine):
    form = opened(BOOKS["cascade"]).press("next", province="p3")
    assert re.findall(r'value="(p3c\d)"', form.text) == [f"p3c{at}" for at in range(10)]
    form.press("next", city="p3c4")
    assert len(re.findall(r'<option value="p3c4d', form.text)) == 31
    assert len(form.text) < 20_000
    form.press("next", district="p3c4d30")
    form.page = form.client.get("/survey?at=1&then=summary")
    form.press("next", province="p5")
    assert form.heading == "题目 city"
    form.press("next", city="p5c0")
    form.press("next", district="p5c0d0").hand_in()
    assert kept(engine) == {"province": "p5", "city": "p5c0", "district": "p5c0d0"}


@pytest.mark.parametrize(("name", "stored"), [("long list", "d211"), ("long list of several", ["d211"])])
def test_a_list_of_thousands_is_searched_without_a_script(opened, engine, name, stored):
    form = opened(BOOKS[name]).press("next", odd="yes")
    assert "<option" not in form.text
    assert len(form.text) < 20_000
    form.press("stay", district__find="第21")
    assert "找到 56 个，先列出 20 个" in form.text
    form.press("stay", district__find="第 ２11")
    assert "找到 6 个" in form.text
    form.press("stay", district="d211")
    form.press("stay", district__find="没有这个区")
    assert "没有找到" in form.text
    assert 'value="d211" id="district" checked' in form.text
    form.press("next").hand_in()
    assert kept(engine) == {"odd": "yes", "district": stored}


def test_writing_the_whole_name_into_the_search_is_an_answer(opened, engine):
    opened(BOOKS["long list"]).press("next", odd="yes").press("next", district__find="第999区").hand_in()
    assert kept(engine)["district"] == "d999"


# --- Repeats ----------------------------------------------------------------------------------------------------


def test_entries_are_added_changed_and_taken_away(opened, engine):
    form = opened(BOOKS["repeat"]).press("next", used="yes")
    assert "现在一项也没有" in form.text
    for title, days in (("居住证", "3"), ("驾照", "5"), ("护照", "8")):
        form.press("add")
        assert "第 " in form.heading
        key = re.search(r'name="(matter\.\d)\.title"', form.text)[1]
        form.press("next", **{f"{key}.title": title, f"{key}.days": days})
        assert f"{title}，{days}" in re.sub(r"<.*?>", "", form.text)
    form.press("drop", query="?entry=2")
    assert "驾照" not in form.text
    assert ("居住证" in form.text, "护照" in form.text) == (True, True)
    change = unescape(re.findall(r'href="(/survey\?at=[^"]*)"', form.text)[1])
    form.page = form.client.get(change)
    assert form.fields()["matter.2.title"] == "护照"
    form.press("next", **{"matter.2.days": "9"})
    assert "护照，9" in re.sub(r"<.*?>", "", form.text)
    form.press("next")
    assert "一共 12 天" in form.text
    form.press("next", pleased="yes")
    assert form.text.count("第 1 项") == form.text.count("第 2 项") == 1
    form.hand_in()
    assert kept(engine)["matter"] == [{"title": "居住证", "days": 3}, {"title": "护照", "days": 9}]


def test_an_entry_half_filled_can_be_taken_away_again(opened, engine):
    form = opened(BOOKS["repeat"]).press("next", used="yes").press("add").press("next")
    assert form.page.status_code == 422
    form.press("drop", query="?entry=1")
    assert "现在一项也没有" in form.text
    form.press("next").press("next", pleased="yes").hand_in()
    assert "matter" not in kept(engine)


def test_a_repeat_that_is_not_asked_is_passed_over(opened):
    form = opened(BOOKS["repeat"]).press("next", used="no")
    assert "题目 pleased" in form.text
    assert "办过的事" not in form.text


def test_a_fixed_number_of_entries_has_no_buttons(opened, engine):
    form = opened(BOOKS["counted repeat"]).press("next", used="yes")
    for entry in (1, 2):
        assert f"第 {entry} 项" in form.text
        assert 'value="add"' not in form.text
        assert 'value="drop"' not in form.text
        form.press("next", **{f"matter.{entry}.title": f"第{entry}件"})
    form.press("next", pleased="no").hand_in()
    assert [one["title"] for one in kept(engine)["matter"]] == ["第1件", "第2件"]


@pytest.mark.parametrize("entry", ["0", "-1", "7", "x", "", "99999"])
def test_a_forged_entry_takes_nothing_away(opened, entry):
    form = opened(BOOKS["repeat"]).press("next", used="yes").press("add")
    form.press("next", **{"matter.1.title": "居住证"})
    form.press("drop", query=f"?entry={entry}")
    assert "居住证" in form.text


@pytest.mark.parametrize("do", ["add", "drop"])
def test_entries_of_what_is_no_repeat_are_refused(opened, do):
    assert opened(BOOKS["single"]).press(do, q="yes").page.status_code == 400


# --- Pictures ---------------------------------------------------------------------------------------------------


def a_photo(size=(2400, 1200)):
    written = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SECRETPHONE"
    Image.linear_gradient("L").resize(size).convert("RGB").save(written, "JPEG", exif=exif)
    written.seek(0)
    return written, "photo.jpg", "image/jpeg"


def test_a_picture_is_made_anew_kept_sealed_and_handed_in(opened, engine):
    form = opened(BOOKS["image"]).press("next", q=a_photo())
    assert "有一张照片" in form.text
    with engine.connect() as connection:
        sealed = connection.execute(select(ballots.draft_file.c.sealed)).scalars().all()
    assert len(sealed) == 2
    assert not any(b"JFIF" in one or b"SECRETPHONE" in one for one in sealed)
    small = form.client.get("/survey/picture?of=q")
    assert max(Image.open(io.BytesIO(small.data)).size) == 320
    assert small.headers["Cache-Control"] == "no-store"
    form.hand_in()
    with engine.connect() as connection:
        (row,) = connection.execute(select(ballots.response_file)).all()
        assert connection.execute(select(ballots.draft_file)).all() == []
        answers = connection.execute(select(ballots.response.c.id, ballots.response.c.answers)).one()
    assert (row.response_id, row.name) == (answers.id, answers.answers["q"])
    made = Image.open(io.BytesIO(row.content))
    assert (made.format, made.size) == ("JPEG", (1600, 800))
    assert not made.getexif()
    assert b"SECRETPHONE" not in row.content


def test_a_picture_survives_a_reload_and_a_turned_page_and_can_be_changed_and_removed(opened, engine):
    form = opened(BOOKS["image"]).press("next", q=a_photo())
    form.press("back", at="1", upto="2")
    assert 'src="/survey/picture?of=q"' in form.text
    form.press("next", q=a_photo((300, 300)))
    with engine.connect() as connection:
        assert len(connection.execute(select(ballots.draft_file)).all()) == 2
    form.press("stay", at="1", upto="2", q="-")
    assert "/survey/picture" not in form.text
    with engine.connect() as connection:
        assert connection.execute(select(ballots.draft_file)).all() == []
    assert form.client.get("/survey/picture?of=q").status_code == 404


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0broken", b"GIF89a"])
def test_what_is_no_picture_is_refused_at_its_question(opened, content):
    form = opened(BOOKS["image"]).press("next", q=(io.BytesIO(content), "a.jpg", "image/jpeg"))
    assert form.page.status_code == 422
    assert form.errors[0].startswith("这一题问什么？")


def test_the_operator_of_another_code_sees_no_picture(opened, app):
    opened(BOOKS["image"]).press("next", q=a_photo())
    assert app.test_client().get("/survey/picture?of=q").status_code == 401


# --- Order, blocks and layouts ----------------------------------------------------------------------------------


def rows(form):
    return list(dict.fromkeys(re.findall(r'type="radio" name="(unit_\d+)"', form.text)))


def test_everybody_meets_the_units_in_an_order_of_their_own_that_stays(app, engine, settings):
    with engine.begin() as connection:
        codes = some_codes(connection, a_survey(connection, a_grid_book(20)), 3, settings.pepper)
    first = [rows(entered(app, code)) for code in codes]
    assert len({tuple(one) for one in first}) == 3
    assert [rows(entered(app, code)) for code in codes] == first


def test_changing_to_large_type_in_the_middle_stays_at_the_question_and_loses_nothing(opened):
    form = opened(a_grid_book(20))
    units = rows(form)
    form.press("stay", query="?large=1", **dict.fromkeys(units[:3], "4"))
    assert rows(form) == [units[3]]
    assert "已评 <b" in form.text
    assert ">3</b> / 20" in form.text
    form.press("next", **{units[3]: "4"})
    assert rows(form) == [units[4]]
    form.press("stay", query="?large=0", **{units[4]: "dk"})
    assert rows(form) == units
    assert form.text.count(" checked>") == 5
    form.press("stay", query="?large=1").press("back")
    assert rows(form) == [units[4]]


def test_large_type_asks_one_question_a_screen_and_back_goes_through_them(opened, engine):
    form = opened(BOOKS["everything"], query="?large=1")
    seen = []
    given = {"used": "yes", "recommend": "3", "order__counter": "1", "order__online": "2", "order__hotline": "3"}
    while form.heading != "请核对您的回答":
        asked = {name.partition(":")[0] for name in re.findall(r'name="([\w.:]+)"', form.text)} - {
            *("at", "upto", "then", "js", "do", "viewport", "format-detection", "format")
        }
        assert len(asked) <= 1, asked
        seen += sorted(asked)
        here = {name: value for name, value in given.items() if name.partition("__")[0] in asked}
        form.press("next", **here)
        assert form.page.status_code == 200, form.errors
    assert seen == ["used", "ways", "visits", "hours", "last", "recommend", "order", "picture", "words"]
    form.hand_in()
    assert kept(engine)["recommend"] == 3


def test_a_note_stands_with_the_question_after_it(opened):
    form = opened(BOOKS["everything"], query="?large=1")
    assert "谢谢您参加" in form.text
    assert 'name="used"' in form.text


def test_a_page_a_unit_comes_in_an_order_of_its_own(app, engine, settings):
    book = a_book_of(
        *(
            row
            for at in range(6)
            for row in (
                {**a_row("begin_group", f"g{at}", appearance="field-list"), "label": f"市第{at}号局"},
                a_row("select_one scale", f"a{at}", mc_unit=f"u{at}", mc_item="pace", required="yes"),
                a_row("select_one scale", f"b{at}", mc_unit=f"u{at}", mc_item="manner", required="yes"),
                a_row("end_group"),
            )
        ),
        choices=(("scale", "good", "好", 100), ("scale", "bad", "差", 0)),
        columns=("points",),
    )
    with engine.begin() as connection:
        codes = some_codes(connection, a_survey(connection, book), 3, settings.pepper)
    orders = []
    for code in codes:
        form, met = entered(app, code), []
        while form.heading != "请核对您的回答":
            met.append(form.heading)
            names = dict.fromkeys(re.findall(r'type="radio" name="(\w+)"', form.text), "good")
            form.press("next", **names)
        orders.append(tuple(met))
        form.hand_in()
    assert len(set(orders)) == 3
    assert {frozenset(order) for order in orders} == {frozenset(f"市第{at}号局" for at in range(6))}


def test_a_code_of_a_block_is_asked_about_its_units_only(app, engine, settings):
    with engine.begin() as connection:
        survey = a_survey(connection, a_grid_book(12))
        codes = some_codes(connection, survey, 2, settings.pepper)
        connection.exec_driver_sql("UPDATE office.survey SET units_per_respondent = 4")
        connection.exec_driver_sql("UPDATE roll.access_code SET block = 3")
    asked = [set(rows(entered(app, code))) for code in codes]
    assert asked[0] == asked[1]
    assert len(asked[0]) == 4
    form = entered(app, codes[0])
    assert "/ 4" in form.text
    form.press("next", **dict.fromkeys(asked[0], "5")).hand_in()
    assert set(kept(engine)) == asked[0]
    stranger = next(unit for unit in (f"unit_{at}" for at in range(12)) if unit not in asked[0])
    reply = app.test_client().post(
        "/api/v1/responses",
        json={"code": codes[1], "receipt": "R" * 20, "answers": {**dict.fromkeys(asked[0], "5"), stranger: "5"}},
    )
    assert (reply.status_code, reply.json["errors"][0]["path"]) == (422, stranger)


def test_a_form_that_asks_nothing_is_an_empty_page_not_an_error(opened):
    form = opened(a_book_of(a_row("select_one yes_no", "q", relevant="1 = 2")))
    assert form.heading == "请核对您的回答"
    assert form.client.post("/survey", data={"do": "next", "at": "1"}).status_code == 200
    assert form.client.post("/survey", data={"do": "send"}).status_code == 200
