"""The ballot box at the desk and before the public: every step by the right person, every no in words, all by form."""

import io
import json
import re
import secrets

import pytest
from sqlalchemy import text

from survey_forms.ballot import files
from survey_forms.ballot.counting import count_boxes
from survey_forms.ballot.keys import new_key, write_public
from survey_forms.ballot.rehearsal import open_tests, read_tests, write_proof
from survey_forms.transparency import tree_root, verify_inclusion
from tests.actions.test_ballots import a_try, settle
from tests.ballots import CUSTODIANS, a_sealed_survey, close
from tests.builders import a_survey, some_codes
from tests.desk import PASSWORD, password_hash
from tests.live import PHONE
from tests.pages.test_desk import signed_in, text_of
from tests.pages.test_desk_looks import DESK, NARROW, at_desk, look

PEPPER = b"a test's pepper, thirty-two bytes at least"


@pytest.fixture
def staff(engine):
    assert PASSWORD
    with engine.begin() as connection:
        for name in ("first", "second"):
            connection.execute(
                text("INSERT INTO office.staff (username, password_hash, name, role) VALUES (:n, :p, :n, 'office')"),
                {"n": name, "p": password_hash()},
            )
    return 2


@pytest.fixture
def draft(engine, staff):
    assert staff == 2
    with engine.begin() as connection:
        survey = a_survey(connection, status="draft")
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
    return survey


def base(survey):
    return f"/office/surveys/{survey.id}/ballot"


def send(client, survey, step, **fields):
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(base(survey)).text)
    data = {"form_token": token[1]} | {
        name: (io.BytesIO(value), name) if isinstance(value, bytes) else value for name, value in fields.items()
    }
    return client.post(f"{base(survey)}/{step}", data=data, content_type="multipart/form-data")


def sql(engine, statement):
    with engine.begin() as connection:
        connection.execute(text(statement))


def vote(engine, survey, number):
    with engine.begin() as connection:
        codes = some_codes(connection, survey, number, PEPPER)
        assert settle(connection, *(a_try(code, f"receipt-of-{code}") for code in codes)) == ["accepted"] * number
    return [f"receipt-of-{code}" for code in codes]


def test_the_whole_way_from_the_key_to_the_count(app, engine, draft):
    first, second = signed_in(app, "first"), signed_in(app, "second")
    private_key = secrets.token_bytes(32)
    key, _ = new_key(private_key, CUSTODIANS)
    assert send(first, draft, "key", key=write_public(key)).status_code == 303
    assert key.public_key.hex() in first.get(base(draft)).text
    assert "等另一位同事上传证明" in first.get(base(draft)).text
    tests = read_tests(send(first, draft, "tests").data)
    proof = write_proof(draft.id, open_tests(private_key, tests))
    refused = send(first, draft, "rehearsal", proof=proof)
    assert (refused.status_code, "公钥是您上传的" in text_of(refused.text)) == (403, True)
    assert send(second, draft, "rehearsal", proof=proof).status_code == 303
    sql(engine, "UPDATE office.round SET status = 'open'")
    receipts = vote(engine, draft, 5)
    refused = send(first, draft, "closing")
    assert (refused.status_code, "票箱不能关闭" in text_of(refused.text)) == (409, True)
    sql(engine, "UPDATE office.survey SET closes_at = now() - interval '1 second'")
    assert send(first, draft, "closing").status_code == 303
    exported = send(second, draft, "boxes")
    assert "attachment" in exported.headers["Content-Disposition"]
    result = count_boxes(files.read_boxes(io.BytesIO(exported.data)), private_key, secrets.randbelow)
    answers = b"".join(files.write_answers(result))
    assert "等另一位同事载入结果" in first.get(base(draft)).text
    assert send(first, draft, "result", result=answers, digest=result.digest).status_code == 403
    refused = send(second, draft, "result", result=answers, digest="0" * 64)
    assert (refused.status_code, 'href="#digest"' in refused.text) == (422, True)
    assert send(second, draft, "result", result=answers, digest=result.digest).status_code == 303
    assert result.digest in first.get(base(draft)).text
    audit = text_of(first.get("/office/audit").text)
    for words in ("上传密封公钥", "开始试开箱", "试开箱通过", "关闭票箱", "导出密封票", "载入计票结果"):
        assert words in audit
    assert not any(receipt in audit for receipt in receipts)


@pytest.mark.parametrize(
    ("step", "field", "code"),
    [("key", "key", "public.json"), ("rehearsal", "proof", "mingcha keys rehearse"), ("result", "result", "mingcha")],
)
def test_a_wrong_file_is_refused_in_words(app, draft, step, field, code):
    first, second = signed_in(app, "first"), signed_in(app, "second")
    if step != "key":
        send(first, draft, "key", key=write_public(new_key(secrets.token_bytes(32), CUSTODIANS)[0]))
    refused = send(second, draft, step, **{field: b"\xff\x00 nothing of the kind"})
    assert refused.status_code == 422
    assert code in refused.text


def test_only_the_office_comes_in(app, draft):
    assert app.test_client().get(base(draft)).status_code == 302
    assert app.test_client().post(f"{base(draft)}/boxes").status_code == 401


