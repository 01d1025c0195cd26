"""The sealed ballot in the store: rehearsed before it opens, one box a code, closed once, counted once."""

import json
import secrets
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import func, select, text

from api.actions import ballots, keys
from api.actions.booths import Booths, Try
from api.actions.responses import CODE_NAMESPACE
from api.actions.rounds import extend, freeze, missing_to_publish
from api.actions.tally import fold
from api.store import ballots as answers
from api.store import boxes, closings, people, tallies
from api.store.rounds import hold_round
from survey_forms.ballot.keys import new_key, write_public
from survey_forms.ballot.rehearsal import open_tests, read_tests, write_proof
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import code_mac, draft_id, order_key
from survey_forms.transparency import verify_inclusion
from tests.ballots import CUSTODIANS, a_member, a_sealed_survey, close, count_offline, end, load, now
from tests.builders import DAY, a_survey, some_codes
from tests.rules.books import a_book, a_row

PEPPER = b"a test's pepper, thirty-two bytes at least"


def a_try(code, receipt=None, raw=None):
    return Try(
        mac=code_mac(PEPPER, CODE_NAMESPACE, code),
        draft_id=draft_id(PEPPER, CODE_NAMESPACE, code),
        order_key=order_key(PEPPER, CODE_NAMESPACE, code),
        receipt_hash=sha256((receipt or secrets.token_hex(16)).encode()).digest(),
        raw={"police": "good"} if raw is None else raw,
        now=now(),
    )


def settle(connection, *tries):
    return [one.code if isinstance(one, Refused) else one for one in Booths(PEPPER).settle(connection, list(tries))]


