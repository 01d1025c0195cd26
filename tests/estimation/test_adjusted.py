"""Adjusted weights and what is told of units, through `mingcha estimate`: R's answers on other designs, and laws."""

import json

import numpy as np
import pytest

from survey_forms.estimation.spec.run import answer
from survey_forms.refusal import Refused
from tests.estimation.answers import DATA, differences, reader, result_of

DOCUMENT = json.loads((DATA / "adjusted.json").read_text(encoding="utf-8"))
KIND = {"margins": {"kind": {"levels": ["a", "b", "c"], "totals": [120, 130, 150]}}}


@pytest.fixture(scope="module")
def results() -> dict:
    found, faults = answer(DOCUMENT, reader(DATA))
    assert faults == []
    return {one["id"]: one["result"] for one in found["entries"]}


@pytest.mark.parametrize("entry", DOCUMENT["entries"], ids=lambda entry: entry["id"])
def test_adjusted_weights_and_their_errors_are_those_of_r(entry: dict, results: dict) -> None:
    assert differences(results[entry["id"]], entry["result"], entry) == []


def refusal(statistic: str, args: dict, **more: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        result_of(statistic, args, **more)
    return caught.value.code, caught.value.faults[0].path


def test_an_entry_may_bring_its_own_margins() -> None:
    told = result_of("raked_mean", {"variables": "score"} | KIND)
    document = [
        {"id": "a", "statistic": "rake", "args": KIND},
        {"id": "a.mean", "statistic": "raked_mean", "args": {"variables": "score"}},
    ]
    design = {"ids": ["village", "house"], "strata": "region", "fpc": ["villages", "houses"]}
    found, faults = answer([one | {"dataset": "villages.csv", "design": design} for one in document], reader(DATA))
    assert faults == []
    assert found["entries"][1]["result"] == told


def test_one_margin_raked_is_post_stratified_and_calibrated_alike() -> None:
    population = {"by": ["kind"], "population": {"levels": ["a", "b", "c"], "totals": [120, 130, 150]}}
    totals = {"formula": "~kind", "totals": {"names": ["(Intercept)", "kindb", "kindc"], "values": [400, 130, 150]}}
    ways = [
        result_of(f"{kind}_mean", {"variables": ["score"]} | args)
        for kind, args in (("raked", KIND), ("poststratified", population), ("calibrated", totals))
    ]
    for way in ways[1:]:
        assert way["estimate"] == pytest.approx(ways[0]["estimate"], rel=1e-9)
        assert way["se"] == pytest.approx(ways[0]["se"], rel=1e-9)


@pytest.mark.parametrize(
    ("statistic", "args", "refused"),
    [
        ("raked_mean", {"variables": "score"}, ("estimate_argument_missing", "args.margins")),
        ("rake", {"margins": {"kind": {"levels": ["a"], "totals": [9]}}}, ("margin_code_missing", "kind")),
        ("rake", {"margins": {"colour": {"levels": ["a"], "totals": [9]}}}, ("estimate_column_missing", "args.colour")),
        ("rake", {"margins": {"kind": {"levels": ["a"], "totals": []}}}, ("estimate_argument_wrong", "args.kind")),
        ("calibrate", {"totals": {"names": ["kindz"], "values": [9]}}, ("estimate_level_unknown", "args.formula")),
        ("poststratify", {"population": 3}, ("estimate_argument_wrong", "args.population")),
        ("allocation", {"method": "by heart", "N": [1], "n": 1}, ("estimate_argument_wrong", "args.method")),
        ("allocation", {"method": "neyman", "N": [5, 6], "S": [1], "n": 3}, ("estimate_argument_wrong", "args.S")),
        ("allocation", {"method": "equal", "N": [0], "n": 0}, ("estimate_argument_wrong", "args.N")),
        ("allocation", {"method": "neyman", "N": [0, 5], "S": [5, 0], "n": 3}, ("estimate_argument_wrong", "args.S")),
        ("systematic_selection", {"size": [1, 2], "n": 1, "start_u": 1}, ("estimate_argument_wrong", "args.start_u")),
        ("aapor", {"I": -1}, ("estimate_argument_wrong", "args.I")),
        ("grade_probability", {"cuts": [1, 2]}, ("estimate_argument_wrong", "args.cuts")),
        ("domain_mean_ci", {"bounds": [10, 1]}, ("estimate_argument_wrong", "args.bounds")),
        ("trim_weights", {"upper": 1, "strict": True}, ("trim_impossible", "SPEC")),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(statistic: str, args: dict, refused: tuple[str, str]) -> None:
    assert refusal(statistic, args) == refused


def test_ranks_and_grades_of_given_scores() -> None:
    scores = {"estimate": [9.5, 7.0, 6.9], "se": [0.1, 0.1, 0.1], "groups": ["a", "b", "c"]}
    ranks = result_of("rank_interval", scores)
    assert ranks["marginal"] == [[1, 1], [2, 3], [2, 3]]
    drawn = result_of("rank_interval", scores | {"draws": 4000})
    assert drawn["simultaneous"] == [[1, 1], [2, 3], [2, 3]]
    assert 2.2 < drawn["critical_value"] < 2.5  # Tukey's range of three, over the root of two: 2.34
    grades = result_of("grade_probability", scores | {"cuts": [9, 7]})
    assert np.sum(grades["probability"], axis=1) == pytest.approx([1, 1, 1])
    assert grades["probability"][1] == pytest.approx([0, 0.5, 0.5])


def test_group_scores_want_every_group_unless_their_weights_are_spread() -> None:
    weights = {"north": 0.5, "south": 0.3, "west": 0.2}
    args = {"variables": "score", "by": "kind", "groups": "region", "group_weights": weights}
    whole = result_of("group_weighted_score", args)
    assert None not in whole["estimate"]
    more = args | {"group_weights": weights | {"east": 1.0}}
    assert result_of("group_weighted_score", more)["estimate"] == [None] * 3
    spread = result_of("group_weighted_score", more | {"renormalise_over_groups_present": True})
    assert spread["estimate"] == pytest.approx(whole["estimate"])


def test_intervals_stay_inside_their_bounds_and_hold_the_mean() -> None:
    found = result_of("domain_mean_ci", {"variables": "score", "by": "region", "bounds": [0, 10]})
    for value, (low, high) in zip(found["estimate"], found["ci95"], strict=True):
        assert 0 < low < value < high < 10


def test_the_mean_of_a_census_is_known_and_equal_answers_of_a_sample_have_their_bound(tmp_path) -> None:
    rows = ["all,4,2", "all,4,9", "all,4,5", "all,4,8", *["few,400,7"] * 12]
    (tmp_path / "mixed.csv").write_text("\n".join(["stratum,size,score", *rows]), encoding="utf-8")
    found, faults = answer(
        {
            "statistic": "domain_mean_ci",
            "dataset": "mixed.csv",
            "design": {"strata": "stratum", "fpc": "size"},
            "args": {"variables": "score", "by": "stratum", "bounds": [0, 10]},
        },
        reader(tmp_path),
    )
    assert faults == []
    assert found["se"] == [0, 0]
    others = 1 - 0.05 ** (1 / 12)
    assert found["ci95"] == [[6, 6], pytest.approx([7 - 7 * others, 7 + 3 * others])]


def test_interviewers_of_a_plain_table_and_its_items() -> None:
    one = result_of("icc", {"variable": "score", "group": "office"})
    assert one["msb"] > 0
    assert one["deff_interviewer"] >= 1
    items = result_of("cronbach_alpha", {"variables": ["score", "rating"]})
    assert items["n"] == 39
    assert result_of("straightlining", {"variables": ["score", "rating"], "min_items": 2})["n_flagged"] >= 0
