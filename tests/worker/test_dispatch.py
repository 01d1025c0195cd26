"""Bells: few, harmless when doubled, and not needed for being right."""

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import text

from api.actions.tally import recount
from api.store import owed, tallies
from api.store.results import latest_composite
from tests.worker.town import answer, enter, rate_all, score_indicators, untallied
from worker import dispatch
from worker import drain as drains
from worker.dispatch import MOST_BELLS, Dispatcher, connect
from worker.drain import TALLY, drain
from worker.jobs import OUTBOX_WORK, Work
from worker.shop import _opened


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def queue_of(url: str, name: str = "drain") -> Queue:
    return Queue(name, connection=redis.Redis.from_url(url), serializer=JSONSerializer)


def answer_bells(url: str, shop) -> None:
    """What `python -m worker drain` does, until the queue is empty."""
    _opened[:] = [shop]
    worker = SimpleWorker([queue_of(url)], connection=redis.Redis.from_url(url), serializer=JSONSerializer)
    worker.work(burst=True, logging_level="WARNING")


def test_a_bell_is_rung_for_what_is_due_and_the_worker_settles_it(shop, town, valkey_url):
    with shop.database.write() as connection:
        answer(connection, town, *((group, rate_all("v4")) for group in ("deputies", "enterprises")))
        score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    dispatcher = Dispatcher(shop, connect(valkey_url))
    dispatcher.look()
    assert [job.args for job in queue_of(valkey_url).jobs] == [["tally"]]
    answer_bells(valkey_url, shop)
    dispatcher.look()
    assert [job.args for job in queue_of(valkey_url).jobs] == [["compose"]]
    answer_bells(valkey_url, shop)
    dispatcher.look()
    assert queue_of(valkey_url).count == 0
    with shop.database.read() as connection:
        assert untallied(connection) == {}
        assert latest_composite(connection, town.evaluation_id) is not None
        assert owed.state_of(connection, owed.DISPATCHER) == "ok"


def test_bells_do_not_pile_up_while_nobody_answers(shop, town, valkey_url):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")))
    clock = Clock()
    dispatcher = Dispatcher(shop, connect(valkey_url), clock)
    for _ in range(10):
        clock.seconds += 1
        dispatcher.look()
    assert queue_of(valkey_url).count == MOST_BELLS
    with shop.database.read() as connection:
        assert len(untallied(connection)) == 1  # patience is not over


def test_doubled_and_late_bells_change_nothing(shop, town, valkey_url):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")), ("deputies", rate_all("v1")))
    for _ in range(5):
        queue_of(valkey_url).enqueue("worker.drain.answer_bell", TALLY)
    answer_bells(valkey_url, shop)
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id) == []
        assert tallies.version_of(connection, town.survey_id) == 1


def test_where_no_worker_answers_the_dispatcher_does_the_work(shop, town, valkey_url):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")))
    clock = Clock()
    dispatcher = Dispatcher(shop, connect(valkey_url), clock)
    for _ in range(20):
        clock.seconds += 1
        dispatcher.look()
    with shop.database.write() as connection:
        assert untallied(connection) == {}
        assert recount(connection, town.survey_id) == []


def test_with_redis_away_the_dispatcher_says_so_and_does_the_work(shop, town):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate_all("v4")))
    clock = Clock()
    dispatcher = Dispatcher(shop, connect("redis://127.0.0.1:1/0"), clock)
    for _ in range(5):
        clock.seconds += 1
        dispatcher.look()
    with shop.database.write() as connection:
        assert untallied(connection) == {}
        assert owed.state_of(connection, owed.DISPATCHER) == "degraded"


def test_a_dispatcher_whose_database_stumbles_goes_on(shop, valkey_url):
    dispatcher = Dispatcher(shop, connect(valkey_url))
    with shop.database.engine.connect() as connection:
        connection.execute(text("ALTER TABLE owed.outbox RENAME TO hidden"))
        connection.commit()
        dispatcher.look()
        connection.execute(text("ALTER TABLE owed.hidden RENAME TO outbox"))
        connection.commit()
    dispatcher.look()
    with shop.database.read() as connection:
        assert owed.state_of(connection, owed.DISPATCHER) == "ok"


