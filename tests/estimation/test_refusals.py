"""What `estimate` refuses, and that it names the place and the thing."""

import json

import pytest

from survey_forms.estimation.spec.run import answer
from survey_forms.refusal import Refused
from tests.estimation.answers import DATA, VILLAGES, reader, result_of

SCORE = {"variables": "score"}


@pytest.mark.parametrize(
    ("statistic", "args", "code", "path"),
    [
        ("regression", {}, "estimate_statistic_unknown", "statistic"),
        ("mean", {}, "estimate_argument_missing", "args.variables"),
        ("mean", {"variables": []}, "estimate_argument_wrong", "args.variables"),
        ("mean", {"variables": ["score", "score"]}, "estimate_argument_wrong", "args.variables"),
        ("mean", {"variables": "height"}, "estimate_column_missing", "args.variables"),
        ("mean", SCORE | {"colour": 1}, "estimate_argument_unknown", "args.colour"),
        ("mean", SCORE | {"na_rm": "yes"}, "estimate_argument_wrong", "args.na_rm"),
        ("mean", SCORE | {"deff": "big"}, "estimate_argument_wrong", "args.deff"),
        ("mean", SCORE | {"lonely_psu": "guess"}, "estimate_argument_wrong", "args.lonely_psu"),
        ("mean", SCORE | {"subset": {"kind": "z"}}, "estimate_level_unknown", "args.subset.kind"),
        ("mean", SCORE | {"subset": ["kind"]}, "estimate_argument_wrong", "args.subset"),
        ("variance", {"variables": "kind"}, "estimate_not_a_number", "args.variables"),
        ("proportion", {"variables": "kind", "levels": ["z"]}, "estimate_level_unknown", "args.levels"),
        ("proportion_ci", {"variable": "kind", "level": "z"}, "estimate_level_unknown", "args.level"),
        ("proportion_ci", {"variable": "kind", "level": "a", "method": "w"}, "estimate_argument_wrong", "args.method"),
        ("quantile", SCORE | {"p": [1.5]}, "estimate_argument_wrong", "args.p"),
        ("quantile", SCORE | {"qrule": "best"}, "estimate_argument_wrong", "args.qrule"),
        (
            "ratio",
            {"numerator": "score", "denominator": ["age", "score"]},
            "estimate_argument_wrong",
            "args.denominator",
        ),
        ("domain_mean", SCORE, "estimate_argument_missing", "args.by"),
        ("ttest", {"y": "score", "group": "kind"}, "estimate_two_groups", "args.group"),
        ("contrast", {"variable": "score", "by": "kind", "weights": [1]}, "estimate_argument_wrong", "args.weights"),
        ("jackknife_mean", SCORE | {"type": "JK1"}, "estimate_argument_wrong", "args.type"),
        ("jackknife_mean", SCORE | {"type": "BRR"}, "estimate_argument_wrong", "args.type"),
    ],
)
def test_a_wrong_argument_is_named_with_its_place(statistic, args, code, path):
    with pytest.raises(Refused) as refused:
        result_of(statistic, args)
    assert (refused.value.faults[0].code, refused.value.faults[0].path) == (code, path)


@pytest.mark.parametrize(
    ("design", "code", "path"),
    [
        ({"colour": "red"}, "estimate_design_key", "design.colour"),
        ({"ids": 5}, "estimate_design_columns", "design.ids"),
        ({"strata": "county"}, "estimate_column_missing", "design.strata"),
        ({"strata": "satisfied"}, "estimate_design_missing", "design.strata"),
        ({"weights": "kind"}, "estimate_not_a_number", "design.weights"),
        ({"weights": "weight", "probs": "weight"}, "estimate_weights_and_probs", "design"),
        ({"probs": "weight"}, "estimate_probability_wrong", "design.probs"),
        ({"fpc": "weight", "pps": "overton"}, "estimate_pps_unknown", "design.pps"),
        ({"fpc": "weight", "r": "svydesign(~1, fpc=~p, pps=HR())"}, "estimate_pps_unknown", "design.pps"),
        (VILLAGES | {"fpc": "villages"}, "estimate_sizes_per_stage", "design"),
        ({"fpc": "house"}, "estimate_sample_over_population", "design"),
        ({"ids": "village", "strata": "region", "nest": False}, "estimate_unit_in_two_strata", "design"),
        ({"ids": "region", "strata": "region"}, "estimate_lonely_unit", "SPEC"),
        ({"rows": "the first few"}, "estimate_rows_wrong", "design.rows"),
        ({"edit": "double the weights"}, "estimate_rows_wrong", "design.edit"),
    ],
)
def test_a_design_that_cannot_be_is_refused(design, code, path):
    with pytest.raises(Refused) as refused:
        result_of("mean", SCORE, design=design)
    assert (refused.value.faults[0].code, refused.value.faults[0].path) == (code, path)


