"""Weights of what answers tell of: crowds where they are sealed, true cells where not; when they are outdated."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from api.actions.margins import set_margins
from api.actions.response_rates import read_rates
from api.actions.weighting import weigh_survey
from api.actions.weights_in_use import weights_in_use
from api.store import closings, roll, surveys, tallies, weightings
from survey_forms.estimation.weighting import Rules
from survey_forms.refusal import Refused
from tests.desk import NOW, a_desk
from tests.weighing import answer_case, draw_cases, try_case

RULES = Rules(fewest=1, trim_by="nothing")
MARGINS = b"group,trait,level,total\nresidents,sex,f,10000\nresidents,sex,m,10000\n"
ANSWERED = {"age=1|sex=f": 12, "age=1|sex=m": 3, "age=2|sex=f": 2, "age=2|sex=m": 7}  # the third joins the second
DELEGATES = 9
CROWDS = {"age=1|sex=f": 12, "age=1|sex=m": 5, "age=2|sex=m": 7}


@pytest.fixture
def desk(connection):
    """Forty residents were drawn, ten of each cell more or less; delegates have codes without names."""
    desk = a_desk(connection)
    sizes = {cell: n + 4 for cell, n in ANSWERED.items()}
    cases = iter(draw_cases(connection, desk.survey_id, [("residents", cell, n) for cell, n in sizes.items()]))
    for cell, n in ANSWERED.items():
        for _ in range(n):
            answer_case(connection, desk.survey_id, next(cases), "residents", cell)
        for _ in range(4):
            try_case(connection, next(cases), "2.11", NOW)
    set_margins(connection, desk.survey_id, MARGINS, desk.staff["office"], NOW)
    return desk


def seal(connection, desk) -> None:
    connection.execute(update(surveys.survey).where(surveys.survey.c.id == desk.survey_id).values(secrecy="sealed"))


def weigh(connection, desk, rules: Rules = RULES) -> int:
    return weigh_survey(connection, desk.survey_id, rules, desk.staff["office"], NOW)


def count_answers_of(connection, desk, residents, delegates: int = DELEGATES) -> None:
    """The cells hold so many answers and no others."""
    rows = [("residents", cell, n) for cell, n in sorted(residents.items())]
    rows.append(("party_delegates", "party_delegates", delegates))
    tallies.replace_cells(connection, desk.survey_id, [], rows)


def test_a_sealed_surveys_crowds_carry_the_margins_of_the_true_cells(connection, desk):
    seal(connection, desk)
    weigh(connection, desk)
    count_answers_of(connection, desk, CROWDS)
    used = weights_in_use(connection, desk.survey_id)
    assert not used.outdated
    report = weightings.latest_weighting(connection, desk.survey_id).report
    inside = report["crowds"]["residents"]
    assert inside["age=1|sex=m"] == {"age=1|sex=m": 3, "age=2|sex=f": 2}
    assert {crowd: sum(cells.values()) for crowd, cells in inside.items()} == CROWDS
    assert report["groups"]["residents"]["reached"] == 1.0
    weights = {crowd: used.weights["residents", crowd] for crowd in CROWDS}
    assert sum(weights[crowd] * n for crowd, n in CROWDS.items()) == pytest.approx(20_000, rel=1e-9)
    men = sum(weights[crowd] * n for crowd, cells in inside.items() for cell, n in cells.items() if cell.endswith("m"))
    assert men == pytest.approx(10_000, rel=1e-9)
    # the margins that a crowd stands in are the shares of those in it
    raked = used.raked["residents"]
    assert {crowd: one.traits for (_, crowd), one in raked.items()} == {
        "age=1|sex=f": (1.0, 0.0),
        "age=1|sex=m": (1.0, 0.6),
        "age=2|sex=m": (1.0, 1.0),
    }


def test_an_open_surveys_answers_keep_their_true_cells(connection, desk):
    weigh(connection, desk)
    count_answers_of(connection, desk, ANSWERED)
    used = weights_in_use(connection, desk.survey_id)
    assert not used.outdated
    assert {cell for stratum, cell in used.weights if stratum == "residents"} == set(ANSWERED)


def test_one_answer_more_and_the_weights_are_outdated_until_they_are_made_anew(connection, desk):
    weigh(connection, desk)
    count_answers_of(connection, desk, ANSWERED)
    assert weights_in_use(connection, desk.survey_id).weights
    for residents in (ANSWERED | {"age=1|sex=f": 13}, ANSWERED | {"age=1|sex=f": 11}):
        count_answers_of(connection, desk, residents)
        used = weights_in_use(connection, desk.survey_id)
        assert used.outdated
        assert used.weights is None


def test_codes_that_go_on_coming_back_outdate_the_weights(connection, desk):
    weigh(connection, desk)
    count_answers_of(connection, desk, ANSWERED)
    assert not weights_in_use(connection, desk.survey_id).outdated
    count_answers_of(connection, desk, ANSWERED, DELEGATES + 1)
    assert weights_in_use(connection, desk.survey_id).outdated
    line = next(one for one in read_rates(connection, desk.survey_id) if one.group == "party_delegates")
    assert (line.n, line.spread) == (DELEGATES + 1, None)  # rates of the outcomes as they stand
    weigh(connection, desk)
    assert not weights_in_use(connection, desk.survey_id).outdated


def test_boxes_that_held_no_answer_do_not_make_weights_useless_for_ever(connection, desk):
    seal(connection, desk)
    weigh(connection, desk)
    spoiled = CROWDS | {"age=2|sex=m": 6}
    count_answers_of(connection, desk, spoiled)
    assert weights_in_use(connection, desk.survey_id).outdated
    boxes = {"residents": 24, "party_delegates": DELEGATES}
    closings.put_closing(connection, desk.survey_id, boxes, "root", "boxes", desk.staff["office"], NOW)
    weigh(connection, desk)
    assert weights_in_use(connection, desk.survey_id).outdated  # not counted: nobody knows of a spoiled box
    closings.mark_result(connection, desk.survey_id, "digest", desk.staff["office2"], NOW)
    weigh(connection, desk)
    used = weights_in_use(connection, desk.survey_id)
    assert not used.outdated
    assert sum(used.weights["residents", cell] * n for cell, n in spoiled.items()) == pytest.approx(20_000, rel=1e-9)
    count_answers_of(connection, desk, spoiled | {"age=2|sex=m": 5})
    assert weights_in_use(connection, desk.survey_id).outdated


def test_spoiled_boxes_that_moved_the_crowds_are_followed(connection, desk):
    seal(connection, desk)
    count_answers_of(connection, desk, {"age=1|sex=f": 12, "age=2|sex=f": 8})  # all three men of the first age are lost
    boxes = {"residents": 24, "party_delegates": DELEGATES}
    closings.put_closing(connection, desk.survey_id, boxes, "root", "boxes", desk.staff["office"], NOW)
    closings.mark_result(connection, desk.survey_id, "digest", desk.staff["office2"], NOW)
    weigh(connection, desk)
    used = weights_in_use(connection, desk.survey_id)
    assert {cell for stratum, cell in used.weights if stratum == "residents"} == {"age=1|sex=f", "age=2|sex=f"}
    assert not used.outdated


def test_cells_drawn_with_unequal_probabilities_are_refused_by_name(connection, desk):
    cases = draw_cases(connection, desk.survey_id, [("residents", "age=9|sex=f", 2)])
    chances = {cases[0]: 0.1, cases[1]: 0.9}
    for case, chance in chances.items():
        connection.execute(update(roll.case).where(roll.case.c.id == case).values(inclusion=chance))
    with pytest.raises(Refused) as refused:
        weigh(connection, desk)
    (fault,) = refused.value.faults
    assert (fault.code, fault.facts["wcell"]) == ("weights_chances_unequal", "age=9|sex=f")
    assert (fault.facts["least"], fault.facts["most"]) == ("0.1", "0.9")
    assert read_rates(connection, desk.survey_id)  # rates need no equal chances
    connection.execute(update(roll.case).where(roll.case.c.id == cases[1]).values(inclusion=0.1 * (1 + 1e-12)))
    assert weigh(connection, desk, replace(RULES, fewest=5))


def test_weighted_rates_of_crowds_are_those_of_their_true_cells(connection, desk):
    """Women were drawn with a tenth, men with two tenths: a crowd of both has no one base weight."""
    for cell in ANSWERED:
        chance = 0.1 if cell.endswith("f") else 0.2
        connection.execute(update(roll.case).where(roll.case.c.wcell == cell).values(inclusion=chance))
    seal(connection, desk)
    before = {(one.group, one.stratum): one.weighted for one in read_rates(connection, desk.survey_id)}
    weigh(connection, desk)
    assert {(one.group, one.stratum): one.weighted for one in read_rates(connection, desk.survey_id)} == before
    answered = 10 * (12 + 2) + 5 * (3 + 7)
    assert before["residents", None].rr1 == pytest.approx(answered / (answered + 10 * 8 + 5 * 8))
