"""What a web process keeps between requests: fresh enough, bounded, and no help to a guesser."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from sqlalchemy import event, update

from api.actions import booths
from api.actions.booths import Booths, local_day
from api.actions.failure_cap import FailureCap
from api.store import evaluations, roll
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import check_character
from tests.builders import a_survey, some_codes

PEPPER = b"a test's pepper, thirty-two bytes at least"
UNKNOWN = "2222222222" + check_character("2222222222")
NOW = datetime.now(UTC)


def code_of(raised) -> str:
    return raised.value.code


@pytest.fixture
def desk():
    return Booths(PEPPER)


@pytest.fixture
def statements(connection):
    """The SQL sent over the connection from here on."""
    sent: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *parts: sent.append(parts[2]))
    return sent


def test_the_cap_lets_so_many_failures_a_second_and_no_more():
    clock = SimpleNamespace(now=100.0)
    cap = FailureCap(5, lambda: clock.now)
    for _ in range(5):
        cap.admit()
        cap.count()
    with pytest.raises(Refused) as raised:
        cap.admit()
    assert code_of(raised) == "code_wait"
    clock.now += 0.2
    cap.admit()
    cap.count()
    with pytest.raises(Refused):
        cap.admit()
    clock.now += 3600
    for _ in range(5):
        cap.admit()
        cap.count()
    with pytest.raises(Refused):
        cap.admit()


def test_failures_that_were_under_way_together_all_count():
    clock = SimpleNamespace(now=0.0)
    cap = FailureCap(5, lambda: clock.now)
    for _ in range(20):
        cap.admit()
    for _ in range(20):
        cap.count()
    clock.now += 3
    with pytest.raises(Refused):
        cap.admit()
    clock.now += 0.3
    cap.admit()


def test_only_failures_count(connection, desk):
    (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
    desk.caps.typed = FailureCap(2, lambda: 0.0)
    for _ in range(10):
        assert desk.enter(connection, code, NOW)[0] == code
    for _ in range(2):
        with pytest.raises(Refused) as raised:
            desk.enter(connection, UNKNOWN, NOW)
        assert code_of(raised) == "code_refused"
    with pytest.raises(Refused) as raised:
        desk.enter(connection, code, NOW)
    assert code_of(raised) == "code_wait"


def test_a_mistyped_code_asks_no_database(connection, desk, statements):
    with pytest.raises(Refused) as raised:
        desk.enter(connection, UNKNOWN[:-1] + "3", NOW)
    assert code_of(raised) == "code_mistyped"
    assert statements == []


def test_a_code_costs_one_query_once_its_booth_and_form_are_known(connection, desk, statements):
    (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
    opened = desk.open(connection, code, NOW)
    del statements[:]
    assert desk.open(connection, code, NOW) == opened
    assert len(statements) == 1


def test_a_survey_that_has_just_come_is_seen_at_once(connection, desk):
    (old,) = some_codes(connection, a_survey(connection, code="old"), 1, PEPPER)
    desk.open(connection, old, NOW)
    (new,) = some_codes(connection, a_survey(connection, code="new"), 1, PEPPER)
    assert desk.open(connection, new, NOW).booth.stratum == "siming"


def test_a_freeze_is_seen_within_two_seconds(connection, desk, monkeypatch):
    survey = a_survey(connection)
    (code,) = some_codes(connection, survey, 1, PEPPER)
    desk.open(connection, code, NOW)
    connection.execute(update(evaluations.round_).values(status="frozen"))
    later = booths.time.monotonic() + booths.BOOTHS_SECONDS + 0.01
    monkeypatch.setattr(booths.time, "monotonic", lambda: later)
    with pytest.raises(Refused) as raised:
        desk.open(connection, code, NOW)
    assert code_of(raised) == "code_refused"


def test_a_code_of_a_stratum_that_is_not_there_is_refused(connection, desk):
    (code,) = some_codes(connection, a_survey(connection), 1, PEPPER)
    connection.execute(update(roll.access_code).values(stratum="gone"))
    with pytest.raises(Refused) as raised:
        desk.open(connection, code, NOW)
    assert code_of(raised) == "code_refused"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ((2015, 6, 30, 15, 59), (2015, 6, 30)),
        ((2015, 6, 30, 16, 0), (2015, 7, 1)),
        ((2015, 12, 31, 16, 0), (2016, 1, 1)),
    ],
)
def test_the_day_is_the_day_in_china(moment, day):
    found = local_day(datetime(*moment, tzinfo=UTC))
    assert (found.year, found.month, found.day) == day
