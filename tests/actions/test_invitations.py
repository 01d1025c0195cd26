"""Printed codes: made once, known by their MACs alone, revoked with a reason, replaced one by one."""

import secrets
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from api.actions import invitations
from api.actions.booths import Booths, Try
from api.actions.invitations import Wish, hand_over, make_print_run, reissue_printed, revoke_batch
from api.actions.responses import CODE_NAMESPACE
from api.store import ballots, evaluations, people, roll
from api.store.invitations import batches_of, handed_out
from api.store.roll import fieldwork_of
from survey_forms.refusal import Refused
from survey_forms.sampling.assign import CODES_A_BLOCK
from survey_forms.sampling.codes import canonical, display, draft_id, order_key, read_code
from tests.builders import a_grid_book
from tests.invitations import an_inviting_survey, now

PEPPER = b"a test's pepper, thirty-two bytes at least"


def refusals(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return [(fault.code, fault.path) for fault in refused.value.faults]


def a_run(connection, made, number=5, spelling="letters", seen=None):
    newest = max((one.id for one in batches_of(connection, made.survey.id)), default=0)
    wish = Wish({made.survey.stratum: number}, spelling, newest if seen is None else seen)
    return make_print_run(connection, PEPPER, made.survey.id, wish, made.staff, now())


def enter(connection, typed):
    return Booths(PEPPER).enter(connection, typed, now())[0]


def a_try(code):
    typed = canonical(PEPPER, CODE_NAMESPACE, code.typed)
    return Try(
        code.mac,
        draft_id(PEPPER, CODE_NAMESPACE, typed),
        secrets.token_bytes(32),
        {"police": "good"},
        now(),
        order_key(PEPPER, CODE_NAMESPACE, typed),
    )


def spend(connection, mac):
    connection.execute(update(roll.access_code).where(roll.access_code.c.mac == mac).values(spent=True))


@pytest.fixture
def made(connection):
    return an_inviting_survey(connection)


class TestAPrintRun:
    @pytest.mark.parametrize(("spelling", "length"), [("letters", 11), ("digits", 15)])
    def test_each_sheet_opens_the_booth_as_typed_and_as_qr_code_alike(self, connection, made, spelling, length):
        run = a_run(connection, made, 5, spelling)
        codes = run.codes[made.survey.stratum]
        assert [len(code.typed) for code in codes] == [length] * 5
        for code in codes:
            assert read_code(display(code.typed)) == code.typed
            assert enter(connection, display(code.typed)) == enter(connection, code.token)
        assert len({enter(connection, code.token) for code in codes}) == 5

    def test_the_database_knows_macs_and_numbers_and_no_code(self, connection, made):
        run = a_run(connection, made)
        hand_over(connection, run, made.staff, now())
        (batch,) = batches_of(connection, made.survey.id)
        assert (batch.kind, batch.sheets, batch.strata) == ("printed", 5, {made.survey.stratum: 5})
        assert batch.maker == "printer 某"
        assert batch.handed_over_at is not None
        stored = connection.execute(
            text("SELECT string_agg(t::text, '') FROM (SELECT a::text AS t FROM roll.access_code a"
                 " UNION ALL SELECT b::text FROM roll.code_batch b UNION ALL SELECT c::text FROM office.audit c) s")
        ).scalar_one()  # fmt: skip
        for code in run.codes[made.survey.stratum]:
            assert code.typed not in stored
            assert code.token not in stored
            assert code.mac.hex() in stored
            assert code.typed not in repr(run)

    def test_its_codes_lie_in_an_order_that_tells_nothing(self, connection, made):
        run = a_run(connection, made, 60)
        rows = connection.execute(text("SELECT mac FROM roll.access_code ORDER BY ctid")).scalars().all()
        assert [bytes(mac) for mac in rows] == sorted(bytes(mac) for mac in rows)
        printed = [code.mac for code in run.codes[made.survey.stratum]]
        assert printed != sorted(printed)

    def test_a_code_that_exists_already_is_drawn_again(self, connection, made, monkeypatch):
        drawn = iter([3] * 10 + [3] * 10 + [5] * 10 + [7] * 10)  # the first two are one code
        monkeypatch.setattr(invitations.secrets, "randbelow", lambda _: next(drawn))
        codes = a_run(connection, made, 2).codes[made.survey.stratum]
        assert {code.typed[0] for code in codes} == {"5", "7"}
        drawn = iter([3] * 10 + [9] * 10)
        assert a_run(connection, made, 1).codes[made.survey.stratum][0].typed[0] == "B"

    def test_what_cannot_be_printed_is_named(self, connection, made):
        stratum = made.survey.stratum
        cases = [
            ({stratum: 0}, [("print_nothing", "")]),
            ({stratum: -1, "nowhere": 2}, [("print_number_wrong", stratum), ("print_number_wrong", "nowhere")]),
            ({stratum: 2001}, [("print_number_wrong", stratum)]),
        ]
        for numbers, faults in cases:
            found = refusals(make_print_run, connection, PEPPER, made.survey.id, Wish(numbers), made.staff, now())
            assert found == faults
        assert batches_of(connection, made.survey.id) == []

    def test_a_second_tap_prints_nothing(self, connection, made):
        a_run(connection, made, seen=0)
        assert refusals(a_run, connection, made, 5, "letters", 0) == [("print_page_stale", "")]
        assert len(batches_of(connection, made.survey.id)) == 1

    def test_no_code_goes_out_without_a_notice_or_after_the_end(self, connection, made):
        survey = made.survey
        moment = now() + timedelta(days=3)
        wish = Wish({survey.stratum: 1})
        late = refusals(make_print_run, connection, PEPPER, survey.id, wish, made.staff, moment)
        assert late == [("invitations_over", "")]
        connection.execute(update(evaluations.round_).values(status="draft"))
        assert a_run(connection, made).batch_id
        connection.execute(text("DELETE FROM office.privacy_notice"))
        assert refusals(a_run, connection, made) == [("invitations_need_notice", "")]
        assert refusals(make_print_run, connection, PEPPER, 0, wish, made.staff, now()) == [("not_found", "")]


class TestRevoking:
    def test_unspent_codes_open_nothing_any_more_and_spent_ones_stay(self, connection, made):
        first, second = a_run(connection, made, 4), a_run(connection, made, 3)
        codes = first.codes[made.survey.stratum]
        spend(connection, codes[0].mac)
        assert revoke_batch(connection, made.survey.id, first.batch_id, "下载失败", made.staff, now()) == 3
        assert handed_out(connection, made.survey.id)[made.survey.stratum] == invitations.invitations.Handed(4, 1, 3)
        for code in codes:
            for spelling in (code.typed, code.token):
                with pytest.raises(Refused, match="code_refused"):
                    enter(connection, spelling)
        for code in second.codes[made.survey.stratum]:
            assert enter(connection, code.typed) == code.typed
        work = fieldwork_of(connection, made.survey.id)[made.survey.stratum]
        assert (work.issued, work.spent) == (4, 1)
        newest, oldest = batches_of(connection, made.survey.id)
        assert newest.revoked_at is None
        assert (oldest.reason, oldest.revoker) == ("下载失败", "printer 某")
        about = connection.execute(select(people.audit.c.about).where(people.audit.c.act == "codes_revoked")).scalar()
        assert about == {"batch": first.batch_id, "codes": 3, "reason": "下载失败"}

    def test_a_reason_is_needed_once_and_only_once(self, connection, made):
        run = a_run(connection, made)
        facts = (connection, made.survey.id, run.batch_id)
        assert refusals(revoke_batch, *facts, " ", made.staff, now()) == [("revocation_reason_missing", "reason")]
        assert revoke_batch(*facts, "印错了", made.staff, now()) == 5
        assert refusals(revoke_batch, *facts, "再来", made.staff, now()) == [("batch_revoked_already", "")]
        elsewhere = (connection, made.survey.id + 1, run.batch_id, "x", made.staff, now())
        assert refusals(revoke_batch, *elsewhere) == [("not_found", "")]


class TestReplacingASheet:
    def test_the_older_code_is_worth_nothing_at_once(self, connection, made):
        old = a_run(connection, made).codes[made.survey.stratum][0]
        run = reissue_printed(connection, PEPPER, made.survey.id, display(old.typed).lower(), made.staff, now())
        (new,) = run.codes[made.survey.stratum]
        assert enter(connection, new.typed) == new.typed
        for spelling in (old.typed, old.token):
            with pytest.raises(Refused, match="code_refused"):
                enter(connection, spelling)

    def test_the_new_one_is_spelt_as_the_old_one_and_rates_the_same_units(self, connection):
        made = an_inviting_survey(connection, a_grid_book(6), per=3)
        old = a_run(connection, made, 20, "digits").codes[made.survey.stratum][0]
        (new,) = reissue_printed(connection, PEPPER, made.survey.id, old.typed, made.staff, now()).codes[
            made.survey.stratum
        ]
        assert len(new.typed) == 15
        blocks = dict(connection.execute(select(roll.access_code.c.mac, roll.access_code.c.block)).all())
        assert blocks[new.mac] == blocks[old.mac]

    def test_unknown_spent_revoked_and_foreign_codes_get_one_refusal(self, connection, made):
        spent, revoked = a_run(connection, made, 2).codes[made.survey.stratum]
        spend(connection, spent.mac)
        reissue_printed(connection, PEPPER, made.survey.id, revoked.typed, made.staff, now())
        for typed in (spent.typed, revoked.typed, "B222222222H", spent.token[:10] + "222222"):
            found = refusals(reissue_printed, connection, PEPPER, made.survey.id, typed, made.staff, now())
            assert found == [("reissue_refused", "code")]


class TestBlocks:
    def test_each_stratum_deals_its_codes_over_blocks_that_enough_people_share(self, connection):
        made = an_inviting_survey(connection, a_grid_book(6), per=3)
        a_run(connection, made, 65)
        a_run(connection, made, 7)
        used = Counter(connection.execute(select(roll.access_code.c.block)).scalars())
        assert set(used) == set(range(6))
        assert max(used.values()) - min(used.values()) <= 1
        assert min(used.values()) >= CODES_A_BLOCK

    def test_too_few_people_for_blocks_are_refused_by_stratum(self, connection):
        made = an_inviting_survey(connection, a_grid_book(6), per=3)
        assert refusals(a_run, connection, made, 19) == [("too_few_for_blocks", made.survey.stratum)]
        assert connection.execute(select(func.count()).select_from(roll.access_code)).scalar() == 0

    def test_without_a_plan_everybody_rates_all(self, connection, made):
        a_run(connection, made)
        assert set(connection.execute(select(roll.access_code.c.block)).scalars()) == {None}


class TestAtTheSameMoment:
    def test_two_replacements_of_one_sheet_are_one(self, engine):
        with engine.begin() as connection:
            made = an_inviting_survey(connection)
            (old,) = a_run(connection, made, 1).codes[made.survey.stratum]
        outcomes = []

        def replace():
            try:
                with engine.begin() as connection:
                    reissue_printed(connection, PEPPER, made.survey.id, old.typed, made.staff, now())
                outcomes.append("replaced")
            except Refused as refused:
                outcomes.append(refused.code)

        threads = [threading.Thread(target=replace) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["reissue_refused"] * 7 + ["replaced"]
        with engine.connect() as connection:
            good = ~roll.access_code.c.revoked
            assert connection.execute(select(func.count()).where(good)).scalar() == 1

    def test_two_people_who_print_at_once_make_one_batch(self, engine):
        with engine.begin() as connection:
            made = an_inviting_survey(connection)
        outcomes = []

        def print_one():
            try:
                with engine.begin() as connection:
                    a_run(connection, made, 3, "letters", 0)
                outcomes.append("printed")
            except Refused as refused:
                outcomes.append(refused.code)

        threads = [threading.Thread(target=print_one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["print_page_stale"] * 3 + ["printed"]


def test_a_revocation_that_meets_a_submission_leaves_one_of_the_two(engine):
    """Thirty codes answered and revoked at once: each is spent and kept, or revoked, and never both."""
    with engine.begin() as connection:
        made = an_inviting_survey(connection)
        run = a_run(connection, made, 30)
    codes = run.codes[made.survey.stratum]
    outcomes = []

    def answer():
        booths = Booths(PEPPER)
        for code in codes:
            with engine.begin() as connection:
                (outcome,) = booths.settle(connection, [a_try(code)])
            outcomes.append(outcome)

    thread = threading.Thread(target=answer)
    thread.start()
    with engine.begin() as connection:
        revoked = revoke_batch(connection, made.survey.id, run.batch_id, "x", made.staff, now())
    thread.join()
    with engine.connect() as connection:
        found = handed_out(connection, made.survey.id)[made.survey.stratum]
        both = roll.access_code.c.spent & roll.access_code.c.revoked
        assert connection.execute(select(func.count()).where(both)).scalar() == 0
        kept = connection.execute(select(func.count()).select_from(ballots.response)).scalar()
    assert (found.spent, found.revoked) == (30 - revoked, revoked)
    assert outcomes.count("accepted") == kept == found.spent
