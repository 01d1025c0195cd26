"""The worker writes slips and urges units as its own role: each once, whatever the outbox, the clock or a kill does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import IntegrityError

from api.actions import ledger
from api.actions.due import end_of
from api.objects import Objects
from api.store.base import make_engine
from api.store.ledger import entry_numbered
from api.store.owed import emit, outbox
from api.store.roles import WORKER, as_role, grant_roles
from api.store.slips import slip, slip_of, slips_about
from api.transaction import Database
from tests.deductions import Cast, a_cast, an_order
from tests.inspections import NOW, an_entry
from worker.dispatch import Dispatcher, connect
from worker.drain import drain
from worker.shop import Shop


class Clock:
    """The worker's clock, which a test moves."""

    def __init__(self) -> None:
        self.now = NOW
        self.steady = 0.0

    def move(self, days: float) -> None:
        self.now += timedelta(days=days)
        self.steady += abs(days) * 86_400 + 61

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cast(engine: Engine) -> Cast:
    with engine.begin() as connection:
        return a_cast(connection)


@pytest.fixture
def worker(engine: Engine, clock: Clock, tmp_path: Path) -> Iterator[Shop]:
    """A worker's shop that may touch what the worker's role may touch, and nothing else."""
    with engine.begin() as connection:
        grant_roles(connection)
    own = make_engine(as_role(engine.url.render_as_string(hide_password=False), WORKER), pool_size=4)
    yield Shop(Database(own), Objects(tmp_path), clock)
    own.dispose()


def numbers(engine: Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(slip.c.key, slip.c.number).order_by(slip.c.id))]


def entered(engine: Engine, cast: Cast, *, basis: str = "9:40 未到岗") -> int:
    with engine.begin() as connection:
        return an_entry(connection, cast.town, basis=basis)


def test_an_entry_is_told_by_the_outbox_and_only_once(engine, cast, worker, clock):
    seqs = [entered(engine, cast, basis=str(n)) for n in range(3)]
    assert drain(worker, "slips") == 3
    assert numbers(engine) == [(f"deduction:{seq}", place) for place, seq in enumerate(seqs, 1)]
    for again in range(3):
        clock.move(again)
        with engine.begin() as connection:
            emit(connection, "slips", str(seqs[0]), 1000 + again)
            connection.execute(update(outbox).where(outbox.c.topic == "slips").values(done_at=None))
        drain(worker, "slips")
    assert len(numbers(engine)) == 3
    with engine.connect() as connection:
        assert slip_of(connection, seqs[0]).issued_at == NOW


def test_what_failed_half_way_is_written_whole_when_it_is_tried_again(engine, cast, worker):
    """The number is taken and the transaction dies: no gap, no double."""
    seq = entered(engine, cast)
    with engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE office.audit ADD CONSTRAINT broken CHECK (act <> 'slip_issued') NOT VALID")
        )
    drain(worker, "slips")
    assert numbers(engine) == []
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE office.audit DROP CONSTRAINT broken"))
        assert connection.execute(select(func.max(outbox.c.attempts))).scalar_one() == 1
        connection.execute(update(outbox).values(due_at=func.now()))
    drain(worker, "slips")
    assert numbers(engine) == [(f"deduction:{seq}", 1)]


def test_four_workers_at_once_number_without_gap_or_double(engine, cast, worker):
    for n in range(24):
        entered(engine, cast, basis=str(n))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: drain(worker, "slips"), range(4)))
    found = numbers(engine)
    assert sorted(number for _, number in found) == list(range(1, 25))
    assert len({key for key, _ in found}) == 24


def test_a_reversal_is_told_too(engine, cast, worker):
    seq = entered(engine, cast)
    with engine.begin() as connection:
        reversing = ledger.reverse(connection, seq, "录错单位", cast.town.office, cast.town.second_office, NOW)
        assert entry_numbered(connection, reversing).reverses == seq
    drain(worker, "slips")
    assert numbers(engine) == [(f"deduction:{seq}", 1), (f"reversal:{reversing}", 1)]


def test_the_dispatcher_reminds_and_urges_by_its_clock(engine, cast, worker, clock, valkey_url):
    seq = entered(engine, cast)
    with engine.begin() as connection:
        key = an_order(connection, cast, seq)
    client = connect(valkey_url)
    told = []
    for days in (0, 17, 1, 0.01, 3, 1, 0.5, 7, -20, 27, 0.1):
        clock.move(days)
        dispatcher = Dispatcher(worker, client, lambda: clock.steady)
        for _ in range(2):
            dispatcher.look()
        with engine.connect() as connection:
            told.append([one.kind for one in slips_about(connection, key)][1:])
    first = ["reminder", "urging"]
    assert told == [
        *([[]] * 2),
        *([["reminder"]] * 3),
        *([first] * 2),
        *([[*first, "urging"]] * 2),
        *([[*first, "urging", "urging"]] * 2),
    ]
    client.close()


def test_the_workers_role_may_not_unsay_what_was_told(engine, cast, worker):
    entered(engine, cast)
    drain(worker, "slips")
    with pytest.raises(IntegrityError, match="stays as it was issued"), worker.database.write() as connection:
        connection.execute(update(slip).values(due_at=end_of(NOW.date())))
