"""No answer tells of itself what fewer than five of its stratum tell alike."""

from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from survey_forms.ballot.crowds import LEAST, SEVERAL, crowd_names, in_crowds, merged_cells
from survey_forms.ballot.envelope import About, Envelope
from survey_forms.ballot.files import Opened

ABOUTS = st.builds(
    About,
    st.sampled_from(["age=a", "age=b", "age=c", "age=d"]),
    st.sampled_from(["web", "phone", "visit"]),
    st.none() | st.integers(1, 3),
)
ANSWERS = st.lists(
    st.builds(Opened, st.sampled_from(["north", "south"]), st.builds(Envelope, st.just("f"), st.just({}), ABOUTS)),
    max_size=90,
)


def said(answers):
    return [(one.stratum, one.envelope.about) for one in answers]


def some(*groups):
    """(mode, interviewer, how many) of one weighting cell."""
    return [Opened("north", Envelope("f", {}, About("age=a", mode, who))) for mode, who, n in groups for _ in range(n)]


@given(ANSWERS)
@settings(max_examples=400, deadline=None)
@example(some(("phone", 1, 10), ("phone", 7, 2), ("visit", 2, 10), ("visit", 8, 3)))
@example(some(("phone", 1, 10), ("phone", 7, 1), ("web", None, 6)))
def test_whatever_is_told_is_told_by_a_crowd(answers):
    told = in_crowds(answers)
    strata = Counter(one.stratum for one in told)
    assert strata == Counter(one.stratum for one in answers)
    for (stratum, _), n in Counter(said(told)).items():
        assert n >= min(LEAST, strata[stratum])


@given(ANSWERS)
def test_nothing_is_told_that_was_not_so(answers):
    for before, after in zip(answers, in_crowds(answers), strict=True):
        was, now = before.envelope.about, after.envelope.about
        assert now.mode in {was.mode, SEVERAL}
        assert now.interviewer in {was.interviewer, None}


@given(ANSWERS)
def test_telling_twice_tells_the_same(answers):
    once = in_crowds(answers)
    assert in_crowds(once) == once


def test_a_crowd_of_five_keeps_all_it_told():
    five = [Opened("north", Envelope("f", {}, About("age=a", "phone", 7)))] * 5
    assert in_crowds(five) == five


def test_the_last_one_of_a_mode_takes_others_along():
    answers = [
        Opened("north", Envelope("f", {}, About("age=a", mode)))
        for mode, n in {"web": 20, "phone": 9, "visit": 1}.items()
        for _ in range(n)
    ]
    modes = Counter(one.envelope.about.mode for one in in_crowds(answers))
    assert modes == {"web": 20, SEVERAL: 10}


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 12), min_size=1, max_size=12))
def test_merged_cells_are_crowds_of_neighbours(counts):
    merged = merged_cells(counts)
    crowds = Counter()
    for cell, name in merged.items():
        crowds[name] += counts[cell]
    assert all(n >= min(LEAST, sum(counts.values())) for n in crowds.values())
    assert list(merged.values()) == [merged[cell] for cell in sorted(merged)]
    assert list(merged.values()) == sorted(merged.values())


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 12), min_size=1, max_size=12),
    st.sets(st.text("abc", min_size=1, max_size=3), max_size=6),
)
def test_who_knows_the_turnout_works_the_same_crowds_out(turnout, silent):
    cells = {*turnout, *silent}
    names = crowd_names(turnout, cells)
    merged = merged_cells({cell: n for cell, n in turnout.items() if n})
    assert set(names) == cells
    assert {cell: names[cell] for cell in merged} == merged
    assert set(names.values()) <= (set(merged.values()) or cells)
