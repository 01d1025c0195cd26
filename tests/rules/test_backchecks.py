"""Which interviews are checked: by tickets alone, enough of each interviewer, and never more by asking again."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.sampling.backchecks import Interview, choose, ticket_of

NOW = datetime(2026, 3, 10, 2, 0, 0, 123456, tzinfo=UTC)
SEED = "ab" * 32


def test_anybody_can_work_a_ticket_out_with_sha256sum():
    line = f"{SEED}|backcheck|{'0' * 64}@2026-03-10T02:00:00.123456+00:00"
    assert ticket_of(SEED, "0" * 64, NOW) == sha256(line.encode()).hexdigest()
    assert ticket_of(SEED, "0" * 64, NOW.astimezone(timezone(timedelta(hours=8)))) == ticket_of(SEED, "0" * 64, NOW)


def interviews(numbers: list[int]) -> list[Interview]:
    """So many interviews of each interviewer."""
    made = [(hand, number) for hand, count in enumerate(numbers) for number in range(count)]
    return [
        Interview(case, hand, ticket_of(SEED, str(number), NOW + timedelta(seconds=case)))
        for case, (hand, number) in enumerate(made)
    ]


numbers_of = st.lists(st.integers(0, 60), max_size=6)


@given(numbers_of, st.integers(0, 100))
def test_an_interview_is_chosen_by_its_own_ticket_and_after_the_end_one_of_each_interviewer_is(numbers, percent):
    made = interviews(numbers)
    below = {one for one in made if int(one.ticket, 16) / 2**256 < percent / 100}
    assert set(choose(made, percent, over=False)) == below
    chosen = choose(made, percent, over=True)
    assert chosen == sorted(chosen, key=lambda one: one.ticket)
    for hand, count in enumerate(numbers):
        mine = {one for one in made if one.interviewer == hand}
        smallest = {min(mine, key=lambda one: one.ticket)} if mine and percent else set()
        assert mine & set(chosen) == (mine & below or smallest)
        assert percent < 100 or len(mine & set(chosen)) == count


@given(st.lists(st.integers(0, 12), max_size=4), st.integers(0, 100), st.randoms())
def test_choosing_early_late_or_often_chooses_the_same(numbers, percent, dice):
    made = interviews(numbers)
    at_the_end = set(choose(made, percent, over=False))
    dice.shuffle(made)
    pressed = [set(choose(made[:end], percent, over=False)) for end in range(len(made) + 1)]
    assert set().union(*pressed) == at_the_end
    assert all(before <= after for before, after in pairwise(pressed))


def test_the_share_that_is_chosen_is_the_plans():
    made = interviews([4000])
    assert 330 < len(choose(made, 10, over=False)) < 470  # 400 ± 3.7 standard deviations
    assert choose(made, 0, over=True) == []
    assert len(choose(made, 100, over=False)) == 4000


def test_no_interviewer_can_tell_from_the_case_whether_an_interview_is_checked():
    begun = [ticket_of(SEED, "7" * 64, NOW + timedelta(microseconds=micro)) < "1" for micro in range(2000)]
    assert 80 < sum(begun) < 170  # one in sixteen, whatever the case
