"""Plan and draw at the desk, and what everybody sees of them: enough to repeat it, and nobody's id."""

import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update

from api.actions.draws import Commitment, commit_plan, draw_frame
from api.actions.fieldwork import set_plan
from api.actions.frames import registry_of
from api.actions.reserves import release_next
from api.app import create_app
from api.pages.local_time import write_local
from api.services import KEY, utc_now
from api.store import draws, fieldwork, people, roll
from api.store.roles import WEB, as_role, grant_roles
from survey_forms.fieldwork.plan import Plan
from tests.desk import a_person
from tests.draws import FORM, PLAN, RANDOMNESS, SOURCE, a_frame, another_frame
from tests.frames import members
from tests.live import PHONE, serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look


@pytest.fixture
def registry(settings):
    return registry_of(settings.objects, settings.secret_key)


@pytest.fixture
def framed(engine, registry):
    with engine.begin() as connection:
        a_person(connection, "office", "office")
        a_person(connection, "office2", "office")
        return a_frame(connection, registry)


def committed(engine, framed, staff: str = "office") -> None:
    """A plan whose randomness has become known in the meantime."""
    with engine.begin() as connection:
        who = people.staff_named(connection, staff)[0].id
        now = utc_now()
        said = Commitment(PLAN, SOURCE, now - timedelta(hours=1), FORM)
        commit_plan(connection, framed.frame_id, said, who, now - timedelta(days=2))


@pytest.fixture
def drawn(engine, registry, framed):
    committed(engine, framed)
    with engine.begin() as connection:
        draw_frame(connection, registry.safe, framed.frame_id, RANDOMNESS, framed.other, utc_now())
        return draws.draw_of(connection, framed.frame_id)


def lost(engine, framed, number: int = 1) -> list[tuple[int, str]]:
    """The first cases of a stratum, all of them refusals."""
    with engine.begin() as connection:
        set_plan(connection, framed.survey.id, Plan(script_zh="您好"), framed.staff, utc_now())
        found = connection.execute(
            select(roll.case.c.id, roll.case.c.member).where(
                roll.case.c.stratum == "huli", roll.case.c.position <= number
            )
        ).all()
        connection.execute(
            update(fieldwork.case_file)
            .where(fieldwork.case_file.c.case_id.in_([one.id for one in found]))
            .values(stage="done", outcome="2.11", attempts=1)
        )
    return [(one.id, one.member) for one in found]


def sent(client, address: str, **data):
    """Post a form of ours."""
    token = client.get("/office/frames").text.partition('name="form_token" value="')[2].partition('"')[0]
    return client.post(address, data={"form_token": token, **data})


def test_a_plan_is_written_by_form_seen_and_committed(app, framed):
    office = signed_in(app, "office")
    address = f"/office/frames/{framed.frame_id}/plan"
    assert "用表单写" in text_of(office.get(address).text)
    form = {"allocation": "equal", "total": "40", "reserve": "3", "selection": "tickets", "order": "none"}
    page = text_of(sent(office, address, do="write", **form).text)
    assert "思明区 300 20 6.7% 3 ±6.4" in page
    wrong = sent(office, address, do="write", **{**form, "total": "forty"})
    assert wrong.status_code == 422
    assert 'id="total-error"' in wrong.text
    source = 'allocation = "equal"\ntotal = 40\n'
    bare = sent(office, address, do="commit", source=source, checked="yes")
    assert bare.status_code == 422
    told_beside = {'id="randomness_source-error"', 'id="randomness_form-error"', 'id="known_from-error"'}
    assert told_beside <= set(re.findall(r'id="\w+-error"', bare.text))
    soon = write_local(utc_now() + timedelta(days=3))
    said = {"do": "commit", "source": source, "randomness_source": SOURCE, "known_from": soon}
    said["randomness_form"] = FORM
    assert "我已核对" in text_of(sent(office, address, **said).text)
    assert sent(office, address, **said, checked="yes").status_code == 303
    public = text_of(app.test_client().get(f"/draws/{framed.frame_id}").text)
    assert SOURCE in public
    assert FORM in public
    assert FORM in text_of(office.get(f"/office/frames/{framed.frame_id}").text)
    assert "还没有，等随机数公布" in public
    assert "huli,20 siming,20" in public
    early = sent(signed_in(app, "office2"), f"/office/frames/{framed.frame_id}/draw", randomness="x", checked="yes")
    assert early.status_code == 409
    assert "在那之前不能抽样" in text_of(app.test_client().get(f"/draws/{framed.frame_id}").text)


