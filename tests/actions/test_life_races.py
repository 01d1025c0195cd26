"""What two people do to a deduction at the same moment: the second is told rightly what the first has done."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine, insert

from api.actions.indicators import File, confirm_batch, file_batch
from api.actions.objections import DecisionSent, decide, explain
from api.objects import Objects
from api.store.people import staff
from survey_forms.refusal import Fault, Refused
from tests.deductions import a_cast, a_told_entry, an_explained_objection, an_objection
from tests.desk import a_desk
from tests.inspections import NOW

Act = Callable[[Connection], object]


def second_of(engine: Engine, first: Act, second: Act) -> Fault | None:
    """How the second is refused that began while the first held what both want."""
    has_it, goes_on = threading.Event(), threading.Event()

    def hold() -> None:
        with engine.begin() as connection:
            first(connection)
            has_it.set()
            assert goes_on.wait(20)

    def follow() -> Fault | None:
        assert has_it.wait(20)
        try:
            with engine.begin() as connection:
                threading.Timer(0.5, goes_on.set).start()
                second(connection)
        except Refused as refused:
            return refused.faults[0]
        return None

    with ThreadPoolExecutor(2) as pool:
        held, followed = pool.submit(hold), pool.submit(follow)
        held.result(30)
        return followed.result(30)


def test_the_second_decider_is_told_who_decided(engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        key = an_explained_objection(connection, Objects(tmp_path), cast, a_told_entry(connection, cast))
        values = {"username": "office4", "password_hash": "-", "name": "office4", "role": "office"}
        other = connection.execute(insert(staff).values(values).returning(staff.c.id)).scalar_one()
    fault = second_of(
        engine,
        lambda connection: decide(connection, DecisionSent(key, cast.third_office, "dismissed", "属实"), NOW),
        lambda connection: decide(connection, DecisionSent(key, other, "upheld", "不实"), NOW),
    )
    assert (fault.code, fault.facts) == ("objection_decided", {"name": "office3"})


def test_the_second_to_explain_is_told_who_explained(engine, tmp_path):
    with engine.begin() as connection:
        cast = a_cast(connection)
        key = an_objection(connection, Objects(tmp_path), cast, a_told_entry(connection, cast))
    fault = second_of(
        engine,
        lambda connection: explain(connection, key, cast.third_office, "录像在案", NOW),
        lambda connection: explain(connection, key, cast.town.second_office, "另有说明", NOW),
    )
    assert (fault.code, fault.facts) == ("objection_explained", {"name": "office3"})


def test_the_second_to_decide_on_a_file_is_told_who_did(engine):
    with engine.begin() as connection:
        desk = a_desk(connection)
        sheet = "单位,指标,得分,扣分,依据\nsports,indicator.common,,30,公文超期"
        file = File("扣分.csv", sheet.encode())
        batch = file_batch(connection, desk.evaluation, file, desk.staff["office"], NOW)
    fault = second_of(
        engine,
        lambda connection: confirm_batch(connection, batch, desk.staff["office2"], NOW),
        lambda connection: confirm_batch(connection, batch, desk.staff["office3"], NOW),
    )
    assert (fault.code, bool(fault.facts["name"])) == ("batch_decided", True)