def count(connection, table):
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def refusals(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def acts(connection, act):
    return connection.execute(select(people.audit.c.about).where(people.audit.c.act == act)).scalars().all()


@pytest.fixture
def sealed(connection):
    return a_sealed_survey(connection)


def answered(connection, sealed, number=1, **raw):
    codes = some_codes(connection, sealed.survey, number, PEPPER)
    assert settle(connection, *(a_try(code, f"receipt-{code}", raw or None) for code in codes)) == ["accepted"] * number
    return [f"receipt-{code}" for code in codes]


class TestAccepting:
    def test_the_code_is_spent_and_a_box_takes_the_place_of_the_answer(self, connection, sealed):
        (receipt,) = answered(connection, sealed)
        row = connection.execute(select(boxes.box)).one()
        assert (row.survey_id, row.stratum) == (sealed.id, "siming")
        assert row.receipt_hash == sha256(receipt.encode()).digest()
        for table in (answers.response, answers.untallied, answers.receipt):
            assert count(connection, table) == 0
        assert boxes.spent_by_stratum(connection, sealed.id) == boxes.boxes_by_stratum(connection, sealed.id)

    def test_the_same_receipt_again_is_the_same_acceptance_and_another_is_refused(self, connection, sealed):
        (code,) = some_codes(connection, sealed.survey, 1, PEPPER)
        assert settle(connection, a_try(code, "receipt-1")) == ["accepted"]
        assert settle(connection, a_try(code, "receipt-1")) == ["repeated"]
        assert settle(connection, a_try(code, "receipt-2")) == ["code_refused"]
        assert count(connection, boxes.box) == 1

    def test_a_receipt_used_for_another_code_spends_nothing(self, connection, sealed):
        one, other = some_codes(connection, sealed.survey, 2, PEPPER)
        assert settle(connection, a_try(one, "receipt-1")) == ["accepted"]
        assert settle(connection, a_try(other, "receipt-1")) == ["repeated"]
        assert boxes.spent_by_stratum(connection, sealed.id) == {"siming": 1}

    def test_two_codes_with_one_receipt_in_one_batch_are_told_to_try_again(self, connection, sealed):
        one, other = some_codes(connection, sealed.survey, 2, PEPPER)
        with pytest.raises(Refused, match="try_again"), connection.begin_nested():
            settle(connection, a_try(one, "receipt-1"), a_try(other, "receipt-1"))
        assert (count(connection, boxes.box), boxes.spent_by_stratum(connection, sealed.id)) == (0, {})

    def test_sealed_and_open_surveys_go_through_one_batch(self, connection, sealed):
        ours = some_codes(connection, sealed.survey, 3, PEPPER)
        open_survey = a_survey(connection, code="another")
        theirs = some_codes(connection, open_survey, 2, PEPPER)
        assert settle(connection, *map(a_try, [ours[0], theirs[0], ours[1], theirs[1], ours[2]])) == ["accepted"] * 5
        assert (count(connection, boxes.box), count(connection, answers.response)) == (3, 2)

    def test_answers_that_do_not_fit_are_refused_before_they_are_sealed(self, connection, sealed):
        (code,) = some_codes(connection, sealed.survey, 1, PEPPER)
        assert settle(connection, a_try(code, raw={})) == ["answer_required"]
        assert boxes.spent_by_stratum(connection, sealed.id) == {}

    def test_without_a_rehearsed_key_the_survey_opens_to_nobody(self, connection, sealed):
        connection.execute(text("UPDATE ballot.campaign_key SET rehearsed_at = NULL"))
        (code,) = some_codes(connection, sealed.survey, 1, PEPPER)
        assert settle(connection, a_try(code)) == ["code_refused"]

    def test_the_database_refuses_what_a_web_process_with_old_knowledge_brings(self, connection, sealed):
        ours, theirs = some_codes(connection, sealed.survey, 2, PEPPER)
        old = Booths(PEPPER)
        connection.execute(text("UPDATE office.survey SET secrecy = 'open'"))
        old.known(connection)
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
        assert [one.code for one in old.settle(connection, [a_try(ours)])] == ["code_refused"]
        young = Booths(PEPPER)
        young.known(connection)
        connection.execute(text("UPDATE office.survey SET secrecy = 'open'"))
        assert [one.code for one in young.settle(connection, [a_try(theirs)])] == ["code_refused"]
        assert count(connection, boxes.box) == count(connection, answers.response) == 0

    def test_every_box_of_a_form_is_as_long_whatever_was_answered(self, connection, sealed):
        for words in ("", "短", "长" * 1900, "🙂" * 900):
            answered(connection, sealed, police="good", words=words)
        assert len(set(connection.execute(select(func.octet_length(boxes.box.c.sealed))).scalars())) == 1


class TestRehearsing:
    @pytest.fixture
    def draft(self, connection):
        survey = a_survey(connection, status="draft")
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
        return survey

    @pytest.fixture
    def staff(self, connection):
        return a_member(connection, "first"), a_member(connection, "second")

    def test_it_takes_the_words_of_the_latest_tests_and_a_second_person(self, connection, draft, staff):
        private_key = secrets.token_bytes(32)
        key, _ = new_key(private_key, CUSTODIANS)
        keys.add_key(connection, draft.id, write_public(key), staff[0], now())
        old = read_tests(keys.new_tests(connection, draft.id, staff[0], now()))
        new = read_tests(keys.new_tests(connection, draft.id, staff[0], now()))
        right, stale = (write_proof(draft.id, open_tests(private_key, tests)) for tests in (new, old))
        rehearse = lambda proof, who: refusals(keys.rehearse, connection, draft.id, proof, who, now())  # noqa: E731
        assert rehearse(right, staff[0]) == [("rehearser_added_key", "")]
        assert rehearse(stale, staff[1]) == [("rehearsal_wrong", "proof")]
        assert rehearse(write_proof(draft.id, []), staff[1]) == [("rehearsal_wrong", "proof")]
        assert rehearse(write_proof(draft.id + 1, open_tests(private_key, new)), staff[1]) == [
            ("rehearsal_wrong", "proof")
        ]
        assert boxes.rehearsed_keys(connection) == {}
        keys.rehearse(connection, draft.id, right, staff[1], now())
        assert boxes.rehearsed_keys(connection) == {draft.id: key.public_key}
        assert len(acts(connection, "rehearsal_passed")) == 1

    def test_no_word_of_a_test_is_kept(self, connection, draft, staff):
        private_key = secrets.token_bytes(32)
        keys.add_key(connection, draft.id, write_public(new_key(private_key, CUSTODIANS)[0]), staff[0], now())
        words = open_tests(private_key, read_tests(keys.new_tests(connection, draft.id, staff[0], now())))
        stored = connection.execute(text("SELECT campaign_key::text FROM ballot.campaign_key")).scalar_one()
        assert not any(word in stored for word in words)

    def test_a_new_key_needs_a_new_rehearsal(self, connection, draft, staff):
        private_key = secrets.token_bytes(32)
        keys.add_key(connection, draft.id, write_public(new_key(private_key, CUSTODIANS)[0]), staff[0], now())
        words = open_tests(private_key, read_tests(keys.new_tests(connection, draft.id, staff[0], now())))
        keys.rehearse(connection, draft.id, write_proof(draft.id, words), staff[1], now())
        another, _ = new_key(secrets.token_bytes(32), CUSTODIANS)
        keys.add_key(connection, draft.id, write_public(another), staff[0], now())
        assert boxes.rehearsed_keys(connection) == {}

    def test_no_key_goes_to_an_open_round_an_open_survey_or_two_surveys(self, connection, sealed, staff):
        other = a_survey(connection, code="other", status="draft")
        file = write_public(sealed.key)
        add = lambda survey_id: refusals(keys.add_key, connection, survey_id, file, staff[0], now())  # noqa: E731
        assert add(sealed.id) == [("key_after_opening", "")]
        assert add(other.id) == [("survey_not_sealed", "")]
        assert add(987654) == [("not_found", "")]
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
        assert add(other.id) == [("key_of_other_survey", "key")]

    def test_a_form_with_pictures_cannot_be_sealed(self, connection, staff):
        book = a_book(a_row("begin_group", "one"), a_row("image", "scene"), a_row("end_group"))
        survey = a_survey(connection, book, status="draft")
        connection.execute(text("UPDATE office.survey SET secrecy = 'sealed'"))
        file = write_public(new_key(secrets.token_bytes(32), CUSTODIANS)[0])
        assert refusals(keys.add_key, connection, survey.id, file, staff[0], now()) == [
            ("sealed_form_with_pictures", survey.form_version[:12])
        ]


class TestClosing:
    def test_it_publishes_counts_and_roots_and_lets_nothing_in_afterwards(self, connection):
        sealed = a_sealed_survey(connection, strata=2)
        answered(connection, sealed, 3)
        (late,) = some_codes(connection, sealed.survey, 1, PEPPER)
        close(connection, sealed)
        closed = closings.closing_of(connection, sealed.id)
        assert (closed.boxes, closed.counts) == (3, {"siming": 3, "stratum_1": 0})
        (told,) = acts(connection, "ballot_closed")
        assert (told["merkle_root"], told["box_root"]) == (closed.merkle_root, closed.box_root)
        connection.execute(text("UPDATE office.survey SET closes_at = now() + interval '1 day'"))
        assert settle(connection, a_try(late)) == ["code_refused"]
        ballots.close_ballot(connection, sealed.id, sealed.staff[0], now())
        assert len(acts(connection, "ballot_closed")) == 1

    def test_it_is_refused_while_answers_come_in_and_for_an_open_survey(self, connection, sealed):
        ours = (connection, sealed.id, sealed.staff[0], now())
        assert refusals(ballots.close_ballot, *ours) == [("ballot_still_open", "")]
        other = a_survey(connection, code="other", closes=-DAY / 2)
        assert refusals(ballots.close_ballot, connection, other.id, None, now()) == [("survey_not_sealed", "")]
        assert refusals(ballots.close_ballot, connection, 987654, None, now()) == [("not_found", "")]

    def test_a_stratum_with_a_box_too_many_or_too_few_stops_it_by_name(self, connection, sealed):
        answered(connection, sealed, 2)
        end(connection, sealed)
        ours = (connection, sealed.id, sealed.staff[0], now())
        connection.execute(
            text("INSERT INTO ballot.box SELECT '\\x00', survey_id, stratum, sealed FROM ballot.box LIMIT 1")
        )
        assert refusals(ballots.close_ballot, *ours) == [("ballot_at_odds", "siming")]
        connection.execute(text("DELETE FROM ballot.box WHERE receipt_hash = '\\x00'"))
        connection.execute(
            text("DELETE FROM ballot.box WHERE receipt_hash = (SELECT min(receipt_hash) FROM ballot.box)")
        )
        assert refusals(ballots.close_ballot, *ours) == [("ballot_at_odds", "siming")]

    def test_a_freeze_closes_the_ballot_and_publishing_waits_for_the_count(self, connection, sealed):
        answered(connection, sealed, 2)
        freeze(connection, sealed.survey.round_id, sealed.staff[0], now())
        assert closings.closing_of(connection, sealed.id).boxes == 2
        held = hold_round(connection, sealed.survey.round_id)
        assert ("ballot_uncounted", str(sealed.id)) in [
            (fault.code, fault.path) for fault in missing_to_publish(connection, held, now())
        ]
        load(connection, sealed, count_offline(connection, sealed))
        assert "ballot_uncounted" not in [fault.code for fault in missing_to_publish(connection, held, now())]

    def test_a_freeze_stands_even_where_the_ballot_does_not_add_up(self, connection, sealed):
        answered(connection, sealed, 2)
        connection.execute(
            text("DELETE FROM ballot.box WHERE receipt_hash = (SELECT min(receipt_hash) FROM ballot.box)")
        )
        freeze(connection, sealed.survey.round_id, sealed.staff[0], now())
        assert hold_round(connection, sealed.survey.round_id).status == "frozen"
        assert closings.closing_of(connection, sealed.id) is None
        assert acts(connection, "ballot_not_closed") == [
            {"survey": sealed.id, "code": "ballot_at_odds", "strata": ["siming"]}
        ]

    def test_the_end_of_its_time_closes_it_once(self, connection, sealed):
        answered(connection, sealed)
        assert ballots.close_ended(connection, now()) == []
        assert closings.closing_of(connection, sealed.id) is None
        end(connection, sealed)
        ballots.close_ended(connection, now())
        ballots.close_ended(connection, now())
        assert len(acts(connection, "ballot_closed")) == 1

    def test_what_does_not_add_up_is_tried_once_and_then_left_to_people(self, connection, sealed):
        answered(connection, sealed)
        connection.execute(text("DELETE FROM ballot.box"))
        end(connection, sealed)
        assert ballots.close_ended(connection, now()) == [sealed.id]
        assert ballots.close_ended(connection, now()) == []

    def test_an_extension_does_not_open_a_closed_ballot_again(self, connection, sealed):
        connection.execute(
            text("UPDATE office.survey SET closes_at = (SELECT closes_at FROM office.round WHERE id = round_id)")
        )
        connection.execute(text("UPDATE office.round SET closes_at = now() - interval '1 second'"))
        connection.execute(text("UPDATE office.survey SET closes_at = (SELECT closes_at FROM office.round)"))
        ballots.close_ballot(connection, sealed.id, None, now())
        extend(connection, sealed.survey.round_id, now() + DAY, "雨天", sealed.staff[0], now())
        assert ballots.windows.window_of(connection, sealed.id).is_over(now())


class TestReceipts:
    def test_every_receipt_finds_its_box_and_proves_it(self, connection, sealed):
        receipts = answered(connection, sealed, 9)
        close(connection, sealed)
        closed = closings.closing_of(connection, sealed.id)
        trees = ballots.Trees()
        found = [trees.inclusion(connection, sealed.id, receipt) for receipt in receipts]
        assert sorted(one.index for one in found) == list(range(9))
        for one in found:
            told = json.loads(json.dumps(one.as_json()))
            leaf, root = bytes.fromhex(told["leaf"]), bytes.fromhex(told["merkle_root"])
            path = [bytes.fromhex(node) for node in told["inclusion_path"]]
            assert told["merkle_root"] == closed.merkle_root
            assert verify_inclusion(leaf, told["leaf_index"], told["tree_size"], path, root)
        assert trees.inclusion(connection, sealed.id, "no such receipt") is None

    def test_a_changed_box_is_noticed_by_receipt_and_by_export(self, connection, sealed):
        (receipt, *_) = answered(connection, sealed, 3)
        close(connection, sealed)
        connection.execute(text("UPDATE ballot.box SET sealed = sealed || '\\x00'"))
        assert refusals(ballots.Trees().inclusion, connection, sealed.id, receipt) == [("ballot_changed", "")]
        assert refusals(ballots.export, connection, sealed.id) == [("ballot_changed", "")]

    def test_before_the_close_there_is_neither_proof_nor_export(self, connection, sealed):
        (receipt,) = answered(connection, sealed)
        assert refusals(ballots.Trees().inclusion, connection, sealed.id, receipt) == [("ballot_not_closed", "")]
        assert refusals(ballots.export, connection, sealed.id) == [("ballot_not_closed", "")]

    def test_the_export_holds_no_receipt(self, connection, sealed):
        receipts = answered(connection, sealed, 3)
        close(connection, sealed)
        exported = b"".join(ballots.export(connection, sealed.id)).decode()
        hashes = [sha256(receipt.encode()).hexdigest() for receipt in receipts]
        assert not any(secret in exported for secret in (*receipts, *hashes))


class TestCounting:
    def test_nothing_is_tallied_before_and_everything_after(self, connection, sealed):
        answered(connection, sealed, 4)
        answered(connection, sealed, 3, police="bad")
        close(connection, sealed)
        assert fold(connection, 100) == 0
        assert tallies.cells_of(connection, sealed.id) == []
        assert load(connection, sealed, count_offline(connection, sealed))
        assert fold(connection, 100) == 7
        assert tallies.respondents_of(connection, sealed.id) == {("siming", "siming"): 7}
        rows = connection.execute(select(answers.response)).all()
        assert sorted(row.answers["police"] for row in rows) == ["bad"] * 3 + ["good"] * 4
        assert {(row.mode, row.form_version, row.day) for row in rows} == {
            ("web", sealed.survey.form_version, rows[0].day)
        }

    def test_a_second_load_of_the_same_is_nothing_and_of_another_is_refused(self, connection, sealed):
        answered(connection, sealed, 3)
        close(connection, sealed)
        result = count_offline(connection, sealed)
        assert load(connection, sealed, result)
        assert not load(connection, sealed, count_offline(connection, sealed))
        assert count(connection, answers.response) == 3
        fewer = replace(result, answers=result.answers[1:], spoiled={"siming": 1})
        assert refusals(load, connection, sealed, fewer) == [("ballot_counted_otherwise", "")]

    def test_what_does_not_fit_the_closing_is_refused_by_stratum(self, connection, sealed):
        answered(connection, sealed, 3)
        close(connection, sealed)
        result = count_offline(connection, sealed)
        told = lambda changed: refusals(load, connection, sealed, changed)  # noqa: E731
        assert told(replace(result, answers=result.answers[1:])) == [("result_count_differs", "siming")]
        assert told(replace(result, answers=(*result.answers, result.answers[0]))) == [
            ("result_count_differs", "siming")
        ]
        assert told(replace(result, box_root="0" * 64)) == [("result_of_other_boxes", "")]
        moved = tuple(replace(one, stratum="huli") for one in result.answers)
        assert told(replace(result, answers=moved)) == [
            ("result_count_differs", "huli"),
            ("result_count_differs", "siming"),
            ("result_form_unknown", "huli"),
        ]
        assert count(connection, answers.response) == 0

    def test_the_announced_digest_and_another_person_are_wanted(self, connection, sealed):
        answered(connection, sealed)
        close(connection, sealed)
        result = count_offline(connection, sealed)
        from api.actions import count as counting  # noqa: PLC0415 - the name is taken above

        first, second = sealed.staff
        ours = (connection, sealed.id, result)
        assert refusals(counting.load, *ours, result.digest, first, now()) == [("loader_closed", "")]
        assert refusals(counting.load, *ours, "0" * 64, second, now()) == [("result_not_announced", "digest")]
        assert counting.load(*ours, f" {result.digest.upper()} ", second, now())

    def test_before_the_close_nothing_can_be_loaded(self, connection, sealed):
        other = a_sealed_survey(connection, code="other")
        close(connection, other)
        result = count_offline(connection, other)
        assert refusals(load, connection, sealed, result) == [("ballot_not_closed", "")]

    def test_a_spoiled_box_is_told_and_the_others_count(self, connection, sealed):
        answered(connection, sealed, 3)
        connection.execute(
            text(
                "UPDATE ballot.box SET sealed = set_byte(sealed, 40, (get_byte(sealed, 40) + 1) % 256)"
                " WHERE receipt_hash = (SELECT min(receipt_hash) FROM ballot.box)"
            )
        )
        close(connection, sealed)
        result = count_offline(connection, sealed)
        assert result.spoiled == {"siming": 1}
        load(connection, sealed, result)
        assert fold(connection, 100) == 2
