"""Handing in indicator scores at the desk: faults are shown by row, and two people stand for what counts."""

import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from api.store.indicators import batches_of, scores_of
from tests.desk import Desk, a_desk
from tests.pages.test_desk import signed_in, text_of

GOOD = "单位,指标,得分,扣分,依据\neducation,差异性指标,921.5,,评分\nsports,共同性指标,,24.5,公文超期\n"
BAD = "单位,指标,得分,扣分,依据\nnobody,差异性指标,921.5,,评分\nsports,共同性指标,24.5,,\n"


@pytest.fixture
def desk(engine) -> Desk:
    with engine.begin() as connection:
        return a_desk(connection)


@pytest.fixture
def enter(app, desk) -> Callable[[str], FlaskClient]:
    """Sign somebody in at the desk that is there."""
    assert desk.staff
    return lambda username: signed_in(app, username)


def token_of(client: FlaskClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/office/indicators").text)
    assert found
    return found[1]


def hand_in(client: FlaskClient, text: str, name: str = "得分.csv"):
    data = {"form_token": token_of(client), "file": (io.BytesIO(text.encode()), name)}
    return client.post("/office/indicators", data=data, content_type="multipart/form-data")


def decide(client: FlaskClient, address: str, decision: str, reason: str = ""):
    data = {"form_token": token_of(client), "decision": decision, "reason": reason}
    return client.post(f"{address}/decision", data=data)


def test_every_fault_is_shown_by_row_first_on_the_page_and_nothing_is_kept(enter, desk, engine):
    answer = hand_in(enter("office"), BAD)
    assert answer.status_code == 422
    words = text_of(answer.text)
    assert "请先改正 3 处" in words
    assert "第 2 行“单位”" in words
    assert "第 3 行“指标”" in words
    assert "第 3 行“依据”" in words
    assert answer.text.index("error-summary") < answer.text.index("<h1>")
    with engine.connect() as connection:
        assert batches_of(connection, desk.evaluation.id) == []


@pytest.mark.parametrize("data", [{}, {"file": (io.BytesIO(b""), "")}])
def test_no_file_is_said_so(enter, data):
    client = enter("office")
    answer = client.post("/office/indicators", data=data | {"form_token": token_of(client)})
    assert answer.status_code == 422
    assert "请选择一个 CSV 文件" in answer.text


def test_one_hands_in_another_confirms_and_then_it_counts(enter, desk, engine):
    first, second = enter("office"), enter("office2")
    answer = hand_in(first, GOOD)
    assert answer.status_code == 303
    address = answer.headers["Location"]
    own = first.get(address).text
    assert "等另一位同事确认" in own
    assert 'name="decision"' not in own
    assert decide(first, address, "confirm").status_code == 403
    seen = text_of(second.get(address).text)
    assert "921.50" in seen
    assert "扣 24.50" in seen
    assert decide(second, address, "confirm").status_code == 303
    with engine.connect() as connection:
        assert [str(points) for points in scores_of(connection, desk.evaluation.id).values()] == ["921.5000"]
    assert "已确认" in first.get(address).text


def test_turning_down_needs_a_reason_and_says_so_on_the_same_page(enter):
    address = hand_in(enter("office"), GOOD).headers["Location"]
    second = enter("office2")
    answer = decide(second, address, "reject")
    assert answer.status_code == 422
    assert "请写明退回的理由" in answer.text
    assert decide(second, address, "reject", "与会议纪要不符").status_code == 303
    assert "已退回" in second.get(address).text


def test_a_decision_that_is_none_is_refused(enter):
    address = hand_in(enter("office"), GOOD).headers["Location"]
    assert decide(enter("office2"), address, "maybe").status_code == 422


def test_the_same_file_again_leads_to_the_same_page(enter):
    client = enter("office")
    assert hand_in(client, GOOD).headers["Location"] == hand_in(client, GOOD, "另一个名字.csv").headers["Location"]


def test_the_file_comes_back_byte_for_byte(enter):
    client = enter("office")
    address = hand_in(client, GOOD).headers["Location"]
    assert client.get(f"{address}/file").data == GOOD.encode()


def test_a_file_that_can_no_longer_be_confirmed_says_why_and_offers_no_confirmation(enter):
    first, second = enter("office"), enter("office2")
    address = hand_in(first, GOOD).headers["Location"]
    other = hand_in(first, GOOD.replace("921.5", "930")).headers["Location"]
    assert decide(second, address, "confirm").status_code == 303
    page = second.get(other).text
    assert "台账第 1 号已有同样的扣分" in page
    assert 'value="confirm"' not in page
    assert decide(second, other, "confirm").status_code == 409


def test_the_template_filled_in_is_taken(enter):
    client = enter("office")
    template = client.get("/office/indicators/template.csv").data.decode()
    assert template.startswith("\ufeff单位,指标,得分,扣分,依据\r\n")
    lines = template.splitlines()
    filled = "\r\n".join([lines[0], *(line.replace(",,,", ",800,,评分") for line in lines[1:])])
    assert hand_in(client, filled).status_code == 303


def test_without_the_form_token_nothing_is_taken(enter):
    client = enter("office")
    answer = client.post("/office/indicators", data={"file": (io.BytesIO(GOOD.encode()), "a.csv")})
    assert answer.status_code == 403


def test_an_unknown_batch_is_not_found(enter):
    assert enter("office").get("/office/indicators/999").status_code == 404