def test_one_poisoned_obligation_is_put_off_and_the_others_are_done(shop, monkeypatch):
    done = []

    def job(_connection, _shop, subject: str) -> None:
        if subject == "2":
            raise ValueError("no such thing as 2")
        done.append(subject)

    monkeypatch.setattr(drains, "OUTBOX_WORK", {**OUTBOX_WORK, "compose": Work(job, at_once=500)})
    with shop.database.write() as connection:
        for number in ("1", "2", "3"):
            owed.emit(connection, "compose", f"{number}:a", 1)
            owed.emit(connection, "compose", f"{number}:b", 1)
    drain(shop, "compose")
    assert done == ["1", "3"]  # each subject once, though it was owed twice
    with shop.database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT key, attempts, last_error, due_at > now() + interval '0.5 s' AS put_off FROM owed.outbox"
                " WHERE done_at IS NULL ORDER BY key"
            )
        ).all()
    assert rows == [
        ("2:a", 1, "ValueError: no such thing as 2", True),
        ("2:b", 1, "ValueError: no such thing as 2", True),
    ]


def test_a_failing_obligation_is_tried_more_and_more_rarely_and_never_dropped(shop, monkeypatch, caplog):
    def job(_connection, _shop, _subject: str) -> None:
        raise ValueError("still broken")

    monkeypatch.setattr(drains, "OUTBOX_WORK", {**OUTBOX_WORK, "compose": Work(job, at_once=500)})
    with shop.database.write() as connection:
        owed.emit(connection, "compose", "1", 1)
    waits = []
    for _ in range(12):
        drain(shop, "compose")
        with shop.database.write() as connection:
            row = connection.execute(text("SELECT extract(epoch FROM due_at - now()) AS wait FROM owed.outbox")).one()
            waits.append(round(row.wait))
            connection.execute(text("UPDATE owed.outbox SET due_at = now()"))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert sum("ALERT" in record.message for record in caplog.records) == 5


def test_an_entry_in_the_ledger_moves_the_composite(shop, town):
    with shop.database.write() as connection:
        for group in ("deputies", "enterprises", "urban_residents", "rural_residents"):
            answer(connection, town, (group, rate_all("v4")), (group, rate_all("v5")))
        score_indicators(connection, town, {"harbour": "91.5", "library": "80"})
    drain(shop, TALLY)
    drain(shop, "compose")
    with shop.database.write() as connection:
        seq = enter(connection, town, "harbour", "2")
        owed.emit(connection, "compose", f"{town.evaluation_id}:ledger", seq)
    drain(shop, "compose")
    with shop.database.read() as connection:
        found = latest_composite(connection, town.evaluation_id)
    assert found is not None
    assert found.output is not None
    assert found.output["units"][0]["composite"] == "89.20"  # 91.5 × 80 % + 90 × 20 % − 2


def test_a_chore_that_failed_is_tried_again_soon_and_holds_up_no_other(shop, valkey_url, monkeypatch):
    clock, signed, reminded = Clock(), [], []

    def sign(_connection, _shop) -> None:
        if clock.seconds == 1000.0:
            raise OSError("the disk is full")
        signed.append(clock.seconds)

    monkeypatch.setattr(dispatch, "keep_hourly_checkpoint", sign)
    monkeypatch.setattr(dispatch, "close_ended", lambda *_: reminded.append(clock.seconds) or [])
    dispatcher = Dispatcher(shop, connect(valkey_url), clock)
    seen = []
    for seconds in (1000, 1001, 1009, 1010, 1011, 4609, 4610, 4611, 8209, 8210):
        clock.seconds = float(seconds)
        dispatcher.look()
        seen.append((seconds, list(signed)))
    assert seen[:4] == [(1000, []), (1001, []), (1009, []), (1010, [1010.0])]
    assert signed == [1010.0, 4610.0, 8210.0]
    assert reminded[0] == 1001.0  # the chore after it waited a second, and not ten
