"""Work made by hand under its seal: announced or not, sent twice, withdrawn; and re-inspections of a rectification."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from api.actions.assignment_seals import open_words
from api.actions.assignments import Work, assign, open_due
from api.actions.crew_changes import withdraw_assignment
from api.actions.inspections import CheckInSent, check_in, close_visit
from api.actions.rectifications import ProofSent, close, prove
from api.actions.revisits import note_told, order_revisit, revisit_under_way
from api.objects import Objects
from api.store.assignment_list import assignments_between
from api.store.crews import Row, row_numbered, sealed_revisits
from api.store.inspections import opened_assignments, sealed_days
from api.store.people import acts
from api.store.rectifications import rectification_numbered, steps_of
from api.store.sites import site
from survey_forms.inspection.mornings import morning_of
from survey_forms.refusal import Refused
from tests.deductions import Cast, a_cast, a_told_entry, an_order
from tests.double_random import SECRET_KEY
from tests.inspections import NOW, TODAY, a_fix

AHEAD = TODAY + timedelta(days=3)
DAWN = morning_of(AHEAD)


@pytest.fixture
def cast(connection):
    return a_cast(connection)


@pytest.fixture
def proven(connection, cast, tmp_path) -> int:
    """A rectification whose unit has handed in its proof."""
    key = an_order(connection, cast, a_told_entry(connection, cast))
    prove(connection, Objects(tmp_path), ProofSent(key, cast.town.unit_id, cast.unit, "已安排双人值守。"), NOW)
    return key


def send(connection, cast: Cast, key: int, day=AHEAD) -> UUID:
    town = cast.town
    return order_revisit(connection, key, [town.inspector], day, town.site_id, SECRET_KEY, town.office, NOW)


def make(connection, cast: Cast, **facts) -> Row:
    town = cast.town
    given = {"site_id": town.site_id, "crew": (town.inspector,), "day": AHEAD, "kind": "patrol"} | facts
    row = row_numbered(connection, assign(connection, Work(**given), SECRET_KEY, town.office, NOW))
    assert row is not None
    return row


def code_of(call, *given) -> str:
    with pytest.raises(Refused) as refused:
        call(*given)
    return str(refused.value.code)


@pytest.mark.parametrize("facts", [{"announced": True}, {"day": TODAY}])
def test_what_is_no_secret_lies_open_at_once(connection, cast, facts):
    row = make(connection, cast, **facts)
    assert (row.site_id, row.sealed) == (cast.town.site_id, None)


def test_work_for_today_made_before_six_waits_for_six(connection, cast):
    early = morning_of(TODAY) - timedelta(microseconds=1)
    work = Work(cast.town.site_id, (cast.town.inspector,), TODAY, "patrol")
    key = assign(connection, work, SECRET_KEY, cast.town.office, early)
    assert sealed_days(connection, cast.town.inspector, TODAY) == [TODAY]
    assert open_due(connection, SECRET_KEY, early) == 0
    assert open_due(connection, SECRET_KEY, morning_of(TODAY)) == 1
    assert [one.id for one in opened_assignments(connection, cast.town.inspector, TODAY)] == [key]


def test_sealed_work_sent_twice_is_one(connection, cast):
    key = uuid4()
    first = make(connection, cast, id=key)
    assert make(connection, cast, id=key) == first
    assert len([one for one in acts(connection, 10) if one.act == "assignment_made"]) == 1


def another_site(connection, cast: Cast) -> int:
    values = {"unit_id": cast.town.other_unit_id, "name_zh": "别处", "name_en": "", "address": "", "datum": "WGS-84"}
    place = {"lat": 24.5, "lon": 118.1, "radius_m": 100}
    return int(connection.execute(insert(site).values(**values, **place).returning(site.c.id)).scalar_one())


@pytest.mark.parametrize("other", ["site_id", "day", "kind", "announced", "crew"])
def test_other_work_under_the_same_id_is_refused_and_not_dropped(connection, cast, other):
    key = make(connection, cast, id=uuid4()).id
    changed = {
        "site_id": another_site(connection, cast), "day": TODAY, "kind": "revisit", "announced": True,
        "crew": (cast.town.other_inspector,),
    }[other]  # fmt: skip
    assert code_of(lambda: make(connection, cast, id=key, **{other: changed})) == "assignment_made_otherwise"


def test_work_that_was_withdrawn_is_not_made_again_under_its_id(connection, cast):
    key = make(connection, cast, id=uuid4()).id
    withdraw_assignment(connection, key, "车辆故障", cast.town.office, NOW)
    assert code_of(lambda: make(connection, cast, id=key)) == "assignment_withdrawn_already"


def test_nobody_asks_a_seal_by_sending_a_guess_under_its_id(connection, cast):
    """The id stands on the office's pages; right or wrong, somebody else's guess gets one answer."""
    row = make(connection, cast)
    for place in (cast.town.site_id, another_site(connection, cast)):
        guess = Work(place, (cast.town.inspector,), AHEAD, "patrol", id=row.id)
        asked = (connection, guess, SECRET_KEY, cast.town.second_office, NOW)
        assert code_of(assign, *asked) == "assignment_made_otherwise"


def test_whoever_made_it_sees_it_listed_without_the_place(connection, cast):
    key = make(connection, cast).id
    open_due(connection, SECRET_KEY, DAWN)

    def listed(today) -> tuple[UUID, bool, str | None]:
        (one,) = assignments_between(connection, cast.town.evaluation_id, AHEAD, AHEAD, today)
        return one.id, one.opened, one.site_zh

    assert listed(AHEAD) == (key, True, None)
    assert listed(AHEAD + timedelta(days=1)) == (key, True, "湖滨南路办事大厅")


def test_what_was_withdrawn_under_its_seal_stays_sealed_and_keeps_nobody_waiting(connection, cast):
    row, other = make(connection, cast), make(connection, cast)
    assert withdraw_assignment(connection, row.id, "车辆故障", cast.town.office, NOW)
    assert open_due(connection, SECRET_KEY, DAWN) == 1
    assert row_numbered(connection, row.id).site_id is None
    assert [one.id for one in opened_assignments(connection, cast.town.inspector, AHEAD)] == [other.id]


def test_a_changed_secret_keeps_one_seal_closed_and_no_other(connection, cast):
    broken = make(connection, cast)
    other = assign(
        connection,
        Work(cast.town.site_id, (cast.town.inspector,), AHEAD, "patrol"),
        b"another secret of the service, later",
        cast.town.office,
        NOW,
    )
    assert open_due(connection, b"another secret of the service, later", DAWN) == 1
    assert [row_numbered(connection, one).site_id for one in (broken.id, other)] == [None, cast.town.site_id]
    assert open_due(connection, SECRET_KEY, DAWN) == 1


def test_a_rectification_shows_its_re_inspection_with_the_morning(connection, cast, proven):
    visit = send(connection, cast, proven)
    assert send(connection, cast, proven) == visit
    assert code_of(send, connection, cast, proven, AHEAD + timedelta(days=1)) == "rectification_revisit_open"
    closing = (connection, proven, SECRET_KEY, cast.town.second_office, "现场属实", DAWN)
    assert code_of(close, *closing) == "rectification_revisit_open"
    assert rectification_numbered(connection, proven).assignment_id is None
    assert [one.kind for one in steps_of(connection, proven)] == ["ordered", "proven"]
    open_due(connection, SECRET_KEY, DAWN)
    assert rectification_numbered(connection, proven).assignment_id == visit
    last = steps_of(connection, proven)[-1]
    assert (last.kind, last.staff_id, last.note) == ("revisit", cast.town.office, AHEAD.isoformat())
    assert acts(connection, 1)[0].about == {"rectification": proven, "assignment": str(visit)}
    assert code_of(close, *closing) == "rectification_revisit_open"
    sent = CheckInSent(uuid4(), uuid4(), visit, (a_fix(at=DAWN),), DAWN)
    began = check_in(connection, sent, cast.town.inspector, DAWN).visit_id
    close_visit(connection, began, cast.town.inspector, "", DAWN)
    close(*closing)
    assert rectification_numbered(connection, proven).status == "closed"


def test_a_re_inspection_withdrawn_under_its_seal_leaves_room_for_another(connection, cast, proven):
    first = send(connection, cast, proven)
    withdraw_assignment(connection, first, "车辆故障", cast.town.office, NOW)
    assert revisit_under_way(connection, SECRET_KEY, proven) is None
    second = send(connection, cast, proven)
    assert [one.id for one in sealed_revisits(connection)] == [second]
    open_due(connection, SECRET_KEY, DAWN)
    assert rectification_numbered(connection, proven).assignment_id == second
    assert [one.kind for one in steps_of(connection, proven)].count("revisit") == 1


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, ["assignment_crew_small", "assignment_crew_small"]), (1, ["made", "rectification_revisit_open"])],
)
def test_a_colleague_never_learns_the_day_of_a_sealed_re_inspection(connection, cast, proven, size, told):
    """A crew that cannot go gets one answer, sent before or not; one that can is sent, or refused on every day."""
    town, days = cast.town, [AHEAD + timedelta(days=number) for number in range(-1, 2)]

    def answers() -> set[str]:
        return {answer(day) for day in days}

    def answer(day) -> str:
        who = [town.inspector] * size
        tried = connection.begin_nested()
        try:
            order_revisit(connection, proven, who, day, town.site_id, SECRET_KEY, town.second_office, NOW)
        except Refused as refused:
            return str(refused.code)
        finally:
            tried.rollback()
        return "made"

    before = answers()
    send(connection, cast, proven)
    assert [before, answers()] == [{one} for one in told]


def test_whoever_is_told_that_inspectors_go_again_is_kept_without_the_rectification(connection, cast, proven):
    note_told(connection, proven, SECRET_KEY, cast.town.second_office, NOW)
    (last,) = acts(connection, 1)
    assert (last.act, last.name) == ("revisit_told", "李定")
    bound_to = UUID(int=cast.town.second_office)
    assert int(open_words(SECRET_KEY, bound_to, last.about["sealed"])) == proven
    assert list(last.about) == ["sealed"]


def test_closing_without_a_word_does_not_ask_the_seal(connection, cast, proven):
    closing = (connection, proven, SECRET_KEY, cast.town.second_office, "", NOW)
    assert code_of(close, *closing) == "rectification_reason_missing"
    send(connection, cast, proven)
    assert code_of(close, *closing) == "rectification_reason_missing"


def test_two_who_send_inspectors_again_at_once_send_them_once(engine):
    with engine.begin() as connection:
        cast = a_cast(connection)
        key = an_order(connection, cast, a_told_entry(connection, cast))
    ready = Barrier(2)

    def one() -> UUID:
        ready.wait()
        with engine.begin() as connection:
            return send(connection, cast, key)

    with ThreadPoolExecutor(2) as both:
        assert len({future.result() for future in [both.submit(one) for _ in range(2)]}) == 1
    with engine.connect() as connection:
        assert len(sealed_revisits(connection)) == 1


def test_nobody_closes_while_inspectors_are_being_sent(engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        key = an_order(connection, cast, a_told_entry(connection, cast))
        prove(connection, Objects(tmp_path), ProofSent(key, cast.town.unit_id, cast.unit, "已改。"), NOW)

    def closing() -> str:
        with engine.begin() as connection:
            try:
                close(connection, key, SECRET_KEY, cast.town.second_office, "属实", NOW)
            except Refused as refused:
                return str(refused.code)
        return "closed"

    with ThreadPoolExecutor(1) as other:
        with engine.begin() as connection:
            send(connection, cast, key)
            waits = other.submit(closing)
            with pytest.raises(TimeoutError):
                waits.result(timeout=0.5)
        assert waits.result(timeout=20) == "rectification_revisit_open"
