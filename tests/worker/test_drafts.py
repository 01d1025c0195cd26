"""A survey that ends by itself takes its drafts along: the dispatcher sees to it within a minute."""

from datetime import timedelta

from sqlalchemy import insert, select, update

from api.store import ballots, surveys
from tests.worker.town import NOW
from worker.dispatch import DRAFTS_EVERY, Dispatcher, connect


def drafts(shop) -> list[int]:
    with shop.database.read() as connection:
        return list(connection.execute(select(ballots.draft.c.survey_id)).scalars())


def keep_one(shop, survey_id: int, key: bytes) -> None:
    with shop.database.write() as connection:
        connection.execute(
            insert(ballots.draft).values(draft_id=key, survey_id=survey_id, sealed=b"s" * 64, day=NOW.date())
        )


def test_the_drafts_of_a_survey_go_when_its_window_ends_and_so_do_stragglers(shop, town, valkey_url):
    seconds = [1000.0]
    dispatcher = Dispatcher(shop, connect(valkey_url), lambda: seconds[0])
    keep_one(shop, town.survey_id, b"a" * 16)
    dispatcher.look()
    assert drafts(shop) == [town.survey_id]
    with shop.database.write() as connection:
        connection.execute(update(surveys.survey).values(closes_at=NOW - timedelta(seconds=1)))
    dispatcher.look()
    assert drafts(shop) == [town.survey_id]  # not every second
    seconds[0] += DRAFTS_EVERY
    dispatcher.look()
    assert drafts(shop) == []
    keep_one(shop, town.survey_id, b"b" * 16)  # kept by a process that had not heard of the end
    seconds[0] += DRAFTS_EVERY
    dispatcher.look()
    assert drafts(shop) == []
