"""Weights of crowds: what the true cells' weights give every margin, though answers tell of crowds only."""

from collections import Counter

import numpy as np
import pytest

from survey_forms.ballot.crowds import crowd_names
from survey_forms.estimation.cells import count_answers
from survey_forms.estimation.crowded import crowded, shares_of
from survey_forms.estimation.scores import Reading, StratumFrame, unit_scores
from survey_forms.estimation.tables import RakedCell
from survey_forms.estimation.weighting import STRATUM, CellOutcome, Population, Rules, weigh

AGES, SEXES = "123", "fm"
NAMES = [f"age={age}|sex={sex}" for age in AGES for sex in SEXES]
SHARE = np.array([0.15, 0.15, 0.2, 0.2, 0.15, 0.15])
SCORE = np.array([9000, 6000] * 3)  # men judge harder
ANSWERS = np.array([0.9, 0.45] * 3)  # and answer less
TRUTH = float(SHARE @ SCORE)
STRATA, MEMBERS, DRAWN = 6, 5000, 60
HERE = {f"h{h}": Population("residents", MEMBERS) for h in range(STRATA)}
ALL = STRATA * MEMBERS
MARGINS = {
    "residents": {
        "age": {"1": ALL * 3 // 10, "2": ALL * 4 // 10, "3": ALL * 3 // 10},
        "sex": {"f": ALL // 2, "m": ALL // 2},
    }
}


def a_survey(chance: np.random.Generator):
    """True cells, the crowd of each, and answers as (stratum, place of the true cell, points)."""
    cells, crowd_of, answers = [], {}, []
    for stratum in HERE:
        kinds = chance.choice(6, size=DRAWN, p=SHARE)
        answered = chance.random(DRAWN) < ANSWERS[kinds]
        points = SCORE[kinds] + chance.integers(-900, 900, size=DRAWN)
        drawn, told = Counter(kinds.tolist()), Counter(kinds[answered].tolist())
        names = crowd_names({NAMES[kind]: n for kind, n in told.items()}, [NAMES[kind] for kind in drawn])
        for kind in sorted(drawn):
            counts = {"I": told[kind], "R": drawn[kind] - told[kind]}
            cells.append(CellOutcome(stratum, NAMES[kind], MEMBERS / DRAWN, counts))
            crowd_of[stratum, NAMES[kind]] = names[NAMES[kind]]
        answers += [
            (stratum, kind, point)
            for kind, point in zip(kinds[answered].tolist(), points[answered].tolist(), strict=True)
        ]
    return cells, crowd_of, answers


def estimated(cells, crowd_of, answers, *, true: bool):
    """The score of a unit that everybody rated, read by crowds (`true`: by true cells)."""
    weighting = weigh(cells, HERE, Rules(), MARGINS)
    known = {key: key[1] for key in crowd_of} if true else crowd_of
    found = crowded(weighting, known, dict.fromkeys(HERE, "residents"))
    told = [((0, stratum, known[stratum, NAMES[kind]], "unit", "*"), points) for stratum, kind, points in answers]
    frames = [
        StratumFrame(stratum, MEMBERS, sum(one.respondents for one in found.cells if one.stratum == stratum))
        for stratum in HERE
    ]
    crowds = {
        (stratum, crowd): inside for stratum, of in found.composition.items() for crowd, inside in of.items() if inside
    }
    shares = shares_of(weighting.groups["residents"].raked_to, crowds)
    own = {(one.stratum, one.wcell): one for one in found.cells}
    raked = {
        key: RakedCell(own[key].nonresponse, own[key].respondents, tuple(shares[at])) for at, key in enumerate(crowds)
    }
    weights = {key: one.final for key, one in own.items()}
    reading = Reading(0, 10_000, weights=weights, raked=raked)
    return unit_scores(count_answers(told), frames, reading)["unit", "*"], found


def test_men_who_share_crowds_with_women_do_not_count_as_women():
    chance = np.random.default_rng(20261122)
    told = [
        [estimated(*survey, true=true)[0] for true in (True, False)] for survey in (a_survey(chance) for _ in range(60))
    ]
    by_cells, by_crowds = (np.array([[one[at].value, one[at].se] for one in told]) for at in (0, 1))
    error = by_crowds[:, 0].std(ddof=1)
    assert abs(by_crowds[:, 0].mean() - TRUTH) < 0.3 * by_crowds[:, 1].mean()
    assert error < 1.5 * by_cells[:, 0].std(ddof=1)
    # who in a crowd is which stays unknown, so the error said is on the safe side; without residuals it would be thrice
    assert 1.0 < np.sqrt(np.square(by_crowds[:, 1]).mean()) / error < 2.0


def test_crowds_carry_the_population_every_stratum_and_every_margin():
    cells, crowd_of, answers = a_survey(np.random.default_rng(5))
    _, found = estimated(cells, crowd_of, answers, true=False)
    assert found.reached == {"residents": 1.0}
    weights = {(one.stratum, one.wcell): one.final for one in found.cells}
    carried: Counter[str] = Counter()
    for stratum, crowds in found.composition.items():
        for crowd, inside in crowds.items():
            for cell, n in inside.items():
                for part in (stratum, *cell.split("|")):
                    carried[part] += weights[stratum, crowd] * n
    wanted = {f"{trait}={level}": n for trait, levels in MARGINS["residents"].items() for level, n in levels.items()}
    assert dict(carried) == pytest.approx(wanted | dict.fromkeys(HERE, MEMBERS), rel=1e-9)
    assert sum(one.counts["I"] for one in found.cells) == len(answers)


def test_a_crowd_of_one_cell_keeps_its_weights_to_the_bit():
    cells, crowd_of, _ = a_survey(np.random.default_rng(6))
    weighting = weigh(cells, HERE, Rules(), MARGINS)
    found = crowded(weighting, {key: key[1] for key in crowd_of}, dict.fromkeys(HERE, "residents"))
    assert {(one.stratum, one.wcell): one.final for one in found.cells} == weighting.final
    assert found.reached == {"residents": 1.0}


def test_steps_are_means_over_respondents_and_the_silent_add_nothing():
    cells = [
        CellOutcome("h0", "sex=f", 10.0, {"I": 6}),
        CellOutcome("h0", "sex=m", 10.0, {"I": 2, "R": 2}),
        CellOutcome("h0", "sex=x", 10.0, {"R": 3}),
    ]
    here = {"h0": Population("residents", 130)}
    rules = Rules(fewest=1, trim_by="nothing")
    crowd_of = {("h0", cell): "sex=f" for cell in ("sex=f", "sex=m", "sex=x")}
    found = crowded(weigh(cells[:2], here, rules), crowd_of, {"h0": "residents"})
    (crowd,) = found.cells
    assert (crowd.base, crowd.nonresponse) == (10.0, (6 * 10 + 2 * 20) / 8)
    found = crowded(weigh(cells, here, rules), crowd_of, {"h0": "residents"})
    (crowd,) = found.cells
    assert crowd.counts == {"I": 8, "R": 5}
    assert crowd.final * 8 == pytest.approx(130)
    assert found.composition == {"h0": {"sex=f": {"sex=f": 6, "sex=m": 2}}}


def test_crowds_too_mixed_for_the_margins_say_how_far_they_came():
    cells = [CellOutcome("h0", f"sex={sex}", 10.0, {"I": n}) for sex, n in (("f", 9), ("m", 3))]
    weighting = weigh(cells, {"h0": Population("all", 120)}, Rules(fewest=1), {"all": {"sex": {"f": 60, "m": 60}}})
    found = crowded(weighting, {("h0", "sex=f"): "sex=f", ("h0", "sex=m"): "sex=f"}, {"h0": "all"})
    assert found.reached == {"all": 0.0}
    assert found.cells[0].final * 12 == pytest.approx(120)


def test_shares_of_a_crowd_are_those_of_its_respondents():
    crowds = {("a", "sex=f"): {"sex=f": 3, "sex=m": 1}, ("b", "sex=m"): {"sex=m": 5}}
    assert shares_of(["sex", STRATUM], crowds).tolist() == [[1.0, 0.25, 0.0], [1.0, 1.0, 1.0]]
