"""AAPOR's outcomes: the strongest attempt is final, and rates keep their laws."""

import csv
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from survey_forms.estimation.outcomes import CLASSES, CODES, class_of, final_of, rates, sums
from tests.rules.reference import FOLDER, agrees, expected

RATES = ("RR1", "RR2", "RR3", "RR4", "RR5", "RR6", "COOP1", "COOP2", "COOP3", "COOP4")
RATES += ("REF1", "REF2", "REF3", "CON1", "CON2", "CON3", "e")

LAW = settings(deadline=None)

counts = st.fixed_dictionaries({cls: st.integers(0, 500) for cls in CLASSES})
attempts = st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=12)


def test_every_code_of_the_list_is_here() -> None:
    if not FOLDER.is_dir():
        pytest.skip("no reference file")
    with (FOLDER / "aapor_codes.csv").open(encoding="utf-8", newline="") as file:
        assert [row["code"] for row in csv.DictReader(file)] == list(CODES)
    assert {code.cls for code in CODES.values()} == set(CLASSES)
    assert all(code.modes <= {"web", "phone", "visit"} and code.modes for code in CODES.values())
    assert all(code.zh and code.en for code in CODES.values())
    assert CODES["4.70"].modes == {"phone", "visit"}


@LAW
@given(attempts, st.randoms(use_true_random=False))
def test_the_final_outcome_is_one_of_the_attempts_whatever_their_order(codes: list[str], chance) -> None:
    final = final_of(codes)
    assert final in codes
    shuffled = list(codes)
    chance.shuffle(shuffled)
    assert final_of(shuffled) == final
    assert final_of([*codes, "3.11"]) == final or codes == ["3.11"] * len(codes) or class_of(final) == "UH"


@LAW
@given(attempts, attempts)
def test_more_attempts_only_make_an_outcome_stronger(some: list[str], more: list[str]) -> None:
    assert final_of([final_of(some), final_of(more)]) == final_of(some + more)


@pytest.mark.parametrize(
    ("codes", "final"),
    [
        (["1.1", "2.11"], "1.1"),
        (["2.11", "2.20", "4.31"], "2.11"),  # who refused was met, a number that died later changes nothing
        (["2.35", "2.24"], "2.35"),
        (["2.24", "4.70"], "4.70"),  # nobody eligible lives there: somebody said so
        (["4.32", "2.24"], "2.24"),  # a dead number is not a dead person
        (["4.31", "3.18"], "3.18"),
        (["3.13", "4.31"], "4.31"),
        (["2.10", "2.11", "2.112", "2.111"], "2.112"),
        (["2.112", "2.12"], "2.12"),
    ],
)
def test_what_outweighs_what(codes: list[str], final: str) -> None:
    assert final_of(codes) == final


def test_no_attempt_has_no_outcome_and_a_strange_code_no_class() -> None:
    with pytest.raises(ValueError, match="attempt"):
        final_of([])
    with pytest.raises(ValueError, match=r"4\.7"):
        class_of("4.7")  # a number that lost its nought


@LAW
@given(counts)
def test_rates_keep_their_order(given_counts: dict[str, int]) -> None:
    found = rates(given_counts)
    for chain in (("rr1", "rr3", "rr5"), ("rr2", "rr4", "rr6"), ("rr1", "rr2"), ("rr3", "rr4"), ("rr5", "rr6")):
        values = [getattr(found, name) for name in chain]
        assert all(one is None or other is None or one <= other for one, other in pairwise(values))
    for one, other in (("coop1", "coop3"), ("coop2", "coop4"), ("coop1", "coop2"), ("ref1", "ref3"), ("con1", "con3")):
        lower, upper = getattr(found, one), getattr(found, other)
        assert lower is None or upper is None or lower <= upper
    assert all(value is None or 0 <= value <= 1 for value in found.named().values())
    assert set(found.named()) == set(RATES)


@LAW
@given(counts, st.integers(2, 9))
def test_only_the_shares_matter(given_counts: dict[str, int], times: int) -> None:
    one, many = rates(given_counts).named(), rates({cls: times * n for cls, n in given_counts.items()}).named()
    assert {name for name, value in one.items() if value is None} == {
        name for name, value in many.items() if value is None
    }
    assert all(value is None or value == pytest.approx(many[name], rel=1e-12) for name, value in one.items())


def test_nothing_over_nothing_is_not_a_rate() -> None:
    assert set(rates({}).named().values()) == {None}
    only_unknown = rates({"UH": 3})
    assert (only_unknown.rr1, only_unknown.rr3, only_unknown.e) == (0.0, None, None)


@pytest.mark.parametrize("strange", [{"X": 1}, {"I": -1}, {"I": float("nan")}])
def test_what_is_no_count_is_refused(strange: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="count"):
        rates(strange)


@pytest.mark.parametrize("entry_id", ["aapor.4", "aapor.412"])
def test_the_rates_are_those_of_the_reference(entry_id: str) -> None:
    entry = expected(entry_id)
    got = rates(entry["args"]).named()
    assert all(agrees(entry, got[name], want) for name, want in entry["result"].items())


def test_weights_of_cases_add_up_by_class() -> None:
    assert sums([("I", 0.1)] * 10 + [("R", 2.0)])["I"] == 1.0
    assert sums([])["NE"] == 0.0
