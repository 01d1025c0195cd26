"""The dispatcher opens what is due at six and publishes what is over, whether anybody looks or not."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from api.store.crews import rows_of_draw
from api.store.inspection_draws import draw_numbered
from survey_forms.inspection.mornings import morning_of
from tests.double_random import FRIDAY, SECRET_KEY, a_directory, a_draw
from worker.dispatch import SEALS_EVERY, Dispatcher, connect


def test_seals_open_with_their_morning_and_records_come_out_after_the_last_day(shop, engine, valkey_url):
    with engine.begin() as connection:
        number = a_draw(connection, a_directory(connection))
        first = min(row.day for row in rows_of_draw(connection, number))
    moment = [morning_of(first) - timedelta(seconds=1)]
    seconds = [1000.0]
    sealed = replace(shop, now=lambda: moment[0], secret_key=SECRET_KEY)
    dispatcher = Dispatcher(sealed, connect(valkey_url), lambda: seconds[0])

    def opened_after(now: datetime) -> set[date]:
        moment[0], seconds[0] = now, seconds[0] + SEALS_EVERY
        dispatcher.look()
        with engine.connect() as connection:
            return {row.day for row in rows_of_draw(connection, number) if row.site_id is not None}

    assert opened_after(morning_of(first) - timedelta(seconds=1)) == set()
    assert opened_after(morning_of(first)) == {first}
    with engine.connect() as connection:
        assert draw_numbered(connection, number).published_at is None
    assert len(opened_after(morning_of(FRIDAY) + timedelta(days=1))) > 1
    with engine.connect() as connection:
        assert draw_numbered(connection, number).published_at is not None
