"""A frame at the desk: handed in, its columns named, read by the worker, faults by row; and its pages well made."""

import re
from io import BytesIO

import pytest
from sqlalchemy import select

from api.actions.frames import registry_of
from api.app import LARGEST_BODY
from api.store import frames, surveys
from tests.desk import a_person
from tests.frames import HEADINGS, a_book, a_csv, a_framed_survey, drained, members
from tests.live import serving
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look


@pytest.fixture
def survey(engine):
    with engine.begin() as connection:
        for username in ("office", "office2"):
            a_person(connection, username, "office")
        a_person(connection, "bureau", "bureau")
        return a_framed_survey(connection)


@pytest.fixture
def registry(settings):
    return registry_of(settings.objects, settings.secret_key)


def token_of(client, address: str = "/office/frames") -> str:
    return client.get(address).text.partition('name="form_token" value="')[2].partition('"')[0]


def hand_in(client, survey, content: bytes, name: str = "名册.csv"):
    data = {"form_token": token_of(client), "survey": str(survey.id), "file": (BytesIO(content), name)}
    return client.post("/office/frames", data=data, content_type="multipart/form-data")


def columns_as_shown(page: str) -> dict[str, str]:
    """What the page's form would send, untouched."""
    given = dict(re.findall(r'name="(heading-\d+)" value="([^"]*)"', page))
    given |= dict(re.findall(r'name="(trait-\d+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select class="select" id="(column-\d+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        given[name] = chosen[1] if chosen else ""
    return given


def start(client, address: str, **changes):
    page = client.get(address).text
    data = {**columns_as_shown(page), **changes, "form_token": token_of(client, address)}
    return client.post(f"{address}/columns", data=data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (a_csv(members(40)).encode("utf-8-sig"), "编码：UTF-8"),
        (a_csv(members(40)).encode("gb18030"), "编码：GB18030"),
        (a_csv(members(40), delimiter="\t").encode(), "编码：UTF-8"),
        (a_book([(row[0], row[1], int(row[2]), *row[3:]) for row in members(40)]), "编码：Excel 工作簿"),
    ],
)
def test_a_file_is_recognised_and_becomes_a_frame(app, engine, survey, registry, content, said):  # noqa: PLR0917
    office = signed_in(app, "office")
    answer = hand_in(office, survey, content)
    assert answer.status_code == 303
    page = office.get(answer.location)
    assert said in text_of(page.text)
    assert "男" in text_of(page.text)  # the first lines, so that a wrong guess is seen
    assert start(office, answer.location).status_code == 303
    number = int(answer.location.rpartition("/")[2])
    waiting = office.get(answer.location)
    assert "正在读入" in text_of(waiting.text)
    assert '<noscript><meta http-equiv="refresh"' in waiting.text
    assert office.get(f"{answer.location}/progress").json["status"] == "reading"
    held = drained(engine, registry, number)
    assert held.status == "loaded"
    assert office.get(f"{answer.location}/progress").json == {
        "status": "loaded", "read": 40, "total": held.lines_total
    }  # fmt: skip
    shown = text_of(office.get(f"/office/frames/{held.frame_id}").text)
    assert "思明区 siming 20 1,000" in shown
    assert "名册 20，评议 1,000" in shown
    rows = office.get(f"/office/frames/{held.frame_id}/frame.csv").text.splitlines()
    assert rows[0] == "stratum,unit_id"
    assert rows[1:3] == ["huli,M0000001", "huli,M0000003"]
    assert len(rows) == 41


def test_every_fault_is_told_by_row_and_nothing_becomes_a_frame(app, engine, survey, registry):
    rows = [
        ("A1", "思明区", "13800000001", "男", "60+"),
        ("A1", "huli", "13800000002", "女", "60+"),
        ("A 2", "huli", "138", "女", "60+"),
        ("A3", "", "", "男", "60+"),
        ("A4", "翔安", "", "男", ""),
        ("=1+1", "huli", "", "男", "60+"),
        ("", "huli", "", "男", "a|b"),
    ]
    office = signed_in(app, "office")
    address = hand_in(office, survey, a_csv(rows).encode()).location
    start(office, address)
    held = drained(engine, registry, int(address.rpartition("/")[2]))
    assert (held.status, held.frame_id) == ("refused", None)
    page = text_of(office.get(address).text)
    for sentence in (
        "第 3 行“成员编号”：编号“A1”在第 2 行已经有了",
        "第 4 行“成员编号”：“A 2”不能用",
        "第 4 行“手机”：应为 11 位手机号",
        "第 5 行“层”：没有写层",
        "第 6 行“层”：本次评议没有层“翔安”",
        "第 6 行“年龄段”：“”不能作特征的取值",
        "第 7 行“成员编号”：“=1+1”不能用",
        "第 8 行“成员编号”：没有写成员编号",
        "第 8 行“年龄段”：“a|b”不能作特征的取值",
    ):
        assert sentence in page, sentence
    told = office.get(f"{address}/faults.csv").data.decode("utf-8-sig").splitlines()
    assert len(told) == 1 + held.faults["number"] == 1 + 9
    with engine.connect() as connection:
        assert frames.frames_of(connection, survey.id) == []
        assert connection.execute(select(frames.frame_line)).first() is None


def test_a_mapping_that_cannot_be_read_by_is_told_beside_its_field(app, survey):
    office = signed_in(app, "office")
    address = hand_in(office, survey, a_csv(members(3)).encode()).location
    for changes, sentence in (
        ({"column-0": ""}, "还没有指明哪一列是“成员编号”"),
        ({"column-2": "member"}, "有两列都指作“成员编号”"),
        ({"trait-3": "Sex!"}, "特征的名称用小写英文字母开头"),
        ({"column-4": "latitude"}, "纬度和经度要么都读，要么都不读"),
        ({"heading-0": "没有这一列"}, "列“没有这一列”在表头出现不止一次，或已不在文件里"),
        ({"column-2": "password"}, ""),
    ):
        answer = start(office, address, **changes)
        assert answer.status_code in {400, 422}
        assert sentence in text_of(answer.text), sentence
    assert start(office, address).status_code == 303


def test_contacts_of_an_open_survey_are_not_read(app, engine, survey):
    with engine.begin() as connection:
        connection.execute(surveys.survey.update().values(secrecy="open"))
    office = signed_in(app, "office")
    address = hand_in(office, survey, a_csv(members(3)).encode()).location
    answer = start(office, address)
    assert "只有密封的评议才能保存手机和邮箱" in text_of(answer.text)
    assert start(office, address, **{"column-2": ""}).status_code == 303


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "不能是空文件"),
        (b"\xff\xfe" + a_csv(members(3)).encode("utf-16-le"), "读不懂文件的编码"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "旧格式"),
        (b"PK\x03\x04 no zip", "打不开这个文件"),
        (",".join(HEADINGS).encode(), "没有数据行"),
        (f'{",".join(HEADINGS)}\r\n"A1,huli'.encode(), "读不出来"),
    ],
)
def test_a_file_that_is_no_frame_is_told_so_at_once(app, survey, content, sentence):
    answer = hand_in(signed_in(app, "office"), survey, content)
    assert answer.status_code == 422
    assert sentence in text_of(answer.text)


