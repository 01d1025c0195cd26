"""Blocks of units: each unit equally often, each pair about equally often, and never a block for a handful."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.refusal import Refused
from survey_forms.sampling.assign import CODES_A_BLOCK, block_units, blocks, blocks_for, deal

sizes = st.tuples(st.integers(1, 40), st.integers(1, 45))


def named(number: int) -> tuple[str, ...]:
    return tuple(f"unit_{place:02}" for place in range(number))


def pairs_of(made: tuple[tuple[str, ...], ...], units: tuple[str, ...]) -> Counter[tuple[str, str]]:
    together = Counter(pair for block in made for pair in combinations(block, 2))
    return Counter({pair: together[pair] for pair in combinations(units, 2)})


@given(sizes)
def test_every_block_has_as_many_units_as_asked_each_once_in_their_order(size: tuple[int, int]) -> None:
    units, per = named(size[0]), size[1]
    for block in blocks(units, per):
        assert len(block) == min(per, len(units))
        assert list(block) == sorted(set(block))


@given(sizes, st.integers(1, 40))
def test_any_first_blocks_hold_each_unit_equally_often_give_or_take_one(size: tuple[int, int], first: int) -> None:
    units = named(size[0])
    made = blocks(units, size[1])[:first]
    times = Counter(unit for block in made for unit in block)
    often = [times[unit] for unit in units]
    assert max(often) - min(often) <= 1


@given(sizes)
def test_all_blocks_hold_each_unit_exactly_as_often_as_a_block_has_units(size: tuple[int, int]) -> None:
    units, per = named(size[0]), size[1]
    times = Counter(unit for block in blocks(units, per) for unit in block)
    assert set(times.values()) == {per if per < len(units) else 1}


@pytest.mark.parametrize(("number", "per"), [(13, 4), (20, 5), (31, 6), (60, 15), (60, 20), (90, 30)])
def test_any_two_units_stand_together_about_equally_often(number: int, per: int) -> None:
    together = pairs_of(blocks(named(number), per), named(number))
    ideal = per * (per - 1) / (number - 1)
    assert sum(together.values()) / len(together) == pytest.approx(ideal)
    spread = (sum((times - ideal) ** 2 for times in together.values()) / len(together)) ** 0.5
    # Drawn without a plan, the times would spread like a binomial's: about the root of their mean.
    assert spread < 0.75 * ideal**0.5
    assert max(together.values()) <= 2 * ideal + 2


@given(sizes, st.integers(0, 100))
def test_the_same_block_is_the_same_units_wherever_it_is_asked(size: tuple[int, int], block: int) -> None:
    units, per = named(size[0]), size[1]
    found = block_units(list(units), per, block)
    blocks.cache_clear()
    assert block_units(units, per, block) == found
    assert set(found) <= set(units)


def test_without_a_plan_or_a_block_everybody_rates_all() -> None:
    assert block_units(named(3), None, 1) == block_units(named(3), 2, None) == block_units(named(3), 3, 0) == named(3)


@given(st.integers(0, 2000), sizes)
def test_every_dealt_block_is_shared_by_ten_codes_or_refused(codes: int, size: tuple[int, int]) -> None:
    units, per = size
    if per < units and codes < -(-units // per) * CODES_A_BLOCK:
        with pytest.raises(Refused, match="too_few_for_blocks"):
            blocks_for(codes, units, per)
        return
    number = blocks_for(codes, units, per)
    dealt = Counter(deal(codes, [0] * number))
    if per < units:
        assert len(dealt) == number
        assert min(dealt.values()) >= CODES_A_BLOCK
        held = {unit for block in blocks(named(units), per)[:number] for unit in block}
        assert held == set(named(units))
    else:
        assert number == 1


@given(st.integers(0, 300), st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_a_deal_fills_up_the_blocks_that_have_fewest(codes: int, used: list[int]) -> None:
    dealt = deal(codes, used)
    assert len(dealt) == codes
    after = [had + dealt.count(block) for block, had in enumerate(used)]
    if codes >= sum(max(used) - had for had in used):
        assert max(after) - min(after) <= 1
    else:
        assert max(after) == max(used)


def test_a_block_of_nothing_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="at least one"):
        blocks(named(3), 0)
