"""What was published is what is shown, until somebody corrects it; and nothing under way is published over."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from api.actions import ledger
from api.actions.due import day_of
from api.actions.objections import ObjectionSent, file_objection
from api.actions.publication import shown_composite, since_publication, units_moved
from api.actions.report import read_report
from api.actions.results import KEPT_COMPOSITES, compose
from api.actions.rounds import freeze, missing_to_publish, publish, publish_correction
from api.actions.slips import tell_deduction
from api.objects import Objects
from api.store import evaluations, people
from api.store.findings import finding
from api.store.open_matters import open_matters
from api.store.owed import mark_done, take_due
from api.store.results import composite, composite_called, latest_composite
from api.store.rounds import publications_of
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_scheme
from tests.actions.test_rounds import codes_refused, make_complete, settle, the_round
from tests.inspections import a_check_in, a_finding
from tests.inspections import a_town as an_inspected_town
from tests.worker.town import NOW, a_town

LATER = NOW + timedelta(days=30)  # every term to object is over
TAKEN_FROM = next(path for path, one in load_scheme("bailian").by_path.items() if "deductions" in one.takes)


@pytest.fixture
def town(connection):
    return a_town(connection)


def deduct(connection, town, points="0.5", unit="harbour", now=NOW):
    return ledger.enter(
        connection,
        evaluation_id=town.evaluation_id,
        unit_id=town.unit_ids[unit],
        component=TAKEN_FROM,
        aspect="conduct",
        rule="private_activity",
        points=Decimal(points),
        basis="上班时间办私事",
        filed_by=town.staff_ids["inspector"],
        decided_by=town.staff_ids["office"],
        now=now,
    )


def tell(connection, now=NOW):
    """Do what the worker owes the units: their slips."""
    for one in take_due(connection, "slips", 100):
        tell_deduction(connection, int(one.subject), now)
        mark_done(connection, [one.id])


def frozen(connection, town):
    """Freeze and compute; what is to be published."""
    make_complete(connection, town)
    freeze(connection, the_round(connection, town).id, town.staff_ids["office"], NOW)
    settle(connection)
    return latest_composite(connection, town.evaluation_id)


def published(connection, town):
    """Freeze and publish; the digest of what was published."""
    frozen(connection, town)
    publish(connection, the_round(connection, town).id, town.staff_ids["office2"], LATER)
    return the_round(connection, town).published_digest


def scores_shown(connection, town):
    evaluation = evaluations.evaluation_numbered(connection, town.evaluation_id)
    rows = read_report(connection, evaluation).composite.output["units"]
    return {row["id"]: Decimal(row["composite"]) for row in rows}


def correct(connection, town, who="office", reason="第 1 号扣分有误", now=LATER):
    publish_correction(connection, the_round(connection, town).id, reason, town.staff_ids[who], now)


class TestWhatIsShown:
    def test_a_later_deduction_stands_beside_the_published_result_and_never_in_its_place(self, connection, town):
        digest = published(connection, town)
        before = scores_shown(connection, town)
        seq = deduct(connection, town, "2.5", now=LATER)
        shown = shown_composite(connection, town.evaluation_id)
        assert since_publication(connection, town.evaluation_id, shown).recount is None  # the worker is still at it
        settle(connection)
        assert latest_composite(connection, town.evaluation_id).inputs_digest != digest
        assert scores_shown(connection, town) == before
        shown = shown_composite(connection, town.evaluation_id)
        assert shown.inputs_digest == digest
        since = since_publication(connection, town.evaluation_id, shown)
        assert [one.seq for one in since.entries] == [seq]
        moved = units_moved(shown, since.recount)
        assert set(moved) == {"harbour"}
        assert Decimal(moved["harbour"].before[0]) - Decimal(moved["harbour"].now[0]) == Decimal("2.5")

    def test_what_was_published_is_kept_however_many_are_computed_after_it(self, connection, town):
        digest = published(connection, town)
        before = scores_shown(connection, town)
        for _ in range(KEPT_COMPOSITES + 2):
            deduct(connection, town, "0.1", now=LATER)
            settle(connection)
        assert composite_called(connection, town.evaluation_id, digest) is not None
        assert scores_shown(connection, town) == before
        kept = select(func.count()).select_from(composite).where(composite.c.evaluation_id == town.evaluation_id)
        assert connection.execute(kept).scalar_one() == KEPT_COMPOSITES + 1

    def test_computing_the_published_inputs_again_changes_neither_figures_nor_errors(self, connection, town):
        before = frozen(connection, town)
        digest = before.inputs_digest
        mine = composite.c.inputs_digest == digest
        connection.execute(update(composite).where(mine).values(errors={"as": "shown"}))
        publish(connection, the_round(connection, town).id, town.staff_ids["office2"], LATER)
        compose(connection, town.evaluation_id, LATER + timedelta(days=1))
        after = composite_called(connection, town.evaluation_id, digest)
        assert (after.output, after.ledger_seq, after.errors) == (before.output, before.ledger_seq, {"as": "shown"})
        assert latest_composite(connection, town.evaluation_id).inputs_digest == digest

    def test_an_entry_and_its_reversal_are_told_though_the_recount_is_the_same(self, connection, town):
        digest = published(connection, town)
        seq = deduct(connection, town, now=LATER)
        settle(connection)
        ledger.reverse(connection, seq, "误记", town.staff_ids["office2"], _third(connection), LATER)
        settle(connection)
        shown = shown_composite(connection, town.evaluation_id)
        since = since_publication(connection, town.evaluation_id, shown)
        assert [one.reverses for one in since.entries] == [None, seq]
        assert shown.inputs_digest == digest
        assert units_moved(shown, since.recount) == {}

    def test_before_publication_the_newest_is_shown_and_nothing_is_since(self, connection, town):
        make_complete(connection, town)
        latest = latest_composite(connection, town.evaluation_id)
        assert shown_composite(connection, town.evaluation_id) == latest
        assert since_publication(connection, town.evaluation_id, latest) is None

    def test_the_database_itself_keeps_what_a_round_published(self, connection, town):
        digest = published(connection, town)
        with pytest.raises(IntegrityError, match="published_composite"):
            connection.execute(delete(composite).where(composite.c.inputs_digest == digest))


class TestCorrecting:
    def moved(self, connection, town):
        digest = published(connection, town)
        deduct(connection, town, "2.5", now=NOW)
        tell(connection)
        settle(connection)
        return digest

    def test_another_person_publishes_it_with_a_reason_and_both_versions_stay(self, connection, town):
        first = self.moved(connection, town)
        before = scores_shown(connection, town)
        correct(connection, town)
        found = the_round(connection, town)
        assert found.published_digest == latest_composite(connection, town.evaluation_id).inputs_digest != first
        assert (found.corrected_by, found.corrected_at) == (town.staff_ids["office"], LATER)
        assert found.publisher == "office2"
        assert before["harbour"] - scores_shown(connection, town)["harbour"] == Decimal("2.5")
        shown = shown_composite(connection, town.evaluation_id)
        assert since_publication(connection, town.evaluation_id, shown) is None
        history = publications_of(connection, found.id)
        assert [(one.act, one.name) for one in history] == [
            ("round_published", "office2"),
            ("round_corrected", "office"),
        ]
        assert history[0].about["inputs_digest"] == history[1].about["instead_of"] == first
        assert history[1].about["inputs_digest"] == found.published_digest
        assert history[1].about["reason"] == "第 1 号扣分有误"
        for _ in range(KEPT_COMPOSITES + 2):
            deduct(connection, town, "0.1", now=LATER)
            settle(connection)
        assert composite_called(connection, town.evaluation_id, first) is not None

    def test_whoever_published_last_cannot_correct_and_takes_turns(self, connection, town):
        self.moved(connection, town)
        with pytest.raises(Refused, match="corrector_published"):
            correct(connection, town, "office2")
        correct(connection, town, "office")
        deduct(connection, town, "1", now=NOW)
        tell(connection)
        settle(connection)
        with pytest.raises(Refused, match="corrector_published"):
            correct(connection, town, "office")
        correct(connection, town, "office2")

    def test_it_needs_a_reason_a_publication_and_a_difference(self, connection, town):
        with pytest.raises(Refused, match="round_not_published"):
            correct(connection, town)
        published(connection, town)
        with pytest.raises(Refused, match="nothing_to_correct"):
            correct(connection, town)
        deduct(connection, town, now=NOW)
        with pytest.raises(Refused, match="correction_reason_missing"):
            correct(connection, town, reason="  ")

    def test_it_waits_like_a_publication_for_what_is_under_way(self, connection, town):
        digest = published(connection, town)
        deduct(connection, town, now=LATER)
        act = (publish_correction, connection, the_round(connection, town).id, "更正", town.staff_ids["office"])
        assert codes_refused(*act, LATER) == ["deductions_untold", "composite_behind"]
        tell(connection, LATER)
        settle(connection)
        assert codes_refused(*act, LATER) == ["objection_terms_running"]
        assert the_round(connection, town).published_digest == digest
        publish_correction(*act[1:], LATER + timedelta(days=30))


class TestWhatIsUnderWay:
    def test_a_running_term_is_named_with_its_last_day_until_it_is_over(self, connection, town):
        make_complete(connection, town)
        deduct(connection, town)
        assert open_matters(connection, town.evaluation_id, NOW).untold == 1
        tell(connection)
        settle(connection)
        ends = open_matters(connection, town.evaluation_id, NOW).term_ends
        held = the_round(connection, town)
        (fault,) = missing_to_publish(connection, held, ends)
        assert fault.code == "objection_terms_running"
        assert fault.facts == {"number": 1, "last": day_of(ends).isoformat()}
        on_its_way = missing_to_publish(connection, held, ends + timedelta(minutes=1))
        assert [fault.code for fault in on_its_way] == ["objection_terms_running"]
        assert missing_to_publish(connection, held, ends + timedelta(seconds=61)) == []

    def test_an_entry_reversed_or_objected_to_has_no_term_of_its_own(self, connection, town, tmp_path):
        make_complete(connection, town)
        one, other = deduct(connection, town), deduct(connection, town)
        tell(connection)
        assert open_matters(connection, town.evaluation_id, NOW).terms == 2
        ledger.reverse(connection, one, "误记", town.staff_ids["office2"], _third(connection), NOW)
        sent = ObjectionSent(other, town.unit_ids["harbour"], town.staff_ids["unit"], "事出有因")
        file_objection(connection, Objects(tmp_path), sent, NOW)
        tell(connection)
        settle(connection)
        faults = missing_to_publish(connection, the_round(connection, town), NOW)
        assert [fault.code for fault in faults] == ["objections_undecided"]

    def test_a_request_for_a_reversal_stands_before_it(self, connection, town):
        make_complete(connection, town)
        request = ledger.ask_reversal(connection, _told(connection, town), town.staff_ids["office2"], "误记", NOW)
        held = the_round(connection, town)
        assert [fault.code for fault in missing_to_publish(connection, held, LATER)] == ["reversals_undecided"]
        ledger.decide_reversal(connection, request, _third(connection), False, "属实", NOW)
        assert missing_to_publish(connection, held, LATER) == []

    def test_a_finding_nobody_decided_stands_before_it(self, connection):
        town = an_inspected_town(connection)
        filed = a_finding(connection, town, a_check_in(connection, town).visit_id)
        assert open_matters(connection, town.evaluation_id, NOW).findings == 1
        values = {"status": "rejected", "decided_by": town.office, "decided_at": NOW}
        connection.execute(update(finding).where(finding.c.id == filed.id).values(**values))
        assert open_matters(connection, town.evaluation_id, NOW).findings == 0

    def test_what_another_evaluation_has_under_way_holds_nobody_up(self, connection, town):
        make_complete(connection, town)
        other = a_town(connection, "other-town")
        deduct(connection, other)
        assert missing_to_publish(connection, the_round(connection, town), NOW) == []


def _told(connection, town):
    seq = deduct(connection, town)
    tell(connection)
    settle(connection)
    return seq


def _third(connection):
    """Somebody of the office who had no hand in anything yet."""
    values = {"username": "third", "password_hash": "-", "name": "third", "role": "office"}
    return connection.execute(people.staff.insert().values(**values).returning(people.staff.c.id)).scalar_one()