def test_another_person_draws_and_a_second_draw_is_refused_and_shown_to_everybody(app, engine, framed):
    committed(engine, framed)
    office, office2 = signed_in(app, "office"), signed_in(app, "office2")
    address = f"/office/frames/{framed.frame_id}/draw"
    assert "等另一位同事抽样" in text_of(office.get(address.removesuffix("/draw")).text)
    assert sent(office, address, randomness=RANDOMNESS, checked="yes").status_code == 403
    assert sent(office2, address, randomness=RANDOMNESS).status_code == 422
    assert sent(office2, address, randomness="  ", checked="yes").status_code == 422
    assert sent(office2, address, randomness=RANDOMNESS, checked="yes").status_code == 303
    again = sent(office2, address, randomness="another, more pleasing one", checked="yes")
    assert again.status_code == 409
    stranger = app.test_client()
    page = text_of(stranger.get(f"/draws/{framed.frame_id}").text)
    assert "方案由您提交，须由另一位工作人员抽样" in page
    assert "这份名册已经抽过样" in page
    told = stranger.get(f"/draws/{framed.frame_id}/record.json").json
    assert [(one["code"], one["randomness"]) for one in told["refused"]] == [
        ("draw_same_person", RANDOMNESS),
        ("draw_twice", "another, more pleasing one"),
    ]
    assert told["randomness"] == RANDOMNESS
    assert (told["randomness_source"], told["randomness_form"]) == (SOURCE, FORM)


def test_plans_that_were_refused_are_kept_and_shown_to_everybody(app, engine, registry, framed):
    """Even that of a frame which has no page of its own: it stands on the page of the survey's other frame."""
    committed(engine, framed)
    with engine.begin() as connection:
        second = another_frame(connection, registry, framed.survey, framed.staff, members(600)[::-1])
    office, soon = signed_in(app, "office"), write_local(utc_now() + timedelta(days=3))
    said = {"do": "commit", "source": PLAN, "randomness_source": "another lottery", "randomness_form": FORM}
    for number in (framed.frame_id, second):
        answer = sent(office, f"/office/frames/{number}/plan", **said, known_from=soon, checked="yes")
        assert answer.status_code == 409
    stranger = app.test_client()
    told = stranger.get(f"/draws/{framed.frame_id}/record.json").json
    assert [(one["code"], one["randomness"]) for one in told["refused"]] == [
        ("plan_ripe", "another lottery"),
        ("plan_strata_elsewhere", "another lottery"),
    ]
    page = text_of(stranger.get(f"/draws/{framed.frame_id}").text)
    assert "不能再换方案" in page
    assert "另一份名册" in page
    assert stranger.get(f"/draws/{second}").status_code == 404


def test_an_id_that_no_frame_can_hold_is_refused_in_words(app, framed, drawn):
    assert drawn
    answer = app.test_client().post(f"/draws/{framed.frame_id}/check", data={"member": "M0000001\x00"})
    assert answer.status_code < 500
    assert "名册里没有这个编号" in text_of(answer.text) or answer.status_code in {400, 422}


def test_the_commands_on_the_page_give_what_the_page_says(app, framed, drawn):
    stranger = app.test_client()
    page = stranger.post(f"/draws/{framed.frame_id}/check", data={"member": "M0000001"}).text
    commands = [
        one.replace("&#39;", "'").replace("&gt;", ">")
        for one in re.findall(r'<code class="mono small">(.*?)</code>', page)
    ]
    runs = [
        subprocess.run(["sh", "-c", one], capture_output=True, text=True, check=True).stdout.split()[0]
        for one in commands
        if "sha256sum" in one
    ]
    assert runs == [sha256(f"{drawn.seed}|huli|M0000001".encode()).hexdigest(), drawn.seed]
    assert runs[0] in page
    text = stranger.get(f"/draws/{framed.frame_id}/plan.txt").data
    assert sha256(text).hexdigest() == drawn.plan_digest
    assert stranger.get(f"/draws/{framed.frame_id}/plan.toml").data.decode() == PLAN


