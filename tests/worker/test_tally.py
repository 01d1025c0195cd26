"""Answers become whole-number cells once each, whatever happens on the way; and the cells can be counted again."""

import random
import threading

import pytest
from sqlalchemy import text

from api.actions.tally import fold, recount
from api.store import tallies
from survey_forms.estimation.overall import OVERALL
from tests.worker.town import a_submission, answer, issue, rate, rate_all, untallied
from worker.drain import STUCK, TALLY, drain

CHOICES = ("v5", "v4", "v3", "v2", "v1", "dk", "")


def some_answers(seed: int, n: int) -> list[tuple[str, dict[str, str]]]:
    chance = random.Random(seed)
    groups = ("deputies", "enterprises", "urban_residents")
    return [
        (
            chance.choice(groups),
            {name: choice for name in rate_all("") if (choice := chance.choice(CHOICES))},
        )
        for _ in range(n)
    ]


def cells(shop, town) -> dict[tuple[str, ...], tuple[int, ...]]:
    with shop.database.read() as connection:
        return {row[:4]: row[4:] for row in tallies.cells_of(connection, town.survey_id)}


def test_an_answer_adds_its_points_and_the_persons_mean(shop, town):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate("v5", "v3")), ("deputies", rate("v2", "dk")))
    assert drain(shop, TALLY) == 2
    place = ("deputies_1", "deputies_1", "harbour")
    assert cells(shop, town) == {
        (*place, "service"): (2, 130, 100**2 + 30**2),
        (*place, "honesty"): (1, 60, 60**2),
        (*place, OVERALL): (2, 8000 + 3000, 8000**2 + 3000**2),
    }
    with shop.database.read() as connection:
        assert tallies.respondents_of(connection, town.survey_id) == {("deputies_1", "deputies_1"): 2}
        assert untallied(connection) == {}


def test_a_person_who_rated_nobody_counts_as_a_respondent(shop, town):
    with shop.database.write() as connection:
        answer(connection, town, ("deputies", rate("dk")))
    drain(shop, TALLY)
    with shop.database.read() as connection:
        assert tallies.respondents_of(connection, town.survey_id) == {("deputies_1", "deputies_1"): 1}
    assert cells(shop, town) == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_recount_finds_the_folded_cells_bit_for_bit(shop, town, seed):
    chance = random.Random(seed)
    for n in (40, 7, 63):
        with shop.database.write() as connection:
            answer(connection, town, *some_answers(chance.randrange(10**6), n))
        with shop.database.write() as connection:
            fold(connection, chance.randint(1, 30))
        with shop.database.write() as connection:  # some wait, some are counted: both ways must agree
            assert recount(connection, town.survey_id) == []
    drain(shop, TALLY)
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id) == []
        assert sum(tallies.respondents_of(connection, town.survey_id).values()) == 110


def test_a_fold_that_dies_before_its_commit_leaves_everything_owed(shop, town):
    with shop.database.write() as connection:
        answer(connection, town, *some_answers(1, 25))
    with shop.database.engine.connect() as connection:
        transaction = connection.begin()
        assert fold(connection, 500) == 25
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with shop.database.engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        connection.invalidate()
        transaction.rollback()
    assert cells(shop, town) == {}
    assert drain(shop, TALLY) == 25
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id) == []


def test_two_drains_at_once_count_each_answer_once(shop, town):
    with shop.database.write() as connection:
        for batch in range(10):
            answer(connection, town, *some_answers(batch, 60))
    counted: list[int] = []

    def one_by_one() -> None:
        while True:
            with shop.database.write() as connection:
                looked_at = fold(connection, 13)
            counted.append(looked_at)
            with shop.database.read() as connection:
                if not tallies.are_waiting(connection):
                    return

    drains = [threading.Thread(target=one_by_one) for _ in range(3)]
    for one in drains:
        one.start()
    for one in drains:
        one.join(60)
    assert sum(counted) == 600
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id) == []
        assert sum(tallies.respondents_of(connection, town.survey_id).values()) == 600


def test_an_answer_that_cannot_be_counted_stops_no_other_and_is_never_dropped(shop, town, caplog):
    with shop.database.write() as connection:
        poison = a_submission(town, "deputies", rate("v5"))
        issue(connection, [poison])
        answer(connection, town, ("deputies", rate("v5")))
        connection.execute(
            text(
                "INSERT INTO ballot.response VALUES (:id, :survey, 'deputies_1', 'deputies_1', 'gone', '{}', 'web',"
                " '2026-11-20')"
            ),
            {"id": poison.response_id, "survey": town.survey_id},
        )
        connection.execute(text("INSERT INTO ballot.untallied (response_id) VALUES (:id)"), {"id": poison.response_id})
        answer(connection, town, ("deputies", rate("v3")))
    drain(shop, TALLY)
    with shop.database.read() as connection:
        assert untallied(connection) == {poison.response_id: (1, "form_gone")}
        assert tallies.respondents_of(connection, town.survey_id) == {("deputies_1", "deputies_1"): 2}
    assert drain(shop, TALLY) == 0
    assert drain(shop, STUCK) == 1
    assert "ALERT" in caplog.text
    with shop.database.write() as connection:
        assert untallied(connection) == {poison.response_id: (2, "form_gone")}
        assert recount(connection, town.survey_id) == []
        connection.execute(  # the form comes back, and the answer is counted after all
            text("INSERT INTO office.form_version (version, name, workbook, xform) VALUES ('gone', 'x', '', :x)"),
            {"x": town.form.xform},
        )
    assert drain(shop, STUCK) == 1
    with shop.database.write() as connection:
        assert untallied(connection) == {}
        assert tallies.respondents_of(connection, town.survey_id) == {("deputies_1", "deputies_1"): 3}
        assert recount(connection, town.survey_id) == []


def test_a_recount_names_the_cell_that_was_tampered_with_and_repairs_it(shop, town):
    with shop.database.write() as connection:
        answer(connection, town, *some_answers(3, 30))
    drain(shop, TALLY)
    whole = cells(shop, town)
    with shop.database.write() as connection:
        connection.execute(text("UPDATE tally.cell SET s1 = s1 + 1 WHERE unit = 'library' AND item = 'service'"))
        connection.execute(text("DELETE FROM tally.cell WHERE unit = 'harbour' AND item = 'honesty'"))
        version = tallies.version_of(connection, town.survey_id)
    with shop.database.write() as connection:
        found = recount(connection, town.survey_id)
    assert {one.cell[2:] for one in found} == {("library", "service"), ("harbour", "honesty")}
    tampered = next(one for one in found if one.cell[2] == "library")
    assert tampered.kept[1] == tampered.recounted[1] + 1
    assert next(one for one in found if one.cell[2] == "harbour").kept == ()
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id, repair=True) == found
    assert cells(shop, town) == whole
    with shop.database.write() as connection:
        assert recount(connection, town.survey_id) == []
        assert tallies.version_of(connection, town.survey_id) == version + 1
