"""The API: who may call what, what is told, what stays hidden, and that nothing sent to it breaks it."""

import json
import random
import subprocess
import sys
from decimal import Decimal

import pytest
from openapi_spec_validator import validate
from sqlalchemy import text

from api.actions.results import compose
from api.store.results import latest_composite
from tests.worker.town import NOW, a_town, enter

BASE = "/api/v1/evaluations/town-2026"
OFFICES = {"office", "bureau"}
READERS = OFFICES | {"unit"}

# Behind these there is a ledger with a checkpoint: tests/http/test_ledger.py.
LEDGER = {
    f"/api/v1/ledger/{name}"
    for name in ("checkpoint", "checkpoints", "key", "proof/inclusion", "proof/consistency", "entries", "score")
}

# What each role gets before publication; everybody not named gets 403, and nobody 401.
ROUTES = {
    "/api/v1/evaluations": READERS,
    BASE: READERS,
    f"{BASE}/results": OFFICES,
    f"{BASE}/results/harbour": OFFICES,
    f"{BASE}/estimates": OFFICES,
    f"{BASE}/ledger": READERS,
    f"{BASE}/progress": OFFICES,
    f"{BASE}/input": OFFICES,
    f"{BASE}/results.csv": OFFICES,
    f"{BASE}/estimates.csv": OFFICES,
    f"{BASE}/ledger.csv": OFFICES,
    f"{BASE}/results.xlsx": OFFICES,
    **{f"{BASE}/{name}": OFFICES for name in ("rates", "weights", "covariances", "claims", "methods.xlsx")},
    **{f"{BASE}/{name}.csv": OFFICES for name in ("rates", "weights", "outcomes", "covariances", "claims")},
}

# The inspector's phone: tests/http/test_visits.py calls them.
PHONE = {"/api/v1/phone/bundle", "/api/v1/visits", "/api/v1/blobs/{digest}", "/api/v1/receipts/key"}