@pytest.mark.parametrize(
    ("dataset", "code"),
    [
        ("nowhere.csv", "input_missing"),
        (None, "estimate_no_dataset"),
        (7, "estimate_dataset_wrong"),
        ({"file": 3}, "estimate_dataset_wrong"),
        (["a.csv", "b.csv"], "estimate_dataset_wrong"),
    ],
)
def test_a_data_set_that_is_not_there_is_refused(dataset, code):
    with pytest.raises(Refused) as refused:
        result_of("mean", SCORE, dataset=dataset)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "estimate_csv_empty"),
        (b"a,a\n1,2\n", "estimate_csv_column_twice"),
        (b"a,b\n1\n", "estimate_csv_ragged"),
        (b'a\n"1\n', "estimate_csv_broken"),
        (b"a\n\xff\n", "input_not_utf8"),
        (b"a\n1\nx\n", "estimate_not_a_number"),
        (b"a\n1\n1e999\n", "estimate_not_a_number"),
        (b"a\n1\nInf\n", "estimate_infinite"),
        (b"a\n1\n1_000\n", "estimate_not_a_number"),
    ],
)
def test_a_broken_file_is_refused(text, code):
    _, faults = answer({"statistic": "variance", "dataset": "x.csv", "args": {"variables": "a"}}, lambda _: text)
    assert [fault.code for fault in faults] == [code]


@pytest.mark.parametrize(
    "spec", [{}, [], 5, None, "x", {"entries": []}, {"entries": 5}, {"statistic": 5}, {"entries": [[]]}]
)
def test_what_is_no_spec_is_refused(spec):
    try:
        _, faults = answer(spec, reader(DATA))
    except Refused as refused:
        faults = list(refused.faults)
    assert faults


def test_one_refused_entry_leaves_the_others_their_answers():
    good = {"id": "good", "statistic": "degf", "dataset": "villages.csv", "design": VILLAGES}
    result, faults = answer({"entries": [good, {"id": "bad", "statistic": "magic"}]}, reader(DATA))
    assert [entry["id"] for entry in result["entries"]] == ["good"]
    assert [(fault.code, fault.path) for fault in faults] == [("estimate_statistic_unknown", "entries[1].statistic")]


def test_missing_answers_make_an_estimate_null_unless_they_are_left_out():
    assert result_of("mean", {"variables": "rating"})["estimate"] == [None]
    assert result_of("mean", {"variables": "rating", "na_rm": True})["estimate"] != [None]


def test_a_domain_without_an_answer_is_null_and_one_with_a_single_unit_is_not():
    table = "group,y\na,1\na,2\nb,\nc,5\n"
    entry = {"statistic": "domain_mean", "dataset": "x", "args": {"variables": "y", "by": "group", "na_rm": True}}
    result, _ = answer(entry, lambda _: table.encode())
    assert result["estimate"] == [[1.5], [None], [5]]
    assert [row[0] for row in result["se"]] == [pytest.approx((4 / 3 * 0.125) ** 0.5), None, 0]


def test_a_result_is_json_whatever_the_design():
    for lonely in ("remove", "certainty", "adjust", "average"):
        design = {"ids": "region", "strata": "region"}
        json.dumps(result_of("mean", SCORE | {"lonely_psu": lonely}, design=design), allow_nan=False)
