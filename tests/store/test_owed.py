"""Obligations: taken once, settled or put off, forgotten only when done; and the pulse of who does them."""

from sqlalchemy import text

from api.store import owed


def test_a_burst_of_one_version_is_one_obligation(connection):
    for _ in range(3):
        owed.emit(connection, "compose", "7:tally:1", 5)
    owed.emit(connection, "compose", "7:tally:1", 6)
    taken = owed.take_due(connection, "compose", 10)
    assert [(one.key, one.subject) for one in taken] == [("7:tally:1", "7")] * 2


def test_two_transactions_never_take_the_same_obligation(engine):
    with engine.begin() as connection:
        for number in range(4):
            owed.emit(connection, "photos", f"{number}", 1)
    with engine.begin() as one, engine.begin() as other:
        first = {row.id for row in owed.take_due(one, "photos", 3)}
        second = {row.id for row in owed.take_due(other, "photos", 3)}
        assert (len(first), len(second), first & second) == (3, 1, set())
        owed.mark_done(one, list(first))
    with engine.begin() as connection:
        assert {row.id for row in owed.take_due(connection, "photos", 9)} == second


def test_what_is_put_off_is_not_due_and_what_is_done_never_again(connection):
    owed.emit(connection, "compose", "1", 1)
    owed.emit(connection, "compose", "2", 1)
    one, two = owed.take_due(connection, "compose", 2)
    owed.mark_failed(connection, [one.id], "ValueError")
    owed.mark_done(connection, [two.id])
    assert owed.due_topics(connection) == set()
    connection.execute(text("UPDATE owed.outbox SET due_at = now()"))
    assert [(row.key, row.attempts) for row in owed.take_due(connection, "compose", 2)] == [("1", 1)]


def test_only_what_was_done_a_day_ago_is_forgotten(connection):
    for number in ("old", "new", "owing"):
        owed.emit(connection, "compose", number, 1)
    connection.execute(text("UPDATE owed.outbox SET done_at = now() - interval '2 d' WHERE key = 'old'"))
    connection.execute(text("UPDATE owed.outbox SET done_at = now() WHERE key = 'new'"))
    connection.execute(text("UPDATE owed.outbox SET due_at = now() - interval '9 d' WHERE key = 'owing'"))
    owed.forget_done(connection)
    assert set(connection.execute(text("SELECT key FROM owed.outbox")).scalars()) == {"new", "owing"}


def test_a_pulse_that_stopped_is_told(connection):
    assert owed.state_of(connection, owed.DISPATCHER) == "stopped"
    owed.beat(connection, owed.DISPATCHER, "ok")
    owed.beat(connection, owed.DISPATCHER, "degraded")
    assert owed.state_of(connection, owed.DISPATCHER) == "degraded"
    connection.execute(text("UPDATE owed.pulse SET at = now() - interval '31 s'"))
    assert owed.state_of(connection, owed.DISPATCHER) == "stopped"