def publish(engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE office.round SET status = 'published'"))


@pytest.mark.parametrize("name", ["", "office", "bureau", "inspector", "unit"])
def test_every_route_answers_those_whom_it_names_and_nobody_else(client_of, name):
    client = client_of(name)
    for route, readers in ROUTES.items():
        expected = 200 if name in readers else 403 if name else 401
        answer = client.get(route)
        assert answer.status_code == expected, (route, name)
        assert answer.headers["Cache-Control"] == "no-store" or expected != 200
        if expected != 200:
            assert {"code", "errors"} == set(answer.json)
            assert all(one["zh"] and one["en"] for one in answer.json["errors"])


def test_the_matrix_covers_every_operation(app):
    paths = {path.replace("{evaluation}", "town-2026").replace("{unit}", "harbour") for path in document(app)["paths"]}
    assert paths == {*ROUTES, "/api/v1/score", "/api/v1/responses", *LEDGER, *PHONE}


def document(app) -> dict:
    return app.test_client().get("/api/openapi.json").json


def operations(spec: dict) -> list[tuple[str, str, dict]]:
    return [
        (path, method, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


def test_a_unit_reads_its_own_results_once_they_are_published_and_nobody_elses(client_of, engine):
    client = client_of("unit")
    assert client.get(f"{BASE}/results").json["code"] == "not_published"
    publish(engine)
    listed = client.get(f"{BASE}/results").json["units"]
    assert [one["unit"]["code"] for one in listed] == ["harbour"]
    assert {one["unit"]["code"] for one in client.get(f"{BASE}/estimates").json} == {"harbour"}
    assert {one["unit"]["code"] for one in client.get(f"{BASE}/ledger").json} == {"harbour"}
    assert client.get(f"{BASE}/results/library").status_code == 404
    assert client.get(f"{BASE}/ledger?unit=library").json == []
    assert "Library" not in client.get(f"{BASE}/results.csv").text
    assert "library" not in client.get(f"{BASE}/results.csv").text
    with engine.begin() as connection:
        a_town(connection, "other-2026")
    assert client.get("/api/v1/evaluations/other-2026/ledger").status_code == 404
    assert [one["code"] for one in client.get("/api/v1/evaluations").json] == ["town-2026"]
    assert len(client_of("bureau").get("/api/v1/evaluations").json) == 2


def test_results_say_what_was_computed_with_its_error_and_from_what(client_of, engine, town):
    body = client_of("bureau").get(f"{BASE}/results").json
    with engine.connect() as connection:
        kept = latest_composite(connection, town.evaluation_id)
    assert body["simulated"] is True
    assert body["inputs_digest"] == kept.inputs_digest
    assert body["problems"] == []
    first = body["units"][0]
    assert (first["unit"]["code"], first["band"]) == ("harbour", 0)
    assert first["place"] == first["jointly"] == {"best": 1, "worst": 1}
    assert not {"rank", "rank_in_class"} & first.keys()
    # 91.5 × 80 % + (40 % × 67.5 + 60 % × 54) × 20 % − 2
    assert first["composite"] == "83.08"
    assert first["parts"] == {"indicator": "73.2", "public_review": "11.88", "inspection": "-2"}
    assert first["low"] < 83.08 < first["high"]
    assert [one["grade"] for one in first["grades"]] == ["优", "良好", "一般", "差"]
    assert {"grade": first["grade"], "probability": first["grade_probability"]} in first["grades"]


def test_the_trace_of_a_unit_comes_with_its_estimates_and_ledger(client_of):
    body = client_of("office").get(f"{BASE}/results/harbour").json
    assert body["result"]["composite"] == "83.08"
    assert {line["step"] for line in body["trace"]} >= {"entry", "component", "total", "composite", "grade"}
    ranks = [line["result"] for line in body["trace"] if line["step"] == "rank"]
    assert set(map(str, ranks)) == {str({"best": 1, "worst": 1})}
    assert [(one["seq"] > 0, one["points"], one["reversed_by"] is not None) for one in body["ledger"]] == [
        (True, "0.5", True),
        (True, "2", False),
        (True, "0.5", False),
    ]


def test_small_cells_are_hidden_in_every_view_and_file(client_of, engine):
    publish(engine)
    bureau, unit = client_of("bureau"), client_of("unit")
    listed = bureau.get(f"{BASE}/estimates").json
    hidden = {(one["group"], one["unit"]["code"]) for one in listed if one["hidden"]}
    assert {("deputies", "harbour"), ("deputies", "library")} < hidden  # 4 answers, and what would give them away
    for one in listed:
        figures = {one[name] for name in ("n", "value", "se", "low", "high")}
        assert (figures == {None}) == one["hidden"]
    csv = bureau.get(f"{BASE}/estimates.csv").text.splitlines()
    assert sum('"隐去"' in line for line in csv) == len(hidden)
    for reader in (unit, bureau):
        trace = reader.get(f"{BASE}/results/harbour").json["trace"]
        inputs = {one.get("path"): one["value"] for line in trace for one in line["inputs"]}
        assert inputs["public_review.deputies"] is None
        review = next(line for line in trace if line["path"] == "public_review" and line["step"] == "component")
        assert review["formula"] == ""


def test_the_input_recomputes_the_results_on_any_machine(client_of, tmp_path):
    client = client_of("bureau")
    file = tmp_path / "input.json"
    file.write_bytes(client.get(f"{BASE}/input").data)
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "score", str(file)], capture_output=True, check=True, timeout=60
    )
    recomputed = {unit["id"]: unit["composite"] for unit in json.loads(told.stdout)["units"]}
    served = {one["unit"]["code"]: one["composite"] for one in client.get(f"{BASE}/results").json["units"]}
    assert recomputed == served


def test_scoring_a_document_is_what_the_command_line_does_and_keeps_nothing(client_of, engine, town):
    client = client_of("bureau")
    given = client.get(f"{BASE}/input").json
    given["units"][0]["deductions"].append({"id": "what-if", "to": "inspection", "points": "1"})
    answer = client.post("/api/v1/score", json=given)
    assert answer.status_code == 200
    assert Decimal(answer.json["units"][0]["composite"]) == Decimal("82.08")
    with engine.connect() as connection:
        assert latest_composite(connection, town.evaluation_id).output["units"][0]["composite"] == "83.08"
    given["units"][1]["scores"]["indicator"] = 80
    refused = client.post("/api/v1/score", json=given)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["path"] == "units[1].scores.indicator"


def test_scoring_from_a_page_needs_the_pages_token(app, client_of, engine):
    assert client_of("").post("/api/v1/score", json={}).status_code == 401
    client = app.test_client()
    client.post("/login", data={"username": "office@town-2026", "password": "office"})
    assert client.post("/api/v1/score", json={}).status_code == 403
    foreign = client.post("/api/v1/score", json={}, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403
    with engine.connect() as connection:
        token = connection.execute(text("SELECT form_token FROM office.session")).scalar()
    assert client.post("/api/v1/score", json={}, headers={"X-Form-Token": token}).status_code == 422


def test_before_anything_is_computed_the_answers_are_empty_and_say_so(client_of, engine):
    with engine.begin() as connection:
        a_town(connection, "new-2026")
    client = client_of("bureau")
    body = client.get("/api/v1/evaluations/new-2026/results").json
    assert (body["units"], body["computed_at"]) == ([], None)
    assert client.get("/api/v1/evaluations/new-2026/input").json["code"] == "not_computed"
    assert client.get("/api/v1/evaluations/new-2026/results.xlsx").status_code == 200


def test_what_is_missing_is_told_in_words(client_of, engine):
    with engine.begin() as connection:
        town = a_town(connection, "new-2026")
        enter(connection, town, "harbour", "1")
        compose(connection, town.evaluation_id, NOW)
    problems = client_of("bureau").get("/api/v1/evaluations/new-2026/results").json["problems"]
    assert "units[0].scores.indicator" in {one["path"] for one in problems}
    assert all(one["zh"] and one["en"] for one in problems)


def test_the_document_is_valid_openapi_and_names_the_callers(app):
    spec = document(app)
    assert spec["openapi"] == "3.1.0"
    validate(spec)
    for path, method, operation in operations(spec):
        assert bool(operation["x-roles"]) == (operation.get("security") != []), (method, path)
        assert operation["summary"] != operation["description"]


def test_the_page_of_the_api_shows_every_operation_and_no_foreign_host(app):
    answer = app.test_client().get("/api/docs")
    assert answer.status_code == 200
    for path, method, _ in operations(document(app)):
        assert f"{method.upper()} {path}" in answer.text
    assert "https://" not in answer.text
    assert "综合得分" in answer.text
    assert "How to call" in app.test_client().get("/api/docs?lang=en").text


def test_health_tells_of_the_database_and_the_queue_and_nothing_else(app):
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "queue": "stopped"})


