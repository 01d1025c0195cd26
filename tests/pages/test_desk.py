"""The desk's pages: who sees what, what stands beside each figure, and that nothing can be worked out too early."""

import json
import re
from collections.abc import Callable
from hashlib import sha256

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.actions import results
from api.store.results import latest_composite
from survey_forms.scoring.compute import score
from tests.desk import NOW, PASSWORD, UNITS, Desk, a_desk, a_person, a_scored_desk, a_second_evaluation, publish

PAGES = {
    "office": (
        "/office", "/office/results", "/office/results/education", "/office/indicators", "/office/indicators/1",
        "/office/survey", "/office/audit",
    ),
    "bureau": ("/bureau",),
    "unit": ("/unit",),
}  # fmt: skip


@pytest.fixture
def desk(engine) -> Desk:
    with engine.begin() as connection:
        return a_scored_desk(connection, supplied=None)


@pytest.fixture
def enter(app, desk) -> Callable[[str], FlaskClient]:
    """Sign somebody in at the desk that is there."""
    assert desk.staff
    return lambda username: signed_in(app, username)


def signed_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/login", data={"username": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return client


def text_of(page: str) -> str:
    """The words of a page without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


class TestTheDoor:
    @pytest.mark.usefixtures("desk")
    def test_who_opens_a_page_without_a_session_signs_in_and_comes_back_to_it(self, app):
        client = app.test_client()
        answer = client.get("/office/results?evaluation=xiamen-2015")
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/login?next=%2Foffice%2Fresults%3Fevaluation%3Dxiamen-2015"
        sign_in = client.get(answer.headers["Location"]).text
        target = re.search(r'name="next" value="([^"]+)"', sign_in)
        assert target
        answer = client.post("/login", data={"username": "office", "password": PASSWORD, "next": target[1]})
        assert answer.headers["Location"] == "/office/results?evaluation=xiamen-2015"

    @pytest.mark.usefixtures("desk")
    def test_a_script_gets_the_status_itself(self, app):
        answer = app.test_client().get("/office", headers={"Sec-Fetch-Mode": "cors"})
        assert answer.status_code == 401

    @pytest.mark.usefixtures("desk")
    def test_a_wrong_password_is_said_kindly_and_keeps_the_name(self, app):
        answer = app.test_client().post("/login", data={"username": "office", "password": "no"})
        assert answer.status_code == 401
        assert 'value="office"' in answer.text
        assert "错误" in answer.text.partition("<title>")[2].partition("</title>")[0]
        assert 'role="alert"' in answer.text

    @pytest.mark.parametrize("role", PAGES)
    def test_each_role_sees_its_own_pages_and_no_others(self, enter, role):
        client = enter(role)
        for owner, addresses in PAGES.items():
            for address in addresses:
                assert client.get(address).status_code == (200 if owner == role else 403), address

    def test_signing_out_ends_it(self, enter):
        client = enter("office")
        token = re.search(r'name="form_token" value="([^"]+)"', client.get("/office").text)
        assert token
        client.post("/logout", data={"form_token": token[1]})
        assert client.get("/office").status_code == 302


class TestEveryPage:
    @pytest.mark.parametrize("language", ["zh", "en"])
    @pytest.mark.parametrize("role", PAGES)
    def test_the_policy_finds_no_inline_style_script_or_handler(self, enter, role, language):
        client = enter(role)
        for address in PAGES[role]:
            page = client.get(address, query_string={"lang": language}).text
            assert not re.search(r"<[^>]+\s(style|on\w+)=|<style|<script(?![^>]*\bsrc=)", page), address
            assert f'<html lang="{"en" if language == "en" else "zh-CN"}">' in page

    def test_simulated_data_are_said_to_be_so(self, app, engine):
        with engine.begin() as connection:
            a_scored_desk(connection, simulated=True)
        for role, addresses in PAGES.items():
            client = signed_in(app, role)
            assert all("演示数据" in client.get(address).text for address in addresses)

    def test_real_data_are_not(self, enter):
        assert "演示数据" not in enter("office").get("/office/results").text

    def test_before_there_is_an_evaluation_the_desk_says_so(self, app, engine):
        with engine.begin() as connection:
            a_person(connection, "office", "office")
        answer = signed_in(app, "office").get("/office")
        assert answer.status_code == 404
        assert "系统里还没有考评" in answer.text

    def test_another_evaluation_is_chosen_by_its_address_and_stays_chosen(self, app, desk, engine):
        with engine.begin() as connection:
            a_second_evaluation(connection, desk)
        client = signed_in(app, "office")
        newest, older = (
            f'<span class="evaluation">{name}</span>' for name in ("第二次考评", "厦门市 2015 年度绩效考评")
        )
        assert newest in client.get("/office/results").text
        assert older in client.get("/office?evaluation=xiamen-2015").text
        assert older in client.get("/office/results").text
        assert client.get("/office?evaluation=none-such").status_code == 404


class TestTheOverview:
    def test_what_is_missing_is_named(self, app, engine):
        with engine.begin() as connection:
            a_desk(connection)
        page = text_of(signed_in(app, "office").get("/office").text)
        assert "综合得分还没有计算过" in page
        assert "导入指标得分" in page

    def test_answers_codes_and_rate_stand_by_group(self, enter):
        page = text_of(enter("office").get("/office").text)
        assert "城乡居民 40 12 120 30.0%" in page
        assert "党代表 10 9 9 90.0%" in page
        assert "收到 ÷ 发码或抽中（AAPOR RR1）" in page


class TestTheResults:
    def test_scores_and_ranks_have_intervals_and_grades_their_probability(self, enter, desk, engine):
        page = text_of(enter("office").get("/office/results").text)
        with engine.connect() as connection:
            composite = latest_composite(connection, desk.evaluation.id)
        assert composite is not None
        assert composite.output is not None
        for unit in composite.output["units"]:
            error = composite.errors[unit["id"]]
            assert f"{unit['composite']} {error['low']:.1f} – {error['high']:.1f} {unit['grade']}" in page
        assert len(re.findall(r"第 \d+(?:–\d+)? 位", page)) == 3 * len(UNITS)  # both pictures of ranks, and the table
        assert not re.search(r"(?<!区间)名次\s*\d", page)

    def test_what_may_not_be_claimed_stands_on_the_same_page(self, enter):
        for role, address in (("office", "/office/results"), ("bureau", "/bureau")):
            page = enter(role).get(address).text
            assert "没有应答的人若看法不同，区间不会显示出来。应答率最低的是党代表（RR3 90.0%）" in page
            assert "有群体的有效评价不足 10 份，综合得分只作参考：市教育局；" in page
            assert "跟别的年份比较或推断原因时，误差更大" in page
            assert "答卷还没有加权" in page

    def test_the_inputs_are_what_the_digest_says_and_give_the_same_figures(self, enter):
        client = enter("office")
        page = client.get("/office/results").text
        address = re.search(r'href="(/office/results/inputs/([0-9a-f]{64}))"', page)
        assert address
        content = client.get(address[1]).data
        assert sha256(content).hexdigest() == address[2]
        for unit in score(json.loads(content))["units"]:
            assert unit["composite"] in text_of(page)

    def test_inputs_of_another_digest_are_not_found(self, enter):
        assert enter("office").get("/office/results/inputs/" + "0" * 64).status_code == 404

    def test_while_something_is_missing_the_page_says_what(self, app, engine):
        with engine.begin() as connection:
            a_scored_desk(connection, supplied={"outstanding_base": "15"})
        page = text_of(signed_in(app, "office").get("/office/results").text)
        assert "综合得分还算不出来" in page
        assert "public_review.shares" in page

    def test_without_a_composite_the_public_review_is_shown_with_its_errors(self, app, engine):
        with engine.begin() as connection:
            desk = a_scored_desk(connection, few=40)
            connection.exec_driver_sql("DELETE FROM indicator.score WHERE component = 'indicator.differential'")
            results.compose(connection, desk.evaluation.id, NOW)
        page = signed_in(app, "office").get("/office/results").text
        words = text_of(page)
        assert "3 个单位还缺“" in words
        assert "公众评议 · " in words
        rows = re.findall(r'<th scope="row">(市[^<]+)</th><td class="num strong">([\d.]+)', page)
        assert len(rows) == len(UNITS) * 2  # two groups answered
        assert len(re.findall(r'<td class="num nowrap">\d–\d / 3</td>', page)) >= len(UNITS)
        assert "不能据此说什么" in words

    def test_of_units_that_were_not_measured_every_page_says_so_and_tells_no_composite(self, enter, desk, engine):
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE result.estimate SET n = 5")
            publish(connection, desk)
            composite = latest_composite(connection, desk.evaluation.id)
        assert composite is not None
        assert composite.output is not None
        figures = {one["composite"] for one in composite.output["units"]}
        for role, address in (
            ("office", "/office/results"),
            ("office", "/office/results/education"),
            ("bureau", "/bureau"),
            ("unit", "/unit"),
        ):
            page = text_of(enter(role).get(address).text)
            assert "视为未测" in page, address
            assert not any(figure in page for figure in figures), address


class TestOneUnit:
    def test_its_score_goes_down_to_articles_answers_and_entries(self, enter):
        page = text_of(enter("office").get("/office/results/education").text)
        assert "第四部分" in page
        assert "931.5 × 60% + 1000 × 40%" in page
        assert "窗口无人在岗 4" in page
        assert "已被 L" in page
        assert "冲销 L" in page
        assert "城乡居民" in page
        assert "差异性指标 931.5" in page

    def test_an_unknown_unit_is_not_found(self, enter):
        assert enter("office").get("/office/results/nobody").status_code == 404

    def test_the_office_sees_small_groups_and_that_they_are_hidden_outside(self, enter):
        page = text_of(enter("office").get("/office/results/education").text)
        assert "对外不公布（人数少）" in page

    def test_the_bureau_sees_that_they_are_hidden_and_no_figure(self, enter):
        page = enter("bureau").get("/bureau").text
        row = re.search(
            r'<th scope="row">党代表</th>(?:<td class="num"><span class="faint">隐去</span></td>)+</tr>', page
        )
        assert row


class TestTheUnitItself:
    def test_before_publication_it_sees_its_deductions_and_no_score(self, enter, desk, engine):
        page = text_of(enter("unit").get("/unit").text)
        assert "窗口无人在岗 4" in page
        assert "公布后显示得分" in page
        with engine.connect() as connection:
            composite = latest_composite(connection, desk.evaluation.id)
        assert composite is not None
        assert composite.output is not None
        own = next(unit for unit in composite.output["units"] if unit["id"] == "education")
        assert own["composite"] not in page
        assert own["parts"]["public_review"][:6] not in page
        assert enter("unit").get(f"/unit/inputs/{composite.inputs_digest}").status_code == 404

    def test_it_never_sees_another_unit(self, enter, desk, engine):
        with engine.begin() as connection:
            publish(connection, desk)
        page = enter("unit").get("/unit").text
        assert "市体育局" not in page
        assert "公文超期" not in page

    def test_after_publication_it_can_recompute_its_own_score(self, app, engine):
        with engine.begin() as connection:
            desk = a_scored_desk(connection, few=24)
            publish(connection, desk)
        client = signed_in(app, "unit")
        page = client.get("/unit").text
        address = re.search(r'href="(/unit/inputs/[0-9a-f]{64})"', page)
        assert address
        document = json.loads(client.get(address[1]).data)
        (unit,) = score(document)["units"]
        assert unit["id"] == "education"
        assert f'<span class="value">{unit["composite"]}' in page

    def test_a_hidden_group_is_hidden_from_it_and_from_its_inputs(self, enter, desk, engine):
        with engine.begin() as connection:
            publish(connection, desk)
            composite = latest_composite(connection, desk.evaluation.id)
        assert composite is not None
        client = enter("unit")
        page = text_of(client.get("/unit").text)
        assert "人数少，不公布" in page
        value = composite.input["units"][0]["scores"]["public_review"]["party_delegates"]
        assert value not in page
        assert "含未公布的数" in page
        assert "自己复算一遍" not in page
        assert client.get(f"/unit/inputs/{composite.inputs_digest}").status_code == 404


class TestTheRest:
    def test_the_survey_page_hands_out_the_workbook_it_was_made_from(self, enter):
        client = enter("office")
        page = client.get("/office/survey").text
        address = re.search(r'href="(/office/forms/[0-9a-f]{64}/workbook)"', page)
        assert address
        assert client.get(address[1]).data == b"PK a book"
        assert client.get("/office/forms/none/workbook").status_code == 404

    def test_the_audit_tells_the_latest_acts_in_words(self, enter):
        page = text_of(enter("office").get("/office/audit").text)
        assert "确认指标文件" in page
        assert "写入台账" in page
        assert "同意冲销" in page

    @pytest.mark.parametrize("number", ["0", "-1", "2", "1e3", "９", "", "9999999"])
    def test_a_page_that_the_audit_does_not_have_is_not_found(self, enter, number):
        assert enter("office").get("/office/audit", query_string={"page": number}).status_code == 404

    def test_static_files_are_kept_for_a_year_under_their_content_and_else_not(self, app):
        client = app.test_client()
        named = re.findall(r'href="(/static/[^"]+)"', client.get("/design").text)
        assert len(named) >= 4
        for address in named:
            assert "immutable" in client.get(address.replace("&amp;", "&"), buffered=True).headers["Cache-Control"]
        assert "immutable" not in client.get("/static/app.css?v=other", buffered=True).headers.get("Cache-Control", "")

    @pytest.mark.parametrize("status", [403, 404, 405])
    def test_each_refusal_is_a_page_that_says_what_to_do_next(self, enter, status):
        client = enter("unit")
        address = {403: "/office", 404: "/none-such", 405: "/logout"}[status]
        answer = client.get(address)
        assert answer.status_code == status
        assert "回到首页" in answer.text
        assert answer.text.count("<h1>") == 1