def test_whoever_knows_an_id_is_told_and_no_page_lists_one(app, engine, framed, drawn):
    stranger = app.test_client()
    roles = {}
    with engine.connect() as connection:
        for member, *_ in members(600):
            case = draws.case_of_member(
                connection, drawn.id, draws.stratum_of_member(connection, framed.frame_id, member), member
            )
            roles.setdefault(case.kind if case else "none", member)
    for role, words in (
        ("main", "票号不大于门槛，所以抽中"),
        ("reserve", "的备用样本"),
        ("none", "票号大于门槛，所以没有抽中"),
    ):
        page = text_of(stranger.post(f"/draws/{framed.frame_id}/check", data={"member": f" {roles[role]} "}).text)
        assert words in page, role
    unknown = stranger.post(f"/draws/{framed.frame_id}/check", data={"member": "<b>M9"})
    assert "名册里没有这个编号" in text_of(unknown.text)
    assert "<b>M9" not in unknown.text
    for address in ("", "/record.json", "/plan.txt"):
        told = stranger.get(f"/draws/{framed.frame_id}{address}").text
        assert not re.search(r"M0000\d\d\d", told)
    assert stranger.get(f"/draws/{framed.frame_id + 1}").status_code == 404


def test_the_webs_own_role_may_do_all_that_a_draw_takes(settings, engine, framed):
    committed(engine, framed)
    with engine.begin() as connection:
        grant_roles(connection)
    made = create_app(replace(settings, database_url=as_role(settings.database_url, WEB)))
    office2 = signed_in(made, "office2")
    address = f"/office/frames/{framed.frame_id}"
    assert sent(office2, f"{address}/draw", randomness=RANDOMNESS, checked="yes").status_code == 303
    assert sent(office2, f"{address}/draw", randomness=RANDOMNESS, checked="yes").status_code == 409
    assert office2.get(address).status_code == 200
    told = made.test_client().post(f"/draws/{framed.frame_id}/check", data={"member": "M0000001"})
    assert told.status_code == 200
    made.extensions[KEY].database.engine.dispose()


def test_the_office_lets_the_next_reserve_out_and_everybody_can_count_it(app, engine, framed, drawn):
    (case_id, member), *_ = lost(engine, framed)
    office = signed_in(app, "office")
    address = f"/office/frames/{framed.frame_id}"
    assert f"启用下一位，替换 {member}" in office.get(address).text
    assert sent(office, f"{address}/reserves/{case_id}").status_code == 303
    page = text_of(office.get(address).text)
    assert "启用下一位" not in page
    assert member in page
    assert sent(office, f"{address}/reserves/{case_id}").status_code == 409
    told = app.test_client().get(f"/draws/{framed.frame_id}/record.json").json
    assert told["released"] == {"huli": 1, "siming": 0}
    assert drawn.seed == told["seed"]


def test_the_index_leads_from_the_first_page_to_every_draw(app, framed, drawn):
    assert drawn
    stranger = app.test_client()
    assert 'href="/draws"' in stranger.get("/").text
    page = stranger.get("/draws")
    assert f'href="/draws/{framed.frame_id}"' in page.text
    assert "600 人" in text_of(page.text)
    assert f'href="/draws/{framed.frame_id}"' in stranger.get(f"/ballots/{framed.survey.id}").text


def test_a_frame_without_a_plan_is_nobodys_business(app, framed):
    stranger = app.test_client()
    assert "还没有公布方案" in text_of(stranger.get("/draws").text)
    for address in ("", "/record.json", "/plan.txt", "/plan.toml"):
        assert stranger.get(f"/draws/{framed.frame_id}{address}").status_code == 404


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (NARROW, "zh-CN")])
def test_the_pages_are_well_made(browser, app, engine, framed, drawn, tmp_path, size, language):  # noqa: PLR0917
    assert drawn
    with engine.begin() as connection:
        release_next(connection, framed.survey.id, lost(engine, framed, 3)[0][0], framed.staff, utc_now())
    with serving(app) as site, at_desk(browser, site, "office", size, language) as (page, _):
        for name, address in {
            "frame_drawn": f"/office/frames/{framed.frame_id}",
            "plan": f"/office/frames/{framed.frame_id}/plan",
            "index": "/draws",
            "public": f"/draws/{framed.frame_id}",
        }.items():
            look(page, f"{site}{address}")
            page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        page.fill("#member", "M0000001")
        page.click("form[action$=check] button")
        page.wait_for_selector(".notice")
        page.screenshot(path=tmp_path / "answer.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{site}/office/frames/{framed.frame_id}/plan")
        page.click("button[value=write]")
        page.wait_for_selector("#shares-caption")
        page.screenshot(path=tmp_path / "plan_seen.png", full_page=True)
