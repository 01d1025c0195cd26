"""A weighting cell says the traits it was made of, and nothing that could be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.traits import traits_of, wcell_of

LEVELS = st.text(alphabet="abc 18-34男女", min_size=1, max_size=8).filter(str.strip)
TRAITS = st.dictionaries(st.sampled_from(["age", "sex", "district"]), LEVELS, max_size=3)


@given(TRAITS)
def test_a_cell_gives_its_traits_back(traits):
    assert traits_of(wcell_of(traits, "residents")) == traits


def test_traits_stand_in_the_order_of_their_names():
    assert wcell_of({"sex": "f", "age": "18-34"}, "residents") == "age=18-34|sex=f"
    assert wcell_of({}, "deputies") == "deputies"


@pytest.mark.parametrize(
    ("traits", "code"),
    [
        ({"age": "18|34"}, "trait_level_unfit"),
        ({"age": " "}, "trait_level_unfit"),
        ({"年龄": "18"}, "trait_name_unfit"),
        ({"age": "老" * 60}, "traits_too_long"),
    ],
)
def test_what_could_be_misread_is_refused(traits, code):
    with pytest.raises(Refused) as refused:
        wcell_of(traits, "residents")
    assert refused.value.code == code