ODD = (
    *(b"null", b"[]", b"{}", b"0", b'""', b"true", b"-0.0", b"1e999", b"NaN", b"Infinity", b"1" * 40, b"9" * 5000),
    *(b'"1e5"', b'"-1"', b'"NaN"', b'"\\u0000"', b'"\\ud800"', b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"[" * 100_000, b'{"a":' * 5000, b"[[[[[[[[[[]]]]]]]]]]", b"[" * 800 + b"]" * 800),
    *(b'{"scheme":"bailian","scheme":"bailian","units":[]}', b'"' + "统".encode() * 70_000 + b'"'),
)


SMALL = tuple(one for one in ODD if len(one) < 100)


def mutated(document: bytes, chance: random.Random) -> bytes:
    """The document with something cut, doubled, replaced, or swapped for something odd."""
    data = bytearray(document)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.randint(0, 12))
        piece = chance.choice(
            [
                b"",
                bytes(data[start:end]) * 2,
                bytes([chance.randrange(256)]),
                chance.choice(SMALL),
                b'"',
                b"{",
                b"]",
                b",",
            ]
        )
        data[start:end] = piece
    return bytes(data)


def test_hostile_json_is_refused_and_never_breaks_the_server(client_of):
    client = client_of("bureau")
    valid = json.dumps(client.get(f"{BASE}/input").json).encode()
    for one in ODD:
        assert client.post("/api/v1/score", data=one, content_type="application/json").status_code in {400, 413, 422}
    chance = random.Random(2015)
    statuses = {}
    for _ in range(10_000):
        data = mutated(valid, chance)
        status = client.post("/api/v1/score", data=data, content_type="application/json").status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status in {200, 400, 404, 413, 422}, data[:300]  # 404: an unknown scheme
    assert statuses[422] > 1000


@pytest.mark.parametrize("seed", range(3))
def test_hostile_addresses_never_break_the_server(client_of, seed):
    client, chance = client_of("bureau"), random.Random(seed)
    odd = ["%00", "%ff", "..", "town-2026", "%F0%9F%98%80", "a" * 5000, "'", "%2e%2e%2f", "0", "%ed%a0%80", "%E2%80%AE"]
    tails = [
        "",
        "/results",
        "/results/%00",
        "/ledger",
        "/estimates?unit=%00",
        "/ledger?unit=" + "x" * 300,
        "/results.csv",
    ]
    for _ in range(200):
        address = f"/api/v1/evaluations/{chance.choice(odd)}{chance.choice(tails)}"
        assert client.get(address).status_code < 500, address