def test_a_large_file_comes_in_here_and_only_here(app, survey):
    noted = [(*row, "备" * 30_000) for row in members(310)]
    content = a_csv(noted, (*HEADINGS, "备注")).encode()
    assert len(content) > LARGEST_BODY
    office = signed_in(app, "office")
    answer = hand_in(office, survey, content)
    answer.request.environ["wsgi.input"].close()  # the client's own copy
    assert answer.status_code == 303
    assert hand_in(signed_in(app, "bureau"), survey, b"x").status_code == 403


def test_the_frames_numbers_become_the_surveys_once_asked(app, engine, survey, registry):
    office = signed_in(app, "office")
    address = hand_in(office, survey, a_csv(members(30)).encode()).location
    start(office, address)
    frame_id = drained(engine, registry, int(address.rpartition("/")[2])).frame_id
    page = f"/office/frames/{frame_id}"
    assert office.post(f"{page}/populations", data={"form_token": token_of(office, page)}).status_code == 303
    with engine.connect() as connection:
        assert {one.code: one.population for one in surveys.strata_of(connection, survey.id)} == {
            "siming": 15, "huli": 15
        }  # fmt: skip
    assert "评议 1,000" not in text_of(office.get(page).text)


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (NARROW, "en-GB")])
def test_the_pages_are_well_made(browser, app, engine, survey, registry, tmp_path, size, language):  # noqa: PLR0917
    office = signed_in(app, "office")
    waiting = hand_in(office, survey, a_csv(members(30)).encode()).location
    loaded, refused = (
        hand_in(office, survey, content).location
        for content in (a_csv(members(300)).encode(), a_csv([("A 1", "x", "1", "", "")]).encode())
    )
    reading = hand_in(office, survey, a_csv(members(60)).encode()).location
    for address in (loaded, refused):
        start(office, address)
    held = drained(engine, registry, int(loaded.rpartition("/")[2]))
    start(office, reading)
    with serving(app) as site, at_desk(browser, site, "office", size, language) as (page, complaints):
        for name, address in {
            "overview": "/office/frames",
            "columns": waiting,
            "reading": reading,
            "refused": refused,
            "loaded": loaded,
            "frame": f"/office/frames/{held.frame_id}",
        }.items():
            look(page, f"{site}{address}")
            page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        assert [one for one in complaints if "404" not in one] == []  # this survey’s scheme has no overview
        page.goto(f"{site}{reading}")
        drained(engine, registry, int(reading.rpartition("/")[2]))
        page.wait_for_selector(".notice.good", timeout=8000)  # the script saw the end
