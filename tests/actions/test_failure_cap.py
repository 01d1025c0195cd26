"""The cap on failed typed codes holds for all processes together, and a token never meets it."""

import multiprocessing
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from api.actions.booths import Booths
from api.actions.failure_cap import BURST, DIGITS_PER_SECOND, TYPED_PER_SECOND, WINDOW_SECONDS, Caps
from api.store.base import make_engine
from api.store.failures import add_failure, failed_code, failures_within
from api.transaction import Database
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import token_of
from tests.builders import a_survey, some_codes

PEPPER = b"a test's pepper, thirty-two bytes at least"
UNKNOWN, UNKNOWN_DIGITS = "B222222222H", "300000000000006"


def guess(url: str, seconds: float, told) -> None:
    """A web process whose every typed code fails; tells how many tries were admitted and how many had to wait."""
    database = Database(make_engine(url))
    caps, admitted, waited = Caps(database), 0, 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            caps.typed.admit()
            caps.typed.count()
            admitted += 1
        except Refused:
            waited += 1
            time.sleep(0.002)
    database.engine.dispose()
    told.put((admitted, waited))


@pytest.fixture
def database(engine):
    return Database(engine)


def enter(booths, database, typed):
    with database.read() as connection:
        return booths.enter(connection, typed, datetime.now(UTC))[0]


def refusal(booths, database, typed):
    with pytest.raises(Refused) as caught:
        enter(booths, database, typed)
    return caught.value.code


def test_two_processes_together_fail_no_more_than_one_may(engine):
    seconds = 12.0
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    url = engine.url.render_as_string(hide_password=False)
    processes = [context.Process(target=guess, args=(url, seconds, told)) for _ in range(2)]
    for process in processes:
        process.start()
    tallied = [told.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    admitted = sum(one for one, _ in tallied)
    assert min(waited for _, waited in tallied) > 100
    # Apart they would let through 2 × (5 + 5·12) = 130. Together: what the window holds, what came due again in the
    # two seconds after it, and what each did not yet know of the other.
    most = TYPED_PER_SECOND * (WINDOW_SECONDS + 2 * 2) + 2 * BURST
    assert TYPED_PER_SECOND * WINDOW_SECONDS <= admitted <= most


def test_what_another_process_let_fail_counts_here(engine, database):
    with engine.begin() as connection:
        (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
        for _ in range(int(TYPED_PER_SECOND * WINDOW_SECONDS)):
            add_failure(connection, digits=False)
    booths = Booths(PEPPER, Caps(database))
    assert refusal(booths, database, code) == "code_wait"
    assert enter(booths, database, token_of(PEPPER, "mingcha", code)) == code
    assert refusal(booths, database, UNKNOWN_DIGITS) == "code_refused"


def test_codes_of_digits_wait_ten_times_sooner_than_typed_ones(engine, database):
    with engine.begin() as connection:
        (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
        for _ in range(int(DIGITS_PER_SECOND * WINDOW_SECONDS)):
            add_failure(connection, digits=True)
    booths = Booths(PEPPER, Caps(database))
    assert refusal(booths, database, UNKNOWN_DIGITS) == "code_wait"
    assert enter(booths, database, code) == code


def test_a_forged_token_is_an_unknown_code_and_never_waits(engine, database):
    with engine.begin() as connection:
        (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
    booths = Booths(PEPPER, Caps(database))
    forged = code[:10] + "222222"
    assert {refusal(booths, database, forged) for _ in range(100)} == {"code_refused"}
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(failed_code)).scalar() == 0


def test_an_old_failure_is_forgotten_and_none_says_which_code_it_was(connection):
    connection.execute(text("INSERT INTO roll.failed_code VALUES (now() - interval '1 hour', false)"))
    add_failure(connection, digits=False)
    assert failures_within(connection, 3 * 3600, digits=False) == 1
    assert [column.name for column in failed_code.columns] == ["at", "digits"]


def test_success_writes_nothing(engine, database):
    with engine.begin() as connection:
        codes = some_codes(connection, a_survey(connection), 20, PEPPER)
    booths = Booths(PEPPER, Caps(database))
    for code in codes:
        enter(booths, database, code)
    with engine.connect() as connection:
        assert failures_within(connection, 60, digits=False) == 0
