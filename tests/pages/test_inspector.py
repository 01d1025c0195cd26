"""The inspector's, the evidence's and the ledger's addresses: who gets what, in which words, and never a 500."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from api.actions.inspections import decide_finding
from api.actions.photos import render
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.services import KEY
from api.store.findings import findings_of
from api.store.inspections import assignment, check_ins_of
from api.store.people import audit
from survey_forms.inspection.mornings import last_opened
from tests.attacks import refused_by_the_decoder, refused_unopened, taken_and_cleaned
from tests.inspections import (
    HALL,
    NOW,
    PASSWORD,
    REAL_PHOTOS,
    a_check_in,
    a_finding,
    a_jpeg,
    a_photo,
    a_town,
    an_assignment,
    an_entry,
)

TODAY = last_opened(datetime.now(UTC))


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def visit_id(engine, town):
    with engine.begin() as connection:
        return a_check_in(connection, town).visit_id


@pytest.fixture
def objects(settings) -> Objects:
    return Objects(settings.objects)


@pytest.fixture
def sign_in(app, town) -> Callable[[str], FlaskClient]:  # noqa: ARG001 - the town's people sign in
    def signed_in(username: str) -> FlaskClient:
        client = app.test_client()
        assert client.post("/login", data={"username": username, "password": PASSWORD}).status_code == 302
        return client

    return signed_in


def token(client: FlaskClient, page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', client.get(page).text)
    assert found
    return found[1]


def post(client: FlaskClient, address: str, **facts: Any):
    headers = facts.pop("headers", {})
    home = "/inspector" if client.get("/inspector").status_code == 200 else "/office/ledger"
    return client.post(address, data={"form_token": token(client, home)} | facts, headers=headers)


def upload(client: FlaskClient, visit_id: object, content: bytes, name: str = "p.jpg"):
    """Send one photo as the script does; the body is made here, for the test client would leave a file open."""
    fields = {"form_token": token(client, "/inspector"), "photo": FileStorage(io.BytesIO(content), name)}
    boundary, body = encode_multipart(fields)
    return client.post(
        f"/inspector/visits/{visit_id}/photos",
        data=body,
        headers={"Accept": "application/json"},
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def fixes(*, north_m: float = 0, accuracy_m: float = 12) -> dict[str, Any]:
    now = round(datetime.now(UTC).timestamp() * 1000)
    fix = [HALL[0] + north_m / 111_195, HALL[1], accuracy_m, now]
    return {"fixes": orjson.dumps([fix]).decode(), "claimed_at": str(now), "check_in": uuid4(), "visit": uuid4()}


def test_a_sealed_assignment_names_neither_site_nor_unit(engine, town, sign_in):
    with engine.begin() as connection:
        sealed = an_assignment(connection, town, day=TODAY + timedelta(days=1))
    client = sign_in("inspector")
    text = client.get("/inspector").text
    assert "湖滨南路" not in text
    assert "市民政局" not in text
    assert client.get(f"/inspector/assignments/{sealed}").status_code == 404
    assert post(client, f"/inspector/assignments/{sealed}/check-in", **fixes()).status_code == 404


def test_nobody_sees_anothers_assignment_or_visit(engine, town, visit_id, sign_in):
    with engine.begin() as connection:
        theirs = an_assignment(connection, town, day=TODAY)
    other = sign_in("inspector2")
    for address in (
        f"/inspector/assignments/{theirs}",
        f"/inspector/visits/{visit_id}",
        f"/inspector/visits/{visit_id}/findings",
    ):
        assert other.get(address).status_code == 404, address
    assert post(other, f"/inspector/visits/{visit_id}/close").status_code == 404
    assert upload(other, visit_id, a_jpeg()).status_code == 404


def test_a_check_in_outside_asks_why_keeps_what_was_sent_and_then_counts(engine, town, sign_in):
    with engine.begin() as connection:
        here = an_assignment(connection, town, day=TODAY)
    client = sign_in("inspector")
    sent = fixes(north_m=900)
    asked = post(client, f"/inspector/assignments/{here}/check-in", **sent)
    assert asked.status_code == 422
    assert "在范围外" in asked.text
    assert str(sent["check_in"]) in asked.text
    assert "24.48" in asked.text
    done = post(client, f"/inspector/assignments/{here}/check-in", reason="临时搬到对面", **sent)
    assert done.status_code == 303
    assert "临时搬到对面" in client.get(done.headers["Location"]).text
    with engine.connect() as connection:
        assert [seen.presence for seen in check_ins_of(connection, sent["visit"])] == ["outside"]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"fixes": "{"},
        {"fixes": "[1]"},
        {"fixes": "[[1,2,3]]"},
        {"fixes": '["abcd"]'},
        {"fixes": "[[91,0,1,1]]"},
        {"fixes": "[[1,1,-1,1]]"},
        {"fixes": "[[1,1,1,-1]]"},
        {"fixes": "[[1,1,1,99999999999999]]"},
        {"fixes": "[" * 100_000},
        {"fixes": "[[1e999,1,1,1]]"},
        {"fixes": "[[null,1,1,1]]"},
        {"fixes": "[" + ",".join(["[1,1,1,1]"] * 500) + "]"},
        {"check_in": "7"},
        {"visit": "x"},
        {"reason": "长" * 501},
    ],
)
def test_a_check_in_that_cannot_be_read_is_told_so(engine, town, sign_in, nonsense):
    with engine.begin() as connection:
        here = an_assignment(connection, town, day=TODAY)
    answer = post(sign_in("inspector"), f"/inspector/assignments/{here}/check-in", **(fixes() | nonsense))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_receipt_names_the_hash_and_the_same_photo_gets_the_same_one(visit_id, sign_in):
    client = sign_in("inspector")
    first, again = (upload(client, visit_id, a_jpeg(), name) for name in ("a.jpg", "b.jpg"))
    assert first.status_code == 200
    assert first.json == again.json
    page = client.get(f"/inspector/visits/{visit_id}").text
    assert first.json["receipts"][0]["sha256"][:12] in page


def test_no_file_at_all_ends_in_a_500(engine, visit_id, objects, sign_in):
    client = sign_in("inspector")
    real = [(path.name, path.read_bytes()) for path in sorted(REAL_PHOTOS.glob("*"))] if REAL_PHOTOS.is_dir() else []
    sent = [
        *((name, content, code) for name, content, code in refused_unopened() if len(content) < 25 * 1024 * 1024),
        *((name, content, None) for name, content, _ in refused_by_the_decoder()),
        *((name, content, None) for name, content in taken_and_cleaned()),
        *((name, content, None) for name, content in real if not name.endswith(("HEIC", "md"))),
    ]
    for name, content, code in sent:
        answer = upload(client, visit_id, content, name="../../" + name)
        assert answer.status_code == (200 if code is None else answer.status_code), name
        assert answer.status_code < 500, name
        assert code is None or answer.json["code"] == code, name
    with engine.begin() as connection, Decoder() as decoder:
        for kept in objects.root.glob("originals/*/*"):
            render(connection, objects, decoder, bytes.fromhex(kept.name), NOW)
        refused = connection.execute(select(audit.c.about).where(audit.c.act == "photo_refused")).scalars().all()
    assert {about["code"] for about in refused} >= {"photo_heic" if real else "photo_animated", "photo_other_kind"}
    assert client.get(f"/inspector/visits/{visit_id}").status_code == 200


def test_an_upload_beyond_every_limit_is_refused_as_too_large(visit_id, sign_in):
    answer = upload(sign_in("inspector"), visit_id, a_jpeg() + bytes(27 * 1024 * 1024))
    assert answer.status_code == 413


def test_an_upload_without_a_photo_says_so(visit_id, sign_in):
    answer = post(sign_in("inspector"), f"/inspector/visits/{visit_id}/photos")
    assert answer.status_code == 422
    assert "没有选择照片" in answer.text


def test_a_finding_that_does_not_fit_comes_back_as_it_was(engine, visit_id, sign_in):
    client = sign_in("inspector")
    sent = {"finding": str(uuid4()), "rule": "rude_service", "points": "9", "description": "三号窗口"}
    back = post(client, f"/inspector/visits/{visit_id}/findings", **sent)
    assert back.status_code == 422
    for part in (sent["finding"], 'value="9"', "三号窗口", "2–6", 'value="rude_service" required checked'):
        assert part in back.text, part
    for wrong in ({"points": "五"}, {"rule": "nothing"}, {"description": "\u200b "}, {"photos": "zz"}, {"finding": ""}):
        assert (
            post(client, f"/inspector/visits/{visit_id}/findings", **(sent | {"points": "5"} | wrong)).status_code
            == 422
        )
    assert post(client, f"/inspector/visits/{visit_id}/findings", **(sent | {"points": "5"})).status_code == 303
    with engine.connect() as connection:
        assert len(findings_of(connection, visit_id)) == 1


@pytest.fixture
def photo(engine, town, visit_id, objects):
    """A judged photo, in a finding, in the ledger."""
    with engine.begin() as connection, Decoder() as decoder:
        kept = a_photo(connection, objects, town, visit_id)
        render(connection, objects, decoder, kept.sha256, NOW)
        finding = a_finding(connection, town, visit_id, photos=(kept.sha256,))
        decide_finding(connection, finding.id, town.office, True, "", NOW)
    return kept


@pytest.mark.parametrize(
    ("username", "copies", "original"),
    [
        ("office", 200, 200),
        ("inspector", 200, 200),
        ("inspector2", 404, 404),
        ("unit", 200, 403),
        ("unit2", 404, 403),
        ("bureau", 403, 403),
    ],
)
def test_photos_are_shown_to_those_concerned(photo, sign_in, username, copies, original):
    client = sign_in(username)
    for copy, expected in (("rendition", copies), ("thumbnail", copies), ("original", original)):
        assert client.get(f"/evidence/{photo.name}/{copy}").status_code == expected, copy


def test_photos_never_run_and_originals_are_downloads(engine, photo, sign_in):
    client = sign_in("office")
    for copy in ("rendition", "thumbnail", "original"):
        headers = client.get(f"/evidence/{photo.name}/{copy}").headers
        assert headers["Content-Type"] == "image/jpeg"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        disposition = headers.get("Content-Disposition", "")
        assert disposition == (f'attachment; filename="{photo.name}.jpg"' if copy == "original" else "")
    with engine.connect() as connection:
        reads = connection.execute(select(audit.c.about).where(audit.c.act == "original_read")).scalars().all()
    assert reads == [{"sha256": photo.name}]
    for name in ("x", "0" * 64, "..%2f..%2fsecret", "é" * 64):
        assert client.get(f"/evidence/{name}/rendition").status_code == 404


def test_the_office_decides_with_a_reason_and_sees_the_evidence(engine, town, photo, sign_in):
    with engine.begin() as connection:
        finding = a_finding(connection, town, photo.visit_id, rule="no_duty_roster", description="<script>未见公示")
    client = sign_in("office")
    shown = client.get("/office/findings").text
    for part in ("未公开岗位职责", "&lt;script&gt;未见公示", "确在现场", "林察"):
        assert part in shown, part
    decision = f"/office/findings/{finding.id}/decision"
    assert "请写明理由" in post(client, decision, decision="no").text
    assert post(client, decision, decision="perhaps").status_code == 422
    assert post(client, decision, decision="no", note="立牌在东侧").status_code == 303
    late = post(sign_in("office2"), decision, decision="yes")
    assert (late.status_code, "已经核定" in late.text) == (409, True)
    assert "立牌在东侧" in client.get("/office/findings").text


def test_findings_are_decided_by_the_page_and_a_visit_is_read_once(app, engine, town, photo, sign_in):
    client = sign_in("office")

    def statements() -> int:
        """How many the first page takes."""
        sent: list[str] = []
        database = app.extensions[KEY].database.engine
        event.listen(database, "before_cursor_execute", listener := lambda *facts: sent.append(facts[2]))
        client.get("/office/findings")
        event.remove(database, "before_cursor_execute", listener)
        return len(sent)

    with engine.begin() as connection:
        filed = [a_finding(connection, town, photo.visit_id)]
    alone = statements()
    with engine.begin() as connection:
        filed += [a_finding(connection, town, photo.visit_id, description=f"第 {one} 次") for one in range(44)]
    assert statements() == alone
    cards = [client.get(f"/office/findings?page={number}").text.count("<article") for number in (1, 2, 3, 9)]
    assert cards == [20, 20, 5, 5]
    assert '<span class="soft">45</span>' in client.get("/office/findings").text
    assert client.get("/office/findings?page=x").status_code == 404
    done = post(client, f"/office/findings/{filed[0].id}/decision?page=3", decision="no", note="立牌在东侧")
    assert (done.status_code, done.headers["Location"]) == (303, "/office/findings?page=3")


def test_the_ledgers_page_adds_up(engine, town, sign_in):
    with engine.begin() as connection:
        for points in ("2", "3.5"):
            an_entry(connection, town, points=points)
        an_entry(connection, town, points="1", unit_id=town.other_unit_id)
    client, second = sign_in("office"), sign_in("office2")
    assert post(client, "/office/ledger/1/reversal", reason="").status_code == 422
    assert post(client, "/office/ledger/9/reversal", reason="没有这条").status_code == 404
    assert post(client, "/office/ledger/1/reversal", reason="经批准停办").status_code == 303
    assert post(client, "/office/reversals/1/decision", decision="yes").status_code == 403
    assert post(second, "/office/reversals/1/decision", decision="yes").status_code == 303
    rows = re.findall(r'<tr id="entry-(\d)">(.*?)</tr>', client.get("/office/ledger").text, re.DOTALL)
    cell = r'<td class="num[^"]*">(?:<a href="/office/ledger/\d">)?([^<]*)(?:</a>)?</td>'
    figures = {seq: re.findall(cell, row) for seq, row in rows}
    assert figures == {
        "4": ["L4", "+ 2.00", "3.50"],
        "3": ["L3", "− 1.00", "1.00"],
        "2": ["L2", "− 3.50", "5.50"],
        "1": ["L1", "− 2.00", "2.00"],
    }


def test_inspectors_decide_nothing_and_the_office_inspects_nothing(engine, town, visit_id, sign_in):
    with engine.begin() as connection:
        finding = a_finding(connection, town, visit_id)
        seq = an_entry(connection, town)
    inspector, office = sign_in("inspector"), sign_in("office")
    assert post(inspector, f"/office/findings/{finding.id}/decision", decision="yes").status_code == 403
    assert post(inspector, f"/office/ledger/{seq}/reversal", reason="x").status_code == 403
    assert office.get("/inspector").status_code == 403
    assert post(office, f"/inspector/visits/{visit_id}/close").status_code == 403


def test_the_pages_speak_english_too(visit_id, sign_in, engine, town):
    with engine.begin() as connection:
        here = connection.execute(select(assignment.c.id)).scalar_one()
        an_entry(connection, town)
    client = sign_in("inspector")
    for address in (
        "/inspector",
        f"/inspector/assignments/{here}",
        f"/inspector/visits/{visit_id}",
        f"/inspector/visits/{visit_id}/findings",
    ):
        text = client.get(address, query_string={"lang": "en", "again": "1"}).text
        words = re.sub(r"<[^>]+>", "", text[text.index("<main") : text.index("</main")])
        chinese = set(re.findall(r"[\u4e00-\u9fff]{3,}", words)) - {"湖滨南路", "湖滨南路办事大厅", "演示目录"}
        assert chinese == set(), address