class TestThePublic:
    @pytest.fixture
    def closed(self, engine):
        with engine.begin() as connection:
            sealed = a_sealed_survey(connection)
        receipts = vote(engine, sealed.survey, 7)
        with engine.begin() as connection:
            close(connection, sealed)
        return sealed, receipts

    def test_everybody_recomputes_the_root_from_the_leaves(self, app, closed):
        sealed, _ = closed
        client = app.test_client()
        leaves = [bytes.fromhex(line) for line in client.get(f"/ballots/{sealed.id}/leaves.txt").text.split()]
        told = client.get(f"/ballots/{sealed.id}/closing.json").json
        assert leaves == sorted(leaves)
        assert (tree_root(leaves).hex(), len(leaves)) == (told["merkle_root"], told["boxes"])
        page = client.get(f"/ballots/{sealed.id}").text
        assert told["merkle_root"] in page
        assert told["box_root"] in page
        assert "密封，待计票" in page

    def test_a_receipt_is_found_and_its_proof_holds(self, app, closed):
        sealed, receipts = closed
        client = app.test_client()
        found = client.post(f"/ballots/{sealed.id}/receipt", data={"receipt": f"  {receipts[3]} "})
        assert (found.status_code, "这份评议在公布的密封票里" in found.text) == (200, True)
        told = client.post(f"/ballots/{sealed.id}/receipt.json", data={"receipt": receipts[3]}).json
        path = [bytes.fromhex(node) for node in told["inclusion_path"]]
        leaf, root = bytes.fromhex(told["leaf"]), bytes.fromhex(told["merkle_root"])
        assert verify_inclusion(leaf, told["leaf_index"], told["tree_size"], path, root)
        assert receipts[3] not in json.dumps(told)

    def test_a_receipt_is_found_as_the_respondent_copies_it_from_the_page(self, app, engine):
        with engine.begin() as connection:
            sealed = a_sealed_survey(connection)
            (code,) = some_codes(connection, sealed.survey, 1, PEPPER)
            assert settle(connection, a_try(code, "ABCDEFGHJK2345678923")) == ["accepted"]
            close(connection, sealed)
        found = app.test_client().post(f"/ballots/{sealed.id}/receipt", data={"receipt": "abcd-efgh jk23-4567-8923"})
        assert "这份评议在公布的密封票里" in found.text

    @pytest.mark.parametrize("receipt", ["no-such-receipt-at-all", "x" * 500, "'; --", "\0", "回执"])
    def test_another_receipt_is_not_found(self, app, closed, receipt):
        sealed, _ = closed
        client = app.test_client()
        found = client.post(f"/ballots/{sealed.id}/receipt", data={"receipt": receipt})
        assert (found.status_code, "没有找到这个回执号" in found.text) == (200, True)
        assert client.post(f"/ballots/{sealed.id}/receipt.json", data={"receipt": receipt}).status_code == 404

    def test_a_receipt_in_the_address_is_no_question(self, app, closed):
        sealed, receipts = closed
        page = app.test_client().get(f"/ballots/{sealed.id}/receipt?receipt={receipts[0]}")
        assert page.status_code == 405
        assert (
            "这份评议在公布的密封票里" not in app.test_client().get(f"/ballots/{sealed.id}?receipt={receipts[0]}").text
        )

    def test_before_the_close_it_says_so_and_open_surveys_have_no_page(self, app, engine):
        with engine.begin() as connection:
            sealed = a_sealed_survey(connection)
            other = a_survey(connection, code="open")
        (receipt,) = vote(engine, sealed.survey, 1)
        client = app.test_client()
        answer = client.post(f"/ballots/{sealed.id}/receipt", data={"receipt": receipt})
        assert (answer.status_code, "票箱还没有关闭" in answer.text) == (200, True)
        assert client.get(f"/ballots/{sealed.id}/leaves.txt").status_code == 409
        assert client.get(f"/ballots/{sealed.id}/closing.json").status_code == 409
        assert client.get(f"/ballots/{other.id}").status_code == 404
        assert client.get("/ballots/999999").status_code == 404

    def test_a_foreign_page_cannot_ask(self, app, closed):
        sealed, receipts = closed
        answer = app.test_client().post(
            f"/ballots/{sealed.id}/receipt",
            data={"receipt": receipts[0]},
            headers={"Origin": "https://elsewhere.example"},
        )
        assert answer.status_code == 403


@pytest.mark.browser
@pytest.mark.parametrize(("size", "language"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (NARROW, "zh-CN")])
def test_every_state_of_the_pages_is_well_made(  # noqa: PLR0917 - fixtures
    browser, app, site, engine, draft, size, language
):
    first, second = signed_in(app, "first"), signed_in(app, "second")
    private_key = secrets.token_bytes(32)
    with at_desk(browser, site, "first", size, language) as desk:
        page, complaints = desk
        complaints.clear()  # the desk's first page has nothing to show of a survey alone
        look(page, f"{site}{base(draft)}")
        send(first, draft, "key", key=write_public(new_key(private_key, CUSTODIANS)[0]))
        look(page, f"{site}{base(draft)}")
        tests = read_tests(send(first, draft, "tests").data)
        send(second, draft, "rehearsal", proof=write_proof(draft.id, open_tests(private_key, tests)))
        sql(engine, "UPDATE office.round SET status = 'open'")
        vote(engine, draft, 3)
        look(page, f"{site}/ballots/{draft.id}")
        sql(engine, "UPDATE office.survey SET closes_at = now() - interval '1 second'")
        look(page, f"{site}{base(draft)}")
        send(second, draft, "closing")
        look(page, f"{site}{base(draft)}")
        look(page, f"{site}/ballots/{draft.id}")
        assert complaints == []
