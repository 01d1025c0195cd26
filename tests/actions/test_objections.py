"""Objections: in time and once, explained, decided by somebody without a part in it, right under every race."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from api.actions import ledger
from api.actions.escalation import note_late_objections
from api.actions.objections import DecisionSent, decide, explain, term_of
from api.actions.papers import LARGEST, read_papers
from api.actions.rounds import missing_to_publish
from api.actions.slips import open_slip, tell_deduction
from api.objects import Objects
from api.pages.life_words import late_objections
from api.store.ledger import entries_of, entry_numbered, reversal_of
from api.store.objections import objection_numbered, objection_of
from api.store.papers import papers_of_objection
from api.store.people import acts
from api.store.roles import WEB, grant_roles
from api.store.rounds import round_states
from api.store.slips import slip, slip_of, slips_of
from survey_forms.refusal import Refused
from tests.builders import a_survey
from tests.deductions import (
    GROUNDS,
    PDF,
    a_cast,
    a_told_entry,
    an_explained_objection,
    an_objection,
    some_papers,
    standing,
)
from tests.inspections import NOW, a_check_in, a_finding, a_jpeg, an_entry

REASON = "批文属实。"
IN_CHINA = timedelta(hours=8)


@pytest.fixture
def cast(connection):
    return a_cast(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path / "objects")


def code_of(refused) -> str:
    return refused.value.code


def standing_points(connection, cast) -> Decimal:
    return standing(entries_of(connection, cast.town.evaluation_id, cast.town.unit_id))


def decision(cast, key, verdict="upheld", **facts) -> DecisionSent:
    given = {"objection_id": key, "staff_id": cast.third_office, "verdict": verdict, "note": REASON} | facts
    return DecisionSent(**given)


def test_a_deduction_is_told_once_with_its_last_day(connection, cast):
    seq = an_entry(connection, cast.town)
    assert term_of(connection, entry_numbered(connection, seq)) is None
    first = tell_deduction(connection, seq, NOW)
    for later in (NOW, NOW + timedelta(days=30), NOW - timedelta(days=30)):
        assert tell_deduction(connection, seq, later) is None
    told = slip_of(connection, seq)
    assert (told.id, told.number, told.numbered, told.read_at) == (first, 1, "〔2026〕1号", None)
    assert told.about["last_day"] == "2026-11-26"
    assert told.about["points"] == "2"
    assert term_of(connection, entry_numbered(connection, seq)).isoformat() == "2026-11-26"


def test_slips_are_numbered_by_evaluation_and_kind_and_say_what_was_true_then(connection, cast):
    visit = a_check_in(connection, cast.town).visit_id
    finding = a_finding(connection, cast.town, visit)
    seqs = [a_told_entry(connection, cast), a_told_entry(connection, cast, finding_id=finding.id)]
    assert [slip_of(connection, seq).number for seq in seqs] == [1, 2]
    connection.execute(text("UPDATE office.unit SET name_zh = '改名'"))
    about = slip_of(connection, seqs[1]).about
    assert (about["unit_zh"], about["site_zh"], about["seen_on"]) == ("市民政局", "湖滨南路办事大厅", "2026-11-21")


def test_the_first_opening_by_the_unit_is_the_receipt(connection, cast):
    key = slip_of(connection, a_told_entry(connection, cast)).id
    with pytest.raises(Refused) as strange:
        open_slip(connection, key, cast.town.other_unit_id, cast.other_unit, NOW)
    assert code_of(strange) == "not_found"
    assert open_slip(connection, key, cast.town.unit_id, cast.unit, NOW).read_by == cast.unit
    again = open_slip(connection, key, cast.town.unit_id, cast.unit_again, NOW + timedelta(days=1))
    assert (again.read_by, again.read_at) == (cast.unit, NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE field.slip SET about = '{}'",
        "UPDATE field.slip SET number = 9",
        "UPDATE field.slip SET due_at = due_at + interval '9 days'",
        "DELETE FROM field.slip",
    ],
)
def test_the_database_keeps_a_slip_as_it_was_issued(connection, cast, statement):
    a_told_entry(connection, cast)
    with pytest.raises(IntegrityError, match="stays as it was issued"):
        connection.execute(text(statement))


def test_a_receipt_is_written_once_by_the_database_too(connection, cast):
    key = slip_of(connection, a_told_entry(connection, cast)).id
    open_slip(connection, key, cast.town.unit_id, cast.unit, NOW)
    with pytest.raises(IntegrityError, match="first reading is written once"):
        connection.execute(slip.update().values(read_at=NOW + timedelta(days=1)))


def test_the_last_day_is_whole_in_china_and_the_day_after_is_late_in_words(connection, objects, cast):
    seqs = [a_told_entry(connection, cast, basis=str(n)) for n in range(2)]
    last_moment = datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC) - IN_CHINA
    key = an_objection(connection, objects, cast, seqs[0], last_moment)
    with pytest.raises(Refused) as late:
        an_objection(connection, objects, cast, seqs[1], last_moment + timedelta(seconds=1))
    assert code_of(late) == "objection_late"
    assert late.value.faults[0].facts["last"] == "2026-11-26"
    assert an_objection(connection, objects, cast, seqs[0], last_moment + timedelta(days=9)) == key  # a retry


def test_a_unit_that_was_never_told_is_never_late(connection, objects, cast):
    seq = an_entry(connection, cast.town)
    assert an_objection(connection, objects, cast, seq, NOW + timedelta(days=60))


def test_only_the_unit_itself_objects_to_a_deduction_with_grounds(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    strange = {"unit_id": cast.town.other_unit_id, "staff_id": cast.other_unit}
    for facts, code in ((strange, "not_found"), ({"grounds": ""}, "objection_grounds_missing")):
        with pytest.raises(Refused) as refused:
            an_objection(connection, objects, cast, seq, **facts)
        assert code_of(refused) == code
    assert objection_of(connection, seq) is None


def test_one_objection_an_entry(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    key = an_objection(connection, objects, cast, seq)
    assert an_objection(connection, objects, cast, seq) == key
    for facts in ({"grounds": "另一个理由"}, {"staff_id": cast.unit_again}):
        with pytest.raises(Refused) as refused:
            an_objection(connection, objects, cast, seq, **facts)
        assert code_of(refused) == "objection_filed"


def test_papers_that_come_again_are_added_until_the_office_explains(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    first, second = read_papers(some_papers())
    key = an_objection(connection, objects, cast, seq)
    for papers in ((first,), (first, second), ()):
        assert an_objection(connection, objects, cast, seq, papers=papers) == key
    assert [one.sha256 for one in papers_of_objection(connection, key)] == [first.sha256, second.sha256]
    explain(connection, key, cast.town.second_office, "录像在案。", NOW)
    assert an_objection(connection, objects, cast, seq, papers=(second,)) == key
    with pytest.raises(Refused) as late:
        an_objection(connection, objects, cast, seq, papers=read_papers([("又.pdf", PDF + b"2")]))
    assert code_of(late) == "objection_papers_late"


def test_the_office_is_held_to_its_own_days(connection, objects, cast):
    key = an_objection(connection, objects, cast, a_told_entry(connection, cast))

    def owed() -> list[tuple[str, str]]:
        return [(one.about["owed"], one.about["due_on"]) for one in acts(connection, 99) if one.act == "objection_late"]

    def clock(days: int) -> int:
        return sum(note_late_objections(connection, NOW + timedelta(days=days)) for _ in range(2))

    assert [clock(days) for days in (5, 6, 7, 10)] == [0, 1, 0, 0]
    explain(connection, key, cast.town.second_office, "录像在案。", NOW + timedelta(days=10))
    assert [clock(days) for days in (10, 11, 40)] == [0, 1, 0]
    assert owed() == [("decision", "2026-12-01"), ("explanation", "2026-11-26")]
    assert late_objections(connection, cast.town.evaluation_id, NOW + timedelta(days=40)) == {key: "decision"}
    decide(connection, decision(cast, key, "dismissed"), NOW + timedelta(days=41))
    assert late_objections(connection, cast.town.evaluation_id, NOW + timedelta(days=41)) == {}
    assert clock(60) == 0


def test_papers_are_kept_with_the_objection(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    papers = read_papers([*some_papers(), ("again.pdf", PDF)])
    key = an_objection(connection, objects, cast, seq, papers=papers)
    kept = papers_of_objection(connection, key)
    assert [(one.name, one.media_type) for one in kept] == [("批文.pdf", "application/pdf"), ("现场.jpg", "image/jpeg")]
    assert objects.get("papers", kept[0].sha256) == PDF
    with pytest.raises(IntegrityError, match="only grows"):
        connection.execute(text("UPDATE field.paper SET name = 'x'"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "paper_empty"),
        (b"PK\x03\x04 a zip that says .pdf", "paper_other_kind"),
        (b"<svg onload=alert(1)>", "paper_other_kind"),
        (b"<!doctype html><script>1</script>%PDF-1.7", "paper_other_kind"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "paper_other_kind"),
        (b"%PDF-" + bytes(LARGEST), "paper_too_large"),
        (a_jpeg()[:20], "photo_damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "photo_damaged"),
    ],
)
def test_a_paper_is_what_its_first_bytes_say(content, code):
    with pytest.raises(Refused) as refused:
        read_papers([("批文.pdf", content)])
    assert code_of(refused) == code
    assert refused.value.faults[0].facts["name"] == "批文.pdf"


def test_six_papers_are_too_many():
    with pytest.raises(Refused) as refused:
        read_papers([(f"{n}.pdf", PDF + bytes([n])) for n in range(6)])
    assert code_of(refused) == "papers_too_many"


def test_an_explanation_is_given_once(connection, objects, cast):
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    said = objection_numbered(connection, key)
    assert (said.status, said.explained_by) == ("explained", cast.town.second_office)
    explain(connection, key, said.explained_by, said.explanation, NOW)
    with pytest.raises(Refused) as refused:
        explain(connection, key, cast.third_office, "另一种说法", NOW)
    assert code_of(refused) == "objection_explained"


def test_upheld_is_a_reversal_and_the_unit_is_told(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    key = an_explained_objection(connection, objects, cast, seq)
    decide(connection, decision(cast, key), NOW)
    decide(connection, decision(cast, key), NOW)
    found = objection_numbered(connection, key)
    reversal = reversal_of(connection, seq)
    assert (found.status, found.points, found.reversal_seq) == ("upheld", 0, reversal.seq)
    assert (reversal.filed_by, reversal.decided_by, reversal.basis) == (cast.unit, cast.third_office, REASON)
    assert standing_points(connection, cast) == 0
    assert tell_deduction(connection, reversal.seq, NOW) is None
    kinds = [one.kind for one in slips_of(connection, cast.town.unit_id)]
    assert kinds == ["decision", "deduction"]


def test_reduced_is_a_reversal_and_a_smaller_entry_that_rests_on_the_same(connection, objects, cast):
    visit = a_check_in(connection, cast.town).visit_id
    finding = a_finding(connection, cast.town, visit, rule="rude_service", points=Decimal(5))
    seq = a_told_entry(connection, cast, rule="rude_service", aspect=finding.aspect, points="5", finding_id=finding.id)
    key = an_explained_objection(connection, objects, cast, seq)
    decide(connection, decision(cast, key, "reduced", points=Decimal("3.5")), NOW)
    found = objection_numbered(connection, key)
    smaller = entry_numbered(connection, found.replacement_seq)
    assert (smaller.points, smaller.filed_by, smaller.decided_by) == (
        Decimal("3.5"),
        cast.town.second_office,
        cast.third_office,
    )
    assert standing_points(connection, cast) == Decimal("3.5")
    with pytest.raises(Refused) as final:
        an_objection(connection, objects, cast, smaller.seq)
    assert code_of(final) == "objection_final"
    assert tell_deduction(connection, smaller.seq, NOW) is None


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (("late_or_early", "2", "0.5"), "objection_points_fixed"),
        (("rude_service", "5", "5"), "objection_points_unfit"),
        (("rude_service", "5", "1.5"), "objection_points_unfit"),
        (("rude_service", "5", "-1"), "objection_points_unfit"),
        (("rude_service", "5", None), "objection_points_unfit"),
        (("rude_service", "5", "2.00001"), "objection_points_unfit"),
    ],
)
def test_reduced_points_fit_the_rule_and_are_fewer(connection, objects, cast, case, code):
    rule, points, asked = case
    seq = a_told_entry(connection, cast, rule=rule, points=points)
    key = an_explained_objection(connection, objects, cast, seq)
    sent = decision(cast, key, "reduced", points=Decimal(asked) if asked else None)
    with pytest.raises(Refused) as refused:
        decide(connection, sent, NOW)
    assert code_of(refused) == code
    assert standing_points(connection, cast) == Decimal(points)


def test_dismissed_needs_its_reason_and_leaves_the_ledger(connection, objects, cast):
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    with pytest.raises(Refused) as silent:
        decide(connection, decision(cast, key, "dismissed", note=""), NOW)
    assert code_of(silent) == "objection_note_missing"
    decide(connection, decision(cast, key, "dismissed"), NOW)
    assert standing_points(connection, cast) == 2
    for other in (decision(cast, key), decision(cast, key, "dismissed", staff_id=cast.town.office)):
        with pytest.raises(Refused) as decided:
            decide(connection, other, NOW)
        assert code_of(decided) == "objection_decided"


def test_nobody_with_a_part_in_it_decides(connection, objects, cast):
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    town = cast.town
    for involved in (town.inspector, town.office, town.second_office, cast.unit):
        with pytest.raises(Refused) as refused:
            decide(connection, decision(cast, key, staff_id=involved), NOW)
        assert code_of(refused) == "objection_involved"


def test_nothing_is_decided_before_it_is_explained(connection, objects, cast):
    key = an_objection(connection, objects, cast, a_told_entry(connection, cast))
    with pytest.raises(Refused) as refused:
        decide(connection, decision(cast, key), NOW)
    assert code_of(refused) == "objection_unexplained"


@pytest.mark.parametrize("who", ["inspector", "office", "second_office", "unit", "unit_again", "bureau"])
def test_the_database_refuses_the_wrong_person_by_itself(engine: Engine, tmp_path, who):
    """As the web's own role, by hand, past every verb."""
    with engine.begin() as connection:
        grant_roles(connection)
        cast = a_cast(connection)
        key = an_explained_objection(connection, Objects(tmp_path), cast, a_told_entry(connection, cast))
        known = {"unit": cast.unit, "unit_again": cast.unit_again}
        bureau = connection.execute(text("SELECT id FROM office.staff WHERE username = 'bureau'")).scalar_one()
        person = known.get(who) or (bureau if who == "bureau" else getattr(cast.town, who))
    dismissed = text(
        "UPDATE field.objection SET status = 'dismissed', decided_by = :who, decided_at = now(),"
        " decision_note = 'x', points = 2 WHERE id = :key"
    )
    with engine.connect() as connection:
        connection.execute(text(f"SET ROLE {WEB}"))
        with pytest.raises(IntegrityError, match=r"decided_by_another|only the office"):
            connection.execute(dismissed, {"who": person, "key": key})
        connection.rollback()
        connection.execute(text(f"SET ROLE {WEB}"))
        connection.execute(dismissed, {"who": cast.third_office, "key": key})
        with pytest.raises(IntegrityError, match="stays as it was said"):
            connection.execute(text("UPDATE field.objection SET status = 'upheld', reversal_seq = 1, points = 0"))
        connection.rollback()
        connection.execute(text(f"SET ROLE {WEB}"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("DELETE FROM field.objection"))
        connection.rollback()


@pytest.mark.parametrize("column", ["filed_by", "entry_filed_by", "entry_decided_by", "explained_by"])
def test_nobody_is_talked_into_a_decision_by_changing_who_did_what(connection, objects, cast, column):
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    with pytest.raises(IntegrityError):
        connection.execute(
            text(f"UPDATE field.objection SET {column} = :who WHERE id = :key"),  # noqa: S608 - the names above
            {"who": cast.third_office, "key": key},
        )


def test_an_objection_to_what_was_reversed_meanwhile_can_only_be_upheld(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    key = an_explained_objection(connection, objects, cast, seq)
    reversing = ledger.reverse(connection, seq, "录错单位", cast.town.office, cast.town.second_office, NOW)
    with pytest.raises(Refused) as gone:
        decide(connection, decision(cast, key, "dismissed"), NOW)
    assert code_of(gone) == "objection_entry_gone"
    decide(connection, decision(cast, key), NOW)
    assert objection_numbered(connection, key).reversal_seq == reversing
    assert standing_points(connection, cast) == 0


def test_a_reversed_entry_takes_no_objection_and_its_unit_is_told(connection, objects, cast):
    seq = a_told_entry(connection, cast)
    request = ledger.ask_reversal(connection, seq, cast.town.office, "录错单位", NOW)
    reversing = ledger.decide_reversal(connection, request, cast.town.second_office, True, "", NOW)
    assert tell_deduction(connection, reversing, NOW)
    assert tell_deduction(connection, reversing, NOW) is None
    assert slips_of(connection, cast.town.unit_id)[0].about["verdict"] == "reversed"
    for number, code in ((seq, "objection_of_reversed"), (reversing, "objection_needs_deduction")):
        with pytest.raises(Refused) as refused:
            an_objection(connection, objects, cast, number)
        assert code_of(refused) == code


def test_an_undecided_objection_stands_before_publication(connection, objects):
    a_survey(connection)
    cast = a_cast(connection)
    round_id = connection.execute(
        text(
            "INSERT INTO office.round (evaluation_id, name_zh, name_en, opens_at, closes_at, status)"
            " VALUES (:evaluation, '年终', 'Year', now() - interval '9 days', now(), 'frozen') RETURNING id"
        ),
        {"evaluation": cast.town.evaluation_id},
    ).scalar_one()
    held = next(one for one in round_states(connection, cast.town.evaluation_id) if one.id == round_id)
    key = an_explained_objection(connection, objects, cast, a_told_entry(connection, cast))
    assert "objections_undecided" in {fault.code for fault in missing_to_publish(connection, held, NOW)}
    decide(connection, decision(cast, key, "dismissed"), NOW)
    assert "objections_undecided" not in {fault.code for fault in missing_to_publish(connection, held, NOW)}


def test_ten_filings_at_once_are_one_objection(engine: Engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        seq = a_told_entry(connection, cast)

    def one(_: int) -> int:
        with engine.begin() as connection:
            return an_objection(connection, Objects(tmp_path), cast, seq, papers=read_papers(some_papers()))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(one, range(10)))) == 1
    with engine.connect() as connection:
        assert len(papers_of_objection(connection, objection_of(connection, seq).id)) == 2


def test_two_deciders_at_once_make_one_decision(engine: Engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        seq = a_told_entry(connection, cast)
        key = an_explained_objection(connection, Objects(tmp_path), cast, seq)
        other = connection.execute(
            text(
                "INSERT INTO office.staff (username, password_hash, name, role)"
                " VALUES ('office4', '-', '周评', 'office') RETURNING id"
            )
        ).scalar_one()

    def one(who: int) -> str:
        verdict = "upheld" if who % 2 else "dismissed"
        try:
            with engine.begin() as connection:
                decide(connection, decision(cast, key, verdict, staff_id=cast.third_office if who % 2 else other), NOW)
        except Refused as refused:
            return refused.code
        return verdict

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(one, range(8)))
    assert len(set(said) - {"objection_decided"}) == 1
    with engine.connect() as connection:
        found = objection_numbered(connection, key)
        assert found.status in said
        assert len(entries_of(connection, cast.town.evaluation_id)) == (2 if found.status == "upheld" else 1)
        told = connection.execute(select(slip.c.key).where(slip.c.kind == "decision")).scalars().all()
        assert told == [f"objection:{key}"]


def test_a_reversal_and_a_decision_at_once_reverse_once(engine: Engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        seq = a_told_entry(connection, cast)
        request = ledger.ask_reversal(connection, seq, cast.town.office, "录错单位", NOW)
        key = an_explained_objection(connection, Objects(tmp_path), cast, seq)

    def one(by_request: bool) -> str:  # noqa: FBT001 - which of the two
        try:
            with engine.begin() as connection:
                if by_request:
                    ledger.decide_reversal(connection, request, cast.town.second_office, True, "", NOW)
                else:
                    decide(connection, decision(cast, key), NOW)
        except Refused as refused:
            return refused.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        said = dict(zip((True, False), pool.map(one, (True, False)), strict=True))
    assert said[False] == "done"
    assert said[True] in {"reversal_objected", "entry_reversed"}
    with engine.connect() as connection:
        assert objection_numbered(connection, key).reversal_seq == reversal_of(connection, seq).seq == 2
        assert GROUNDS in objection_numbered(connection, key).grounds
