"""Weights by cell: against R's survey package, by hand, and laws."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.calibrated import Raking, calibrated_means
from survey_forms.estimation.classes import classes_of, factors_of
from survey_forms.estimation.linearised import Counts, Design, domain_means
from survey_forms.estimation.outcomes import CLASSES
from survey_forms.estimation.weighting import CellOutcome, Population, Rules, Weighting, weigh
from survey_forms.refusal import Refused
from tests.rules.reference import agrees, expected, rows

NEVER = Rules(fewest=0, largest_factor=float("inf"), trim_by="nothing", fewest_in_margin=1)
ONE_GROUP = "everybody"  # the reference file rakes all groups at once


def outcomes(traits: tuple[str, ...]) -> tuple[list[CellOutcome], dict[str, Population]]:
    counts: defaultdict[tuple[str, str, float], Counter[str]] = defaultdict(Counter)
    sizes = {}
    for case in rows("satisfaction_public_cases.csv"):
        wcell = "|".join(f"{trait}={case[trait]}" for trait in sorted(traits))
        counts[case["stratum"], wcell, int(case["N_h"]) / int(case["n_h"])][case["aapor_class"]] += 1
        sizes[case["stratum"]] = int(case["N_h"])
    cells = [CellOutcome(stratum, wcell, base, count) for (stratum, wcell, base), count in counts.items()]
    return cells, {stratum: Population(stratum, size) for stratum, size in sizes.items()}


def raked_like_r() -> Weighting:
    """R adjusts in stratum x age and rakes everybody to stratum, sex, age, district; here cells are finer."""
    cells, populations = outcomes(("age", "district", "sex"))
    coarse = {(cell.stratum, cell.wcell): cell for cell in weigh(*outcomes(("age",)), NEVER).cells}
    adjusted = []
    for cell in cells:  # the weight of its age as its base, and only those who answered
        of_age = coarse[cell.stratum, cell.wcell.split("|")[0]]
        answered = {kind: cell.counts[kind] for kind in ("I", "P") if cell.counts[kind]}
        adjusted.append(CellOutcome(cell.stratum, cell.wcell, of_age.nonresponse, answered))
    margins: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in rows("satisfaction_public_margins.csv"):
        margins[row["variable"]][row["level"]] = int(row["population"])
    everybody = {code: replace(one, group=ONE_GROUP) for code, one in populations.items()}
    return weigh(adjusted, everybody, NEVER, {ONE_GROUP: margins})


def test_the_two_steps_of_nonresponse_are_those_of_r() -> None:
    entry = expected("satisfaction_public.nonresponse")
    weighting = weigh(*outcomes(("age",)), NEVER)
    assert [f"{cell.stratum}|{cell.wcell.removeprefix('age=')}" for cell in weighting.cells] == entry["result"]["cells"]
    for place, cell in enumerate(weighting.cells):
        assert agrees(entry, cell.factors["eligibility"], entry["result"]["factor_unknown"][place])
        assert agrees(entry, cell.factors["nonresponse"], entry["result"]["factor_nonresponse"][place])
    assert agrees(entry, sum(cell.final * cell.respondents for cell in weighting.cells), entry["result"]["sum_w2"])


def test_raking_cells_gives_the_weights_that_r_gives_persons() -> None:
    entry, result = expected("satisfaction_public.rake"), expected("satisfaction_public.rake")["result"]
    weighting = raked_like_r()
    cases = {case["case_id"]: case for case in rows("satisfaction_public_cases.csv")}
    for case_id, want in zip(
        result["first_ten_respondents"]["case_id"], result["first_ten_respondents"]["w"], strict=True
    ):
        case = cases[str(case_id)]
        wcell = "|".join(f"{trait}={case[trait]}" for trait in ("age", "district", "sex"))
        assert agrees(entry, weighting.final[case["stratum"], wcell], want)
    assert weighting.overall is not None
    kish = expected("satisfaction_public.kish.rake")
    assert weighting.overall.n == kish["result"]["n"]
    assert agrees(kish, weighting.overall.deff_w, kish["result"]["deff_kish"])
    assert agrees(kish, weighting.overall.n_eff, kish["result"]["n_eff"])
    assert agrees(entry, weighting.overall.least, result["min"])
    assert agrees(entry, weighting.overall.most, result["max"])
    assert agrees(entry, weighting.overall.total, result["sum"])


def test_the_error_of_raked_scores_comes_out_of_whole_numbers_as_r_computes_it_from_persons() -> None:
    entry = expected("satisfaction_public.dept.score.raked")
    weighting = raked_like_r()
    cells = [cell for cell in weighting.cells if cell.respondents]
    place = {(cell.stratum, cell.wcell): row for row, cell in enumerate(cells)}
    units = entry["result"]["groups"]
    table = np.zeros((3, len(cells), len(units)), dtype=np.int64)
    cases = {case["case_id"]: case for case in rows("satisfaction_public_cases.csv")}
    for row in rows("satisfaction_public_ratings.csv"):
        scores = [int(row[item]) for item in ("q1", "q2", "q3", "q4") if row[item]]
        case = cases[row["case_id"]]
        wcell = "|".join(f"{trait}={case[trait]}" for trait in ("age", "district", "sex"))
        if scores:
            twelfths = sum(scores) * 12 // len(scores)
            at = place[case["stratum"], wcell], units.index(row["dept"])
            table[:, at[0], at[1]] += (1, twelfths, twelfths**2)
    strata = sorted({cell.stratum for cell in cells})
    sizes = {case["stratum"]: int(case["N_h"]) for case in cases.values()}
    persons = np.array([cell.respondents for cell in cells], dtype=np.int64)
    stratum = np.array([strata.index(cell.stratum) for cell in cells])
    design = Design(
        stratum,
        np.array([cell.final for cell in cells]),
        np.array([sizes[name] for name in strata]),
        np.bincount(stratum, weights=persons).astype(np.int64),
    )
    raking = Raking(np.array([cell.nonresponse for cell in cells]), persons, margins_of(cells))
    counts = Counts(*table)
    means, fixed = calibrated_means(counts, design, raking), domain_means(counts, design)
    for at in range(len(units)):
        assert agrees(entry, means.value[at] / 12, entry["result"]["estimate"][at])
        assert agrees(entry, means.variance[at] ** 0.5 / 12, entry["result"]["se"][at])
        assert agrees(entry, fixed.variance[at] ** 0.5 / 12, entry["result"]["se_weights_taken_as_fixed"][at])


def margins_of(cells: list) -> np.ndarray:
    """Indicators of stratum, age, district, sex."""
    words = [[cell.stratum, *cell.wcell.split("|")] for cell in cells]
    columns = [np.ones(len(cells))]
    for part in range(4):
        levels = sorted({word[part] for word in words})
        columns += [np.array([word[part] == level for word in words], dtype=float) for level in levels[1:]]
    return np.column_stack(columns)


# --- laws -------------------------------------------------------------------------------------------------------

AGES, SEXES = ("18-34", "35-54", "55+"), ("f", "m")
HERE = {"north": Population("resident", 3000), "south": Population("resident", 9000), "list": Population("deputy", 200)}


@st.composite
def surveys(draw) -> list[CellOutcome]:
    found = []
    for stratum in HERE:
        base = draw(st.floats(1, 50))
        for age in AGES:
            for sex in SEXES:
                counts = {cls: draw(st.integers(0, 12)) for cls in CLASSES}
                counts["I"] = draw(st.integers(2, 60))  # raking needs somebody at every level
                found.append(CellOutcome(stratum, f"age={age}|sex={sex}", base, counts))
    return found


MARGINS = {
    "resident": {
        "age": {"18-34": 5000, "35-54": 4000, "55+": 3000},
        "sex": {"f": 6100, "m": 5900},
    }
}


@settings(deadline=None)
@given(surveys())
def test_raked_weights_are_positive_and_hit_every_margin(cells: list[CellOutcome]) -> None:
    weighting = weigh(cells, HERE, Rules(trim_by="nothing"), MARGINS)
    assert all(cell.final > 0 for cell in weighting.cells)
    sums: Counter[str] = Counter()
    for cell in weighting.cells:
        for level in (cell.stratum, *(part.split("=")[1] for part in cell.wcell.split("|"))):
            sums[level] += cell.final * cell.respondents * (cell.stratum != "list")
    wanted = {"north": 3000, "south": 9000} | MARGINS["resident"]["age"] | MARGINS["resident"]["sex"]
    assert {level: sums[level] for level in wanted} == pytest.approx(wanted, rel=1e-10)


@settings(deadline=None)
@given(surveys())
def test_before_raking_the_weights_of_respondents_and_of_the_ineligible_sum_to_the_frame(
    cells: list[CellOutcome],
) -> None:
    weighting = weigh(cells, HERE, Rules(trim_by="nothing"))
    of_stratum = {cell.key: cell for cell in cells}
    for group in ("resident", "deputy"):
        listed = [one for one in weighting.cells if HERE[one.stratum].group == group]
        carried = sum(
            one.nonresponse * one.respondents + one.eligibility * of_stratum[one.stratum, one.wcell].counts["NE"]
            for one in listed
        )
        frame = sum(cell.base * cell.number() for cell in cells if HERE[cell.stratum].group == group)
        assert carried == pytest.approx(frame, rel=1e-10)


@settings(deadline=None, max_examples=60)
@given(surveys(), st.floats(1.05, 5), st.sampled_from(["median", "iqr"]))
def test_trimming_keeps_the_sum_of_every_stratum_and_every_margin(
    cells: list[CellOutcome], times: float, kind: str
) -> None:
    loose = weigh(cells, HERE, Rules(trim_by="nothing"), MARGINS)
    tight = weigh(cells, HERE, Rules(trim_by=kind, trim_at=times, rounds=20), MARGINS)
    for stratum in HERE:
        before, after = (
            sum(cell.final * cell.respondents for cell in one.cells if cell.stratum == stratum)
            for one in (loose, tight)
        )
        assert after == pytest.approx(before, rel=1e-9)
    deputies = [cell for cell in tight.cells if cell.stratum == "list"]
    assert tight.groups["deputy"].still_above == 0
    assert tight.groups["deputy"].trimmed == sum(cell.respondents for cell in deputies if cell.trimmed)


@settings(deadline=None)
@given(surveys(), st.integers(0, 200), st.floats(1, 4))
def test_merging_loses_no_cell_and_mixes_no_group(cells: list[CellOutcome], fewest: int, factor: float) -> None:
    weighting = weigh(cells, HERE, Rules(fewest=fewest, largest_factor=factor, trim_by="nothing"))
    assert {(one.stratum, one.wcell) for one in weighting.cells} == {cell.key for cell in cells}
    for group, report in weighting.groups.items():
        listed = [cell for cell in cells if HERE[cell.stratum].group == group]
        classes = classes_of(listed, fewest, factor)
        assert sorted(cell.key for one in classes for cell in one) == sorted(cell.key for cell in listed)
        assert report.classes == len(classes) == report.cells - len(report.merged)
        if len(classes) > 1:
            assert all(sum(cell.respondents for cell in one) >= fewest for one in classes)
            assert all(factors_of(one).nonresponse <= factor for one in classes)


@settings(deadline=None)
@given(surveys(), st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(cells: list[CellOutcome], chance) -> None:
    shuffled = list(cells)
    chance.shuffle(shuffled)
    assert weigh(shuffled, HERE, Rules(), MARGINS) == weigh(cells, HERE, Rules(), MARGINS)


def test_a_small_cell_joins_its_stratum_and_the_cell_that_agrees_with_it_most() -> None:
    def cell(stratum: str, age: str, sex: str, answered: int) -> CellOutcome:
        return CellOutcome(stratum, f"age={age}|sex={sex}", 1.0, {"I": answered})

    cells = [
        cell("a", "18-34", "m", 50),
        cell("b", "18-34", "f", 30),
        cell("b", "18-34", "m", 5),
        cell("b", "35-54", "f", 30),
    ]
    joined = next(one for one in classes_of(cells, 20, 3.0) if len(one) > 1)
    assert [one.key for one in joined] == [("b", "age=18-34|sex=f"), ("b", "age=18-34|sex=m")]


def test_margins_that_cannot_be_met_are_refused_by_name() -> None:
    cells = [CellOutcome("list", f"sex={sex}", 2.0, {"I": 5}) for sex in SEXES]

    def refusal(margins: dict[str, dict[str, int]], given_cells: list[CellOutcome] = cells) -> tuple[str, str]:
        with pytest.raises(Refused) as caught:
            weigh(given_cells, HERE, Rules(), {"deputy": margins})
        return caught.value.code, caught.value.faults[0].path

    assert refusal({"age": {"18-34": 9}}) == ("margin_trait_absent", "deputy")
    assert refusal({"sex": {"f": 9}}) == ("margin_level_absent", "deputy.sex")
    assert refusal({"sex": {"f": 9, "m": 9, "x": 9}}) == ("margin_cell_empty", "deputy.sex")
    alone = [cells[0], CellOutcome("list", "sex=m", 2.0, {"I": 1, "R": 9})]
    assert refusal({"sex": {"f": 9, "m": 9}}, alone) == ("margin_cell_small", "deputy.sex")


def test_a_group_in_which_nobody_answered_keeps_its_weights_and_says_so() -> None:
    weighting = weigh([CellOutcome("list", "list", 2.0, {"UH": 4, "R": 1})], HERE)
    assert weighting.overall is None
    assert weighting.groups["deputy"].spread is None
    assert weighting.cells[0].final == 2.0


@pytest.mark.parametrize("counts", [{"X": 1}, {"I": -1}])
def test_what_is_no_count_of_outcomes_is_no_cell(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="AAPOR"):
        CellOutcome("a", "a", 1.0, counts)


def test_where_half_of_a_stratum_weighs_alike_the_interquartile_range_trims_nobody() -> None:
    cells = [CellOutcome("list", f"sex={sex}", base, {"I": n}) for sex, base, n in (("f", 2.0, 90), ("m", 9.0, 10))]
    weighting = weigh(cells, HERE, Rules(fewest=1, trim_by="iqr"))
    assert [one.final for one in weighting.cells] == [2.0, 9.0]
    assert weighting.groups["deputy"].trimmed == 0
