"""Error bands: no rank interval reaches from one into another, and there are as many as that allows."""

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.estimation.bands import error_bands
from survey_forms.estimation.ranks import RankInterval


def test_units_that_overlap_in_a_chain_share_a_band():
    places = [RankInterval(1, 1, 2), RankInterval(2, 1, 3), RankInterval(3, 2, 3), RankInterval(4, 4, 4)]
    assert error_bands(places) == [0, 0, 0, 1]


def test_the_order_in_which_they_come_does_not_matter():
    places = [RankInterval(3, 3, 4), RankInterval(1, 1, 1), RankInterval(4, 3, 4), RankInterval(2, 2, 2)]
    assert error_bands(places) == [2, 0, 2, 1]


def test_nobody_apart_is_one_band_and_nobody_at_all_is_none():
    assert error_bands([RankInterval(1, 1, 3)] * 3) == [0, 0, 0]
    assert error_bands([]) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_no_interval_reaches_into_another_band(reach):
    m = len(reach)
    places = [RankInterval(r, max(1, r - up), min(m, r + down)) for r, (up, down) in enumerate(reach, start=1)]
    bands = error_bands(places)
    for band in set(bands):
        inside = [place for place, one in zip(places, bands, strict=True) if one == band]
        ranks = [place.rank for place in inside]
        assert all(min(ranks) <= place.best and place.worst <= max(ranks) for place in inside)
    for k in range(1, m):  # every cut that could be made was made
        could = all(p.worst <= k for p in places[:k]) and all(p.best > k for p in places[k:])
        assert could == (bands[k] != bands[k - 1])
